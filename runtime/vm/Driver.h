//===- Driver.h - what a VMM must do for us -------------------------------===//
//
// One driver for each VMM (QemuDriver, FirecrackerDriver). A driver has no
// state of its own: every command is a process that looks at the VM's
// directory and talks to the VMM through the sockets in it. Sequence:
//
//   run:      check, start
//   snapshot: pause, saveState, memory (the caller reads it), resume
//   clone:    check, startFromSnapshot, which maps what MemoryProvider gives
//   stop:     quit, then the caller kills what is still there
//
// Any thread; calls for different VMs run at the same time.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_DRIVER_H
#define SPACER_RUNTIME_DRIVER_H

#include "Plan.h"
#include "VmConfig.h"
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace spacer {

class PagePool;

enum class VmStatus { Running, Paused };

/// Guest memory as it lies in the VMM's address space.
struct GuestBlock {
  HostAddr start;
  uint64_t bytes = 0;
  GuestPage guest;
  bool absentIsZero = true; ///< pages that are not there yet; false: a handler
                            ///< brings them
};

/// Where a console's bytes go in and come out. Either one socket twice (two
/// descriptors of it), or a pipe in and the growing console.log out.
struct ConsoleEnds {
  UniqueFd input;
  UniqueFd output;
  bool outputIsFile = false; ///< regular file: at its end, wait for more
  UniqueFd lock;             ///< held while attached, if the driver wants one
};

/// Guest memory of a clone. All pointers and descriptors belong to the caller
/// and outlive the call; descriptors are inheritable or can be duplicated so.
struct MemoryProvider {
  std::string object; ///< in the pool
  std::string domain;
  const PageMap *map = nullptr;
  const Plan *plan = nullptr;
  int planFd = -1; ///< sealed memfd with plan->encode()
  int poolFd = -1; ///< read-only; page n at n * 4096: page file or memfd
  const PagePool *pool = nullptr;
  std::string daemonSocket; ///< of spacerd for this domain, "" without one;
                            ///< needed if plan->hasLazy()
};

struct VmLaunch {
  VmConfig config;
  VmPaths paths;
  /// How long the VMM may take until it answers.
  std::chrono::seconds patience{60};
  /// Called as soon as there is a process, so that its end can be told whatever
  /// happens to the caller.
  std::function<void(const ProcessId &)> spawned = {};
};

class Driver {
public:
  virtual ~Driver() = default;
  virtual std::string_view name() const = 0;

  /// Is the VMM there and of a kind that does this? ENOENT, ENOTSUP, EINVAL
  /// with what was found and what is needed. Fills in what the configuration
  /// leaves open.
  virtual Result<void> check(VmConfig &config, bool forClone) = 0;

  /// Starts the VMM and the guest. The process is a child of the caller. On
  /// failure nothing of it is left; the message has the last line of vmm.log.
  virtual Result<ProcessId> start(const VmLaunch &launch) = 0;
  /// The same from device state \p stateFile (as saveState() wrote it) and
  /// \p memory: the guest runs on when it returns. Never with other memory: if
  /// the mapping is not known to be made, the VMM is killed and this fails.
  virtual Result<ProcessId>
  startFromSnapshot(const VmLaunch &launch,
                    const std::filesystem::path &stateFile,
                    const MemoryProvider &memory) = 0;

  virtual Result<VmStatus> status(const VmPaths &paths) = 0;
  virtual Result<void> pause(const VmPaths &paths) = 0;
  virtual Result<void> resume(const VmPaths &paths) = 0;
  /// Writes the devices' state to \p stateFile, which does not exist. The VM is
  /// paused.
  virtual Result<void> saveState(const VmPaths &paths, const VmConfig &config,
                                 const std::filesystem::path &stateFile) = 0;
  /// Where guest memory lies in the process: by rising guest page, without
  /// gaps, memoryBytes() in all. Readable through /proc/PID/mem.
  virtual Result<std::vector<GuestBlock>> memory(const VmPaths &paths,
                                                 const VmConfig &config,
                                                 const ProcessId &process) = 0;
  /// A clone's start needs the kernel image as it was (config.image).
  virtual bool cloneNeedsImage(const VmConfig &) const { return false; }
  /// Asks the VMM to end. The caller waits, and kills.
  virtual Result<void> quit(const VmPaths &paths) = 0;
  /// EBUSY if someone else is attached.
  virtual Result<ConsoleEnds> openConsole(const VmPaths &paths) = 0;
  /// What an end with this waitpid(2) status means for the guest, such as
  /// "exited 3"; "" for the usual words.
  virtual std::string describeExit(const VmPaths &, int) { return ""; }
  /// Faults that a handler served for this VM, if the driver can tell.
  virtual Result<uint64_t> servedFaults(const VmPaths &) { return uint64_t(0); }
};

/// "qemu", "firecracker"; EINVAL names the known ones.
Result<std::unique_ptr<Driver>> makeDriver(std::string_view name);

} // namespace spacer

#endif
