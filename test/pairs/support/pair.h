/* What every pair's program may use. `say` prints without a C library, or is printf where a pair asks for one
   ("libc": true in its pair.json), so that both kinds of pair are written alike. Never print an address: print whether
   two addresses are equal. */
#ifndef PAIR_H
#define PAIR_H

#define NOINLINE __attribute__((noinline))
#define USED __attribute__((used))
/* Keeps the optimiser from knowing a value. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

/* One value and a space. Calls with side effects go here one by one: arguments are evaluated in no fixed order. */
#define SHOW(value) say("%d ", (int)(value))
#define SAME(a, b) sameAddress((const void *)(a), (const void *)(b))
static inline int sameAddress(const void *a, const void *b) {
  OPAQUE(a);
  OPAQUE(b);
  return a == b;
}

#ifdef __cplusplus
extern "C" {
#endif
#ifdef PAIR_LIBC
int printf(const char *, ...);
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memset(void *, int, __SIZE_TYPE__);
int strcmp(const char *, const char *);
__SIZE_TYPE__ strlen(const char *);
#define say printf
#else
/* Formats: %d %ld %u %x %c %s %f (three decimals). */
int say(const char *format, ...);
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memset(void *, int, __SIZE_TYPE__);
int memcmp(const void *, const void *, __SIZE_TYPE__);
int strcmp(const char *, const char *);
__SIZE_TYPE__ strlen(const char *);
#endif
#ifdef __cplusplus
}
#endif
#endif
