//===- ManifestViewTest.cpp - reading what a linker wrote, or did not -----===//

#include "ManifestView.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace spacer;

namespace {

/// A manifest in parts, which a test bends before it is put together.
struct Parts {
  ManifestHeader header{};
  std::vector<ManifestPage> pages{{0x1000, 0x1000, {}, PageClass::Private, 4},
                                  {0x2000, 0x2000, {}, PageClass::Text, 5}};
  std::vector<ManifestUnit> units{
      {{1}, 0x2000, 32, UnitKind::Text, 0, 1, 6},
      {{2}, 0x2020, 16, UnitKind::Rodata, UnitPrivate, 1, 0}};
  std::vector<ManifestSlot> slots{{0x3000, 0x2000, 1, 6, SlotKind::Door, 8, 0}};
  std::string strings = std::string("\0musl\0memcpy\0", 13);

  Parts() {
    memcpy(header.magic, manifestMagic, sizeof header.magic);
    header.version = manifestVersion;
    header.headerBytes = sizeof header;
    header.pageBytes = formatPageBytes;
    header.machine = 62;
    layOut();
  }
  /// Sets counts and offsets; a test may change them afterwards.
  void layOut() {
    header.pageCount = uint32_t(pages.size());
    header.unitCount = uint32_t(units.size());
    header.slotCount = uint32_t(slots.size());
    header.stringsBytes = uint32_t(strings.size());
    header.pagesOffset = sizeof header;
    header.unitsOffset = header.pagesOffset + pages.size() * sizeof pages[0];
    header.slotsOffset = header.unitsOffset + units.size() * sizeof units[0];
    header.stringsOffset = header.slotsOffset + slots.size() * sizeof slots[0];
    header.totalBytes = header.stringsOffset + strings.size();
  }
  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> out(sizeof header);
    memcpy(out.data(), &header, sizeof header);
    auto add = [&](const void *data, size_t n) {
      auto *p = static_cast<const uint8_t *>(data);
      out.insert(out.end(), p, p + n);
    };
    add(pages.data(), pages.size() * sizeof pages[0]);
    add(units.data(), units.size() * sizeof units[0]);
    add(slots.data(), slots.size() * sizeof slots[0]);
    add(strings.data(), strings.size());
    sign(out);
    return out;
  }
  static void sign(std::vector<uint8_t> &bytes) {
    auto *sum = bytes.data() + offsetof(ManifestHeader, checksum);
    std::fill_n(sum, 16, 0);
    memcpy(sum, hashBytes(bytes).bytes.data(), 16);
  }
};

std::string errorOf(ArrayRef<uint8_t> bytes) {
  Expected<ManifestView> m = ManifestView::parse(bytes);
  return m ? "no error" : toString(m.takeError());
}
std::string errorOf(const Parts &parts) { return errorOf(parts.bytes()); }

TEST(ManifestView, GivesTheTables) {
  ManifestView m = cantFail(ManifestView::parse(Parts().bytes()));
  ASSERT_EQ(m.pages.size(), 2u);
  ASSERT_EQ(m.units.size(), 2u);
  ASSERT_EQ(m.slots.size(), 1u);
  EXPECT_EQ(m.name(m.units[0]), "memcpy");
  EXPECT_EQ(m.name(m.units[1]), "");
  EXPECT_EQ(m.string(m.slots[0].library), "musl");
  EXPECT_EQ(m.page(0x2000)->pageClass, PageClass::Text);
  EXPECT_EQ(m.page(0x3000), nullptr);
}

TEST(ManifestView, TheSectionMayBeLonger) {
  std::vector<uint8_t> bytes = Parts().bytes();
  bytes.resize(bytes.size() + 64);
  EXPECT_EQ(errorOf(bytes), "no error");
}

TEST(ManifestView, RefusesOtherHeaders) {
  Parts p;
  p.header.magic[0] = 'X';
  EXPECT_EQ(errorOf(p), "manifest: magic 5850414345524d46, expected "
                        "5350414345524d46 (SPACERMF)");
  p = Parts();
  p.header.version = 2;
  EXPECT_EQ(errorOf(p),
            "manifest: format 2, expected 1 (made by a newer linker)");
  p = Parts();
  p.header.pageBytes = 16384;
  EXPECT_EQ(errorOf(p), "manifest: pages of 16384 bytes, expected 4096");
  p = Parts();
  p.header.totalBytes = 1 << 20;
  EXPECT_EQ(errorOf(p), "manifest: 1048576 bytes by its header, the section "
                        "has 349");
  EXPECT_EQ(errorOf(ArrayRef(p.bytes()).take_front(127)),
            "manifest: 127 bytes, expected at least 128");
}

