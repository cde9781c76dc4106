/* A TCG plugin of QEMU: what a guest does from one address to another.
 *
 *   qemu-system-x86_64 -accel tcg -plugin qemu-boot-cost.so,from=0x101f1e,until=0x105000 ...
 *
 * Counts, from the first execution of `from` on, executed instructions and the pages of guest memory above 1 MiB that the
 * guest reads, writes or executes; prints them as one line of JSON on standard error when `until` is executed, and ends QEMU.
 * What a loader writes before `from` is not the guest's doing and not counted.
 *
 * With trace=FILE it writes the address of each block of code and of each 8 bytes of data to FILE, one a line, when the guest
 * first uses it; boot-order.py makes names of them.
 *
 * QEMU's header is not in Debian's packages, so what is used of its plugin interface (version 1, QEMU 4.2 to 8) is declared here. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t Id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
typedef uint32_t MemInfo;
void qemu_plugin_register_vcpu_tb_trans_cb(Id, void (*)(Id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, void (*)(unsigned, MemInfo, uint64_t, void *), int flags,
                                      int readWrite, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
bool qemu_plugin_mem_is_store(MemInfo);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(MemInfo, uint64_t);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { low = 256, top = 1 << 20, executed = 1, loaded = 2, stored = 4 }; /* page numbers: 1 MiB, 4 GiB */

static uint64_t from, until, instructions;
static bool counting;
static uint8_t *pages;
static uint8_t *codeSeen, *dataSeen; /* a bit for each byte and for each 8 bytes below 4 GiB */
static FILE *trace;

static void note(uint8_t *seen, uint64_t bit, uint64_t address) {
  if (!trace || address >> 32 || address < low << 12 || seen[bit / 8] >> bit % 8 & 1)
    return;
  seen[bit / 8] |= 1 << bit % 8;
  fprintf(trace, "0x%" PRIx64 "\n", address);
}

static void finish(void) {
  unsigned all = 0, code = 0, written = 0;
  for (unsigned i = low; i < top; i++) {
    all += pages[i] != 0;
    code += (pages[i] & executed) != 0;
    written += (pages[i] & stored) != 0;
  }
  fprintf(stderr, "{\"instructions\": %" PRIu64 ", \"pages\": %u, \"executed\": %u, \"written\": %u}\n", instructions, all,
          code, written);
  fflush(stderr);
  if (trace && fclose(trace))
    perror("qemu-boot-cost: trace");
  _exit(0);
}

static void reach(unsigned cpu, void *address) {
  (void)cpu;
  if ((uint64_t)(uintptr_t)address == from)
    counting = true;
  else if (counting)
    finish();
}

/* The address and length of a block ride in the pointer: 48 bits and 16. */
static void runBlock(unsigned cpu, void *data) {
  (void)cpu;
  if (!counting)
    return;
  uint64_t at = (uintptr_t)data & ((1ull << 48) - 1);
  instructions += (uintptr_t)data >> 48;
  if (at >> 12 < top)
    pages[at >> 12] |= executed;
  note(codeSeen, at, at);
}

static void touch(unsigned cpu, MemInfo info, uint64_t address, void *data) {
  (void)cpu, (void)data;
  if (!counting)
    return;
  const struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, address);
  if (!hw || qemu_plugin_hwaddr_is_io(hw))
    return;
  uint64_t page = qemu_plugin_hwaddr_phys_addr(hw) >> 12;
  if (page < top)
    pages[page] |= qemu_plugin_mem_is_store(info) ? stored : loaded;
  uint64_t at = qemu_plugin_hwaddr_phys_addr(hw);
  note(dataSeen, at / 8, at);
}

static void translate(Id id, struct qemu_plugin_tb *block) {
  (void)id;
  size_t n = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < n; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    uint64_t at = qemu_plugin_insn_vaddr(insn);
    if (at == from || at == until)
      qemu_plugin_register_vcpu_insn_exec_cb(insn, reach, 0, (void *)(uintptr_t)at);
    qemu_plugin_register_vcpu_mem_cb(insn, touch, 0, 3, NULL);
  }
  qemu_plugin_register_vcpu_tb_exec_cb(
      block, runBlock, 0, (void *)(uintptr_t)(qemu_plugin_tb_vaddr(block) | (uint64_t)n << 48));
}

__attribute__((visibility("default"))) int qemu_plugin_install(Id id, const void *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (!strncmp(argv[i], "from=", 5))
      from = strtoull(argv[i] + 5, NULL, 0);
    else if (!strncmp(argv[i], "until=", 6))
      until = strtoull(argv[i] + 6, NULL, 0);
    else if (!strncmp(argv[i], "trace=", 6)) {
      trace = fopen(argv[i] + 6, "w");
      codeSeen = calloc(1 << 29, 1);
      dataSeen = calloc(1 << 26, 1);
      if (!trace || !codeSeen || !dataSeen) {
        perror(argv[i]);
        return 1;
      }
    } else {
      fprintf(stderr, "qemu-boot-cost: unknown argument '%s': from=, until= and trace= are known\n", argv[i]);
      return 1;
    }
  }
  if (!from || !until || !(pages = calloc(top, 1))) {
    fprintf(stderr, "qemu-boot-cost: from=ADDRESS and until=ADDRESS are needed\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return 0;
}
