//===- ManifestReaderTest.cpp ---------------------------------------------===//

#include "ManifestReader.h"
#include "ImageBuilder.h"
#include <gtest/gtest.h>

using namespace spacer;
using namespace spacer::test;

namespace {

ManifestBuilder sample() {
  ManifestBuilder b;
  for (uint64_t i = 0; i < 3; ++i) {
    ManifestPage p{};
    p.address = 0x200000 + i * 0x2000;
    p.hash[0] = 1;
    p.pageClass = PageClass::Text;
    p.flags = PageRead | PageExec;
    b.pages.push_back(p);
  }
  b.units.push_back({{}, 0x200000, 6, UnitKind::Text, 0, 1, 5});
  b.units.push_back({{}, 0x200010, 6, UnitKind::Data, UnitNamed, 1, 0});
  b.slots.push_back({0x202000, 0x200000, 1, 5, SlotKind::Door, 8, 0});
  return b;
}

std::string problemOf(const Bytes &bytes) {
  auto m = Manifest::read(bytes, "m");
  if (m)
    return "";
  EXPECT_EQ(m.error().sysErrno, EBADMSG);
  EXPECT_EQ(m.error().context.substr(0, 3), "m: ");
  return m.error().context.substr(3);
}

TEST(ManifestReaderTest, readsWhatTheFormatSays) {
  Bytes bytes = sample().bytes();
  bytes.insert(bytes.end(), 100, 0xff); // the section may be longer
  auto m = Manifest::read(bytes, "m");
  ASSERT_TRUE(m) << m.error().context;
  ASSERT_EQ(m->pages.size(), 3u);
  EXPECT_EQ(m->pageAt(0x202000), &m->pages[1]);
  EXPECT_EQ(m->pageAt(0x201000), nullptr);
  EXPECT_EQ(m->pageAt(0x300000), nullptr);
  EXPECT_STREQ(m->text(m->units[0].library), "one");
  EXPECT_STREQ(m->text(m->units[0].name), "f");
  EXPECT_EQ(m->slots[0].target, 0x200000u);
}

TEST(ManifestReaderTest, anyChangedOrMissingByteIsNoticed) {
  Bytes good = sample().bytes();
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x20;
    EXPECT_NE(problemOf(bad), "") << "byte " << i;
    EXPECT_NE(problemOf(Bytes(good.begin(), good.begin() + ptrdiff_t(i))), "")
        << "first " << i;
  }
}

TEST(ManifestReaderTest, rowsThatMakeNoSenseAreRefused) {
  auto with = [](auto change) {
    ManifestBuilder b = sample();
    change(b);
    return problemOf(b.bytes());
  };
  EXPECT_EQ(with([](auto &b) { b.pages[1].address = 0x200000; }),
            "page 1 at 0x200000 does not rise, before it is 0x200000");
  EXPECT_EQ(with([](auto &b) { b.pages[1].address += 8; }),
            "page 1 at 0x202008 is not aligned");
  EXPECT_EQ(with([](auto &b) { b.pages[2].pageClass = PageClass(8); }),
            "page 2 at 0x204000 has class 8");
  EXPECT_EQ(with([](auto &b) { b.pages[2].flags = 8; }),
            "page 2 at 0x204000 has flags 0x8");
  EXPECT_EQ(with([](auto &b) { b.pages[0].flags = PageUnhashed; }),
            "page 0 at 0x200000 is not digested and has a digest");
  EXPECT_EQ(with([](auto &b) { b.units[1].address = 1; }),
            "unit 1 at 0x1 does not rise, before it is 0x200000");
  EXPECT_EQ(with([](auto &b) { b.units[1].kind = UnitKind(6); }),
            "unit 1 at 0x200010 has kind 6");
  EXPECT_EQ(with([](auto &b) { b.units[1].bytes = ~0ull; }),
            "unit 1 at 0x200010 has 0xffffffffffffffff bytes");
  EXPECT_EQ(with([](auto &b) { b.units[1].name = 7; }),
            "unit 1 at 0x200010 has a name outside the strings");
  EXPECT_EQ(with([](auto &b) { b.slots[0].bytes = 9; }),
            "slot 0 at 0x202000 has 9 bytes, expected 8 or 16");
  EXPECT_EQ(with([](auto &b) { b.slots[0].library = 100; }),
            "slot 0 at 0x202000 has a name outside the strings");
  EXPECT_EQ(with([](auto &b) { b.slots[0].reserved = 1; }),
            "slot 0 at 0x202000 has reserved bytes 0x1");
  EXPECT_EQ(with([](auto &b) { b.strings = "x"; }),
            "strings do not start and end with NUL");
}

TEST(ManifestReaderTest, tablesElsewhereAreRefused) {
  auto with = [](auto change) {
    Bytes bytes = sample().bytes();
    ManifestHeader h;
    std::memcpy(&h, bytes.data(), sizeof h);
    change(h);
    std::memcpy(bytes.data(), &h, sizeof h);
    ManifestBuilder::seal(bytes);
    return problemOf(bytes);
  };
  EXPECT_EQ(with([](auto &h) { h.version = 2; }), "version 2, known is 1");
  EXPECT_EQ(with([](auto &h) { h.pagesOffset = 0; }),
            "pages at 0x0, expected 0x80");
  EXPECT_NE(with([](auto &h) { h.pageCount = ~0u; }), "");
  EXPECT_NE(with([](auto &h) { h.stringsBytes = ~0u; }), "");
  EXPECT_NE(with([](auto &h) { h.totalBytes = ~0ull; }), "");
}

} // namespace
