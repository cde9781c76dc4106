//===- Process.h - processes that outlive the command ---------------------===//

#ifndef SPACER_RUNTIME_PROCESS_H
#define SPACER_RUNTIME_PROCESS_H

#include "Fd.h"
#include "Result.h"
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace spacer {

/// A process by number and start time (field 22 of /proc/PID/stat, in clock
/// ticks since boot), so that a reused number is another process.
struct ProcessId {
  int pid = 0;
  uint64_t startTicks = 0;

  bool operator==(const ProcessId &) const = default;
  explicit operator bool() const { return pid > 0; }
};

/// ESRCH if there is none.
Result<ProcessId> identify(int pid);
/// Zombies do not count.
bool alive(const ProcessId &process);
/// A pidfd that is certainly this process's; ESRCH if it is gone.
Result<UniqueFd> openProcess(const ProcessId &process);
/// True if the process ended within \p patience.
bool waitForEnd(const ProcessId &process, std::chrono::milliseconds patience);
/// SIGKILL; fine if it is gone already.
void killProcess(const ProcessId &process);

struct SpawnOptions {
  std::vector<std::string> argv;        ///< argv[0] is looked up in PATH
  std::vector<std::string> environment; ///< "NAME=VALUE", added or replaced
  std::vector<int> keep;     ///< descriptors that stay open, same numbers
  std::filesystem::path log; ///< standard output and error are appended
  int standardInput = -1;    ///< -1: /dev/null
  int standardOutput = -1;   ///< -1: the log
};

/// Starts a program in a session of its own, with nothing of ours but \p keep.
/// ENOENT if there is no such program. The caller is the parent: see Monitor.
Result<ProcessId> spawn(const SpawnOptions &options);

} // namespace spacer

#endif
