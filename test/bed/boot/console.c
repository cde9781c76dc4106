// The console: COM1 of a PC, polled.
//
// QEMU's UART never makes us wait for long when writing, and input stays in
// QEMU until the single receive register is free.  The FIFO is left off on
// purpose: turning it on would throw away a byte that arrived before us.  A
// pipe cannot say "end of file" through a UART, so the byte 4 (Ctrl-D) does, as
// on a terminal; test/bed/boot.sh appends it to the input.
#include "boot.h"

enum {
  com1 = 0x3f8,
  lineStatus = com1 + 5,
  dataReady = 1,
  transmitEmpty = 0x20,
  debugConsole = 0xe9, // QEMU's isa-debugcon
  debugExit = 0xf4,    // QEMU's isa-debug-exit
  endOfInput = 4,
};

static int atEnd;
static int column;

void consoleInit(void) {
  outb(com1 + 1, 0);    // no interrupts
  outb(com1 + 3, 0x80); // divisor: 115200 baud
  outb(com1 + 0, 1);
  outb(com1 + 1, 0);
  outb(com1 + 3, 3); // 8N1
}

static void put(char c) {
  while (!(inb(lineStatus) & transmitEmpty))
    ;
  outb(com1, (uint8_t)c);
  column = c == '\n' ? 0 : column + 1;
}

void consoleWrite(const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    put(text[i]);
}

size_t consoleRead(char *to, size_t bytes) {
  size_t got = 0;
  while (got < bytes && !atEnd) {
    while (!(inb(lineStatus) & dataReady))
      if (got)
        return got;
    char c = (char)inb(com1);
    if (c == endOfInput)
      atEnd = 1;
    else
      to[got++] = c;
  }
  return got;
}

static char *decimal(unsigned value, char *end) {
  *--end = 0;
  do
    *--end = (char)('0' + value % 10);
  while (value /= 10);
  return end;
}

_Noreturn void powerOff(int status) {
  char digits[12];
  const char *number = decimal((unsigned)status & 0xff, digits + sizeof digits);
  if (column)
    put('\n');
  consoleWrite("exit ", 5);
  consoleWrite(number, strlen(number));
  put('\n');
  outb(debugExit, (uint8_t)status);
  for (;;)
    __asm__ volatile("cli; hlt");
}

void debugLine(const char *what, uint64_t value) {
  while (*what)
    outb(debugConsole, (uint8_t)*what++);
  outb(debugConsole, ' ');
  for (int shift = 60; shift >= 0; shift -= 4)
    outb(debugConsole, (uint8_t)"0123456789abcdef"[value >> shift & 15]);
  outb(debugConsole, '\n');
}
