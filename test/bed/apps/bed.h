// What the applications of the test bed share with each other and with the
// runtime.
#ifndef BED_H
#define BED_H

#include <stddef.h>

// A table of these, ended by an empty entry and named bedFiles, is an image's
// file system on bare metal.  On Linux it is only data, so applications write
// those files out if absent.
struct BedFile {
  const char *name;
  const char *text;
};

// The workload's repeat count: argv[1], or 1.
static inline int bedRepeats(int argc, char **argv) {
  int count = 0;
  for (const char *at = argc > 1 ? argv[1] : "1"; *at >= '0' && *at <= '9';
       ++at)
    count = count * 10 + (*at - '0');
  return count > 0 ? count : 1;
}

// FNV-1a: lets a repeated run say in one line what it computed.
static inline unsigned bedHash(unsigned hash, const void *data, size_t bytes) {
  for (const unsigned char *at = data, *end = at + bytes; at < end; ++at)
    hash = (hash ^ *at) * 16777619u;
  return hash;
}
#define BED_HASH_START 2166136261u

#endif
