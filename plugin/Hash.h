//===- Hash.h - 128-bit digests -------------------------------------------===//
//
// XXH3-128 in a value type. The hash is not cryptographic: whoever relies on
// equality of content compares the bytes as well (the link compares every
// shared page after writing it).
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_HASH_H
#define SPACER_PLUGIN_HASH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace spacer {

/// A digest in XXH3's canonical (big-endian) form, so that memory order,
/// printed order and database order agree.
struct Hash128 {
  std::array<uint8_t, 16> bytes{};

  bool operator==(const Hash128 &o) const { return bytes == o.bytes; }
  bool operator!=(const Hash128 &o) const { return bytes != o.bytes; }
  bool operator<(const Hash128 &o) const { return bytes < o.bytes; }
  bool isZero() const { return *this == Hash128{}; }
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
};

Hash128 hashBytes(llvm::ArrayRef<uint8_t> data);
inline Hash128 hashBytes(llvm::StringRef s) {
  return hashBytes(llvm::ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(s.data()), s.size()));
}

/// Collects fields, each with its length where that is not fixed, and digests
/// them in one go: two different sequences of fields never give equal input.
class HashBuilder {
public:
  HashBuilder &u8(uint8_t v) {
    buf.push_back(v);
    return *this;
  }
  HashBuilder &u64(uint64_t v) { return fixed({v}); }
  /// Several fields at once: what a hot loop should use.
  template <size_t n> HashBuilder &fixed(const uint64_t (&fields)[n]) {
    auto *p = reinterpret_cast<const uint8_t *>(fields);
    buf.append(p, p + sizeof fields);
    return *this;
  }
  HashBuilder &raw(llvm::ArrayRef<uint8_t> d) {
    u64(d.size());
    buf.append(d.begin(), d.end());
    return *this;
  }
  /// As raw(), but the bytes may still be changed; valid until the next call.
  llvm::MutableArrayRef<uint8_t> copy(llvm::ArrayRef<uint8_t> d) {
    raw(d);
    return llvm::MutableArrayRef<uint8_t>(buf).take_back(d.size());
  }
  HashBuilder &str(llvm::StringRef s) {
    return raw({reinterpret_cast<const uint8_t *>(s.data()), s.size()});
  }
  HashBuilder &hash(const Hash128 &h) {
    buf.append(h.bytes.begin(), h.bytes.end());
    return *this;
  }
  Hash128 finish() const { return hashBytes(buf); }
  void clear() { buf.clear(); }

private:
  llvm::SmallVector<uint8_t, 512> buf;
};

} // namespace spacer

template <> struct llvm::DenseMapInfo<spacer::Hash128> {
  static spacer::Hash128 getEmptyKey() {
    spacer::Hash128 h;
    h.bytes.fill(0xff);
    return h;
  }
  static spacer::Hash128 getTombstoneKey() {
    spacer::Hash128 h;
    h.bytes.fill(0xfe);
    return h;
  }
  static unsigned getHashValue(const spacer::Hash128 &h) {
    unsigned v;
    memcpy(&v, h.bytes.data(), sizeof v);
    return v;
  }
  static bool isEqual(const spacer::Hash128 &a, const spacer::Hash128 &b) {
    return a == b;
  }
};

#endif
