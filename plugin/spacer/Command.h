//===- Command.h - what the subcommands of spacer share -------------------===//
//
// A subcommand is one file with one function of the list below: it adds itself
// to the command line and says what to do. It writes its answer to standard
// output, as text or, with --json, as one JSON document, and throws Failure
// when there is no answer to give.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_TOOL_COMMAND_H
#define SPACER_TOOL_COMMAND_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace spacer {

using Json = nlohmann::ordered_json;

enum ExitCode {
  exitYes = 0,
  exitNo = 1,      ///< the answer is no: differences, problems
  exitTrouble = 2, ///< wrong use or unreadable input
};

/// No answer: one line for the user, with the file's name in it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The value, or a Failure with the error's text.
template <class T> T need(llvm::Expected<T> value) {
  if (!value)
    throw Failure(toString(value.takeError()));
  return std::move(*value);
}
inline void need(llvm::Error e) {
  if (e)
    throw Failure(toString(std::move(e)));
}

/// What holds for all subcommands.
struct Session {
  bool json = false;
  int exitCode = exitYes;

  /// Writes \p document; names that are not UTF-8 lose their odd bytes.
  void print(const Json &document) const {
    llvm::outs() << document.dump(2, ' ', false, Json::error_handler_t::replace)
                 << '\n';
  }
};

inline std::string hex(uint64_t v) { return llvm::formatv("{0:x}", v); }

/// A value as a cell of a table: a string without quotes.
inline std::string text(const Json &v) {
  return v.is_string() ? v.get<std::string>() : v.dump();
}

void addInspect(CLI::App &app, Session &session);
void addCompare(CLI::App &app, Session &session);
void addVerify(CLI::App &app, Session &session);
void addAtlas(CLI::App &app, Session &session);
void addDelta(CLI::App &app, Session &session);

} // namespace spacer

#endif
