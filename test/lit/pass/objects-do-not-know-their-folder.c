// The object is the same, compiled in another folder, by another path of the pass, with or without a report.
// REQUIRES: pass
// RUN: rm -rf %t && mkdir -p %t/one %t/two/three && cp %s %t/one/x.c && cp %s %t/two/three/x.c && cp %pass %t/two/pass.so
// RUN: cd %t/one && %clang -c -O2 -fplugin=%pass -fplugin-arg-spacer-lib=a@1 x.c -o x.o
// RUN: cd %t/two/three && %clang -c -O2 -fplugin=../pass.so -fplugin-arg-spacer-lib=a@1 -fplugin-arg-spacer-report=r.json x.c -o x.o
// RUN: cmp %t/one/x.o %t/two/three/x.o
void fail(const char *, int) __attribute__((noreturn)), note(int);
extern char _end[];
static int counter;
__attribute__((noinline)) static int twist(int v) { return (counter += v) % 77; }
int pick(int v) {
  switch (v) { case 0: return 77; case 1: return 5; case 2: return 1234; case 3: return 9; case 4: return -4; default: return 0; }
}
int check(char *p) {
  if (p > _end)
    fail(__FILE__, __LINE__);
  note(__LINE__);
  return twist(pick(*p));
}
