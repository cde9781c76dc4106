//===- Fd.h - owners of descriptors and mappings --------------------------===//

#ifndef SPACER_RUNTIME_FD_H
#define SPACER_RUNTIME_FD_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace spacer {

/// Owns a descriptor; -1 is none.
class UniqueFd {
public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd(fd) {}
  UniqueFd(UniqueFd &&other) noexcept : fd(other.release()) {}
  UniqueFd &operator=(UniqueFd &&other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd; }
  explicit operator bool() const { return fd >= 0; }
  int release() { return std::exchange(fd, -1); }
  void reset(int to = -1) {
    if (fd >= 0)
      ::close(fd);
    fd = to;
  }

private:
  int fd = -1;
};

/// Owns an address range that mmap() gave.
class Mapping {
public:
  Mapping() = default;
  Mapping(void *start, size_t bytes) : start(start), lengthBytes(bytes) {}
  Mapping(Mapping &&other) noexcept
      : start(std::exchange(other.start, nullptr)),
        lengthBytes(std::exchange(other.lengthBytes, 0)) {}
  Mapping &operator=(Mapping &&other) noexcept {
    std::swap(start, other.start);
    std::swap(lengthBytes, other.lengthBytes);
    return *this;
  }
  ~Mapping() {
    if (start)
      ::munmap(start, lengthBytes);
  }

  explicit operator bool() const { return start != nullptr; }
  uint8_t *data() const { return static_cast<uint8_t *>(start); }
  size_t size() const { return lengthBytes; }
  std::span<uint8_t> bytes() const { return {data(), lengthBytes}; }
  /// The range stays mapped; the caller owns it.
  void *release() {
    lengthBytes = 0;
    return std::exchange(start, nullptr);
  }

private:
  void *start = nullptr;
  size_t lengthBytes = 0;
};

} // namespace spacer

#endif
