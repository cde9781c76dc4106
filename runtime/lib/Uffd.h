//===- Uffd.h - one function for each ioctl of userfaultfd(2) -------------===//
//
// No policy: arguments in, -errno out, as ioctl_userfaultfd(2) describes. What
// an errno means for a fault is FaultHandler's business.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_UFFD_H
#define SPACER_RUNTIME_UFFD_H

#include "Fd.h"
#include "Kernel.h"
#include "Result.h"
#include "Units.h"

namespace spacer {

/// The calls that the fault path makes; a test puts a fake in its place.
class UffdCalls {
public:
  virtual ~UffdCalls() = default;
  /// Each returns the bytes done, or -errno if the first page failed.
  virtual int64_t copy(HostAddr to, const void *from, uint64_t bytes,
                       bool wake) = 0;
  virtual int64_t continueRange(HostAddr start, uint64_t bytes, bool wake) = 0;
  virtual int64_t zero(HostAddr start, uint64_t bytes, bool wake) = 0;
  virtual int64_t poison(HostAddr start, uint64_t bytes, bool wake) = 0;
  /// 0 or -errno.
  virtual int wake(HostAddr start, uint64_t bytes) = 0;
};

class Uffd final : public UffdCalls {
public:
  /// /dev/userfaultfd, else userfaultfd(2); handshake with UFFDIO_API asking
  /// for \p features. EPERM says what the user may do about it.
  static Result<Uffd> create(uint64_t features);
  /// One that another process made; the handshake is done.
  explicit Uffd(UniqueFd fd) : descriptor(std::move(fd)) {}

  int fd() const { return descriptor.get(); }
  UniqueFd release() { return std::move(descriptor); }
  /// True if \p fd is a userfaultfd, whoever made it.
  static bool isUffd(int fd);

  /// \p mode: UFFDIO_REGISTER_MODE_*. 0 or -errno.
  int registerRange(HostAddr start, uint64_t bytes, uint64_t mode);
  int unregisterRange(HostAddr start, uint64_t bytes);

  int64_t copy(HostAddr to, const void *from, uint64_t bytes,
               bool wake) override;
  int64_t continueRange(HostAddr start, uint64_t bytes, bool wake) override;
  int64_t zero(HostAddr start, uint64_t bytes, bool wake) override;
  int64_t poison(HostAddr start, uint64_t bytes, bool wake) override;
  int wake(HostAddr start, uint64_t bytes) override;

private:
  UniqueFd descriptor;
};

} // namespace spacer

#endif
