//===- ManifestView.cpp - a manifest, read and checked --------------------===//
//
// The order of the checks is the order of trust: magic and version say how to
// read, the checksum says that the bytes are the linker's, and only then do the
// tables' contents matter. They are checked all the same, since a checksum is
// no proof of a correct writer.
//
//===----------------------------------------------------------------------===//

#include "ManifestView.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <bit>

using namespace llvm;

namespace spacer {

static_assert(std::endian::native == std::endian::little,
              "manifest structs are read as they lie in memory");

StringRef className(PageClass c) {
  static constexpr StringLiteral names[] = {"private", "zero", "text", "rodata",
                                            "data",    "bss",  "door", "got"};
  return names[unsigned(c)];
}

StringRef kindName(UnitKind k) {
  static constexpr StringLiteral names[] = {"text", "rodata", "data",
                                            "bss",  "string", "tls"};
  return names[unsigned(k)];
}

StringRef kindName(SlotKind k) {
  static constexpr StringLiteral names[] = {"door", "entry", "got"};
  return names[unsigned(k)];
}

template <class... Ts> static Error bad(const char *form, Ts &&...vs) {
  return createStringError(inconvertibleErrorCode(),
                           "manifest: " +
                               formatv(form, std::forward<Ts>(vs)...).str());
}

static Error checkHeader(const ManifestHeader &h, uint64_t sectionBytes) {
  if (memcmp(h.magic, manifestMagic, sizeof h.magic))
    return bad("magic {0}, expected {1} (SPACERMF)",
               toHex(ArrayRef<uint8_t>(h.magic), true),
               toHex(ArrayRef<uint8_t>(manifestMagic), true));
  if (h.version != manifestVersion)
    return bad("format {0}, expected {1}{2}", h.version, manifestVersion,
               h.version > manifestVersion ? " (made by a newer linker)" : "");
  if (h.headerBytes != sizeof h)
    return bad("header of {0} bytes, expected {1}", h.headerBytes, sizeof h);
  if (h.pageBytes != formatPageBytes)
    return bad("pages of {0} bytes, expected {1}", h.pageBytes,
               formatPageBytes);
  if (h.totalBytes < sizeof h || h.totalBytes > sectionBytes)
    return bad("{0} bytes by its header, the section has {1}", h.totalBytes,
               sectionBytes);
  return Error::success();
}

/// Copies a table out of the section, if it lies in it.
template <class Row>
static Error readTable(ArrayRef<uint8_t> bytes, const char *what,
                       uint64_t offset, uint64_t count,
                       std::vector<Row> &rows) {
  if (offset > bytes.size() || count > (bytes.size() - offset) / sizeof(Row))
    return bad("{0} table at {1:x} of {2} rows ends outside its {3} bytes",
               what, offset, count, bytes.size());
  rows.resize(count);
  if (count)
    memcpy(rows.data(), bytes.data() + offset, count * sizeof(Row));
  return Error::success();
}

static Error checkRows(const ManifestView &m) {
  auto badString = [&](uint32_t offset) { return offset >= m.strings.size(); };
  uint64_t last = 0;
  for (size_t i = 0; i != m.pages.size(); ++i) {
    const ManifestPage &p = m.pages[i];
    if (p.address % formatPageBytes)
      return bad("page {0} at {1:x}, expected a multiple of 0x1000", i,
                 p.address);
    if (i && p.address <= last)
      return bad("page {0} at {1:x} follows one at {2:x}", i, p.address, last);
    if (unsigned(p.pageClass) >= pageClassCount)
      return bad("page {0} has class {1}, expected less than {2}", i,
                 unsigned(p.pageClass), pageClassCount);
    last = p.address;
  }
  last = 0;
  for (size_t i = 0; i != m.units.size(); ++i) {
    const ManifestUnit &u = m.units[i];
    if (u.address < last || u.address + u.bytes < u.address)
      return bad("unit {0} at {1:x} of {2} bytes follows one at {3:x}", i,
                 u.address, u.bytes, last);
    if (unsigned(u.kind) >= unitKindCount)
      return bad("unit {0} has kind {1}, expected less than {2}", i,
                 unsigned(u.kind), unitKindCount);
    if (badString(u.library) || badString(u.name))
      return bad("unit {0} has a name outside the strings", i);
    last = u.address;
  }
  last = 0;
  for (size_t i = 0; i != m.slots.size(); ++i) {
    const ManifestSlot &s = m.slots[i];
    if (s.address < last)
      return bad("slot {0} at {1:x} follows one at {2:x}", i, s.address, last);
    if (unsigned(s.kind) >= slotKindCount)
      return bad("slot {0} has kind {1}, expected less than {2}", i,
                 unsigned(s.kind), slotKindCount);
    if (s.bytes != 8 && s.bytes != 16)
      return bad("slot {0} is {1} bytes wide, expected 8 or 16", i, s.bytes);
    if (badString(s.library) || badString(s.name))
      return bad("slot {0} has a name outside the strings", i);
    last = s.address;
  }
  return Error::success();
}

Expected<ManifestView> ManifestView::parse(ArrayRef<uint8_t> section) {
  ManifestView m;
  if (section.size() < sizeof m.header)
    return bad("{0} bytes, expected at least {1}", section.size(),
               sizeof m.header);
  memcpy(&m.header, section.data(), sizeof m.header);
  const ManifestHeader &h = m.header;
  if (Error e = checkHeader(h, section.size()))
    return std::move(e);

  std::vector<uint8_t> bytes = section.take_front(h.totalBytes).vec();
  std::fill_n(bytes.begin() + offsetof(ManifestHeader, checksum),
              sizeof h.checksum, 0);
  if (Hash128 sum = hashBytes(bytes); sum != digest(h.checksum))
    return bad("checksum {0}, its bytes have {1}", digest(h.checksum).hex(),
               sum.hex());

  std::vector<char> text;
  if (Error e = readTable(bytes, "page", h.pagesOffset, h.pageCount, m.pages))
    return std::move(e);
  if (Error e = readTable(bytes, "unit", h.unitsOffset, h.unitCount, m.units))
    return std::move(e);
  if (Error e = readTable(bytes, "slot", h.slotsOffset, h.slotCount, m.slots))
    return std::move(e);
  if (Error e =
          readTable(bytes, "string", h.stringsOffset, h.stringsBytes, text))
    return std::move(e);
  if (text.empty() || text.front() || text.back())
    return bad("strings do not begin and end with NUL");
  m.strings.assign(text.begin(), text.end());
  if (Error e = checkRows(m))
    return std::move(e);
  return std::move(m);
}

const ManifestPage *ManifestView::page(uint64_t address) const {
  auto it = std::lower_bound(
      pages.begin(), pages.end(), address,
      [](const ManifestPage &p, uint64_t a) { return p.address < a; });
  return it != pages.end() && it->address == address ? &*it : nullptr;
}

} // namespace spacer
