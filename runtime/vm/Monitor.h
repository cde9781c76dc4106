//===- Monitor.h - the parent of VMs that run on --------------------------===//
//
// Only its parent learns a process's exit status. So a command that starts VMs
// does its work in a child process, which stays behind as their parent when the
// command is done: it waits for each, notes how it ended and, if wanted,
// removes its VM. One for each command, not for each VM; it sleeps in waitpid.
// If it is killed, VMs run on, and only their exit status is lost.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_MONITOR_H
#define SPACER_RUNTIME_MONITOR_H

#include "Vm.h"
#include <functional>
#include <map>
#include <mutex>

namespace spacer {

class Monitor {
public:
  /// \p vm's process is a child of this one. Any thread.
  void watch(const Vm &vm, const ProcessId &process, bool removeAtEnd);
  /// Not ours any more: killed and removed by the caller.
  void forget(const ProcessId &process);

private:
  friend int withMonitor(const std::function<int(Monitor &)> &work);
  void stay();

  struct Watched {
    std::filesystem::path root;
    std::string name;
    bool removeAtEnd;
  };
  std::mutex lock;
  std::map<int, Watched> watched;
};

/// Runs \p work in a child and returns what it returned, in the parent, as soon
/// as it did; the child stays while it watches a VM. Signals that would end the
/// command are passed on: work sees interrupted(). If the command is killed,
/// the same happens. Call while there is one thread. \p work must not throw.
int withMonitor(const std::function<int(Monitor &)> &work);

} // namespace spacer

#endif
