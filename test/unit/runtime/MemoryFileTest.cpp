//===- MemoryFileTest.cpp -------------------------------------------------===//

#include "MemoryFile.h"
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace spacer;
namespace fs = std::filesystem;

namespace {

class MemoryFileTest : public testing::Test {
protected:
  MemoryFileTest() {
    char name[] = "/tmp/spacer-test-XXXXXX";
    directory = mkdtemp(name);
  }
  ~MemoryFileTest() override { fs::remove_all(directory); }

  void SetUp() override {
    content.assign(64 * pageBytes, 0);
    for (size_t i = 5 * pageBytes; i < 40 * pageBytes; ++i)
      content[i] = char(i / 3 ^ i >> 9);
    std::ofstream(directory / "memory", std::ios::binary) << content;
    auto opened =
        PagePool::open(directory / "pool", "one", PagePool::Access::Write);
    ASSERT_TRUE(opened) << opened.error().context;
    pool = std::move(*opened);
    auto source = openRaw(directory / "memory", ObjectKind::Snapshot);
    ASSERT_TRUE(source) << source.error().context;
    ASSERT_TRUE(pool->add("memory", **source));
    map = *pool->map("memory");
  }

  static uint64_t inodeOf(int fd) {
    struct stat status{};
    fstat(fd, &status);
    return status.st_ino;
  }
  /// The inode that another process gets, which then waits for end(); it has
  /// none of our descriptors.
  uint64_t inOtherProcess() {
    int out[2], in[2];
    if (pipe(out) || pipe(in))
      return 0;
    child = fork();
    if (child == 0) {
      auto file = sharedMemoryFile(directory / "shared", map, *pool, "x");
      uint64_t inode = file ? inodeOf(*file) : 0;
      (void)!write(out[1], &inode, sizeof inode);
      char c;
      close(in[1]);
      (void)!read(in[0], &c, 1);
      _exit(0);
    }
    close(out[1]);
    close(in[0]);
    stop = in[1];
    uint64_t inode = 0;
    (void)!read(out[0], &inode, sizeof inode);
    close(out[0]);
    return inode;
  }
  void end() {
    close(stop);
    waitpid(child, nullptr, 0);
  }

  fs::path directory;
  std::string content;
  std::unique_ptr<PagePool> pool;
  PageMap map;
  pid_t child = 0;
  int stop = -1;
};

TEST_F(MemoryFileTest, holdsTheMemoryAndCannotBeChanged) {
  auto file = makeMemoryFile(map, *pool, "name");
  ASSERT_TRUE(file) << file.error().context;
  std::string found(content.size(), 1);
  ASSERT_EQ(pread(file->get(), found.data(), found.size(), 0),
            ssize_t(found.size()));
  EXPECT_TRUE(found == content);
  EXPECT_EQ(pwrite(file->get(), "x", 1, 0), -1);
  EXPECT_EQ(ftruncate(file->get(), 0), -1);
  EXPECT_EQ(mmap(nullptr, pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                 file->get(), 0),
            MAP_FAILED);
  struct stat status{};
  fstat(file->get(), &status);
  EXPECT_LE(uint64_t(status.st_blocks) * 512, 36 * pageBytes); // holes stay
}

TEST_F(MemoryFileTest, isTakenFromALivingProcessOnly) {
  uint64_t first = inOtherProcess();
  ASSERT_NE(first, 0u);
  // Ours is that one; it outlives the other process.
  auto ours = sharedMemoryFile(directory / "shared", map, *pool, "x");
  ASSERT_TRUE(ours) << ours.error().context;
  EXPECT_EQ(inodeOf(*ours), first);
  end();
  std::string found(content.size(), 1);
  ASSERT_EQ(pread(*ours, found.data(), found.size(), 0), ssize_t(found.size()));
  EXPECT_TRUE(found == content);
  auto again = sharedMemoryFile(directory / "shared", map, *pool, "x");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *ours);
}

TEST_F(MemoryFileTest, doesNotBelieveWhatTheRecordSays) {
  uint64_t first = inOtherProcess();
  ASSERT_NE(first, 0u);
  fs::path record;
  for (auto &entry : fs::directory_iterator(directory / "shared"))
    record = entry.path();
  std::string line;
  std::getline(std::ifstream(record), line);
  // A descriptor of that process which is no such file, a process that is
  // another, and half a line.
  unsigned long long pid, ticks;
  ASSERT_EQ(std::sscanf(line.c_str(), "%llu %llu", &pid, &ticks), 2);
  std::ofstream(record) << pid << ' ' << ticks << " 0 " << first << '\n'
                        << pid << ' ' << ticks + 1
                        << line.substr(line.find(' ', line.find(' ') + 1))
                        << '\n'
                        << "no line\n-1 1 1 1\n"
                        << line.substr(0, line.size() - 1);
  auto ours = sharedMemoryFile(directory / "shared", map, *pool, "x");
  ASSERT_TRUE(ours) << ours.error().context;
  EXPECT_NE(inodeOf(*ours), first);
  end();
}

TEST_F(MemoryFileTest, isNotMadeOfPagesThatAreWrong) {
  std::fstream pages(directory / "pool" / "one" / "pages",
                     std::ios::in | std::ios::out | std::ios::binary);
  pages.seekp(3 * pageBytes + 7);
  pages.put('?');
  pages.close();
  auto file = makeMemoryFile(map, *pool, "name");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().sysErrno, EBADMSG);
}

} // namespace
