//===- Digest.cpp - XXH3-128 of pages -------------------------------------===//

#include "Digest.h"
#include <xxhash.h>
// The same hash with the widest vectors that the CPU has: the library's plain
// entry is built for SSE2. The header redirects XXH3_128bits.
#if defined(__x86_64__) && !defined(XXH_INLINE_ALL) &&                         \
    __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

namespace spacer {

std::string Digest::hex() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t b : bytes) {
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text;
}

Digest digestOf(std::span<const uint8_t> data) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(data.data(), data.size()));
  Digest d;
  static_assert(sizeof canonical.digest == sizeof d.bytes);
  std::memcpy(d.bytes.data(), canonical.digest, sizeof d.bytes);
  return d;
}

bool allZero(std::span<const uint8_t> data) {
  // A range whose first byte is zero and that equals itself shifted by one.
  return data.empty() ||
         (data[0] == 0 &&
          std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

} // namespace spacer
