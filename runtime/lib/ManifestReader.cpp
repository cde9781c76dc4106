//===- ManifestReader.cpp - bytes to a validated manifest -----------------===//

#include "ManifestReader.h"
#include "Units.h"
#include <algorithm>
#include <cstddef>

namespace spacer {
namespace {

static_assert(formatPageBytes == pageBytes);

std::string hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", (unsigned long long)v);
  return text;
}
std::string num(uint64_t v) { return std::to_string(v); }

// Each returns what is wrong, or an empty text.

std::string layoutProblem(const ManifestHeader &h, uint64_t room) {
  if (std::memcmp(h.magic, manifestMagic, sizeof manifestMagic) != 0)
    return "no manifest: it starts with other bytes";
  if (h.version != manifestVersion)
    return "version " + num(h.version) + ", known is " + num(manifestVersion);
  if (h.headerBytes != sizeof h)
    return "header of " + num(h.headerBytes) + " bytes, expected " +
           num(sizeof h);
  if (h.pageBytes != formatPageBytes)
    return "pages of " + num(h.pageBytes) + " bytes, expected " +
           num(formatPageBytes);
  // Counts have 32 bits, so no sum below overflows.
  uint64_t units = sizeof h + uint64_t(h.pageCount) * sizeof(ManifestPage);
  uint64_t slots = units + uint64_t(h.unitCount) * sizeof(ManifestUnit);
  uint64_t strings = slots + uint64_t(h.slotCount) * sizeof(ManifestSlot);
  uint64_t end = (strings + h.stringsBytes + 7) / 8 * 8;
  struct {
    const char *name;
    uint64_t found, expected;
  } places[] = {{"pages at ", h.pagesOffset, sizeof h},
                {"units at ", h.unitsOffset, units},
                {"slots at ", h.slotsOffset, slots},
                {"strings at ", h.stringsOffset, strings},
                {"end at ", h.totalBytes, end}};
  for (auto &p : places)
    if (p.found != p.expected)
      return p.name + hex(p.found) + ", expected " + hex(p.expected);
  if (end > room)
    return num(end) + " bytes, the section has " + num(room);
  return {};
}

std::string pageProblem(const std::vector<ManifestPage> &pages) {
  for (size_t i = 0; i < pages.size(); ++i) {
    const ManifestPage &p = pages[i];
    std::string at = "page " + num(i) + " at " + hex(p.address);
    if (!pageAligned(p.address))
      return at + " is not aligned";
    if (i && p.address <= pages[i - 1].address)
      return at + " does not rise, before it is " + hex(pages[i - 1].address);
    if (uint32_t(p.pageClass) > uint32_t(PageClass::Got))
      return at + " has class " + num(uint32_t(p.pageClass));
    if (p.flags & ~uint32_t(PageExec | PageWrite | PageRead | PageUnhashed))
      return at + " has flags " + hex(p.flags);
    if (p.flags & PageUnhashed && !digestIn(p).isZero())
      return at + " is not digested and has a digest";
  }
  return {};
}

std::string unitProblem(const std::vector<ManifestUnit> &units,
                        uint32_t stringsBytes) {
  for (size_t i = 0; i < units.size(); ++i) {
    const ManifestUnit &u = units[i];
    std::string at = "unit " + num(i) + " at " + hex(u.address);
    if (i && u.address < units[i - 1].address)
      return at + " does not rise, before it is " + hex(units[i - 1].address);
    if (u.bytes > ~u.address)
      return at + " has " + hex(u.bytes) + " bytes";
    if (uint32_t(u.kind) > uint32_t(UnitKind::Tls))
      return at + " has kind " + num(uint32_t(u.kind));
    if (u.flags & ~uint32_t(UnitPrivate | UnitNamed))
      return at + " has flags " + hex(u.flags);
    if (u.library >= stringsBytes || u.name >= stringsBytes)
      return at + " has a name outside the strings";
  }
  return {};
}

std::string slotProblem(const std::vector<ManifestSlot> &slots,
                        uint32_t stringsBytes) {
  for (size_t i = 0; i < slots.size(); ++i) {
    const ManifestSlot &s = slots[i];
    std::string at = "slot " + num(i) + " at " + hex(s.address);
    if (i && s.address < slots[i - 1].address)
      return at + " does not rise, before it is " + hex(slots[i - 1].address);
    if (uint16_t(s.kind) > uint16_t(SlotKind::Got))
      return at + " has kind " + num(uint16_t(s.kind));
    if (s.bytes != 8 && s.bytes != 16)
      return at + " has " + num(s.bytes) + " bytes, expected 8 or 16";
    if (s.reserved)
      return at + " has reserved bytes " + hex(s.reserved);
    if (s.library >= stringsBytes || s.name >= stringsBytes)
      return at + " has a name outside the strings";
  }
  return {};
}

template <class Row>
void copyRows(std::vector<Row> &to, std::span<const uint8_t> bytes,
              uint64_t offset, uint32_t count) {
  to.resize(count);
  if (count)
    std::memcpy(to.data(), bytes.data() + offset, count * sizeof(Row));
}

} // namespace

const ManifestPage *Manifest::pageAt(uint64_t address) const {
  auto p = std::lower_bound(
      pages.begin(), pages.end(), address,
      [](const ManifestPage &p, uint64_t a) { return p.address < a; });
  return p != pages.end() && p->address == address ? &*p : nullptr;
}

Result<Manifest> Manifest::read(std::span<const uint8_t> bytes,
                                const std::string &name) {
  auto bad = [&](const std::string &why) {
    return Error{EBADMSG, name + ": " + why};
  };
  Manifest m;
  if (bytes.size() < sizeof m.header)
    return bad(num(bytes.size()) + " bytes, the least is " +
               num(sizeof m.header));
  std::memcpy(&m.header, bytes.data(), sizeof m.header);
  const ManifestHeader &h = m.header;
  if (std::string why = layoutProblem(h, bytes.size()); !why.empty())
    return bad(why);
  {
    std::vector<uint8_t> whole(bytes.begin(),
                               bytes.begin() + ptrdiff_t(h.totalBytes));
    std::memset(whole.data() + offsetof(ManifestHeader, checksum), 0,
                sizeof h.checksum);
    Digest sum = digestOf(whole);
    if (std::memcmp(sum.bytes.data(), h.checksum, sizeof h.checksum) != 0)
      return bad("wrong checksum");
  }
  copyRows(m.pages, bytes, h.pagesOffset, h.pageCount);
  copyRows(m.units, bytes, h.unitsOffset, h.unitCount);
  copyRows(m.slots, bytes, h.slotsOffset, h.slotCount);
  m.strings.assign(
      reinterpret_cast<const char *>(bytes.data() + h.stringsOffset),
      h.stringsBytes);
  if (m.strings.empty() || m.strings.front() != 0 || m.strings.back() != 0)
    return bad("strings do not start and end with NUL");
  for (const std::string &why :
       {pageProblem(m.pages), unitProblem(m.units, h.stringsBytes),
        slotProblem(m.slots, h.stringsBytes)})
    if (!why.empty())
      return bad(why);
  return m;
}

} // namespace spacer
