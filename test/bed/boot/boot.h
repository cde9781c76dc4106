// What the parts of the bare-metal runtime know of each other.
//
// The runtime is Linux as far as a statically linked, single-threaded musl
// program can see: the initial stack, some forty system calls, a console and
// files in RAM.
#ifndef BED_BOOT_H
#define BED_BOOT_H

#include <stddef.h>
#include <stdint.h>

// Linux error numbers, as system calls return them (negated).
enum {
  eNOENT = 2,
  eBADF = 9,
  eNOMEM = 12,
  eFAULT = 14,
  eEXIST = 17,
  eNODEV = 19,
  eINVAL = 22,
  eNFILE = 23,
  eNOTTY = 25,
  eNOSPC = 28,
  eSPIPE = 29,
  eRANGE = 34,
  eNOSYS = 38,
};

enum { pageBytes = 4096 };

// The program's memory, above everything that an image may hold (see memory.c).
#define ARENA_BASE 0x8000000ul
#define ARENA_LIMIT 0x1c000000ul

// boot.S
extern uint64_t
    pd[4 * 512]; // page directories: one entry for each 2 MiB up to 4 GiB
extern char trapStubs[];
void syscallEntry(void);
_Noreturn void enterProgram(uint64_t *sp);

// console.c
void consoleInit(void);
void consoleWrite(const char *text, size_t bytes);
// Waits for at least one byte; 0 at end of input.
size_t consoleRead(char *to, size_t bytes);
// Prints "exit N" on a line of its own and powers off.
_Noreturn void powerOff(int status);
// A line for whoever debugs the runtime; not part of the program's output.
void debugLine(const char *what, uint64_t value);

// memory.c
// Divides [ARENA_BASE, limit) into brk, mappings and the program's stack.
void memoryInit(uintptr_t limit);
uintptr_t memoryStackTop(void);
long memoryBreak(uintptr_t to);
// Zeroed pages; -ENOMEM when there are none.
long memoryMap(size_t bytes);
long memoryUnmap(uintptr_t at, size_t bytes);

// files.c: each returns what the system call of that name returns.
long fileOpen(const char *path, int flags);
long fileClose(int fd);
long fileRead(int fd, void *to, size_t bytes);
long fileWrite(int fd, const void *from, size_t bytes);
long fileReadAt(int fd, void *to, size_t bytes, int64_t offset);
long fileWriteAt(int fd, const void *from, size_t bytes, int64_t offset);
long fileSeek(int fd, int64_t offset, int whence);
long fileTruncate(int fd, int64_t bytes);
long fileUnlink(const char *path);
long fileRename(const char *from, const char *to);
long fileAccess(const char *path);
long fileStat(int fd, void *to);
long fileStatPath(const char *path, void *to);
int fileIsOpen(int fd);

static inline void outb(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void writeMsr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr"
                   :
                   : "c"(msr), "a"((uint32_t)value),
                     "d"((uint32_t)(value >> 32)));
}

static inline uint64_t readTsc(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

// The compiler may call these for struct copies; musl, always in the link, has
// them.
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int strcmp(const char *a, const char *b);
size_t strlen(const char *text);

#endif
