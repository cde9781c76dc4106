//===- AtlasTest.cpp - what links rely on when they share a ledger --------===//

#include "Atlas.h"
#include "AtlasPack.h"
#include "Sqlite.h"
#include "gtest/gtest.h"
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;
using namespace spacer;
namespace fs = std::filesystem;

namespace {

constexpr Window small{0x1000000, 64 * pageBytes};

Hash128 key(uint64_t n) { return HashBuilder().u64(n).finish(); }

std::vector<uint8_t> filled(uint8_t value) {
  return std::vector<uint8_t>(pageBytes, value);
}

class AtlasTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/atlas-test-XXXXXX";
    dir = mkdtemp(name);
    path = dir + "/atlas.db";
  }
  void TearDown() override {
    Atlas::lockSeconds = 60;
    fs::permissions(dir, fs::perms::owner_all);
    fs::remove_all(dir);
  }

  std::unique_ptr<Atlas> open(AtlasMode mode = AtlasMode::Grow,
                              std::optional<Window> window = small) {
    return cantFail(Atlas::open(path, mode, window));
  }
  std::string openError(AtlasMode mode, std::optional<Window> window = {},
                        uint32_t machine = 62) {
    auto a = Atlas::open(path, mode, window, machine);
    return a ? "no error" : toString(a.takeError());
  }
  /// One unit of 400 bytes, a page, a place and a slot; all rows are in order.
  static void fill(Atlas &a, uint64_t n) {
    uint32_t lib = a.libraryId("libc");
    uint64_t text = cantFail(a.allocate(Region::Text, 400));
    a.addUnit({key(n), UnitKind::Text, text, 400, lib, "f"});
    a.addPageVariant(text, filled(uint8_t(n)));
    uint64_t door = cantFail(a.allocate(Region::Door, pageBytes));
    a.addSlot({key(n), SlotKind::Door, door, 8, lib, "f"});
    uint64_t data = cantFail(a.allocate(Region::Data, 100));
    a.addPlace({key(n), 0, UnitKind::Data, data, 100, 16, lib, "d"});
  }
  void create(uint64_t n = 1) {
    auto a = open();
    fill(*a, n);
    cantFail(a->commit());
  }
  void sql(const char *text) {
    sqlite3 *db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    char *error = nullptr;
    sqlite3_exec(db, text, nullptr, nullptr, &error);
    ASSERT_EQ(error, nullptr) << error;
    sqlite3_close(db);
  }
  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string &content) const {
    std::ofstream(path, std::ios::binary) << content;
  }
  /// Runs \p fn in a child process; returns its exit status, 128 + the signal.
  template <class Fn> static int inChild(Fn fn) {
    pid_t child = fork();
    if (child == 0)
      _exit(fn());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::vector<std::string> problems() {
    return cantFail(open(AtlasMode::Frozen, {})->check());
  }

  std::string dir, path;
};

