//===- Units.h - numbers that know what they count ------------------------===//
//
// Address spaces are types: a guest's page cannot be handed to something that
// wants a page of the pool. All have the same small arithmetic: number plus
// distance, number minus number; sizes are plain integers whose name ends in
// Bytes or Pages.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_UNITS_H
#define SPACER_RUNTIME_UNITS_H

#include <compare>
#include <cstdint>
#include <functional>

namespace spacer {

inline constexpr uint64_t pageBytes = 4096; ///< the grain of sharing
inline constexpr uint64_t hugePageBytes = 2 << 20;

template <class Tag> struct Number {
  uint64_t value = 0;

  constexpr auto operator<=>(const Number &) const = default;
  constexpr Number operator+(uint64_t distance) const {
    return {value + distance};
  }
  constexpr uint64_t operator-(Number other) const {
    return value - other.value;
  }
  constexpr Number &operator+=(uint64_t distance) {
    value += distance;
    return *this;
  }
};

/// A page of a guest's memory, counted from the start of its RAM block.
using GuestPage = Number<struct GuestPageTag>;
/// A page of a domain's pool; the same number in the page file and in the
/// memfd, where it stands at value * pageBytes. Never used twice.
using PoolPage = Number<struct PoolPageTag>;
/// An address in a process that maps guest memory.
using HostAddr = Number<struct HostAddrTag>;
using FileOffset = Number<struct FileOffsetTag>;

constexpr FileOffset offsetOf(PoolPage p) { return {p.value * pageBytes}; }

constexpr bool pageAligned(uint64_t v) { return v % pageBytes == 0; }
constexpr uint64_t pagesFor(uint64_t bytes) {
  return bytes / pageBytes + (bytes % pageBytes != 0);
}

} // namespace spacer

template <class Tag> struct std::hash<spacer::Number<Tag>> {
  size_t operator()(spacer::Number<Tag> n) const {
    return std::hash<uint64_t>()(n.value);
  }
};

#endif
