// What the parts of the small unikernel know of each other: functions of each
// library, and how an entry comes into one of the tables that the linker
// scripts collect.
#ifndef UNIKERNEL_H
#define UNIKERNEL_H

#include <stddef.h>
#include <stdint.h>

struct Step { // of a table that is walked from start to end
  void (*run)(void);
  const char *name;
};

struct FileSystem {
  const char *name;
  int (*open)(const char *path);
};

struct Parameter {
  const char *name;
  long *value;
};

#define IN_TABLE(type, name, section_)                                         \
  static const type name __attribute__((used, section(section_), aligned(8)))

#define CTOR(order, fn)                                                        \
  IN_TABLE(struct Step, fn##_c, ".u_ctor" #order) = {fn, #fn}
#define INIT(order, fn)                                                        \
  IN_TABLE(struct Step, fn##_i, ".u_init" #order) = {fn, #fn}
#define EARLY(order, fn)                                                       \
  IN_TABLE(struct Step, fn##_e, ".u_early" #order) = {fn, #fn}
#define THREAD(order, fn)                                                      \
  IN_TABLE(struct Step, fn##_t, ".u_thread" #order) = {fn, #fn}
#define FILE_SYSTEM(var, ...)                                                  \
  IN_TABLE(struct FileSystem, var, ".u_fslist") = {__VA_ARGS__}
#define PARAMETER(var, ...)                                                    \
  IN_TABLE(struct Parameter, var, ".u_params") = {__VA_ARGS__}

// Memory that the image takes, as the boot code sees it.
struct Region {
  uint64_t base, bytes, flags; // flags: 1 readable, 2 writable, 4 executable
};
enum { mostRegions = 128 };
struct BootInfo {
  uint64_t magic, count;
  struct Region region[mostRegions];
};

// boot: the platform.
void boot_put(const char *text);
void boot_number(const char *name, uint64_t value);
void boot_note(const char *step); // what ran, in order
extern unsigned long boot_hash;

// Libraries. NAME_check() works with all that the library has.
unsigned long numbers_check(unsigned long seed);
unsigned long numbers_mix(unsigned long a, unsigned long b);
unsigned long words_check(unsigned long seed);
int words_length(const char *text);
unsigned long store_check(unsigned long seed);
void *store_slot(unsigned i);
unsigned long files_check(unsigned long seed);
int files_open(const char *path);
unsigned long app_check(unsigned long seed);

#endif
