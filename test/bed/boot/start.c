// From boot.S to the program's _start.
//
// A program finds the same thing here that execve would give it: a stack with
// argc, argv, an empty environment and the auxiliary vector.  musl reads its
// thread-local template from the program headers, so the ELF header has to be
// in memory; lld's layout without a linker script puts it at the image base.
// Arguments come from QEMU's -append, separated by spaces.
#include "boot.h"

// xen/include/public/arch-x86/hvm/start_info.h, version 1
struct StartInfo {
  uint32_t magic, version, flags, moduleCount;
  uint64_t modules, commandLine, acpi, memoryMap;
  uint32_t memoryMapCount, reserved;
};

struct MemoryRange {
  uint64_t base, bytes;
  uint32_t kind, reserved; // kind 1: RAM
};

struct ElfHeader {
  uint8_t ident[16];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, programHeaders, sectionHeaders;
  uint32_t flags;
  uint16_t headerBytes, programHeaderBytes, programHeaderCount;
};

extern const struct ElfHeader __ehdr_start
    __attribute__((visibility("hidden")));

struct Gate {
  uint16_t low, selector, flags, middle;
  uint32_t high, reserved;
};

struct TrapFrame {
  uint64_t vector, error, rip, cs, flags, rsp, ss;
};

enum {
  auxPhdr = 3,
  auxPhent = 4,
  auxPhnum = 5,
  auxPagesz = 6,
  auxRandom = 25,
  auxExecfn = 31,
  maxArguments = 16,
  maxCommandLine = 512,
};

static struct Gate idt[32];
static char arguments[maxCommandLine];
static char *argv[maxArguments + 1];
static const uint8_t randomBytes[16] = "spacer test bed";

_Noreturn void trap(const struct TrapFrame *frame) {
  static const char hex[] = "0123456789abcdef";
  char line[] = "\ntrap 00 at 0000000000000000\n";
  line[6] = hex[frame->vector >> 4];
  line[7] = hex[frame->vector & 15];
  for (int i = 0; i < 16; ++i)
    line[12 + i] = hex[frame->rip >> (60 - 4 * i) & 15];
  consoleWrite(line, sizeof line - 1);
  uint64_t address;
  __asm__ volatile("mov %%cr2, %0" : "=r"(address));
  debugLine("trap: cr2", address);
  debugLine("trap: error code", frame->error);
  debugLine("trap: rsp", frame->rsp);
  // What a shell on Linux would report: SIGFPE, SIGILL, SIGTRAP, else SIGSEGV.
  powerOff(frame->vector == 0 || frame->vector == 16 || frame->vector == 19
               ? 128 + 8
           : frame->vector == 6 ? 128 + 4
           : frame->vector == 3 ? 128 + 5
                                : 128 + 11);
}

static void trapsInit(void) {
  uintptr_t at = (uintptr_t)trapStubs;
  for (int i = 0; i < 32; ++i, at += 16)
    idt[i] = (struct Gate){
        (uint16_t)at, 8, 0x8e00, (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
  struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) idtr = {sizeof idt - 1, (uint64_t)idt};
  __asm__ volatile("lidt %0" : : "m"(idtr));
}

static void systemCallsInit(void) {
  writeMsr(0xc0000081, 8ul << 32);               // STAR: code 0x08, stack 0x10
  writeMsr(0xc0000082, (uint64_t)&syscallEntry); // LSTAR
  writeMsr(0xc0000084, 0x700); // SFMASK: trap, interrupt, direction
}

// The end of the RAM range that holds the arena.
static uintptr_t ramEnd(const struct StartInfo *info) {
  const struct MemoryRange *range = (const void *)info->memoryMap;
  for (uint32_t i = 0; info->version > 0 && i < info->memoryMapCount; ++i)
    if (range[i].kind == 1 && range[i].base <= ARENA_BASE &&
        range[i].base + range[i].bytes > ARENA_BASE)
      return range[i].base + range[i].bytes;
  return ARENA_LIMIT;
}

// So that wild pointers trap instead of reading zeros from nowhere.
static void unmapFrom(uintptr_t end) {
  for (size_t i = (end + 0x1fffff) / 0x200000; i < sizeof pd / sizeof *pd; ++i)
    pd[i] = 0;
  __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

static uint64_t splitArguments(const char *from) {
  uint64_t argc = 0;
  char *to = arguments, *end = arguments + sizeof arguments - 1;
  argv[argc++] = "app";
  while (from && *from && to < end && argc < maxArguments) {
    while (*from == ' ')
      ++from;
    if (!*from)
      break;
    argv[argc++] = to;
    while (*from && *from != ' ' && to < end)
      *to++ = *from++;
    *to++ = 0;
  }
  return argc;
}

_Noreturn void bedStart(const struct StartInfo *info) {
  consoleInit();
  trapsInit();
  systemCallsInit();
  uintptr_t end = ramEnd(info);
  unmapFrom(end);
  memoryInit(end);

  uint64_t argc = splitArguments((const char *)info->commandLine);
  uint64_t stack[maxArguments + 24], *at = stack;
  *at++ = argc;
  for (uint64_t i = 0; i < argc; ++i)
    *at++ = (uint64_t)argv[i];
  *at++ = 0; // argv
  *at++ = 0; // envp
  const uint64_t aux[] = {
      auxPhdr,   (uint64_t)&__ehdr_start + __ehdr_start.programHeaders,
      auxPhent,  __ehdr_start.programHeaderBytes,
      auxPhnum,  __ehdr_start.programHeaderCount,
      auxPagesz, pageBytes,
      auxRandom, (uint64_t)randomBytes,
      auxExecfn, (uint64_t)argv[0],
      0,         0};
  for (size_t i = 0; i < sizeof aux / sizeof *aux; ++i)
    *at++ = aux[i];

  size_t bytes = (size_t)(at - stack) * sizeof *at;
  uint64_t *sp = (uint64_t *)((memoryStackTop() - bytes) & -16ul);
  memcpy(sp, stack, bytes);
  enterProgram(sp);
}
