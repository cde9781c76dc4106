// A wrong argument is one clear error that lists the valid ones, and nothing is compiled.
// REQUIRES: pass
// RUN: rm -f %t.o
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-libs=a %s -o %t.o 2>&1 | FileCheck %s -DARG=libs=a -DWHY='unknown argument' --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-lib %s -o %t.o 2>&1 | FileCheck %s -DARG=lib -DWHY='a value is missing in' --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-lib= %s -o %t.o 2>&1 | FileCheck %s -DARG=lib= -DWHY='a value is missing in' --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-lib=@1 %s -o %t.o 2>&1 | FileCheck %s -DARG=lib=@1 -DWHY="not a library's name in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass "-fplugin-arg-spacer-lib=a b" %s -o %t.o 2>&1 | FileCheck %s "-DARG=lib=a b" -DWHY="not a library's name in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-lib=../a %s -o %t.o 2>&1 | FileCheck %s -DARG=lib=../a -DWHY="not a library's name in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-lib=a -fplugin-arg-spacer-lib=b %s -o %t.o 2>&1 | FileCheck %s -DARG=lib=b -DWHY="a second library, after 'a', in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass '-fplugin-arg-spacer-image=[a' %s -o %t.o 2>&1 | FileCheck %s '-DARG=image=[a' -DWHY="{{.*}} in" --check-prefix=GLOB
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-image %s -o %t.o 2>&1 | FileCheck %s -DARG=image -DWHY="a value is missing in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-report %s -o %t.o 2>&1 | FileCheck %s -DARG=report -DWHY="a value is missing in" --implicit-check-not=error:
// RUN: not %clang -c -fplugin=%pass -fplugin-arg-spacer-no-units=1 %s -o %t.o 2>&1 | FileCheck %s -DARG=no-units=1 -DWHY="unknown argument" --implicit-check-not=error:
// RUN: not %opt -load-pass-plugin=%pass '-passes=spacer<libs=a>' -S /dev/null 2>&1 | FileCheck %s -DARG=libs=a -DWHY='unknown argument'
// RUN: not ls %t.o
// The same library twice is no contradiction.
// RUN: %clang -c -fplugin=%pass -fplugin-arg-spacer-lib=a -fplugin-arg-spacer-lib=a %s -o %t.o
// CHECK: error: spacer: [[WHY]] '[[ARG]]'; the arguments are lib=NAME[@VERSION], image=GLOB, report=FILE, no-units, no-image-got, no-lines, no-frequencies, no-tags, help
// GLOB: error: spacer: {{.+}} in '[[ARG]]'; the arguments are lib=NAME[@VERSION], image=GLOB,
int one;
