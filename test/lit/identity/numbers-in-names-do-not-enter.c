## Statics that only the compiler's numbering tells apart (buf.0, buf.1) keep who they are when a new one comes in front.
# REQUIRES: ld.spacer, gcc
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir v1 v2
# RUN: %gcc -c -O1 -fno-pic -ffunction-sections -fdata-sections one.c -o v1/lib.o
# RUN: %gcc -c -O1 -fno-pic -ffunction-sections -fdata-sections -DNEW one.c -o v2/lib.o
# RUN: llvm-nm v1/lib.o v2/lib.o | FileCheck %s --check-prefix=NUMBERED
# RUN: %gcc -c -O1 -fno-pic app.c -o app.o
# RUN: llvm-ar rcs v1/libone.a v1/lib.o && llvm-ar rcs v2/libone.a v2/lib.o
# RUN: %spacer_ld app.o v1/libone.a -o image1 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: %spacer_ld app.o v2/libone.a -o image2 --spacer-atlas=a.atlas --spacer-trampolines=door
# RUN: llvm-nm image1 | grep -w first > first1 && llvm-nm image2 | grep -w first > first2 && diff first1 first2
# RUN: llvm-nm image1 | grep -w second > second1 && llvm-nm image2 | grep -w second > second2 && diff second1 second2
// NUMBERED: buf.0
// NUMBERED: buf.1
// NUMBERED: buf.2

#--- one.c
#ifdef NEW
int inFront(void) { static int buf[9]; return buf[0]++; }
#endif
int first(void) { static int buf[3] = {1}; return buf[0]++; }
int second(void) { static int buf[3] = {2}; return buf[0]++; }

#--- app.c
int first(void), second(void);
void _start(void) { first(); second(); for (;;); }
