//===- PageSourceTest.cpp -------------------------------------------------===//

#include "ImageBuilder.h"
#include "ImageSource.h"
#include "PoolFixture.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

using namespace spacer;
using namespace spacer::test;

namespace {

/// The memory that the source describes, and how many bytes it read for it.
struct Memory {
  std::vector<uint8_t> bytes;
  uint64_t read = 0;
};
Result<Memory> collect(PageSource &source) {
  Memory m;
  m.bytes.resize(source.guestPages() * pageBytes);
  uint64_t next = 0;
  while (true) {
    auto c = source.next();
    if (!c)
      return c.takeError();
    if (c->bytes.empty())
      return m;
    EXPECT_GE(c->first.value, next);
    next = c->first.value + c->bytes.size() / pageBytes;
    EXPECT_LE(next, source.guestPages());
    std::memcpy(m.bytes.data() + c->first.value * pageBytes, c->bytes.data(),
                c->bytes.size());
    for (size_t i = 0; i < c->digests.size(); ++i)
      EXPECT_EQ(c->digests[i],
                digestOf(c->bytes.subspan(i * pageBytes, pageBytes)));
    m.read += c->bytes.size();
  }
}

void writeFile(const std::filesystem::path &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()),
             std::streamsize(bytes.size()));
}

TEST(PageSourceTest, rawFilesReadWhole) {
  TemporaryFolder folder;
  auto path = folder.path / "raw";
  Bytes bytes = someBytes((3 << 20) + 77, 1);
  writeFile(path, bytes);
  auto source = openRaw(path, ObjectKind::Snapshot);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->guestPages(), 769u);
  auto m = collect(**source);
  ASSERT_TRUE(m) << m.error().context;
  bytes.resize(769 * pageBytes);
  EXPECT_TRUE(m->bytes == bytes);
}

TEST(PageSourceTest, holesAreNotRead) {
  UniqueFd fd(::memfd_create("sparse", MFD_CLOEXEC));
  Bytes some = someBytes(5000, 1);
  ASSERT_EQ(::ftruncate(fd.get(), 64 << 20), 0);
  ASSERT_EQ(::pwrite(fd.get(), some.data(), some.size(), 40 << 20), 5000);
  ASSERT_EQ(::pwrite(fd.get(), some.data(), some.size(), (60 << 20) + 100),
            5000);
  auto source = openRaw(fd.get(), "memory", ObjectKind::Snapshot);
  ASSERT_TRUE(source);
  auto m = collect(**source);
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_LE(m->read, 16 * pageBytes);
  Bytes expected(64 << 20);
  std::copy(some.begin(), some.end(), expected.begin() + (40 << 20));
  std::copy(some.begin(), some.end(), expected.begin() + (60 << 20) + 100);
  EXPECT_TRUE(m->bytes == expected);
}

TEST(PageSourceTest, rawFilesThatChangeAreRefused) {
  TemporaryFolder folder;
  auto path = folder.path / "raw";
  writeFile(path, someBytes(3 << 20, 1));
  for (uint64_t size : {2 << 20, 4 << 20}) {
    auto source = openRaw(path, ObjectKind::Snapshot);
    ASSERT_TRUE(source);
    ASSERT_TRUE((*source)->next());
    std::filesystem::resize_file(path, size);
    auto m = collect(**source);
    ASSERT_FALSE(m);
    EXPECT_EQ(m.error().sysErrno, EBADMSG);
  }
}

TEST(PageSourceTest, onlyRegularFilesWithBytes) {
  TemporaryFolder folder;
  auto pipe = folder.path / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  writeFile(folder.path / "empty", {});
  for (std::string path :
       {pipe.string(), folder.path.string(), std::string("/dev/zero"),
        (folder.path / "empty").string()})
    EXPECT_EQ(openRaw(path, ObjectKind::File).error().sysErrno, EINVAL) << path;
  EXPECT_EQ(openRaw(folder.path / "none", ObjectKind::File).error().sysErrno,
            ENOENT);
  EXPECT_EQ(openImage(pipe.string()).error().sysErrno, EINVAL);
}

Result<Memory> load(const Bytes &bytes) {
  auto source = openImage(std::make_unique<MemoryReader>(bytes), "i");
  if (!source)
    return source.takeError();
  EXPECT_EQ((*source)->kind(), ObjectKind::Image);
  return collect(**source);
}
/// As a VMM would place it.
Bytes placed(const ImageBuilder &b, uint64_t bytes) {
  Bytes memory(bytes);
  for (auto &s : b.segments)
    std::copy(s.bytes.begin(), s.bytes.end(),
              memory.begin() + ptrdiff_t(s.physicalAddress));
  return memory;
}

TEST(PageSourceTest, imagesStandAtPhysicalAddresses) {
  ImageBuilder b = smallImage();
  auto m = load(b.bytes());
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_EQ(m->read, 3 * pageBytes); // .bss costs nothing
  EXPECT_TRUE(m->bytes == placed(b, 0x108000));
}

