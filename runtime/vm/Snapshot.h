//===- Snapshot.h - a VM's memory and devices at one instant --------------===//
//
// ROOT/snapshots/NAME holds config.json (what the VM was, and the length and
// digest of the other files), state (the devices, in the VMM's own format) and,
// where a clone needs it, image. Guest memory is the object NAME of the pool.
// The folder appears whole, by a rename, after the memory is in the pool.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_SNAPSHOT_H
#define SPACER_RUNTIME_SNAPSHOT_H

#include "Digest.h"
#include "PagePool.h"
#include "Vm.h"

namespace spacer {

struct SnapshotFile {
  uint64_t bytes = 0;
  Digest digest;
};

struct Snapshot {
  std::string name;
  std::filesystem::path directory;
  VmConfig vm;               ///< what the VM was; its name too
  SnapshotFile state, image; ///< image.bytes is 0: there is none
  int64_t created = 0;

  std::filesystem::path stateFile() const { return directory / "state"; }
  std::filesystem::path imageFile() const { return directory / "image"; }

  /// ENOENT if there is none; EBADMSG names the file that is not as it was
  /// written, with what was found and expected. Reads all but guest memory.
  static Result<Snapshot> open(const std::filesystem::path &root,
                               std::string_view name);
  static std::vector<Snapshot> list(const std::filesystem::path &root,
                                    std::vector<std::string> &problems);
};

struct SnapshotOptions {
  bool stop = false; ///< the VM ends instead of going on
  Progress progress;
};

struct SnapshotResult {
  Snapshot snapshot;
  ImportSummary memory;
  double pausedSeconds = 0;
};

/// \p vm is locked and runs. On failure the VM goes on and nothing is left.
Result<SnapshotResult> createSnapshot(const std::filesystem::path &root, Vm &vm,
                                      std::string_view name,
                                      const SnapshotOptions &options);

/// Folder and pool object, whichever is there; ENOENT if neither. EBUSY while
/// clones of it run.
Result<void> removeSnapshot(const std::filesystem::path &root,
                            std::string_view domain, std::string_view name);

} // namespace spacer

#endif
