// The image's own code; APP chooses one of several that use different parts.
#include "unikernel.h"

#ifndef APP
#define APP 1
#endif

static unsigned long own[50];
static __thread unsigned long mine = 1000 + APP;
static const char title[] = "application";
static int appOpen(const char *path) { return words_length(path) + APP; }
FILE_SYSTEM(appfs, "appfs", appOpen);
static void appStart(void) { boot_note("app start"); }
INIT(60, appStart);

unsigned long app_check(unsigned long seed) {
  seed = numbers_check(seed);
  seed = words_check(seed);
#if APP != 2
  seed = store_check(seed);
#endif
  seed = files_check(seed);
  for (unsigned i = 0; i < 50; ++i)
    own[i] = seed = numbers_mix(seed, own[(i + 1) % 50] + mine++);
  return seed + (unsigned long)words_length(title);
}
