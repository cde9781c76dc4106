//===- Manifest.cpp - emits the manifest of an image ----------------------===//
//
// The structs of Format.h are little-endian and so is every host that builds
// this (checked below), so tables are copied as they are.
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <bit>

using namespace llvm;

namespace spacer {

static_assert(std::endian::native == std::endian::little,
              "manifest structs are written as they lie in memory");

uint32_t ManifestBuilder::string(StringRef s) {
  if (s.empty())
    return 0;
  auto [it, isNew] = stringOffsets.try_emplace(s, strings.size());
  if (isNew)
    strings.append(s.data(), s.size()).push_back('\0');
  return it->second;
}

void ManifestBuilder::setAtlas(const Atlas &atlas, uint32_t machine) {
  memcpy(header.magic, manifestMagic, sizeof header.magic);
  header.version = manifestVersion;
  header.headerBytes = sizeof(ManifestHeader);
  header.pageBytes = formatPageBytes;
  header.machine = machine;
  memcpy(header.atlasId, atlas.id().bytes.data(), 16);
  header.windowBase = atlas.window().base;
  header.windowBytes = atlas.window().bytes;
}

void ManifestBuilder::addUnit(const Hash128 &identity, uint64_t address,
                              uint64_t bytes, UnitKind kind, uint32_t flags,
                              StringRef library, StringRef name) {
  ManifestUnit u{};
  memcpy(u.identity, identity.bytes.data(), 16);
  u.address = address;
  u.bytes = bytes;
  u.kind = kind;
  u.flags = flags;
  u.library = string(library);
  u.name = string(name);
  units.push_back(u);
}

void ManifestBuilder::addSlot(uint64_t address, uint64_t target, SlotKind kind,
                              uint16_t bytes, StringRef library,
                              StringRef name) {
  ManifestSlot s{};
  s.address = address;
  s.target = target;
  s.kind = kind;
  s.bytes = bytes;
  s.library = string(library);
  s.name = string(name);
  slots.push_back(s);
}

void ManifestBuilder::finish() {
  // Equal identities stand at one address: names break ties, so that the
  // order of inputs does not show.
  auto before = [&](const auto &a, const auto &b) {
    if (a.address != b.address)
      return a.address < b.address;
    auto text = [&](uint32_t at) { return StringRef(strings.data() + at); };
    if (a.name != b.name)
      return text(a.name) < text(b.name);
    return text(a.library) < text(b.library);
  };
  llvm::sort(units, before);
  llvm::sort(slots, before);
  llvm::sort(pages, [](const ManifestPage &a, const ManifestPage &b) {
    return a.address < b.address;
  });
}

uint64_t ManifestBuilder::size() const {
  return sizeof(ManifestHeader) + pages.size() * sizeof(ManifestPage) +
         units.size() * sizeof(ManifestUnit) +
         slots.size() * sizeof(ManifestSlot) + alignTo(strings.size(), 8);
}

void ManifestBuilder::write(uint8_t *out) const {
  ManifestHeader h = header;
  h.pageCount = pages.size();
  h.unitCount = units.size();
  h.slotCount = slots.size();
  h.stringsBytes = strings.size();
  h.pagesOffset = sizeof h;
  h.unitsOffset = h.pagesOffset + pages.size() * sizeof(ManifestPage);
  h.slotsOffset = h.unitsOffset + units.size() * sizeof(ManifestUnit);
  h.stringsOffset = h.slotsOffset + slots.size() * sizeof(ManifestSlot);
  h.totalBytes = size();

  memset(out, 0, h.totalBytes);
  memcpy(out, &h, sizeof h);
  auto copy = [&](uint64_t offset, const auto &table) {
    if (!table.empty())
      memcpy(out + offset, table.data(), table.size() * sizeof(table[0]));
  };
  copy(h.pagesOffset, pages);
  copy(h.unitsOffset, units);
  copy(h.slotsOffset, slots);
  copy(h.stringsOffset, strings);
  Hash128 sum = hashBytes(ArrayRef<uint8_t>(out, h.totalBytes));
  memcpy(out + offsetof(ManifestHeader, checksum), sum.bytes.data(), 16);
}

} // namespace spacer
