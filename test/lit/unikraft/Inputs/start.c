// The platform: takes the region table that was written into the finished
// image, calls all memory outside of it heap, fills that with a pattern, runs
// every table and every library, and looks at the pattern again. So a page that
// the table forgot is overwritten before it is used, and a page that it lists
// for nothing is missing in the sum.
#include "unikernel.h"

extern char _base_addr[], _text[], _etext[], _rodata[], _data[], _edata[],
    __bss_start[], _end[], _tls_start[], _etdata[], _tls_end[];
extern const struct Step u_early_start[], u_early_end[], u_ctor_start[],
    u_ctor_end[], u_init_start[], u_init_end[], u_thread_start[],
    u_thread_end[];
extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

volatile struct BootInfo bootinfo
    __attribute__((used, section(".u_bootinfo"), aligned(8))) = {
        0x6f666e69746f6f62ul, 0, {{0, 0, 0}}};

unsigned long boot_hash;
static _Alignas(64) unsigned char tls[4096];

// Compilers call these on their own.
void *memcpy(void *to, const void *from, size_t bytes) {
  void *out = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
  return out;
}
void *memset(void *to, int value, size_t bytes) {
  void *out = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return out;
}

static void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void boot_put(const char *text) {
  for (; *text; ++text)
    out8(0xe9, (uint8_t)*text);
}

void boot_number(const char *name, uint64_t value) {
  char digits[17] = {0};
  for (int i = 0; i < 16; ++i)
    digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  boot_put(name);
  boot_put(" ");
  boot_put(digits);
  boot_put("\n");
}

static _Noreturn void stop(int status) {
  out8(0xf4, (uint8_t)status);
  for (;;)
    __asm__ volatile("hlt");
}

static void must(int condition, const char *what) {
  if (condition)
    return;
  boot_put("wrong: ");
  boot_put(what);
  boot_put("\n");
  stop(2);
}

void boot_note(const char *step) {
  for (; *step; ++step)
    boot_hash = boot_hash * 131 + (unsigned char)*step;
}

static void run(const char *title, const struct Step *at,
                const struct Step *end) {
  boot_put(title);
  for (; at != end; ++at) {
    boot_put(" ");
    boot_put(at->name);
    at->run();
  }
  boot_put("\n");
}

#ifdef PIE
// Written by postprocess.py, as a list of words for the code that moves the
// image; this one is not moved, so the words must hold what they held.
struct Reloc {
  uint64_t offset, value;
  uint32_t bytes, flags;
};
extern uint32_t u_reloc_start[];
__attribute__((used, section(".u_reloc"), aligned(4))) static char room[24];
static void relocate(uint64_t base) {
  must(*u_reloc_start == 0xbadb0b0, "no relocation table");
  const unsigned char *at = (const unsigned char *)(u_reloc_start + 1);
  uint64_t count = 0;
  for (;; at += sizeof(struct Reloc), ++count) {
    struct Reloc r;
    __builtin_memcpy(&r, at, sizeof r);
    if (!r.bytes)
      break;
    *(uint64_t *)(base + r.offset) = base + r.value;
  }
  boot_number("relocations", count);
}
#endif

static void setTls(void) {
  // Variant II: the block ends at the thread pointer, whose word is its own
  // address. 32 is the largest alignment of what we have.
  uint64_t bytes = ((uint64_t)(_tls_end - _tls_start) + 31) / 32 * 32;
  must(bytes + 64 <= sizeof tls, "TLS block too large");
  unsigned char *pointer = tls + sizeof tls - 64, *block = pointer - bytes;
  for (char *from = _tls_start; from != _etdata; ++from)
    *block++ = (unsigned char)*from;
  *(unsigned char **)pointer = pointer;
  uint64_t value = (uint64_t)pointer;
  __asm__ volatile("wrmsr"
                   :
                   : "c"(0xc0000100), "a"((uint32_t)value),
                     "d"((uint32_t)(value >> 32)));
}

// Calls visit(begin, end) for each stretch of memory outside the regions.
static uint64_t heap(uint64_t end, void (*visit)(uint64_t *, uint64_t *)) {
  uint64_t at = 0x100000, bytes = 0;
  for (uint64_t i = 0; i <= bootinfo.count; ++i) {
    uint64_t next = i < bootinfo.count ? bootinfo.region[i].base : end;
    must(at <= next, "regions overlap");
    visit((uint64_t *)at, (uint64_t *)next);
    bytes += next - at;
    if (i < bootinfo.count)
      at = next + bootinfo.region[i].bytes;
  }
  return bytes;
}

static uint64_t pattern(const uint64_t *at) {
  return (uint64_t)at * 0x9e3779b97f4a7c15ul;
}
static void fill(uint64_t *at, uint64_t *end) {
  for (; at != end; ++at)
    *at = pattern(at);
}
static uint64_t damaged;
static void look(uint64_t *at, uint64_t *end) {
  for (; at != end; ++at)
    damaged += *at != pattern(at);
}

__attribute__((used)) void boot_start(const uint32_t *multiboot) {
#ifdef PIE
  relocate((uint64_t)_base_addr);
#endif
  // Kilobytes from 1 MiB on, if the loader says so.
  must(multiboot[0] & 1, "no memory size");
  uint64_t end = 0x100000 + (uint64_t)multiboot[2] * 1024 / 4096 * 4096;
  uint64_t regions = 0;
  must(bootinfo.count && bootinfo.count <= mostRegions, "no regions");
  for (uint64_t i = 0; i != bootinfo.count; ++i) {
    must(!((bootinfo.region[i].base | bootinfo.region[i].bytes) & 4095),
         "a region is not of whole pages");
    must((bootinfo.region[i].flags & 6) != 6, "writable and executable");
    regions += bootinfo.region[i].bytes;
  }
  uint64_t bytes = heap(end, fill);
  setTls();
  run("early:", u_early_start, u_early_end);
  run("constructors:", u_ctor_start, u_ctor_end);
  for (void (*const *f)(void) = __init_array_start; f != __init_array_end; ++f)
    (*f)();
  run("init:", u_init_start, u_init_end);
  run("threads:", u_thread_start, u_thread_end);
  boot_number("tables", boot_hash);
  unsigned long sum = 1;
  for (int round = 0; round < 3; ++round)
    sum = app_check(sum);
  boot_number("sum", sum);
  char *order[] = {_base_addr, _text, _etext, _rodata,     _tls_start,
                   _etdata,    _data, _edata, __bss_start, _end};
  for (unsigned i = 1; i < sizeof order / sizeof *order; ++i) {
    __asm__ volatile("" : "+r"(order[i]));
    must(order[i - 1] <= order[i], "the image's own symbols are out of order");
  }
  must(heap(end, look) == bytes && !damaged, "the heap was written to");
  must(bytes + regions == end - 0x100000, "memory is lost");
  boot_number("#regions", bootinfo.count);
  boot_number("#taken", regions);
  boot_number("#heap", bytes);
  stop(0);
}
