//===- Qmp.h - QEMU's machine protocol ------------------------------------===//
//
// Lines of JSON over a socket: a greeting, then an answer to each command, with
// events between them. QEMU serves one client at a time, others wait; the VM's
// lock keeps us from waiting for ourselves.
//
// Source: docs/interop/qmp-spec.txt of QEMU.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_QMP_H
#define SPACER_RUNTIME_QMP_H

#include "Fd.h"
#include "Interrupt.h"
#include "Result.h"
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace spacer {

/// Cuts a stream into messages. EPROTO for a line that is no JSON object or is
/// longer than a megabyte.
class QmpParser {
public:
  Result<void> feed(std::string_view bytes);
  std::optional<nlohmann::json> next();

private:
  std::string rest;
  std::deque<nlohmann::json> messages;
};

class Qmp {
public:
  /// Takes the greeting and negotiates nothing. \p end holds for this only.
  static Result<Qmp> connect(const std::filesystem::path &path, Deadline end);

  /// What the command returned; its error as EIO, "command: what QEMU says".
  /// \p fd, if not -1, goes along. Events that arrive meanwhile are kept.
  Result<nlohmann::json> command(const std::string &name,
                                 const nlohmann::json &arguments = {},
                                 int fd = -1);
  /// The next event of that name, with its data; others are dropped.
  Result<nlohmann::json> event(std::string_view name);

  /// For each wait from now on.
  void setPatience(std::chrono::milliseconds time) { patience = time; }

private:
  Result<nlohmann::json> read(Deadline end);

  UniqueFd socket;
  std::string name; ///< for messages
  std::chrono::milliseconds patience{60'000};
  QmpParser parser;
  std::deque<nlohmann::json> events;
};

} // namespace spacer

#endif
