//===- Client.h - a VMM's side of spacerd ---------------------------------===//
//
// What a VMM does to get its guest memory from the daemon: ask for a plan, map
// it, hand over a userfaultfd for what is lazy. Also what the preload library
// does inside QEMU, so: no threads, no globals, no signals, nothing on standard
// output, and whatever fails leaves the range as anonymous zero memory.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_CLIENT_H
#define SPACER_RUNTIME_CLIENT_H

#include "Fd.h"
#include "MemoryMap.h"
#include "Protocol.h"
#include "Uffd.h"

namespace spacer {

/// A userfaultfd of this process over \p ranges (MISSING and MINOR), which also
/// reports memory that is given back.
Result<Uffd> watchRanges(const std::vector<LazyRange> &ranges);

struct OpenedObject {
  Plan plan;
  UniqueFd pool; ///< read-only; holds the pages of pool and copy steps
};

struct ClientMapOptions {
  uint64_t mappings = 10'000;
  LazyPolicy lazy = LazyPolicy::Cold;
  int protection = PROT_READ | PROT_WRITE;
};

struct ClientMapping {
  uint64_t guestBytes = 0;
  PlanSummary summary;
  /// Nothing lazy: none, and no session. Else keep it open as long as the
  /// memory lives: with it, a page that nobody serves waits; without it and
  /// without the daemon, it would silently read as zeros.
  UniqueFd uffd;
  std::optional<uint64_t> session;
};

/// One connection; one thread at a time. The daemon leases opened objects to
/// this process until the connection ends, so keep it as long as the memory.
class Client {
public:
  /// \p socket: DIR/DOMAIN.sock of spacerd.
  static Result<Client> connect(const std::string &socket);
  explicit Client(UniqueFd socket) : socket(std::move(socket)) {}

  /// ENOENT if the domain has no such object.
  Result<OpenedObject> open(std::string_view object, uint64_t mappings,
                            LazyPolicy lazy);
  /// \p ranges as mapPlan() gave them, registered with \p uffd, whose handshake
  /// is done and which stays the caller's. Returns the session's number.
  /// \p name is shown in logs and statistics.
  Result<uint64_t> attach(std::string_view object, std::string_view name,
                          std::vector<LazyRange> ranges, int uffd);
  Result<void> release();

  /// All in one: open, mapPlan() at \p base, a userfaultfd over the lazy
  /// ranges, attach. ENOSPC if the guest has more than \p bytes, the room that
  /// the caller owns there; what lies beyond the guest is left alone. In
  /// lazy ranges MADV_DONTNEED makes zeros; elsewhere use discard().
  Result<ClientMapping> mapObject(std::string_view object,
                                  std::string_view name, HostAddr base,
                                  uint64_t bytes,
                                  const ClientMapOptions &options = {});

private:
  UniqueFd socket;
};

} // namespace spacer

#endif