TEST_F(AtlasTest, RowsComeBack) {
  auto a = open();
  EXPECT_TRUE(a->changed());
  uint32_t musl = a->libraryId("musl"), lwip = a->libraryId("lwip");
  EXPECT_EQ(a->libraryId(""), 0u);
  EXPECT_EQ(a->libraryId("musl"), musl);
  fill(*a, 7);
  a->addPlace({key(7), 1, UnitKind::Bss,
               cantFail(a->allocate(Region::Bss, 5000)), 5000, 32, lwip, "d"});
  EXPECT_EQ(a->findUnit(key(8)), nullptr);
  const UnitRow *before = a->findUnit(key(7));
  cantFail(a->commit());
  EXPECT_EQ(a->findUnit(key(7)), before);
  EXPECT_FALSE(a->changed());
  a.reset();

  a = open(AtlasMode::Frozen, {});
  const UnitRow *u = a->findUnit(key(7));
  ASSERT_NE(u, nullptr);
  EXPECT_EQ(u->kind, UnitKind::Text);
  EXPECT_EQ(u->address, a->region(Region::Text).parts[0].range.base);
  EXPECT_EQ(u->bytes, 400u);
  EXPECT_EQ(a->libraryName(u->library), "libc");
  ArrayRef<PlaceRow> p = a->findPlaces(key(7));
  ASSERT_EQ(p.size(), 2u);
  EXPECT_EQ(p[0].capacity, 100u);
  EXPECT_EQ(p[1].generation, 1u);
  EXPECT_EQ(p[1].align, 32u);
  EXPECT_EQ(a->libraryName(p[1].library), "lwip");
  const SlotRow *s = a->findSlot(key(7));
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->kind, SlotKind::Door);
  EXPECT_EQ(s->bytes, 8);
  auto variants = cantFail(a->pageVariants(u->address));
  ASSERT_EQ(variants.size(), 1u);
  EXPECT_EQ(variants[0].content, filled(7));
  EXPECT_EQ(variants[0].hash, hashBytes(filled(7)));
  a->expect(1, 1);
  EXPECT_EQ(a->oldestHash(u->address), hashBytes(filled(7)));
  EXPECT_EQ(a->oldestHash(u->address + pageBytes), std::nullopt);
  EXPECT_TRUE(a->findPlaces(key(8)).empty());
  EXPECT_EQ(a->findSlot(key(8)), nullptr);
  AtlasCounts c = cantFail(a->counts());
  EXPECT_EQ(c.units, 1u);
  EXPECT_EQ(c.places, 2u);
  EXPECT_EQ(c.libraries, 3u);
  EXPECT_EQ(c.extents, 4u);
  EXPECT_TRUE(cantFail(a->check()).empty());
  cantFail(a->commit());
}

// Many rows, asked for in several orders: blocks that are read ahead must not
// hide or repeat a row, and what was returned must not move.
TEST_F(AtlasTest, ManyRowsInAnyOrder) {
  constexpr uint64_t count = 3000;
  {
    auto a = open(AtlasMode::Grow, Window{0x1000000, 16 << 20});
    uint64_t text = cantFail(a->allocate(Region::Text, count * 64));
    uint64_t data = cantFail(a->allocate(Region::Data, count * 64));
    for (uint64_t i = 0; i != count; ++i) {
      a->addUnit({key(i), UnitKind::Text, text + i * 64, 64, 0, "f"});
      a->addPlace({key(i), 0, UnitKind::Data, data + i * 64, 32, 8, 0, "d"});
      if (i % 100 == 0)
        a->addPlace(
            {key(i), 1, UnitKind::Data, data + i * 64 + 32, 32, 8, 0, "d"});
    }
    cantFail(a->commit());
  }
  for (uint64_t stride : {1, 7, 1009, 2999}) {
    auto a = open(AtlasMode::Frozen, {});
    if (stride == 7)
      a->expect(count, count); // from packs
    const UnitRow *first = a->findUnit(key(0));
    for (uint64_t n = 0; n != count; ++n) {
      uint64_t i = n * stride % count;
      const UnitRow *u = a->findUnit(key(i));
      ASSERT_NE(u, nullptr) << i;
      EXPECT_EQ(u->address,
                a->region(Region::Text).parts[0].range.base + i * 64);
      EXPECT_EQ(a->findPlaces(key(i)).size(), i % 100 ? 1u : 2u) << i;
      EXPECT_EQ(a->findUnit(key(count + i)), nullptr);
    }
    EXPECT_EQ(a->findUnit(key(0)), first);
    EXPECT_EQ(first->identity, key(0));
    cantFail(a->commit());
  }
}