TEST(PageSourceTest, segmentsMayMove) {
  ImageBuilder b = smallImage();
  for (auto &s : b.segments)
    s.virtualAddress += 0xffffffff80000000;
  auto m = load(b.bytes());
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_TRUE(m->bytes == placed(b, 0x108000));
}

TEST(PageSourceTest, segmentsMayMoveByDifferentDistances) {
  ImageBuilder b;
  b.segments.push_back({0x900000, 0x100000, someBytes(0x1800, 1)});
  b.segments.push_back({0xa01900, 0x101900, someBytes(0x300, 2), 0x500});
  b.segments.push_back({0xb00080, 0x102008, someBytes(0x3000, 2)});
  b.segments.push_back({0xa01e00, 0x200000, someBytes(0x10, 4)});
  auto m = load(b.bytes());
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_TRUE(m->bytes == placed(b, 0x201000));
  // Each virtual page is still checked.
  ManifestBuilder good = b.manifest();
  for (auto &row : good.pages) {
    ManifestBuilder bad = good;
    bad.pages[size_t(&row - good.pages.data())].hash[3] ^= 1;
    EXPECT_EQ(load(b.bytes(bad.bytes())).error().sysErrno, EBADMSG)
        << std::hex << row.address;
  }
}

TEST(PageSourceTest, aManifestThatLiesIsRefused) {
  ImageBuilder b = smallImage();
  ManifestBuilder good = b.manifest();
  ASSERT_EQ(good.pages.size(), 6u);
  for (size_t i = 0; i < good.pages.size(); ++i) {
    ManifestBuilder bad = good;
    bad.pages[i].hash[3] ^= 1;
    auto m = load(b.bytes(bad.bytes()));
    ASSERT_FALSE(m) << "page " << i;
    EXPECT_EQ(m.error().sysErrno, EBADMSG);
    bad = good;
    std::fill_n(bad.pages[i].hash, 16, uint8_t(0));
    bad.pages[i].flags |= PageUnhashed;
    EXPECT_TRUE(load(b.bytes(bad.bytes())));
    bad = good;
    bad.pages.erase(bad.pages.begin() + ptrdiff_t(i));
    EXPECT_FALSE(load(b.bytes(bad.bytes())));
    bad = good;
    bad.pages.insert(bad.pages.begin() + ptrdiff_t(i), good.pages[i]);
    bad.pages[i].address -= pageBytes;
    EXPECT_FALSE(load(b.bytes(bad.bytes()))) << "page " << i;
  }
  Bytes bytes = b.bytes();
  bytes[sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr) + 5] ^= 1; // the code
  EXPECT_FALSE(load(bytes));
}

TEST(PageSourceTest, headersOf32BitLoadersChangeNothing) {
  ImageBuilder b = smallImage();
  auto m = load(inElf32(b.bytes()));
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_TRUE(m->bytes == placed(b, 0x108000));
  ManifestBuilder bad = b.manifest();
  bad.pages[1].hash[3] ^= 1;
  EXPECT_EQ(load(inElf32(b.bytes(bad.bytes()))).error().sysErrno, EBADMSG);
}

TEST(PageSourceTest, privatePagesMayChangeAfterTheLink) {
  ImageBuilder b = smallImage();
  b.pageClass = PageClass::Private;
  ManifestBuilder good = b.manifest(), old = good;
  for (auto &row : old.pages)
    row.hash[3] ^= 1;
  auto m = load(b.bytes(old.bytes()));
  ASSERT_TRUE(m) << m.error().context;
  EXPECT_TRUE(m->bytes == placed(b, 0x108000)); // what is there now
  // One that is gone, by `strip -R`; but none may come, and none of others go.
  old = good;
  ManifestPage gone{};
  gone.address = 0x110000;
  old.pages.push_back(gone);
  EXPECT_TRUE(load(b.bytes(old.bytes())));
  old.pages.back().pageClass = PageClass::Text;
  EXPECT_EQ(load(b.bytes(old.bytes())).error().context,
            "i: .spacer.manifest: row for page 0x110000, which no segment "
            "touches");
  old.pages.pop_back();
  old.pages.pop_back();
  EXPECT_FALSE(load(b.bytes(old.bytes())));
  old = good;
  old.pages[1].pageClass = PageClass::Zero;
  old.pages[1].hash[3] ^= 1;
  EXPECT_FALSE(load(b.bytes(old.bytes())));
}

TEST(PageSourceTest, imagesShareTheirEqualPages) {
  TemporaryFolder folder;
  auto pool = openPool(folder.path / "pool");
  ImageBuilder a = smallImage(), b = smallImage();
  b.segments[2].bytes[7] ^= 1;
  writeFile(folder.path / "a", a.bytes());
  writeFile(folder.path / "b", b.bytes());
  auto first = openImage((folder.path / "a").string());
  ASSERT_TRUE(first) << first.error().context;
  EXPECT_EQ(pool->add("a", **first)->newPages, 3u);
  auto second = openImage((folder.path / "b").string());
  ASSERT_TRUE(second);
  EXPECT_EQ(pool->add("b", **second)->newPages, 1u);
  EXPECT_TRUE(*contentOf(*pool, "b") == placed(b, 0x108000));
}

} // namespace
