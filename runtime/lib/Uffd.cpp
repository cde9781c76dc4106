//===- Uffd.cpp - one function for each ioctl of userfaultfd(2) -----------===//
//
// The kernel says how far it came in a field of the argument: bytes done if it
// did anything (and EAGAIN if not everything), else -errno of the first page.
//
//===----------------------------------------------------------------------===//

#include "Uffd.h"
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/syscall.h>

namespace spacer {
namespace {

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

Result<UniqueFd> openDescriptor() {
  UniqueFd device(open("/dev/userfaultfd", O_RDWR | O_CLOEXEC));
  if (device) {
    int fd = ioctl(device.get(), USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
      return UniqueFd(fd);
  }
  int fd = int(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
  if (fd >= 0)
    return UniqueFd(fd);
  int why = errno;
  if (why == EPERM || why == EACCES)
    return systemError("userfaultfd: give the user /dev/userfaultfd or "
                       "CAP_SYS_PTRACE, or set vm.unprivileged_userfaultfd=1",
                       why);
  return systemError("userfaultfd", why);
}

/// What the kernel can do, asked of a descriptor that is then thrown away.
uint64_t featuresOfKernel() {
  auto fd = openDescriptor();
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  return fd && ioctl(fd->get(), UFFDIO_API, &api) == 0 ? api.features : 0;
}

/// \p done is what the kernel wrote back.
int64_t outcome(int status, int64_t done) {
  if (status == 0 || done > 0)
    return done;
  return -errno;
}

} // namespace

Result<Uffd> Uffd::create(uint64_t features) {
  auto fd = openDescriptor();
  if (!fd)
    return fd.takeError();
  uffdio_api api{.api = UFFD_API, .features = features, .ioctls = 0};
  if (ioctl(fd->get(), UFFDIO_API, &api) == 0)
    return Uffd(std::move(*fd));
  int why = errno;
  char missing[32];
  std::snprintf(
      missing, sizeof missing, "%#llx",
      static_cast<unsigned long long>(features & ~featuresOfKernel()));
  return systemError(
      "userfaultfd: this kernel lacks features " + std::string(missing), why);
}

bool Uffd::isUffd(int fd) {
  char path[64], target[64];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(path, target, sizeof target);
  return n > 0 &&
         std::string_view(target, size_t(n)) == "anon_inode:[userfaultfd]";
}

int Uffd::registerRange(HostAddr start, uint64_t bytes, uint64_t mode) {
  uffdio_register arg{.range = {start.value, bytes}, .mode = mode, .ioctls = 0};
  return ioctl(fd(), UFFDIO_REGISTER, &arg) == 0 ? 0 : -errno;
}

int Uffd::unregisterRange(HostAddr start, uint64_t bytes) {
  uffdio_range arg{start.value, bytes};
  return ioctl(fd(), UFFDIO_UNREGISTER, &arg) == 0 ? 0 : -errno;
}

int64_t Uffd::copy(HostAddr to, const void *from, uint64_t bytes, bool wake) {
  uffdio_copy arg{.dst = to.value,
                  .src = reinterpret_cast<uintptr_t>(from),
                  .len = bytes,
                  .mode = wake ? 0 : UFFDIO_COPY_MODE_DONTWAKE,
                  .copy = 0};
  int status = ioctl(fd(), UFFDIO_COPY, &arg);
  return outcome(status, arg.copy);
}

int64_t Uffd::continueRange(HostAddr start, uint64_t bytes, bool wake) {
  uffdio_continue arg{.range = {start.value, bytes},
                      .mode = wake ? 0 : UFFDIO_CONTINUE_MODE_DONTWAKE,
                      .mapped = 0};
  int status = ioctl(fd(), UFFDIO_CONTINUE, &arg);
  return outcome(status, arg.mapped);
}

int64_t Uffd::zero(HostAddr start, uint64_t bytes, bool wake) {
  uffdio_zeropage arg{.range = {start.value, bytes},
                      .mode = wake ? 0 : UFFDIO_ZEROPAGE_MODE_DONTWAKE,
                      .zeropage = 0};
  int status = ioctl(fd(), UFFDIO_ZEROPAGE, &arg);
  return outcome(status, arg.zeropage);
}

int64_t Uffd::poison(HostAddr start, uint64_t bytes, bool wake) {
  uffdio_poison arg{.range = {start.value, bytes},
                    .mode = wake ? 0 : UFFDIO_POISON_MODE_DONTWAKE,
                    .updated = 0};
  int status = ioctl(fd(), UFFDIO_POISON, &arg);
  return outcome(status, arg.updated);
}

int Uffd::wake(HostAddr start, uint64_t bytes) {
  uffdio_range arg{start.value, bytes};
  return ioctl(fd(), UFFDIO_WAKE, &arg) == 0 ? 0 : -errno;
}

} // namespace spacer