TEST_F(AtlasTest, RegionsTakePartsOfTheWindowAsTheyGrow) {
  auto a = open(AtlasMode::Grow, Window{0x1000000, 0x7000000});
  auto take = [&](Region r, uint64_t pages) {
    return (cantFail(a->allocate(r, pages * pageBytes)) - 0x1000000) /
           pageBytes;
  };
  // Parts are multiples of 16 pages; what fits into one goes there.
  EXPECT_EQ(take(Region::Door, 3), 0u);
  EXPECT_EQ(take(Region::Text, 40), 16u);
  EXPECT_EQ(take(Region::Door, 13), 3u);
  // The last part grows where it is.
  EXPECT_EQ(take(Region::Text, 20), 56u);
  EXPECT_EQ(take(Region::Rodata, 1), 96u);
  // A new part is half of all before it, or what was asked.
  EXPECT_EQ(take(Region::Text, 30), 112u);
  EXPECT_EQ(take(Region::Data, 1), 112u + 32);
  EXPECT_EQ(take(Region::Text, 100), 160u);
  EXPECT_EQ(take(Region::Data, 1), 112u + 33);
  EXPECT_EQ(take(Region::Bss, 1), 272u);
  EXPECT_EQ(take(Region::Text, 4), 76u); // left over in the first part
  const RegionState &text = a->region(Region::Text);
  EXPECT_EQ(text.parts.size(), 3u);
  EXPECT_EQ(text.usedBytes(), (40 + 20 + 30 + 100 + 4) * pageBytes);
  EXPECT_EQ(text.partAt(0xffffff), nullptr);
  EXPECT_EQ(text.partAt(0x1010000), &text.parts[0]);
  EXPECT_EQ(text.partAt(0x1060000), nullptr); // of rodata
  EXPECT_TRUE(text.gave(0x1010000, 0x1010000 + 64 * pageBytes));
  EXPECT_FALSE(text.gave(0x1010000, 0x1010001 + 64 * pageBytes));
  cantFail(a->commit());
  a = open(AtlasMode::Frozen, std::nullopt);
  EXPECT_EQ(a->region(Region::Text).parts.size(), 3u);
  EXPECT_EQ(a->partsEnd(), 0x1000000u + 288 * pageBytes);
  EXPECT_EQ(a->extents(Region::Text).size(), 5u);
}

TEST_F(AtlasTest, AllocationIsWholePagesUntilFull) {
  auto a = open();
  uint64_t base = small.base;
  EXPECT_EQ(cantFail(a->allocate(Region::Got, 1, 3)), base);
  EXPECT_EQ(cantFail(a->allocate(Region::Got, 0)), base + pageBytes);
  EXPECT_EQ(toString(a->allocate(Region::Got, 63 * pageBytes + 1).takeError()),
            path + ": the window 0x1000000:0x40000 is full: 63 pages left, "
                   "asked for 64 of got");
  EXPECT_EQ(cantFail(a->allocate(Region::Got, pageBytes)), base + pageBytes);
  EXPECT_EQ(cantFail(a->allocate(Region::Text, 62 * pageBytes)),
            base + 2 * pageBytes);
  EXPECT_EQ(toString(a->allocate(Region::Got, 1).takeError()),
            path + ": the window 0x1000000:0x40000 is full: 0 pages left, "
                   "asked for 1 of got");
  auto e = a->extents(Region::Got, base + pageBytes - 1, base + pageBytes);
  ASSERT_EQ(e.size(), 1u);
  EXPECT_EQ(e[0].library, 3u);
  cantFail(a->commit());
  a = open(AtlasMode::Frozen);
  EXPECT_EQ(a->region(Region::Got).usedBytes(), 2 * pageBytes);
  EXPECT_EQ(a->extents(Region::Got).size(), 2u);
  EXPECT_EQ(a->extents(Region::Got, base + 1, base + pageBytes).size(), 1u);
  EXPECT_EQ(a->extents(Region::Got, base + pageBytes, base + pageBytes).size(),
            0u);
}

