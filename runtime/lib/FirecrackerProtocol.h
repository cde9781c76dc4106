//===- FirecrackerProtocol.h - the hand-over of a microVM's memory --------===//
//
// Problem: Firecracker with the memory backend `Uffd` connects to a Unix stream
// socket and sends, once, its userfaultfd and where its memory lies. What comes
// in on that socket is whatever some process wrote.
// Idea: collect bytes and descriptors until one JSON value is whole, with
// limits that hold before anything is parsed; then check every number.
//
// One sendmsg() carries a bare JSON array, one object a region, and one
// descriptor (SCM_RIGHTS). Nothing is answered. As the releases send it:
//
//   1.0          no such backend: `mem_file_path` only
//   1.1 - 1.6    base_host_virt_addr, size, offset: pages of 4096
//   1.7 - 1.11   and page_size_kib, whose value is in bytes: 4096 or 2097152
//   1.12 - 1.16  and page_size, the same in bytes; page_size_kib to vanish in
//                2.0. The socket stays open; before, it closed after the send
//
// The userfaultfd asks for REMOVE events if there is a balloon (to 1.11), later
// always. Regions lie one after another in the memory file and fill it.
//
// Source: Firecracker's src/vmm/src/persist.rs at those releases.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FIRECRACKERPROTOCOL_H
#define SPACER_RUNTIME_FIRECRACKERPROTOCOL_H

#include "Fd.h"
#include "Region.h"
#include "Result.h"
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spacer {

/// What one message may be at most.
struct FirecrackerLimits {
  size_t bytes = 64 << 10;
  unsigned depth = 4; ///< of the JSON
  size_t regions = 256;
  size_t descriptors = 4; ///< held until the message is whole
};

/// The regions of \p message for a snapshot of \p snapshotBytes, all of kind
/// Anonymous, by rising address. They are aligned and overlap neither in memory
/// nor in the snapshot, and cover all of it. EBADMSG with one line otherwise.
Result<std::vector<Region>>
parseFirecrackerRegions(std::string_view message, uint64_t snapshotBytes,
                        const FirecrackerLimits &limits = {});

struct FirecrackerHandshake {
  std::vector<Region> regions;
  UniqueFd uffd;            ///< non-blocking
  bool removeEvents = true; ///< whether discarded pages are reported
};

/// One connection's message on its way in.
class FirecrackerReceiver {
public:
  explicit FirecrackerReceiver(FirecrackerLimits limits = {})
      : limits(limits) {}

  enum class Progress { More, Whole };
  /// Reads what \p socket has now, without waiting. EPIPE if it ended before
  /// the message did, EMSGSIZE or EBADMSG if the message breaks a limit.
  Result<Progress> receive(int socket);
  /// The same with bytes and descriptors that somebody else read.
  Result<Progress> take(std::span<const uint8_t> bytes,
                        std::vector<UniqueFd> descriptors);
  /// After Whole: checks all of it. EBADMSG if regions or descriptor are not
  /// what this handler can serve.
  Result<FirecrackerHandshake> finish(uint64_t snapshotBytes);
  /// Bytes so far.
  size_t size() const { return text.size(); }

private:
  Result<Progress> scan();

  FirecrackerLimits limits;
  std::string text;
  std::vector<UniqueFd> fds;
  // The scanner: where it stands and in what.
  size_t scanned = 0;
  unsigned depth = 0;
  bool inString = false, escaped = false, whole = false;
};

/// A userfaultfd as another process made it, from /proc/self/fdinfo.
struct UffdState {
  bool handshakeDone = false;
  uint64_t features = 0; ///< UFFD_FEATURE_* asked for
};
/// EBADMSG if \p fd is no userfaultfd.
Result<UffdState> uffdState(int fd);

} // namespace spacer

#endif
