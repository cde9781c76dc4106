// The C library by itself: constructors, thread-local storage, allocation,
// numbers, sorting, streams, and files in RAM.
#include "bed.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

static char order[16];
static _Thread_local int counter = 41;
static _Thread_local char scratch[64];

static void note(const char *what) { strcat(order, what); }
__attribute__((constructor(101))) static void first(void) { note("a"); }
__attribute__((constructor(102))) static void second(void) { note("b"); }
__attribute__((constructor)) static void third(void) { note("c"); }
__attribute__((destructor)) static void last(void) { puts("destructor ran"); }

static void atExit(void) { puts("atexit ran"); }

static int byLength(const void *a, const void *b) {
  const char *x = *(char *const *)a, *y = *(char *const *)b;
  size_t m = strlen(x), n = strlen(y);
  return m != n ? (m > n) - (m < n) : strcmp(x, y);
}

static void numbers(void) {
  printf("%d %5.2f %-8s| %#x %lld %g %.17g %Lf\n", -42, 3.14159, "left",
         0xbeefu, 1ll << 40, 1e100, 0.1, 2.5L);
  char *end;
  double value = strtod("6.02214076e23 per mole", &end);
  printf("strtod %.9e rest '%s'\n", value, end);
  printf("strtol %ld, hex float %a\n", strtol("-0x7f", NULL, 0),
         strtod("0x1.8p3", NULL));
  printf("sqrt %.15f sin %.15f pow %.6f fmod %.3f\n", sqrt(2), sin(1),
         pow(2, 0.5), fmod(10, 3.3));
}

static void sorting(void) {
  const char *words[] = {"page",  "slot",   "atlas", "door",
                         "delta", "window", "a",     "extent"};
  size_t count = sizeof words / sizeof *words;
  qsort(words, count, sizeof *words, byLength);
  for (size_t i = 0; i < count; ++i)
    printf("%s%s", words[i], i + 1 < count ? " " : "\n");
}

static unsigned allocation(void) {
  enum { blocks = 2000 };
  static unsigned char *block[blocks];
  unsigned hash = BED_HASH_START, random = 12345;
  for (int round = 0; round < 4; ++round)
    for (int i = 0; i < blocks; ++i) {
      random = random * 1103515245 + 12345;
      size_t bytes = random >> 16 & (i % 50 ? 0x3ff : 0x3ffff);
      unsigned char *grown = realloc(block[i], bytes + 1);
      if (!grown)
        return puts("out of memory"), 1;
      memset(grown, i, bytes + 1);
      hash = bedHash(hash, grown + bytes / 2, 1);
      block[i] = grown;
    }
  for (int i = 0; i < blocks; ++i) {
    free(block[i]);
    block[i] = NULL;
  }
  return hash;
}

static void streams(void) {
  FILE *file = fopen("hello.tmp", "w+");
  if (!file) {
    printf("fopen: %s\n", strerror(errno));
    return;
  }
  for (int i = 0; i < 1000; ++i)
    fprintf(file, "line %d\n", i);
  long bytes = ftell(file);
  char line[32];
  fseek(file, -9, SEEK_END);
  if (!fgets(line, sizeof line, file))
    line[0] = 0;
  printf("file of %ld bytes ends with %s", bytes, line);
  fclose(file);
  printf("removed: %d, then: %s\n", unlink("hello.tmp"),
         strerror(unlink("hello.tmp") ? errno : 0));
}

static void unwinding(void) {
  jmp_buf back;
  volatile int depth = 0;
  if (setjmp(back) < 3) {
    ++depth;
    longjmp(back, depth);
  }
  printf("longjmp came back %d times\n", depth);
}

static void echo(void) {
  char line[256];
  size_t lines = 0;
  while (fgets(line, sizeof line, stdin))
    printf("input %zu: %s", ++lines, line);
  printf("%zu lines of input\n", lines);
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  atexit(atExit);
  printf("hello, %d-bit world; constructors ran as %s\n",
         (int)sizeof(void *) * 8, order);
  snprintf(scratch, sizeof scratch, "thread-local %d", ++counter);
  puts(scratch);
  numbers();
  sorting();
  unsigned hash = allocation();
  for (int i = 1; i < repeats; ++i)
    if (allocation() != hash)
      puts("allocation: another result");
  printf("allocation %08x\n", hash);
  streams();
  unwinding();
  time_t then = 1000000000;
  struct tm *utc = gmtime(&then);
  char when[64];
  strftime(when, sizeof when, "%A %d %B %Y %T", utc);
  printf("%s, locale %s, %d wide\n", when, setlocale(LC_ALL, NULL),
         (int)wcslen(L"wide"));
  echo();
  return 7;
}