TEST_F(AtlasTest, SlotsEndAfterTheLastOne) {
  create();
  auto a = open();
  uint64_t door = a->findSlot(key(1))->address;
  uint64_t end = a->region(Region::Door).parts[0].next;
  EXPECT_EQ(a->slotsEnd(door, end), door + 8);
  a->addSlot({key(2), SlotKind::Door, door + 16, 16, 0, "g"});
  a->addSlot({key(3), SlotKind::Door, door + 8, 8, 0, "h"});
  EXPECT_EQ(a->slotsEnd(door, end), door + 32);
  EXPECT_EQ(a->slotsEnd(door, door + 16), door + 16);
  EXPECT_EQ(a->slotsEnd(end, end + pageBytes), end);
  cantFail(a->commit());
  a = open(AtlasMode::Frozen);
  EXPECT_EQ(a->slotsEnd(door, end), door + 32);
}

TEST_F(AtlasTest, KernelAddressesRoundTrip) {
  constexpr Window high{0xffffffff80000000, 1 << 30};
  {
    auto a = open(AtlasMode::Grow, high);
    fill(*a, 1);
    fill(*a, 2);
    cantFail(a->commit());
  }
  auto a = open(AtlasMode::Frozen, high);
  EXPECT_EQ(a->window().base, high.base);
  EXPECT_GT(a->findUnit(key(2))->address, high.base);
  EXPECT_EQ(a->extents(Region::Text, high.base, UINT64_MAX).size(), 2u);
  EXPECT_EQ(cantFail(a->pageVariants(a->findUnit(key(2))->address)).size(), 1u);
  EXPECT_TRUE(cantFail(a->check()).empty());
}

TEST_F(AtlasTest, PagesKeepTheirVariants) {
  create();
  auto a = open();
  uint64_t page = a->findUnit(key(1))->address;
  EXPECT_EQ(a->addPageVariant(page, filled(1)), 0u) << "had it before";
  EXPECT_EQ(a->addPageVariant(page, filled(2)), 1u);
  EXPECT_EQ(a->addPageVariant(page, filled(2)), 1u);
  EXPECT_EQ(cantFail(a->findVariant(page, filled(3))), nullptr);
  EXPECT_EQ(cantFail(a->pageVariants(page)).size(), 2u);
  EXPECT_EQ(a->addPageVariant(page, filled(3)), 2u);
  EXPECT_EQ(cantFail(a->pageVariants(page)).size(), 3u);
  cantFail(a->commit());
  EXPECT_EQ(cantFail(a->pageVariants(page)).size(), 3u);
  a = open(AtlasMode::Frozen);
  EXPECT_EQ(cantFail(a->findVariant(page, filled(3)))->variant, 2u);
  EXPECT_EQ(cantFail(a->findVariant(page, filled(4))), nullptr);
  EXPECT_EQ(cantFail(a->pageVariants(page))[1].content, filled(2));
  EXPECT_TRUE(cantFail(a->check()).empty());
}

TEST_F(AtlasTest, TheFirstRowOfAKeyStays) {
  create();
  auto a = open();
  uint64_t address = a->findUnit(key(1))->address;
  EXPECT_EQ(a->addUnit({key(1), UnitKind::Text, 0x42, 1, 0, "g"}).address,
            address);
  EXPECT_EQ(a->addSlot({key(1), SlotKind::Entry, 0x42, 8, 0, "g"}).kind,
            SlotKind::Door);
  EXPECT_EQ(a->addPlace({key(1), 0, UnitKind::Data, 0x42, 8, 8, 0, "g"}).name,
            "d");
  EXPECT_FALSE(a->changed());
}

TEST_F(AtlasTest, EqualInputsGiveEqualFiles) {
  create();
  std::string first = bytes();
  fs::remove(path);
  create();
  EXPECT_EQ(bytes(), first);
  EXPECT_EQ(open(AtlasMode::Frozen)->id(), open(AtlasMode::Frozen)->id());
}

