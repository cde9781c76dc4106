//===- Cloner.h - many VMs from one snapshot ------------------------------===//

#ifndef SPACER_RUNTIME_CLONER_H
#define SPACER_RUNTIME_CLONER_H

#include "Monitor.h"
#include "Protocol.h"
#include "Snapshot.h"

namespace spacer {

struct CloneRequest {
  std::string snapshot;
  std::string name; ///< of the only clone, or before "-1", "-2" of many;
                    ///< "": the snapshot's
  unsigned count = 1;
  LazyPolicy lazy = LazyPolicy::Cold;
  uint64_t mappings = 10'000;
  /// Folder of spacerd's sockets. With \p daemonRequired it must answer, else
  /// the page file is used when it does not.
  std::filesystem::path daemonFolder;
  bool daemonRequired = false;
  bool removeAtEnd = false;
};

struct CloneResult {
  struct One {
    std::string name;
    ProcessId process;
    double seconds = 0; ///< from its start until the guest ran
  };
  std::vector<One> clones; ///< in the order of their numbers
  PlanSummary plan;
  bool daemon = false;
  double checkSeconds = 0, allSeconds = 0;
};

/// All or none: on failure or interruption, those that were made are killed and
/// removed.
Result<CloneResult> cloneSnapshot(const std::filesystem::path &root,
                                  const CloneRequest &request,
                                  Monitor &monitor);

} // namespace spacer

#endif
