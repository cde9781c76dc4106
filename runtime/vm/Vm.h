//===- Vm.h - a VM's directory and what became of its process -------------===//
//
// Whatever happens to commands and VMMs, the directory tells the truth to the
// next command that looks:
//
//   1. A VM appears whole: its folder is made under a name that starts with a
//      dot, configured, locked, and renamed.
//   2. process.json is written right after the VMM was started, exit.json when
//      it ended, by the monitor, who is its parent. If the monitor was killed,
//      whoever finds the process gone writes exit.json without a status.
//   3. A folder with neither, whose lock nobody holds, was left by a command
//      that was killed: it is removed.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_VM_H
#define SPACER_RUNTIME_VM_H

#include "Driver.h"
#include <optional>

namespace spacer {

struct VmExit {
  bool known = false; ///< false: nobody was there to see it
  int waitStatus = 0; ///< as waitpid(2) gives it
  int64_t when = 0;   ///< seconds since 1970
  std::string text;   ///< "exited 3", "killed by signal 9"
};

class Vm {
public:
  /// Makes ROOT/vms/NAME and holds its lock. EEXIST if the name is taken.
  static Result<Vm> create(const std::filesystem::path &root, VmConfig config);
  /// ENOENT names the VM. With \p lock waits up to ten seconds for it (EBUSY).
  static Result<Vm> open(const std::filesystem::path &root,
                         std::string_view name, bool lock);
  /// All VMs by name; leftovers of killed commands are removed. VMs whose
  /// configuration cannot be read are left out, one line each in \p problems.
  static std::vector<Vm> list(const std::filesystem::path &root,
                              std::vector<std::string> &problems);

  const VmConfig &config() const { return settings; }
  const VmPaths &paths() const { return files; }
  const std::string &name() const { return settings.name; }

  Result<void> setProcess(const ProcessId &process);
  /// The living process, if there is one. Notes an end that nobody noted.
  std::optional<ProcessId> process() const;
  /// Nothing while it lives, and if it was never started.
  std::optional<VmExit> exit() const;
  /// ESRCH, "VM web: not running (exited 0)".
  Result<ProcessId> running() const;

  /// Writes exit.json and removes what only a living VM needs.
  void noteExit(std::optional<int> waitStatus) const;
  /// Removes the folder. The process must have ended.
  Result<void> remove();
  void unlock() { lockFd.reset(); }

private:
  Result<void> takeLock();

  VmConfig settings;
  VmPaths files;
  UniqueFd lockFd;
};

/// "vm-" and eight random digits.
std::string randomName(std::string_view prefix);

} // namespace spacer

#endif