TEST_F(AtlasTest, WithoutCommitNothingRemains) {
  {
    fill(*open(), 1);
  }
  EXPECT_FALSE(fs::exists(path));
  create(1);
  std::string before = bytes();
  {
    fill(*open(), 2);
  }
  EXPECT_EQ(bytes(), before);
  write("");
  {
    fill(*open(), 2);
  }
  EXPECT_TRUE(fs::exists(path)) << "the user's own empty file";
}

TEST_F(AtlasTest, AKilledLinkLeavesNoHalfMadeFile) {
  EXPECT_EQ(inChild([&] {
              auto a = open();
              fill(*a, 1);
              return raise(SIGKILL);
            }),
            128 + SIGKILL);
  EXPECT_EQ(openError(AtlasMode::Frozen),
            path + ": empty, expected an atlas that a link has committed");
  create(2);
  EXPECT_TRUE(problems().empty());
}

// The journal that stays behind when a process dies while it writes; a frozen
// link meets it first.
TEST_F(AtlasTest, AFrozenLinkRollsBackForAKilledOne) {
  {
    auto a = open();
    uint64_t text = cantFail(a->allocate(Region::Text, 20 * pageBytes));
    for (int i = 0; i != 20; ++i)
      a->addPageVariant(text + i * pageBytes, filled(uint8_t(i)));
    cantFail(a->commit());
  }
  std::string before = bytes();
  inChild([&] {
    sqlite3 *db = nullptr;
    sqlite3_open(path.c_str(), &db);
    sqlite3_exec(db,
                 "PRAGMA cache_size = 2; BEGIN IMMEDIATE;"
                 "UPDATE page SET content = zeroblob(4096);",
                 nullptr, nullptr, nullptr);
    return raise(SIGKILL);
  });
  ASSERT_TRUE(fs::exists(path + "-journal"));
  ASSERT_NE(bytes(), before);
  EXPECT_TRUE(problems().empty());
  EXPECT_EQ(bytes(), before);
  EXPECT_FALSE(fs::exists(path + "-journal"));
}

