//===- Command.h - what the subcommands of spacer share -------------------===//
//
// A subcommand is one file with one function of the list below: it adds itself
// to the command line and says what to do. It writes its answer to standard
// output, as text or, with --json, as one JSON document, and throws Failure
// when there is no answer to give.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_COMMAND_H
#define SPACER_RUNTIME_COMMAND_H

#include "Result.h"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace spacer {

using Json = nlohmann::ordered_json;

enum ExitCode {
  exitYes = 0,
  exitNo = 1,      ///< the answer is no: differences, problems
  exitTrouble = 2, ///< wrong use, unreadable input, the system refuses
};

/// No answer: one line for the user, with the file's name in it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The value, or a Failure with the error's text.
template <class T> T need(Result<T> value) {
  if (!value)
    throw Failure(value.error().context);
  return std::move(*value);
}
inline void need(Result<void> done) {
  if (!done)
    throw Failure(done.error().context);
}

/// What holds for all subcommands.
struct Session {
  bool json = false;
  std::string root; ///< --root: where pool, snapshots and VMs are
  std::string domain = "default";
  int exitCode = exitYes;

  /// Writes \p document; names that are not UTF-8 lose their odd bytes.
  void print(const Json &document) const;
};

/// --root if given, else $SPACER_ROOT, else /var/lib/spacer for root and
/// $XDG_STATE_HOME/spacer (~/.local/state/spacer) for others.
std::string rootDirectory(const Session &session);

// The subcommands, one file each.
void addPool(CLI::App &app, Session &session);

} // namespace spacer

#endif
