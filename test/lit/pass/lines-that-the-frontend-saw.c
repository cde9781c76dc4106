// The frontend knows what __LINE__ became: in macros, macros in macros, after #line, over several lines. Such numbers alone go to
// tables: not others of calls that end badly, and not those of a callee that gets others too.
// REQUIRES: pass
// RUN: %clang -c -O2 -emit-llvm -fplugin=%pass %s -o - | llvm-dis | FileCheck %s
// RUN: %clang -c -O0 -emit-llvm -fplugin=%pass %s -o - | llvm-dis | FileCheck %s --check-prefix=O0
// O0-NOT: spacer.lines
void fail(int) __attribute__((noreturn));
void stop(const char *, int, int) __attribute__((noreturn));
void note(int), mixed(int), seldom(int) __attribute__((cold));
#define FAIL() fail(__LINE__)
#define LINE __LINE__
#define OUTER(x) INNER(x, LINE)
#define INNER(x, l) stop(#x, l, 17)

// CHECK: @macro.spacer.lines = {{.*}} [1 x i32] [i32 120]
// CHECK: @nested.spacer.lines = {{.*}} [1 x i32] [i32 220]
// CHECK: @renamed.spacer.lines = {{.*}} [1 x i32] [i32 5000]
// CHECK: @spread.spacer.lines = {{.*}} [1 x i32] [i32 {{32[0-2]}}]
// CHECK: @every.spacer.lines = {{.*}} [2 x i32] [i32 420, i32 421]
// CHECK-NOT: spacer.lines = {{.*}}
#line 119
void macro(void) {
  FAIL();
}
#line 219
void nested(void) {
  OUTER(a);
}
// CHECK-LABEL: define {{.*}}@nested(
// CHECK: call void @stop(ptr {{.*}}, i32 noundef %{{[^,]+}}, i32 noundef 17)
#line 4999 "another.c"
void renamed(void) {
  fail(LINE);
}
#line 319
void spread(void) {
  OUTER(
      b
  );
}
// All calls of `note` have line numbers, not all of `mixed`.
#line 419
void every(void) {
  note(__LINE__);
  note(__LINE__);
}
// CHECK-LABEL: define {{.*}}@some(
// CHECK: call void @mixed(i32 noundef 500)
// CHECK: call void @mixed(i32 noundef 7)
// CHECK: call void @seldom(i32 noundef 77)
#line 499
void some(void) {
  mixed(__LINE__);
  mixed(7);
  seldom(77);
}