TEST_F(AtlasTest, TwoLinksCreateOneFile) {
  std::vector<pid_t> children;
  for (uint64_t n = 0; n != 8; ++n) {
    pid_t child = fork();
    if (child == 0) {
      auto a = open(AtlasMode::Grow, Window{0x1000000, 1 << 20});
      fill(*a, n);
      usleep(useconds_t(2000 * n));
      // Every other link fails: the file that it may have created goes, and
      // whoever waits for it must notice.
      if (n % 2)
        cantFail(a->commit());
      a.reset();
      _exit(0);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto a = open(AtlasMode::Frozen, {});
  for (uint64_t n = 0; n != 8; ++n)
    EXPECT_EQ(a->findUnit(key(n)) != nullptr, n % 2 == 1) << n;
  EXPECT_TRUE(cantFail(a->check()).empty());
}

/// A link in another process that keeps the atlas open until told to end
/// without a commit. (SQLite's locks do not survive a fork.)
class OtherLink {
public:
  template <class Open> explicit OtherLink(Open open) {
    EXPECT_EQ(pipe(opened), 0);
    EXPECT_EQ(pipe(ended), 0);
    child = fork();
    if (child == 0) {
      close(ended[1]);
      auto a = open();
      char c = 0;
      if (::write(opened[1], &c, 1) == 1 && read(ended[0], &c, 1) == 0)
        a.reset();
      _exit(0);
    }
    char c;
    EXPECT_EQ(read(opened[0], &c, 1), 1);
  }
  ~OtherLink() {
    end();
    waitpid(child, nullptr, 0);
  }
  void end() { close(std::exchange(ended[1], -1)); }

private:
  int opened[2], ended[2];
  pid_t child;
};

TEST_F(AtlasTest, AFailedCreatorAndOneThatWaits) {
  OtherLink creator([&] { return open(); });
  pid_t waiter = fork();
  if (waiter == 0) {
    creator.end();
    auto a = open();
    fill(*a, 5);
    cantFail(a->commit());
    a.reset();
    _exit(0);
  }
  usleep(100000); // the waiter has the file open by now
  creator.end();
  int status = 0;
  waitpid(waiter, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_NE(open(AtlasMode::Frozen)->findUnit(key(5)), nullptr);
}

TEST_F(AtlasTest, AnotherLinkMayTakeTooLong) {
  create();
  OtherLink other([&] { return open(); });
  Atlas::lockSeconds = 1;
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": locked by another link for 1 s");
  EXPECT_EQ(openError(AtlasMode::Frozen), "no error");
}

TEST_F(AtlasTest, FrozenWantsAFile) {
  EXPECT_EQ(openError(AtlasMode::Frozen),
            path + ": cannot open the atlas: No such file or directory");
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(AtlasTest, FrozenNeedsNoWriteAccess) {
  create();
  fs::permissions(path, fs::perms::owner_read);
  fs::permissions(dir, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_NE(open(AtlasMode::Frozen)->findUnit(key(1)), nullptr);
  if (getuid() == 0)
    GTEST_SKIP() << "root may write everything";
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": cannot write the atlas (frozen mode only reads it): "
                   "Permission denied");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": cannot write the atlas's directory (frozen mode only "
                   "reads it): Permission denied");
}

TEST_F(AtlasTest, OtherFilesAreRefused) {
  write("not a database, but long enough to be read as the head of one: "
        "................................................................");
  EXPECT_EQ(openError(AtlasMode::Frozen),
            path + ": not an SQLite file, expected an atlas");
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": not an SQLite file, expected an atlas");
  fs::remove(path);
  sql("CREATE TABLE t(x); PRAGMA application_id = 0x11223344;");
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": SQLite file with application id 0x11223344, expected an "
                   "atlas (0x53504341)");
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": not a regular file, expected an atlas");
}

TEST_F(AtlasTest, WhatDoesNotFitIsNamed) {
  create();
  EXPECT_EQ(openError(AtlasMode::Frozen, Window{0x2000000, 1 << 20}),
            path + ": its window is 0x1000000:0x40000, asked for "
                   "0x2000000:0x100000");
  EXPECT_EQ(openError(AtlasMode::Grow, small, 183),
            path + ": made for ELF machine 62, expected 183");
  EXPECT_EQ(openError(AtlasMode::Frozen, small, 0), "no error");
  sql("PRAGMA user_version = 4");
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": atlas format 4, expected 3 (made by a newer tool)");
}

TEST_F(AtlasTest, BadWindowsAreRefused) {
  auto error = [&](uint64_t base, uint64_t size) {
    std::string e = openError(AtlasMode::Grow, Window{base, size});
    EXPECT_FALSE(fs::exists(path));
    return e.substr(path.size() + 2);
  };
  EXPECT_EQ(error(0x1000800, 1 << 20),
            "window 0x1000800:0x100000 is not page-aligned, expected multiples "
            "of 0x1000");
  EXPECT_EQ(error(0x1000000, 63 * pageBytes),
            "window 0x1000000:0x3f000 is smaller than the least one, 64 pages "
            "(0x40000)");
  EXPECT_EQ(error(0xffffffffffff0000, 1 << 20),
            "window 0xffffffffffff0000:0x100000 wraps around the end of the "
            "address space");
  EXPECT_EQ(error(0x7fffffffffff0000, 1 << 20),
            "window 0x7fffffffffff0000:0x100000 crosses 0x8000000000000000");
  EXPECT_EQ(error(0, 1 << 20), "window 0x0:0x100000 begins at 0, expected an "
                               "address that no null pointer has");
}

