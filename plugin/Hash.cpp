//===- Hash.cpp - 128-bit digests -----------------------------------------===//

#include "Hash.h"
#include "llvm/ADT/StringExtras.h"
#include <xxhash.h>

using namespace llvm;

namespace spacer {

std::string Hash128::hex() const { return toHex(bytes, /*LowerCase=*/true); }

Hash128 hashBytes(ArrayRef<uint8_t> data) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(data.data(), data.size()));
  Hash128 h;
  memcpy(h.bytes.data(), canonical.digest, sizeof canonical.digest);
  return h;
}

} // namespace spacer
