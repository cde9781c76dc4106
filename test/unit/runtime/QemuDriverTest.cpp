//===- QemuDriverTest.cpp - QMP, arguments, reports -----------------------===//

#include "QemuDriver.h"
#include "Files.h"
#include "GuestMemory.h"
#include "PreloadEnvironment.h"
#include "Qmp.h"
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>

using namespace spacer;
using testing::HasSubstr;

namespace {

constexpr char greeting[] =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}})"
    "\r\n";

TEST(QmpParserTest, messagesInPieces) {
  std::string text = std::string(greeting) + "{\"return\": {}}\r\n\r\n" +
                     "{\"event\": \"STOP\"}\n{\"ret";
  for (size_t step : {1, 2, 7, 1000}) {
    QmpParser parser;
    int messages = 0;
    for (size_t i = 0; i < text.size(); i += step) {
      ASSERT_TRUE(parser.feed(std::string_view(text).substr(i, step)));
      while (parser.next())
        ++messages;
    }
    EXPECT_EQ(messages, 3);
  }
}

TEST(QmpParserTest, whatIsNoMessageIsRefused) {
  for (std::string bad : {"hello\n", "[1]\n", "{\"a\": }\n", "3\n"})
    EXPECT_FALSE(QmpParser().feed(bad)) << bad;
  EXPECT_FALSE(QmpParser().feed(std::string(2 << 20, 'x')));
  EXPECT_FALSE(QmpParser().feed(std::string(1 << 20, '[') + "\n"));
}

/// A QEMU that says what it is told to, whatever is asked.
class QmpTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/spacer-qmp-test-XXXXXX";
    folder = mkdtemp(name);
    listening = std::move(*listenAt(folder / "qmp.sock"));
  }
  void TearDown() override {
    if (server.joinable())
      server.join();
    std::filesystem::remove_all(folder);
  }
  void say(std::vector<std::string> lines) {
    server = std::thread([this, lines] {
      UniqueFd client(accept(listening.get(), nullptr, nullptr));
      for (size_t i = 0; i < lines.size(); ++i) {
        char asked[4096];
        if (i && recv(client.get(), asked, sizeof asked, 0) <= 0)
          return;
        send(client.get(), lines[i].data(), lines[i].size(), MSG_NOSIGNAL);
      }
    });
  }
  Result<Qmp> connect() {
    return Qmp::connect(folder / "qmp.sock",
                        deadlineIn(std::chrono::seconds(5)));
  }

  std::filesystem::path folder;
  UniqueFd listening;
  std::thread server;
};

TEST_F(QmpTest, answersAndEventsInAnyOrder) {
  say({greeting, "{\"return\": {}}\n",
       "{\"event\": \"STOP\"}\n{\"event\": \"MIGRATION\", \"data\": "
       "{\"status\": \"active\"}}\n{\"return\": {\"running\": true}}\n"});
  auto qmp = connect();
  ASSERT_TRUE(qmp) << qmp.error().context;
  auto answer = qmp->command("query-status");
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)["running"], true);
  auto event = qmp->event("MIGRATION");
  ASSERT_TRUE(event);
  EXPECT_EQ((*event)["status"], "active");
  server.join();
  auto none = qmp->event("MIGRATION");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().sysErrno, ECONNRESET);
}

TEST_F(QmpTest, errorsAreQemusWords) {
  say({greeting, "{\"return\": {}}\n",
       "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such "
       "thing\"}}\n",
       "{\"error\": 3}\n"});
  auto qmp = connect();
  ASSERT_TRUE(qmp);
  EXPECT_EQ(qmp->command("cont").error().context, "cont: no such thing");
  EXPECT_THAT(qmp->command("cont").error().context, HasSubstr("failed"));
}

TEST_F(QmpTest, aGreetingIsExpected) {
  say({"{\"hello\": 1}\n"});
  auto qmp = connect();
  ASSERT_FALSE(qmp);
  EXPECT_EQ(qmp.error().sysErrno, EPROTO);
}

VmLaunch launch() {
  VmLaunch l;
  l.config.name = "a,b";
  l.config.image = "/x,y.elf";
  l.config.arguments = "one two";
  l.paths.directory = "/root/vms/a,b";
  return l;
}

bool follows(const std::vector<std::string> &words, const std::string &first,
             const std::string &second) {
  auto at = std::find(words.begin(), words.end(), first);
  return at != words.end() && at + 1 != words.end() && at[1] == second;
}

TEST(QemuArgumentsTest, commasAreEscapedAndMemoryIsShared) {
  auto words = qemuArguments(launch(), {7, 8}, false);
  EXPECT_TRUE(follows(words, "-name", "guest=a,,b"));
  EXPECT_TRUE(follows(words, "-kernel", "/x,y.elf"));
  EXPECT_TRUE(follows(words, "-append", "one two"));
  EXPECT_TRUE(follows(words, "-object",
                      "memory-backend-file,id=ram,share=on,size=128M,mem-path="
                      "/proc/self/fd/7"));
  EXPECT_EQ(std::count(words.begin(), words.end(), "-incoming"), 0);
  EXPECT_TRUE(follows(words, "-serial", "chardev:console"));
}

TEST(QemuArgumentsTest, aCloneWaitsForItsState) {
  VmLaunch l = launch();
  l.config.image.clear();
  auto words = qemuArguments(l, {7, 8}, true);
  EXPECT_TRUE(follows(words, "-incoming", "defer"));
  EXPECT_EQ(std::count(words.begin(), words.end(), "-kernel"), 0);
  EXPECT_EQ(std::count(words.begin(), words.end(), "-append"), 0);
}

