// A report that cannot be written is an error with its name; a full disk is one too, and no abort.
// REQUIRES: pass
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-report=%t.none/r.json %s -o %t.o 2>&1 | FileCheck %s
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-report=/dev/full %s -o %t.o 2>&1 | FileCheck %s --check-prefix=FULL
// CHECK: error: spacer: cannot write the report {{.*}}none/r.json: {{[Nn]}}o such file or directory
// FULL-NOT: IO failure
// FULL: error: spacer: cannot write the report /dev/full: No space left on device
// FULL-NOT: Stack dump
int one;
