//===- Digest.h - XXH3-128 of pages ---------------------------------------===//
//
// Canonical (big-endian) form, as in the manifest (spacer/Format.h). The hash
// is not cryptographic: whoever shares by it compares the bytes as well.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_DIGEST_H
#define SPACER_RUNTIME_DIGEST_H

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace spacer {

struct Digest {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const Digest &) const = default;
  bool isZero() const { return *this == Digest{}; }
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
  /// Eight of its bytes, for hash tables.
  uint64_t low() const {
    uint64_t v;
    std::memcpy(&v, bytes.data() + 8, sizeof v);
    return v;
  }
};

Digest digestOf(std::span<const uint8_t> data);

/// True if all bytes are zero; looks at no more than it must.
bool allZero(std::span<const uint8_t> data);

} // namespace spacer

#endif