TEST(MemoryReportTest, onlyWhatThePreloadLibraryWrites) {
  auto block = parseMemoryReport("0x7f0012345000 4096\n", "memory", 4096);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->start.value, 0x7f0012345000u);
  for (const char *bad :
       {"", "0x7f0012345000 4096", "0x7f0012345001 4096\n",
        "0x7f0012345000 8192\n", "7f0012345000 4096\n", "0x7f0012345000\n",
        "0x 4096\n", "0x7f0012345000 4096x\n"})
    EXPECT_FALSE(parseMemoryReport(bad, "memory", 4096)) << bad;
}

TEST(QemuExitTest, statusOfGuestAndOfQemu) {
  EXPECT_EQ(describeQemuExit(0, false), "stopped");
  EXPECT_EQ(describeQemuExit(1 << 8, false), "exited 0");
  EXPECT_EQ(describeQemuExit(1 << 8, true), "failed");
  EXPECT_EQ(describeQemuExit(7 << 8, true), "exited 3");
  EXPECT_EQ(describeQemuExit(112 << 8, true), "failed");
  EXPECT_EQ(describeQemuExit(9, true), "");
}

TEST(PreloadEnvironmentTest, comesBackAndNothingElseIsTaken) {
  PreloadEnvironment e;
  e.placeholder = 5, e.plan = 6, e.pool = 7, e.report = 8;
  PreloadEnvironment plain;
  ASSERT_TRUE(plain.decode(e.encode()));
  EXPECT_EQ(plain.encode(), e.encode());
  e.object = "snap", e.vm = "web-1", e.daemon = "/run/a b=c/default.sock";
  PreloadEnvironment back;
  ASSERT_TRUE(back.decode(e.encode()));
  EXPECT_EQ(back.daemon, e.daemon);
  EXPECT_EQ(back.encode(), e.encode());
  for (const char *bad :
       {"", "placeholder=5", "placeholder=x plan=6 pool=7 report=8",
        "placeholder=5 plan=6 pool=7 report=-1",
        "placeholder=5 plan=6 pool=7 report=8 other=9",
        "placeholder=5 plan=6 pool=7 report", "=5"})
    EXPECT_FALSE(PreloadEnvironment().decode(bad)) << bad;
}

TEST(GuestMemoryTest, mappingsAreRead) {
  auto all =
      parseMappings("7f00-8000 rw-p 00001000 fe:00 1234   /a b (deleted)\n"
                    "9000-a000 rw-s 00000000 00:01 77\n"
                    "b000-c000 ---p 00000000 00:00 0 \n",
                    "maps");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].inode, 1234u);
  EXPECT_EQ((*all)[0].device, "fe:00");
  EXPECT_TRUE((*all)[1].shared);
  EXPECT_EQ((*all)[2].inode, 0u);
  EXPECT_FALSE(parseMappings("nonsense\n", "maps"));
  EXPECT_FALSE(parseMappings("b000-a000 rw-p 0 00:00 0\n", "maps"));
}

TEST(GuestMemoryTest, ownPagesAreThoseThatWereWritten) {
  constexpr uint64_t pages = 64;
  auto file = makeMemfd("pool", pages * pageBytes);
  ASSERT_TRUE(file);
  Mapping shared(
      mmap(nullptr, pages * pageBytes, PROT_WRITE, MAP_SHARED, file->get(), 0),
      pages * pageBytes);
  memset(shared.data(), 7, shared.size());
  Mapping guest(mmap(nullptr, 2 * pages * pageBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                2 * pages * pageBytes);
  madvise(guest.data(), guest.size(), MADV_NOHUGEPAGE);
  ASSERT_NE(mmap(guest.data(), pages * pageBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_FIXED, file->get(), 0),
            MAP_FAILED);
  GuestBlock block{.start = {reinterpret_cast<uint64_t>(guest.data())},
                   .bytes = guest.size(),
                   .guest = {}};
  volatile uint8_t *p = guest.data();
  for (uint64_t i = 0; i < 2 * pages; ++i)
    (void)p[i * pageBytes]; // pool pages and the zero page: nobody's
  for (uint64_t i : {1, 2, 9}) {
    p[i * pageBytes] = 1;
    p[(pages + i) * pageBytes] = 2;
  }
  auto usage = guestUsage(*identify(getpid()), {block});
  if (!usage && usage.error().sysErrno == ENOTTY)
    GTEST_SKIP() << "no PAGEMAP_SCAN (Linux 6.7)";
  ASSERT_TRUE(usage) << usage.error().context;
  EXPECT_EQ(usage->ownPages, 6u);
  EXPECT_EQ(usage->sharedPages, pages - 3);

  auto source = openGuestMemory(*identify(getpid()), {block}, "self");
  ASSERT_TRUE(source) << source.error().context;
  EXPECT_EQ((*source)->guestPages(), 2 * pages);
  EXPECT_EQ((*source)->bytesToRead(), (pages + 3) * pageBytes);
  std::vector<uint8_t> seen(guest.size());
  for (;;) {
    auto chunk = (*source)->next();
    ASSERT_TRUE(chunk) << chunk.error().context;
    if (chunk->bytes.empty())
      break;
    memcpy(seen.data() + chunk->first.value * pageBytes, chunk->bytes.data(),
           chunk->bytes.size());
  }
  EXPECT_EQ(memcmp(seen.data(), guest.data(), seen.size()), 0);
}

} // namespace
