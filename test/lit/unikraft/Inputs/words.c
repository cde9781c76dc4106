// Strings, merged and not, pointers to them, and what a new version changes.
#include "unikernel.h"

#ifndef WORDS
#define WORDS 1
#endif

static const char *const names[] = {"alpha",   "beta", "gamma",        "delta",
                                    "library", "page", "the same page"};
static char text[80] = "changes";
static unsigned long count;
#ifdef THREAD_SPACE
__thread char words_space[THREAD_SPACE];
#endif
static __thread int level = 11;

__attribute__((noinline)) int words_length(const char *s) {
  int n = 0;
  while (s[n])
    ++n;
  return n;
}

__attribute__((noinline)) static int step(const char *a, const char *b) {
  int same = 0;
  while (*a && *a == *b)
    ++a, ++b, ++same;
#if WORDS > 1
  if (same > 70)
    boot_put("words: a long match\n");
#endif
  return same;
}

unsigned long words_check(unsigned long seed) {
  for (unsigned i = 0; i < 7; ++i)
    for (unsigned j = 0; j < 7; ++j) {
      seed = seed * 33 + (unsigned long)step(names[i], names[j]) +
             (unsigned long)words_length(names[j]) * (unsigned long)level;
      text[(i * 7 + j) % 79] = (char)('a' + seed % 26);
      ++count;
    }
  level += (int)(seed & 3);
  return seed + count + (unsigned long)words_length(text);
}

static void wordsEarly(void) { boot_note("words early"); }
EARLY(1, wordsEarly);
static void wordsStart(void) { boot_note("words start"); }
INIT(11, wordsStart);
static void wordsThread(void) { boot_note("words thread"); }
THREAD(2, wordsThread);
static __attribute__((constructor)) void languageDefault(void) {
  boot_note("words constructor");
}
