//===- ElfImageTest.cpp ---------------------------------------------------===//

#include "ElfImage.h"
#include "ImageBuilder.h"
#include <gtest/gtest.h>

using namespace spacer;
using namespace spacer::test;

namespace {

Result<ElfImage> parse(const Bytes &bytes) {
  MemoryReader memory(bytes);
  return ElfImage::read(memory, "i");
}
template <class F> Error refusal(const Bytes &good, F change) {
  Bytes bytes = good;
  Elf64_Ehdr h;
  std::memcpy(&h, bytes.data(), sizeof h);
  std::vector<Elf64_Phdr> rows(h.e_phnum);
  std::memcpy(rows.data(), bytes.data() + sizeof h,
              rows.size() * sizeof rows[0]);
  change(h, rows);
  std::memcpy(bytes.data(), &h, sizeof h);
  std::memcpy(bytes.data() + sizeof h, rows.data(),
              rows.size() * sizeof rows[0]);
  auto image = parse(bytes);
  return image ? Error{0, "accepted"} : image.error();
}

TEST(ElfImageTest, findsSegmentsAndManifest) {
  Bytes bytes = smallImage().bytes();
  auto image = parse(bytes);
  ASSERT_TRUE(image) << image.error().context;
  ASSERT_EQ(image->segments.size(), 3u);
  EXPECT_EQ(image->segments[1].virtualAddress, 0x101900u);
  EXPECT_EQ(image->segments[1].fileBytes, 0x300u);
  EXPECT_EQ(image->segments[1].memoryBytes, 0x500u);
  ASSERT_TRUE(image->manifest);
  EXPECT_EQ(std::memcmp(bytes.data() + image->manifest->offset, "SPACERMF", 8),
            0);
  ImageBuilder plain = smallImage();
  plain.withManifest = false;
  EXPECT_FALSE(parse(plain.bytes())->manifest);
}

TEST(ElfImageTest, otherFilesAreNoImages) {
  Bytes good = smallImage().bytes();
  EXPECT_EQ(parse({}).error().sysErrno, ENOEXEC);
  EXPECT_EQ(parse({'#', '!'}).error().sysErrno, ENOEXEC);
  auto no = [&](auto change) {
    return refusal(good, [&](Elf64_Ehdr &h, auto &) { change(h); }).sysErrno;
  };
  EXPECT_EQ(no([](auto &h) { h.e_ident[EI_CLASS] = ELFCLASS32; }), ENOEXEC);
  EXPECT_EQ(no([](auto &h) { h.e_machine = EM_AARCH64; }), ENOEXEC);
  EXPECT_EQ(no([](auto &h) { h.e_type = ET_REL; }), ENOEXEC);
  EXPECT_EQ(no([](auto &h) { h.e_phnum = 0; }), EBADMSG);
  EXPECT_EQ(no([](auto &h) { h.e_phoff = ~0ull - 8; }), EBADMSG);
  EXPECT_EQ(no([](auto &h) { h.e_shoff = ~0ull - 8; }), EBADMSG);
  EXPECT_EQ(no([](auto &h) { h.e_shstrndx = 3; }), EBADMSG);
}

TEST(ElfImageTest, headersOf32BitLoadersAroundTheImage) {
  Bytes inner = smallImage().bytes(), bytes = inElf32(inner);
  auto image = parse(bytes), plain = parse(inner);
  ASSERT_TRUE(image) << image.error().context;
  EXPECT_EQ(image->machine, EM_386);
  ASSERT_EQ(image->segments.size(), plain->segments.size());
  uint64_t shift = bytes.size() - inner.size() - 3 * sizeof(Elf32_Shdr);
  EXPECT_NE(shift % pageBytes, 0u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(image->segments[i].physicalAddress,
              plain->segments[i].physicalAddress);
    EXPECT_EQ(image->segments[i].fileOffset,
              plain->segments[i].fileOffset + shift);
    EXPECT_EQ(image->segments[i].memoryBytes, plain->segments[i].memoryBytes);
  }
  ASSERT_TRUE(image->manifest);
  EXPECT_EQ(image->manifest->offset, plain->manifest->offset + shift);

  auto with = [&](auto change) {
    Bytes bad = bytes;
    Elf32_Ehdr h;
    std::memcpy(&h, bad.data(), sizeof h);
    change(h);
    std::memcpy(bad.data(), &h, sizeof h);
    auto got = parse(bad);
    return got ? 0 : got.error().sysErrno;
  };
  EXPECT_EQ(with([](auto &) {}), 0);
  EXPECT_EQ(with([](auto &h) { h.e_machine = EM_X86_64; }), ENOEXEC); // x32
  EXPECT_EQ(with([](auto &h) { h.e_machine = EM_ARM; }), ENOEXEC);
  EXPECT_EQ(with([](auto &h) { h.e_ident[EI_CLASS] = 3; }), ENOEXEC);
  EXPECT_EQ(with([](auto &h) { h.e_ident[EI_DATA] = 2; }), ENOEXEC);
  EXPECT_EQ(with([](auto &h) { h.e_phentsize = 56; }), EBADMSG);
  EXPECT_EQ(with([](auto &h) { h.e_phoff = ~0u - 8; }), EBADMSG);
  EXPECT_EQ(with([](auto &h) { h.e_shoff = ~0u - 8; }), EBADMSG);
  for (size_t i = 0; i < 300; ++i) {
    Bytes cut(bytes.begin(), bytes.begin() + ptrdiff_t(i));
    EXPECT_FALSE(parse(cut));
  }
}

TEST(ElfImageTest, segmentsThatMakeNoSenseAreRefused) {
  Bytes good = smallImage().bytes();
  auto why = [&](auto change) {
    Error e = refusal(good, [&](Elf64_Ehdr &, auto &rows) { change(rows); });
    EXPECT_EQ(e.sysErrno, EBADMSG) << e.context;
    return e.context;
  };
  EXPECT_EQ(why([](auto &r) { r[0].p_filesz = 0x2000; }),
            "i: segment at 0x100000 has 0x2000 bytes in the file, 0x1800 in "
            "memory");
  EXPECT_NE(why([](auto &r) { r[0].p_offset = ~0ull; }).find("maps"),
            std::string::npos);
  EXPECT_NE(why([](auto &r) { r[2].p_vaddr = ~0ull - 8; }).find("passes"),
            std::string::npos);
  EXPECT_NE(why([](auto &r) { r[2].p_paddr = 1ull << 52; }).find("physical"),
            std::string::npos);
  EXPECT_EQ(why([](auto &r) { r[1].p_paddr = 0x1017ff; }),
            "i: two segments overlap at physical address 0x1017ff");
  EXPECT_EQ(why([](auto &r) { r[1].p_vaddr = 0x1017ff; }),
            "i: two segments overlap at virtual address 0x1017ff");
}

TEST(ElfImageTest, aSmallFileCannotAskForMuchReading) {
  ImageBuilder b;
  for (uint64_t i = 0; i < 3; ++i)
    b.segments.push_back({i << 20, i << 20, someBytes(0x10000, 1)});
  Error e = refusal(b.bytes(), [](Elf64_Ehdr &h, auto &rows) {
    for (auto &r : rows)
      r.p_offset = 0, r.p_filesz = r.p_memsz = 0x2f000;
  });
  EXPECT_EQ(e.context.substr(0, 16), "i: segments load");
}

TEST(ElfImageTest, noByteMakesItCrash) {
  ImageBuilder b = smallImage();
  Bytes good = b.bytes();
  for (size_t i = 0; i < good.size(); ++i)
    if (i < 300 || i + 400 > good.size())
      for (uint8_t v : {uint8_t(0), uint8_t(0x80), uint8_t(0xff)}) {
        Bytes bad = good;
        bad[i] = v;
        (void)parse(bad);
        bad.resize(i);
        (void)parse(bad);
      }
}

} // namespace
