// Walks the tables that other libraries fill.
#include "unikernel.h"

extern const struct FileSystem u_fslist_start[], u_fslist_end[];
extern const struct Parameter u_params_start[], u_params_end[];

static int ramOpen(const char *path) { return words_length(path); }
static int devOpen(const char *path) { return path[0] == '/' ? 7 : -1; }
FILE_SYSTEM(ramfs, "ramfs", ramOpen);
FILE_SYSTEM(devfs, "devfs", devOpen);
static long openMax = 12;
PARAMETER(most, "files.most", &openMax);
static unsigned long opened;

int files_open(const char *path) {
  int sum = 0;
  for (const struct FileSystem *f = u_fslist_start; f != u_fslist_end; ++f)
    sum = sum * 3 + f->open(path) + words_length(f->name);
  ++opened;
  return sum;
}

unsigned long files_check(unsigned long seed) {
  seed += (unsigned long)files_open("/dev/null") * 17;
  for (const struct Parameter *p = u_params_start; p != u_params_end; ++p)
    seed = seed * 5 + (unsigned long)words_length(p->name) +
           (unsigned long)*p->value;
  return seed + opened;
}

static void filesMount(void) { boot_note("files mount"); }
INIT(40, filesMount);
static void filesThread(void) { boot_note("files thread"); }
THREAD(1, filesThread);
