/* A C library of one page: entry, thread-local storage, ifunc relocations, constructors, output, and the few functions
   that compilers call behind one's back. It is linked as part of the application. Programs become images of a few
   kilobytes that link in milliseconds, and nothing runs before main that is not written here. */
#include "pair.h"
#include <stdarg.h>

typedef unsigned long ulong;
typedef void Hook(void);
typedef struct { unsigned type, flags; ulong offset, vaddr, paddr, filesz, memsz, align; } Phdr;
typedef struct { ulong offset, info; long addend; } Rela;

#define WEAK_HIDDEN __attribute__((weak, visibility("hidden")))
extern const Rela __rela_iplt_start[] WEAK_HIDDEN, __rela_iplt_end[] WEAK_HIDDEN;
extern Hook *__preinit_array_start[] WEAK_HIDDEN, *__preinit_array_end[] WEAK_HIDDEN;
extern Hook *__init_array_start[] WEAK_HIDDEN, *__init_array_end[] WEAK_HIDDEN;
extern Hook *__fini_array_start[] WEAK_HIDDEN, *__fini_array_end[] WEAK_HIDDEN;
int main(void);

static long syscall3(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static char outBuffer[1 << 16];
static ulong outLength;

static void flush(void) {
  syscall3(1, 1, (long)outBuffer, (long)outLength);
  outLength = 0;
}

static void exitNow(int status) {
  flush();
  for (;;)
    syscall3(231, status, 0, 0);
}

static void putChar(char c) {
  if (outLength == sizeof(outBuffer))
    flush();
  outBuffer[outLength++] = c;
}

static void putString(const char *s) {
  while (*s)
    putChar(*s++);
}

static void putNumber(ulong value, unsigned base, int minDigits) {
  char digits[24];
  int n = 0;
  do {
    digits[n++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value || n < minDigits);
  while (n)
    putChar(digits[--n]);
}

static void putSigned(long value) {
  if (value < 0)
    putChar('-');
  putNumber(value < 0 ? -(ulong)value : (ulong)value, 10, 1);
}

static void putDouble(double value) {
  if (value < 0)
    putChar('-'), value = -value;
  ulong thousandths = (ulong)(value * 1000.0 + 0.5);
  putNumber(thousandths / 1000, 10, 1);
  putChar('.');
  putNumber(thousandths % 1000, 10, 3);
}

int say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  for (; *format; ++format) {
    if (*format != '%') {
      putChar(*format);
      continue;
    }
    if (*++format == 'l') {
      ++format;
      if (*format == 'd')
        putSigned(va_arg(args, long));
      else
        putNumber(va_arg(args, ulong), *format == 'x' ? 16 : 10, 1);
      continue;
    }
    if (*format == 'd')
      putSigned(va_arg(args, int));
    else if (*format == 'u')
      putNumber(va_arg(args, unsigned), 10, 1);
    else if (*format == 'x')
      putNumber(va_arg(args, unsigned), 16, 1);
    else if (*format == 'c')
      putChar((char)va_arg(args, int));
    else if (*format == 's')
      putString(va_arg(args, const char *));
    else if (*format == 'f')
      putDouble(va_arg(args, double));
  }
  va_end(args);
  return 0;
}

void *memcpy(void *to, const void *from, ulong n) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return result;
}

void *memmove(void *to, const void *from, ulong n) {
  if ((ulong)to - (ulong)from >= n)
    return memcpy(to, from, n);
  for (char *d = to; n--;)
    d[n] = ((const volatile char *)from)[n];
  return to;
}

void *memset(void *to, int c, ulong n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
  return result;
}

int memcmp(const void *a, const void *b, ulong n) {
  const volatile unsigned char *x = a, *y = b;
  for (; n; --n, ++x, ++y)
    if (*x != *y)
      return *x - *y;
  return 0;
}

ulong strlen(const char *s) {
  const volatile char *p = s;
  while (*p)
    ++p;
  return (ulong)(p - (const volatile char *)s);
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b)
    ++a, ++b;
  return (unsigned char)*a - (unsigned char)*b;
}

/* What C++ without exceptions and RTTI needs. */
static char heap[1 << 16] __attribute__((aligned(16)));
static ulong heapUsed;
void *_Znwm(ulong n) {
  void *p = heap + heapUsed;
  heapUsed += (n + 15) & -16UL;
  return heapUsed > sizeof(heap) ? (exitNow(97), p) : p;
}
void _ZdlPv(void *p) { (void)p; }
void _ZdlPvm(void *p, ulong n) { (void)p, (void)n; }
void __cxa_pure_virtual(void) { exitNow(98); }
void *__dso_handle = &__dso_handle;
static struct { void (*run)(void *); void *object; } atExit[32];
static int atExitCount;
int __cxa_atexit(void (*run)(void *), void *object, void *dso) {
  (void)dso;
  atExit[atExitCount].run = run;
  atExit[atExitCount++].object = object;
  return 0;
}

/* x86-64, variant II: the block ends at the thread pointer, its size rounded up to its alignment. */
static char threadBlock[(1 << 16) + 256] __attribute__((aligned(4096)));
static void setUpThread(const Phdr *tls) {
  char *pointer = threadBlock + (1 << 16);
  if (tls) {
    ulong size = (tls->memsz + tls->align - 1) & -tls->align;
    if (size > 1 << 16 || tls->align > 4096)
      exitNow(99);
    memcpy(pointer - size, (const void *)tls->vaddr, tls->filesz);
  }
  *(void **)pointer = pointer;
  syscall3(158, 0x1002, (long)pointer, 0); /* arch_prctl(ARCH_SET_FS) */
}

static const Phdr *findTls(const ulong *auxv) {
  const Phdr *headers = 0;
  ulong count = 0;
  for (; auxv[0]; auxv += 2) {
    if (auxv[0] == 3)
      headers = (const Phdr *)auxv[1];
    else if (auxv[0] == 5)
      count = auxv[1];
  }
  for (; headers && count--; ++headers)
    if (headers->type == 7)
      return headers;
  return 0;
}

USED void pairStart(ulong *stack) {
  ulong *p = stack + 1 + stack[0] + 1; /* argc, argv…, 0, environment…, 0, auxv */
  while (*p++)
    ;
  setUpThread(findTls(p));
  for (const Rela *r = __rela_iplt_start; r < __rela_iplt_end; ++r)
    *(ulong *)r->offset = ((ulong(*)(void))r->addend)();
  for (Hook **h = __preinit_array_start; h < __preinit_array_end; ++h)
    (*h)();
  for (Hook **h = __init_array_start; h < __init_array_end; ++h)
    (*h)();
  int status = main();
  while (atExitCount--)
    atExit[atExitCount].run(atExit[atExitCount].object);
  for (Hook **h = __fini_array_end; h > __fini_array_start;)
    (*--h)();
  exitNow(status);
}

__asm__(".section .text._start,\"ax\",@progbits\n"
        ".globl _start\n.type _start,@function\n"
        "_start: xorl %ebp,%ebp\n movq %rsp,%rdi\n andq $-16,%rsp\n call pairStart\n hlt\n"
        ".size _start,.-_start\n.text\n");
