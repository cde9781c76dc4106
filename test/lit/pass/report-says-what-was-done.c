// The report is JSON: module, library, phase, units, what was tied, redirected and spared, entries and edges.
// REQUIRES: pass
// RUN: %clang -c -O2 -fplugin=%pass -fplugin-arg-spacer-lib=one@2 -fplugin-arg-spacer-report=%t.json %s -o %t.o
// RUN: %python -m json.tool %t.json > %t.txt && FileCheck %s < %t.txt
// CHECK:      "module": "{{.*}}report-says-what-was-done.c"
// CHECK-NEXT: "library": "one@2"
// CHECK-NEXT: "phase": "compile"
// CHECK-NEXT: "units": [
// CHECK:        "pick"
// CHECK:        "switch.table.pick"
// CHECK:      "tied": {
// CHECK-NEXT:   "switch.table.pick": "pick"
// CHECK-NEXT: }
// CHECK-NEXT: "redirected": [
// CHECK-NEXT:   "_end"
// CHECK-NEXT: ]
// CHECK-NEXT: "spared": {
// CHECK-NEXT:   "check": 2
// CHECK-NEXT: }
// CHECK-NEXT: "borders": []
// CHECK-NEXT: "tagged": 2
// CHECK-NEXT: "calls": 1
extern char _end[];
void fail(int) __attribute__((noreturn));
__attribute__((noinline)) static int twist(int v) { return __builtin_bitreverse32(v) % 77; }
int pick(int v) {
  switch (v) { case 0: return 77; case 1: return 5; case 2: return 1234; case 3: return 9; case 4: return -4; default: return 0; }
}
int check(char *p, int v) {
  if (p > _end)
    fail(__LINE__);
  if (v == 3)
    fail(__LINE__);
  return twist(v);
}
