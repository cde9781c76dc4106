//===- Guest.h - what the stand-in's guest does ---------------------------===//
//
// Commands from the console, one a line; pages of 4096 bytes are counted from
// the start of guest memory. Each gets one line, "ok ..." or "error ...".
//
//   fill FIRST PAGES SEED    writes a pattern that differs for each page
//   touch FIRST PAGES        reads a byte of each page
//   dirty FIRST PAGES BYTE   writes the first byte of each page
//   dump FIRST PAGES FILE    copies what the guest reads to a file
//   remove FIRST PAGES       gives the pages back, as the balloon does
//   storm THREADS PAGES ROUNDS FIRST
//                            every thread touches, removes and touches pages
//                            of its own: PAGES each, from FIRST on; zero must
//                            come back, or what was written
//   kvm read|write FIRST PAGES VALUE
//                            a vCPU reads or writes a word of each page
//   args                     the kernel command line
//   crash, exit              ends the VMM: by SIGKILL, or well
//
//===----------------------------------------------------------------------===//

#ifndef STANDIN_GUEST_H
#define STANDIN_GUEST_H

#include "Machine.h"
#include <optional>

namespace standin {

/// Reads commands until the console ends.
void runGuest(Machine &machine);

/// Reads (adding up the first and last 32-bit word of each page) or writes the
/// first word of pages by a vCPU in protected mode. Fault if KVM does not do
/// it; nothing where there is no KVM.
std::optional<uint32_t> runOnKvm(Machine &machine, bool write,
                                 uint64_t firstPage, uint64_t pages,
                                 uint32_t value);

} // namespace standin

#endif
