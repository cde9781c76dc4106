//===- FirecrackerDriver.h - Firecracker as a VMM -------------------------===//
//
// Problem: Firecracker cannot map a plan: it takes a file, which it maps
// privately, or a handler's socket, whose pages are copies.
// Idea: a clone's memory is a memfd with the snapshot's memory, made by the
// first process that clones it, taken over by the next, and mapped by every
// clone; they share it until they write. Or (Backend::Uffd) each clone gets a
// handler of its own, `spacer serve --once`, which ends with it; nothing is
// shared, nothing is read ahead.
//
// The serial console is standard input and output: a FIFO, console.in, which
// the VMM holds open for writing too, so that it never ends, and console.log.
//
// Source: Firecracker's API description; releases 1.1 to 1.16.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FIRECRACKERDRIVER_H
#define SPACER_RUNTIME_FIRECRACKERDRIVER_H

#include "Driver.h"
#include <string>

namespace spacer {

struct FirecrackerOptions {
  enum class Backend { File, Uffd };

  std::string program = "firecracker";
  /// Arguments after those that the driver gives.
  std::vector<std::string> arguments;
  Backend backend = Backend::File;
  /// The command whose `serve` handles faults; Uffd only.
  std::string handler = "spacer";

  /// With $SPACER_FIRECRACKER (the program, then arguments, by spaces) and
  /// $SPACER_FIRECRACKER_BACKEND (file or uffd). EINVAL for another word.
  static Result<FirecrackerOptions> fromEnvironment();
};

std::unique_ptr<Driver> makeFirecrackerDriver(FirecrackerOptions options);

/// Guest memory among the lines of /proc/PID/smaps: private writable mappings
/// without reserve, \p bytes in one stretch, with what a balloon mapped in
/// between. ENOTSUP if there is none, or several (more than 3 GiB).
Result<std::vector<GuestBlock>> findFirecrackerMemory(std::string_view smaps,
                                                      uint64_t bytes);

} // namespace spacer

#endif
