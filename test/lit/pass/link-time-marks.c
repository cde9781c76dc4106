// Before link-time optimisation the pass only marks: who belongs to which library, what the source made external, and the numbers
// that __LINE__ became. Sections, tables and tags are made at the link.
// REQUIRES: pass
// RUN: %clang -O2 -flto -c -fplugin=%pass -fplugin-arg-spacer-lib=one@2 -fplugin-arg-spacer-report=%t.json %s -o %t.bc
// RUN: llvm-dis %t.bc -o - | FileCheck %s
// RUN: %clang -O2 -flto=thin -c -fplugin=%pass -fplugin-arg-spacer-lib=one@2 %s -o %t.bc && llvm-dis %t.bc -o - | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: %clang -O2 -flto -c -fplugin=%pass %s -o %t.bc && llvm-dis %t.bc -o - | FileCheck %s --check-prefix=IMAGE
// CHECK-NOT: section ".text
// CHECK-NOT: spacer.tags
// CHECK: @counter = internal {{.*}}global i32 0, align 4 #[[#S:]]
// CHECK: @llvm.compiler.used = appending global [2 x ptr] [ptr @outer, ptr @inner]
// CHECK: call void @fail(i32 noundef 120)
// CHECK-DAG: attributes #[[#S]] = { "spacer-file"="link-time-marks.c" "spacer-lib"="one@2" }
// CHECK-DAG: attributes {{.*}} "spacer-external" "spacer-file"="link-time-marks.c" "spacer-kept" "spacer-lib"="one@2"
// CHECK: !spacer.prepared = !{![[#N:]]}
// CHECK: ![[#N]] = !{i64 120}
// IMAGE-NOT: @llvm.compiler.used
// IMAGE-NOT: "spacer-lib"
// IMAGE: "spacer-external" "spacer-file"="link-time-marks.c"
// REPORT: "phase": "pre-link"
// REPORT: "tagged": 3

static int counter;
__attribute__((noinline)) static int inner(void) { return counter++; }
void fail(int) __attribute__((noreturn));
int outer(int v) {
  if (!v)
#line 120
    fail(__LINE__);
  return inner() + 1;
}
