//===- RawKvm.h - a guest in 64-bit ring 0, without an operating system ---===//

#ifndef SPACER_TEST_RAWKVM_H
#define SPACER_TEST_RAWKVM_H

#include <cstdint>

namespace spacer::test {

/// A virtual machine whose memory from guest address 0 on is \p memory; made
/// by the process that maps it. Page tables, code and nothing else lie in a
/// slot of its own.
class RawKvm {
public:
  /// 0 or -errno; -ENOENT: no /dev/kvm.
  int start(void *memory, uint64_t bytes);
  /// Adds up the first words of \p pages pages from \p first on, \p stride
  /// apart. -errno or less on failure.
  int64_t sum(uint64_t first, uint64_t pages, uint64_t stride);
  /// Writes \p value to them.
  int64_t write(uint64_t first, uint64_t pages, uint64_t stride,
                uint64_t value);

private:
  int64_t run(uint64_t code, uint64_t first, uint64_t pages, uint64_t stride,
              uint64_t value);
  int vm = -1, vcpu = -1;
  void *shared = nullptr; ///< struct kvm_run
};

} // namespace spacer::test

#endif
