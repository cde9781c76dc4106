// The system calls of a single-threaded musl program, by Linux's x86-64
// numbers.
//
// What touches memory, files or the console goes to those files.  Signals,
// identities and protections have nothing to act on here and succeed quietly.
// Time comes from the time stamp counter, taken as 1 GHz (what QEMU's TCG
// gives); random bytes are the same at every boot, so that two boots of one
// image print the same.  Anything else is -ENOSYS, with a line on QEMU's debug
// console (boot.sh --debug shows it).
#include "boot.h"

enum {
  fsBase = 0xc0000100,
  archSetFs = 0x1002,
  mapFixed = 0x10,
  mapAnonymous = 0x20,
  bootEpoch = 1672531200, // 2023-01-01
};

struct Vector {
  char *base;
  size_t bytes;
};

static long eachVector(int fd, const struct Vector *vector, long count,
                       long (*step)(int, struct Vector)) {
  long total = 0;
  for (long i = 0; i < count; ++i) {
    if (!vector[i].bytes)
      continue;
    long done = step(fd, vector[i]);
    if (done < 0)
      return total ? total : done;
    total += done;
    if ((size_t)done < vector[i].bytes)
      break;
  }
  return total;
}

static long readOne(int fd, struct Vector part) {
  return fileRead(fd, part.base, part.bytes);
}
static long writeOne(int fd, struct Vector part) {
  return fileWrite(fd, part.base, part.bytes);
}

static long map(size_t bytes, long flags) {
  if (flags & mapFixed)
    return -eINVAL;
  return flags & mapAnonymous ? memoryMap(bytes) : -eNODEV;
}

static long getTime(uint64_t *to, uint64_t unitsPerSecond) {
  static uint64_t start;
  uint64_t now = readTsc();
  if (!start)
    start = now;
  uint64_t nanoseconds = now - start; // 1 GHz
  if (to) {
    to[0] = bootEpoch + nanoseconds / 1000000000;
    to[1] = nanoseconds % 1000000000 / (1000000000 / unitsPerSecond);
  }
  return 0;
}

static long randomFill(uint8_t *to, size_t bytes) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  for (size_t i = 0; i < bytes; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    to[i] = (uint8_t)(state >> 32);
  }
  return (long)bytes;
}

static long currentDirectory(char *to, size_t bytes) {
  if (bytes < 2)
    return -eRANGE;
  memcpy(to, "/", 2);
  return 2;
}

static long hostName(char *to) { // struct utsname: six fields of 65 bytes
  static const char *const fields[] = {"Linux", "bed",    "5.0",
                                       "1",     "x86_64", ""};
  memset(to, 0, 6 * 65);
  for (int i = 0; i < 6; ++i)
    memcpy(to + 65 * i, fields[i], strlen(fields[i]));
  return 0;
}

static long duplicateOrLock(int fd, long command) {
  enum { duplicate = 0, getFlags = 3, duplicateCloseOnExec = 1030 };
  if (!fileIsOpen(fd))
    return -eBADF;
  if (command == duplicate || command == duplicateCloseOnExec)
    return -eNFILE;
  return command == getFlags ? 2 : 0; // locks: nobody else is here
}

long systemCall(long number, long a, long b, long c, long d, long e, long f) {
  (void)e, (void)f;
  int fd = (int)a;
  switch (number) {
  case 0: // read
    return fileRead(fd, (void *)b, (size_t)c);
  case 1: // write
    return fileWrite(fd, (const void *)b, (size_t)c);
  case 2: // open
    return fileOpen((const char *)a, (int)b);
  case 3: // close
    return fileClose(fd);
  case 4: // stat
  case 6: // lstat
    return fileStatPath((const char *)a, (void *)b);
  case 5: // fstat
    return fileStat(fd, (void *)b);
  case 8: // lseek
    return fileSeek(fd, b, (int)c);
  case 9: // mmap
    return map((size_t)b, d);
  case 10: // mprotect
    return 0;
  case 11: // munmap
    return memoryUnmap((uintptr_t)a, (size_t)b);
  case 12: // brk
    return memoryBreak((uintptr_t)a);
  case 13:  // rt_sigaction
  case 14:  // rt_sigprocmask
  case 28:  // madvise
  case 35:  // nanosleep
  case 131: // sigaltstack
    return 0;
  case 16: // ioctl
    return fileIsOpen(fd) ? -eNOTTY : -eBADF;
  case 17: // pread64
    return fileReadAt(fd, (void *)b, (size_t)c, d);
  case 18: // pwrite64
    return fileWriteAt(fd, (const void *)b, (size_t)c, d);
  case 19: // readv
    return eachVector(fd, (const struct Vector *)b, c, readOne);
  case 20: // writev
    return eachVector(fd, (const struct Vector *)b, c, writeOne);
  case 21: // access
    return fileAccess((const char *)a);
  case 25: // mremap: the caller falls back on a copy
    return -eNOSYS;
  case 39:  // getpid
  case 186: // gettid
  case 218: // set_tid_address
    return 1;
  case 60:  // exit
  case 231: // exit_group
    powerOff((int)a);
  case 62:  // kill
  case 200: // tkill
    powerOff(128 + (int)b);
  case 63: // uname
    return hostName((char *)a);
  case 72: // fcntl
    return duplicateOrLock(fd, b);
  case 74: // fsync
  case 75: // fdatasync
    return 0;
  case 77: // ftruncate
    return fileTruncate(fd, b);
  case 79: // getcwd
    return currentDirectory((char *)a, (size_t)b);
  case 82: // rename
    return fileRename((const char *)a, (const char *)b);
  case 87: // unlink
    return fileUnlink((const char *)a);
  case 89: // readlink: there are no links
    return fileAccess((const char *)a) ? -eNOENT : -eINVAL;
  case 90:  // chmod
  case 91:  // fchmod
  case 92:  // chown
  case 93:  // fchown
  case 95:  // umask
  case 132: // utime
    return 0;
  case 96: // gettimeofday
    return getTime((uint64_t *)a, 1000000);
  case 102: // getuid
  case 104: // getgid
  case 107: // geteuid
  case 108: // getegid
    return 0;
  case 158: // arch_prctl
    if (a != archSetFs)
      return -eINVAL;
    writeMsr(fsBase, (uint64_t)b);
    return 0;
  case 201: { // time
    uint64_t now[2];
    getTime(now, 1000000000);
    return (long)now[0];
  }
  case 202: // futex: never contended
    return 0;
  case 228: // clock_gettime
    return getTime((uint64_t *)b, 1000000000);
  case 318: // getrandom
    return randomFill((uint8_t *)a, (size_t)b);
  default:
    debugLine("system call not provided:", (uint64_t)number);
    return -eNOSYS;
  }
}