TEST_F(AtlasTest, DamageIsReported) {
  create();
  std::string whole = bytes();
  write(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(openError(AtlasMode::Grow),
            path + ": truncated: " + std::to_string(whole.size() / 2) +
                " bytes, its header says " + std::to_string(whole.size()));
  write(whole);
  sql("DROP TABLE unit");
  auto a = open(AtlasMode::Grow);
  EXPECT_EQ(a->findUnit(key(1)), nullptr);
  EXPECT_EQ(toString(a->commit()), path + ": damaged: no such table: unit");
  a.reset();
  write(whole);
  for (const char *damage :
       {"UPDATE part SET next = next + 1",
        "UPDATE part SET next = next + 8192 WHERE region = 1",
        "UPDATE part SET bytes = 8192 WHERE region = 1",
        "UPDATE part SET region = 6 WHERE region = 1",
        "UPDATE part SET bytes = 1 << 40 WHERE region = 1"}) {
    write(whole);
    sql(damage);
    std::string error = openError(AtlasMode::Grow);
    EXPECT_EQ(error.find(path + ": damaged: part 0x10"), 0u) << error;
  }
}

TEST_F(AtlasTest, PacksSayWhatTheRowsSay) {
  create(1);
  create(2);
  create(3);
  EXPECT_TRUE(problems().empty());
  auto a = open(AtlasMode::Frozen, {});
  Pack packs;
  EXPECT_TRUE(cantFail(a->readPacks(packs)));
  ASSERT_EQ(packs.units.size(), 3u);
  EXPECT_EQ(packs.units[1], pack(*a->findUnit(key(2))));
  ASSERT_EQ(packs.slots.size(), 3u);
  EXPECT_EQ(packs.slots[2], pack(*a->findSlot(key(3))));
  EXPECT_EQ(packs.pages.size(), 3u);
  // A second content of a page is in no pack.
  uint64_t page = a->findUnit(key(1))->address;
  a.reset();
  a = open();
  a->addPageVariant(page, filled(99));
  cantFail(a->commit());
  a.reset();
  EXPECT_TRUE(problems().empty());
  a = open(AtlasMode::Frozen, {});
  a->expect(3, 3);
  EXPECT_EQ(a->oldestHash(page), hashBytes(filled(1)));
  EXPECT_EQ(a->findUnit(key(2))->bytes, 400u);
  EXPECT_EQ(a->findUnit(key(4)), nullptr);
  EXPECT_EQ(a->findSlot(key(3))->bytes, 8);
  // Where they are many times what is needed they are left alone.
  a.reset();
  a = open(AtlasMode::Frozen, {});
  a->expect(0, 0);
  EXPECT_EQ(a->oldestHash(page), std::nullopt);
  EXPECT_EQ(a->findUnit(key(2))->bytes, 400u);
}

TEST_F(AtlasTest, WrongPacksAreFound) {
  create(1);
  create(2);
  std::string whole = bytes();
  auto check = [&](const char *change, const char *says) {
    write(whole);
    sql(change);
    ASSERT_EQ(problems().size(), 1u) << change;
    EXPECT_EQ(problems()[0], says);
  };
  check("UPDATE unit SET library = 0 WHERE id = 2",
        "packs: row 2 of the units is not as the table says");
  check("DELETE FROM slot WHERE id = 1", "packs have 2 slots, expected 1");
}

TEST_F(AtlasTest, ADamagedPackFailsTheLink) {
  create(1);
  std::string whole = bytes();
  for (const char *change : {"UPDATE pack SET pages = zeroblob(23)",
                             "UPDATE pack SET units = zeroblob(40)"}) {
    write(whole);
    sql(change);
    std::string says = path + ": damaged: a pack is not as its digest says";
    EXPECT_EQ(problems(), std::vector<std::string>{says});
    auto a = open();
    a->expect(1, 1);
    EXPECT_EQ(toString(a->commit()), says);
  }
}

// Older files are read and grown as they are.
TEST_F(AtlasTest, FilesOfFormatTwoHaveNoPacks) {
  create(1);
  sql("DROP TABLE pack; PRAGMA user_version = 2");
  auto a = open();
  a->expect(1, 1);
  uint64_t page = a->findUnit(key(1))->address;
  EXPECT_EQ(a->oldestHash(page), std::nullopt);
  EXPECT_EQ(cantFail(a->pageVariants(page)).size(), 1u);
  fill(*a, 2);
  cantFail(a->commit());
  a.reset();
  EXPECT_TRUE(problems().empty());
  Pack packs;
  EXPECT_FALSE(cantFail(open(AtlasMode::Frozen, {})->readPacks(packs)));
}

TEST_F(AtlasTest, NoSpaceLeavesTheFileAsItWas) {
  int status = inChild([&] {
    std::string uid = "0 " + std::to_string(getuid()) + " 1";
    std::string gid = "0 " + std::to_string(getgid()) + " 1";
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
      return 77;
    std::ofstream("/proc/self/uid_map") << uid;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << gid;
    if (mount("none", dir.c_str(), "tmpfs", 0, "size=256k"))
      return 77;
    create();
    std::string before = bytes();
    auto a = open();
    uint64_t text = cantFail(a->allocate(Region::Text, 20 * pageBytes));
    for (int i = 0; i != 20; ++i)
      for (int v = 0; v != 5; ++v)
        a->addPageVariant(text + i * pageBytes, filled(uint8_t(5 * i + v)));
    std::string e = toString(a->commit());
    a.reset();
    return e == path + ": no space left on the device, nothing was added" &&
                   bytes() == before && problems().empty()
               ? 0
               : 1;
  });
  if (status == 77)
    GTEST_SKIP() << "cannot mount a small file system here";
  EXPECT_EQ(status, 0);
}

TEST_F(AtlasTest, CheckFindsWhatIsWrong) {
  auto expect = [&](const char *change, const std::string &problem) {
    fs::remove(path);
    create();
    sql(change);
    std::vector<std::string> found = problems();
    ASSERT_FALSE(found.empty()) << change;
    EXPECT_EQ(found[0], problem);
  };
  // Parts of the small window: text 0x1000000, door 0x1001000, data 0x1002000.
  expect("UPDATE unit SET address = 0x1010000",
         "unit f [0x1010000, 0x1010190): outside the used parts of the text "
         "region");
  expect("UPDATE unit SET library = 9",
         "unit f [0x1000000, 0x1000190): library 9 is not in the library "
         "table");
  expect("INSERT INTO unit VALUES(9, zeroblob(16), 0, 0x1000100, 8, 0, 'g')",
         "unit g [0x1000100, 0x1000108) overlaps unit f [0x1000000, "
         "0x1000190)");
  expect("UPDATE place SET generation = 1",
         "place d [0x1002000, 0x1002064): generation 1, expected 0");
  expect("UPDATE slot SET kind = 1, address = 0x1000008",
         "slot f [0x1000008, 0x1000010): an entry slot, but no unit begins "
         "there");
  expect("UPDATE page SET content = zeroblob(4096)",
         "page 0x1000000 variant 0: hash " + hashBytes(filled(1)).hex() +
             ", its content has " + hashBytes(filled(0)).hex());
  expect("DELETE FROM page", "text page 0x1000000: no variant 0");
  expect("UPDATE page SET variant = 1",
         "page 0x1000000: variant 1, expected 0");
  expect("DELETE FROM extent WHERE region = 4",
         "data extents end at 0x1002000, the used pages of their part at "
         "0x1003000");
  expect("UPDATE extent SET bytes = 8192 WHERE region = 1",
         "text extents end at 0x1002000, the used pages of their part at "
         "0x1001000");
  expect("UPDATE extent SET region = 5 WHERE region = 1",
         "text extents end at 0x1000000, the used pages of their part at "
         "0x1001000");
}

} // namespace
