//===- Region.h - a range of guest memory that a uffd watches -------------===//

#ifndef SPACER_RUNTIME_REGION_H
#define SPACER_RUNTIME_REGION_H

#include "Units.h"

namespace spacer {

enum class RegionKind : uint32_t {
  PoolMapping = 0, ///< private mapping of the HostPool's memfd, MINOR|MISSING:
                   ///< CONTINUE shares
  Anonymous = 1,   ///< MISSING: COPY, not shared
};

/// A registered range. PoolMapping regions are exactly one mapping each (an
/// ioctl across two gives ENOENT), with guest pages that continue in the pool.
struct Region {
  HostAddr start;
  uint64_t bytes = 0;
  GuestPage guest;
  RegionKind kind = RegionKind::PoolMapping;
  uint32_t pageSize = pageBytes; ///< or hugePageBytes (Anonymous only)

  uint64_t pages() const { return bytes / pageBytes; }
  HostAddr at(uint64_t page) const { return start + page * pageBytes; }
  bool operator==(const Region &) const = default;
};

} // namespace spacer

#endif