TEST(ManifestView, RefusesABrokenChecksum) {
  std::vector<uint8_t> bytes = Parts().bytes();
  bytes.back() ^= 1;
  EXPECT_TRUE(StringRef(errorOf(bytes)).starts_with("manifest: checksum "));
}

TEST(ManifestView, RefusesTablesOutside) {
  Parts p;
  p.header.pageCount = 0x10000000;
  EXPECT_EQ(errorOf(p), "manifest: page table at 0x80 of 268435456 rows ends "
                        "outside its 349 bytes");
  p = Parts();
  p.header.slotsOffset = UINT64_MAX - 8;
  EXPECT_EQ(errorOf(p), "manifest: slot table at 0xfffffffffffffff7 of 1 rows "
                        "ends outside its 349 bytes");
  p = Parts();
  p.header.stringsBytes = 0;
  EXPECT_EQ(errorOf(p), "manifest: strings do not begin and end with NUL");
}

TEST(ManifestView, RefusesRowsThatCannotBe) {
  Parts p;
  p.pages[1].address = 0x1000;
  EXPECT_EQ(errorOf(p), "manifest: page 1 at 0x1000 follows one at 0x1000");
  p = Parts();
  p.pages[0].address = 0x1001;
  EXPECT_EQ(errorOf(p),
            "manifest: page 0 at 0x1001, expected a multiple of 0x1000");
  p = Parts();
  p.pages[0].pageClass = PageClass(8);
  EXPECT_EQ(errorOf(p), "manifest: page 0 has class 8, expected less than 8");
  p = Parts();
  p.units[1].address = 0;
  EXPECT_EQ(errorOf(p),
            "manifest: unit 1 at 0x0 of 16 bytes follows one at 0x2000");
  p = Parts();
  p.units[1].bytes = UINT64_MAX;
  EXPECT_EQ(errorOf(p), "manifest: unit 1 at 0x2020 of 18446744073709551615 "
                        "bytes follows one at 0x2000");
  p = Parts();
  p.units[0].kind = UnitKind(6);
  EXPECT_EQ(errorOf(p), "manifest: unit 0 has kind 6, expected less than 6");
  p = Parts();
  p.units[0].name = 13;
  EXPECT_EQ(errorOf(p), "manifest: unit 0 has a name outside the strings");
  p = Parts();
  p.slots[0].bytes = 12;
  EXPECT_EQ(errorOf(p), "manifest: slot 0 is 12 bytes wide, expected 8 or 16");
  p = Parts();
  p.slots[0].kind = SlotKind(3);
  EXPECT_EQ(errorOf(p), "manifest: slot 0 has kind 3, expected less than 3");
}

// A signed manifest may say anything: whatever is accepted can be walked.
TEST(ManifestView, AnyByteMayBeAnything) {
  const std::vector<uint8_t> good = Parts().bytes();
  unsigned accepted = 0;
  for (size_t i = 0; i != good.size(); ++i)
    for (uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::vector<uint8_t> bytes = good;
      bytes[i] = value;
      Parts::sign(bytes);
      Expected<ManifestView> m = ManifestView::parse(bytes);
      if (!m) {
        EXPECT_TRUE(
            StringRef(toString(m.takeError())).starts_with("manifest: "));
        continue;
      }
      ++accepted;
      size_t length = 0;
      for (const ManifestUnit &u : m->units)
        length += m->name(u).size() + m->string(u.library).size() +
                  kindName(u.kind).size();
      for (const ManifestSlot &s : m->slots)
        length += m->name(s).size() + kindName(s.kind).size();
      for (const ManifestPage &p : m->pages)
        length += className(p.pageClass).size() + m->page(p.address)->flags;
      EXPECT_GT(length, 0u);
    }
  EXPECT_GT(accepted, 0u);
}

} // namespace
