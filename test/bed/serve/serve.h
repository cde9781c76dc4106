// What the serving applications share: a line from the console, waited for
// without burning a processor.
//
// A serving application prepares something, prints "ready" and then answers
// each line from the console with one or more lines and another "ready"; the
// end of input (Ctrl-D) ends it. It is meant to be snapshotted while it waits,
// so that every clone goes on from there with a line of its own.
//
// The runtime's console polls, and a host cannot run a hundred guests that
// poll. These programs run in ring 0, so they can do better by themselves: take
// the serial port's interrupt, and halt until it comes. Interrupts are on only
// while the processor is halted here, so no other code ever meets one. As Linux
// programs they just read.
#ifndef BED_SERVE_H
#define BED_SERVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { serveFirstIrq = 32, serveSerialIrq = 4, serveCom1 = 0x3f8 };

struct ServeGate {
  uint16_t low, selector, flags, middle;
  uint32_t high, reserved;
};

struct ServeTable {
  uint16_t limit;
  uint64_t base;
} __attribute__((packed));

// Both interrupt controllers are told that their interrupt is over; whether a
// byte is there is asked of the port itself.
__asm__(".pushsection .text.serveInterrupt,\"ax\",@progbits\n"
        ".type serveInterrupt,@function\n"
        "serveInterrupt:\n"
        "  push %rax\n"
        "  movb $0x20, %al\n"
        "  outb %al, $0xa0\n"
        "  outb %al, $0x20\n"
        "  pop %rax\n"
        "  iretq\n"
        ".size serveInterrupt, . - serveInterrupt\n"
        ".popsection\n");
extern char serveInterrupt[];

static inline void serveOut(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t serveIn(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline int serveBareMetal(void) {
  uint16_t cs;
  __asm__("mov %%cs, %0" : "=r"(cs));
  return (cs & 3) == 0;
}

// boot.S: page directories up to 4 GiB; absent in a Linux program.
extern uint64_t pd[] __attribute__((weak));

// The local APIC, which firmware may leave deaf, lets the old controllers'
// interrupts through (LINT0 as ExtINT). start.c has unmapped it.
static void serveOpenApic(void) {
  const uintptr_t apic = 0xfee00000;
  pd[apic >> 21] = apic | 0x93; // present, writable, not cached, 2 MiB
  __asm__ volatile("invlpg (%0)" : : "r"(apic) : "memory");
  *(volatile uint32_t *)(apic + 0xf0) = 0x1ff;  // on
  *(volatile uint32_t *)(apic + 0x350) = 0x700; // LINT0
}

static void serveTakeInterrupts(void) {
  serveOpenApic();
  static struct ServeGate gates[serveFirstIrq + 16];
  struct ServeTable table;
  __asm__ volatile("sidt %0" : "=m"(table));
  memcpy(gates, (void *)table.base, 32 * sizeof *gates); // traps stay
  uintptr_t at = (uintptr_t)serveInterrupt;
  for (int i = serveFirstIrq; i < serveFirstIrq + 16; ++i)
    gates[i] = (struct ServeGate){
        (uint16_t)at, 8, 0x8e00, (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
  table.limit = sizeof gates - 1;
  table.base = (uint64_t)gates;
  __asm__ volatile("lidt %0" : : "m"(table));
  // The two 8259A: initialise, first vector, how they are wired, 8086 mode.
  const uint8_t words[][2] = {{0x20, 0x11},
                              {0xa0, 0x11},
                              {0x21, serveFirstIrq},
                              {0xa1, serveFirstIrq + 8},
                              {0x21, 4},
                              {0xa1, 2},
                              {0x21, 1},
                              {0xa1, 1},
                              {0xa1, 0xff},
                              {0x21, 0xff & ~(1 << serveSerialIrq)}};
  for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
    serveOut(words[i][0], words[i][1]);
  serveOut(serveCom1 + 4, 8); // OUT2 lets the interrupt out
  serveOut(serveCom1 + 1, 1); // when data is ready
}

// Returns when a byte can be read without waiting.
static void serveWait(void) {
  static int ready;
  if (!serveBareMetal())
    return;
  if (!ready)
    serveTakeInterrupts();
  ready = 1;
  // sti takes effect after the next instruction: nothing is lost between.
  while (!(serveIn(serveCom1 + 5) & 1))
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

// One line without its end; longer ones are cut. 0 at the end of input.
static int serveLine(char *line, size_t size) {
  size_t at = 0;
  puts("ready");
  fflush(stdout);
  for (;;) {
    char c;
    serveWait();
    if (read(0, &c, 1) != 1)
      return 0;
    if (c == '\n')
      break;
    if (c != '\r' && at + 1 < size)
      line[at++] = c;
  }
  line[at] = 0;
  return 1;
}

#endif
