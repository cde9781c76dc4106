//===- Console.h - a terminal on a guest's console ------------------------===//

#ifndef SPACER_RUNTIME_CONSOLE_H
#define SPACER_RUNTIME_CONSOLE_H

#include "Driver.h"
#include <optional>

namespace spacer {

struct AttachOptions {
  int input = 0, output = 1;
  /// Where in console.log to begin; -1: at its end now.
  int64_t from = -1;
  /// When input has ended (a file or pipe, not a terminal) and the guest has
  /// taken all of it: how long it may be silent before we leave.
  std::chrono::milliseconds idle{1000};
};

enum class AttachEnd { GuestEnded, Detached, Idle };

/// Copies input to the guest and console.log, from the given place on, to
/// output, until the guest ends, the user types ctrl-p ctrl-q, or input has
/// ended and nothing happens. A terminal is raw meanwhile.
Result<AttachEnd> attachConsole(const VmPaths &paths, ConsoleEnds ends,
                                const ProcessId &process,
                                const AttachOptions &options);

/// Prints console.log (or another file of the VM) to \p output; with \p process
/// goes on until that has ended.
Result<void> followFile(const std::filesystem::path &file, int output,
                        std::optional<ProcessId> process);

/// Finds ctrl-p ctrl-q in what is typed; \p typed loses it and what follows.
/// A ctrl-p at the end waits for the next piece.
class DetachKeys {
public:
  bool filter(std::string &typed);

private:
  bool half = false;
};

} // namespace spacer

#endif
