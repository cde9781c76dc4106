//===- FirecrackerProtocolTest.cpp ----------------------------------------===//

#include "FirecrackerProtocol.h"
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

using namespace spacer;
using testing::HasSubstr;

namespace {

constexpr uint64_t mib = 1 << 20;
constexpr uint64_t base = 0x7f0000000000;

/// One region with \p more fields after the three that all releases have.
std::string one(uint64_t bytes, const std::string &more = "") {
  return "[{\"base_host_virt_addr\":" + std::to_string(base) +
         ",\"size\":" + std::to_string(bytes) + ",\"offset\":0" + more + "}]";
}

std::string region(uint64_t start, uint64_t bytes, uint64_t offset) {
  return "{\"base_host_virt_addr\":" + std::to_string(start) +
         ",\"size\":" + std::to_string(bytes) +
         ",\"offset\":" + std::to_string(offset) + "}";
}

TEST(FirecrackerProtocolTest, understandsEveryReleasesMessage) {
  struct {
    const char *more;
    uint32_t pageSize;
  } releases[] = {
      {"", 4096},                        // 1.1 - 1.6
      {",\"page_size_kib\":4096", 4096}, // 1.7 - 1.11
      {",\"page_size_kib\":2097152", 2097152},
      {",\"page_size\":4096,\"page_size_kib\":4096", 4096}, // 1.12 - 1.16
      {",\"page_size\":2097152,\"page_size_kib\":2097152", 2097152},
      {",\"page_size\":4096", 4096},  // 2.0 as announced
      {",\"page_size_kib\":4", 4096}, // as the name says
      {",\"page_size_kib\":2048", 2097152},
      {",\"page_size\":2097152,\"page_size_kib\":2048", 2097152},
      {",\"later\":{\"a\":[1,\"]\"]},\"page_size\":4096", 4096},
  };
  for (auto &release : releases) {
    auto regions = parseFirecrackerRegions(one(4 * mib, release.more), 4 * mib);
    ASSERT_TRUE(regions) << release.more << regions.error().context;
    ASSERT_EQ(regions->size(), 1u);
    const Region &r = regions->front();
    EXPECT_EQ(r.start.value, base);
    EXPECT_EQ(r.bytes, 4 * mib);
    EXPECT_EQ(r.guest.value, 0u);
    EXPECT_EQ(r.kind, RegionKind::Anonymous);
    EXPECT_EQ(r.pageSize, release.pageSize) << release.more;
  }
}

TEST(FirecrackerProtocolTest, regionsComeByAddressWithTheirPlaceInTheSnapshot) {
  auto regions = parseFirecrackerRegions("[" + region(base + 16 * mib, mib, 0) +
                                             "," + region(base, mib, mib) + "]",
                                         2 * mib);
  ASSERT_TRUE(regions) << regions.error().context;
  ASSERT_EQ(regions->size(), 2u);
  EXPECT_EQ((*regions)[0].start.value, base);
  EXPECT_EQ((*regions)[0].guest.value, mib / 4096);
  EXPECT_EQ((*regions)[1].guest.value, 0u);
}

TEST(FirecrackerProtocolTest, refusesWithFoundAndExpected) {
  std::string many = "[";
  for (int i = 0; i < 257; ++i)
    many += (i ? "," : "") + region(base + i * 4096, 4096, i * 4096);
  struct {
    std::string message;
    const char *why;
  } cases[] = {
      {"", "is no JSON"},
      {"[{]", "is no JSON"},
      {"{}", "is no array of regions"},
      {"[]", "has no regions"},
      {"[1]", "region 0 is no object"},
      {"[{}]", "region 0: no base_host_virt_addr"},
      {"[{\"base_host_virt_addr\":4096,\"size\":4096}]", "no offset"},
      {"[{\"base_host_virt_addr\":4096,\"size\":-4096,\"offset\":0}]",
       "size is no whole number"},
      {"[{\"base_host_virt_addr\":4096,\"size\":4096.0,\"offset\":0}]",
       "size is no whole number"},
      {"[{\"base_host_virt_addr\":\"4096\",\"size\":4096,\"offset\":0}]",
       "base_host_virt_addr is no whole number"},
      {"[{\"base_host_virt_addr\":99999999999999999999,\"size\":4096,"
       "\"offset\":0}]",
       "base_host_virt_addr is no whole number"},
      {"[" + region(base, 0, 0) + "]", "size 0"},
      {"[" + region(0, 4096, 0) + "]", "base_host_virt_addr 0"},
      {"[" + region(base + 1, 4096, 0) + "]",
       "0x7f0000000001 is no multiple of the page size 4096"},
      {"[" + region(base, 4097, 0) + "]",
       "size 0x1001 is no multiple of the page size 4096"},
      {"[" + region(base, 4096, 7) + "]", "offset 0x7 is no multiple"},
      {"[" + region(base, 4 * mib + 4096, 0) + "]",
       "end past the snapshot, which has 0x400000"},
      {"[" + region(base, 4096, 4 * mib) + "]", "end past the snapshot"},
      {"[" + region(base, 4096, ~0ull - 4095) + "]", "end past the snapshot"},
      {"[" + region(base, ~0ull - 4095, 0) + "]", "end past the snapshot"},
      {"[" + region(~0ull - 4095, 8192, 0) + "]", "are outside user memory"},
      {"[" + region(base, 2 * mib, 0) + "," +
           region(base + mib, 2 * mib, 2 * mib) + "]",
       "regions 0 and 1 overlap in memory at 0x7f0000100000"},
      {"[" + region(base, 2 * mib, 0) + "," + region(base + 8 * mib, mib, mib) +
           "]",
       "regions 0 and 1 overlap in the snapshot at 0x100000"},
      {"[" + region(base, 2 * mib, 0) + "]",
       "hold 0x200000 bytes, the snapshot 0x400000"},
      {many + "]", "257 regions, expected at most 256"},
      {one(4 * mib, ",\"page_size\":8192"),
       "page_size 8192, expected 4096 or 2097152"},
      {one(4 * mib, ",\"page_size\":0"), "page_size 0, expected"},
      {one(4 * mib, ",\"page_size\":2048"), "page_size 2048, expected"},
      {one(4 * mib, ",\"page_size_kib\":1048576"), "page_size_kib 1048576"},
      {one(4 * mib, ",\"page_size\":4096,\"page_size_kib\":2097152"),
       "page_size 4096, but page_size_kib 2097152"},
      {one(3 * mib, ",\"page_size\":2097152"), "no multiple of the page size"},
      {std::string(1 << 20, '['), "1048576 bytes, expected at most 65536"},
      {std::string(60000, '['), "nested deeper than 4"},
      {"[{\"x\":[[[[1]]]]}]", "nested deeper than 4"},
  };
  for (auto &c : cases) {
    auto regions = parseFirecrackerRegions(c.message, 4 * mib);
    ASSERT_FALSE(regions) << c.message.substr(0, 200);
    EXPECT_THAT(regions.error().context, HasSubstr(c.why));
    EXPECT_EQ(regions.error().context.find('\n'), std::string::npos);
  }
}

class FirecrackerReceiverTest : public testing::Test {
protected:
  using Progress = FirecrackerReceiver::Progress;

  void SetUp() override {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    client.reset(pair[0]);
    server.reset(pair[1]);
  }

  void send(std::string_view text, std::vector<int> fds = {}) {
    alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
    iovec part{const_cast<char *>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr *c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    }
    ASSERT_EQ(sendmsg(client.get(), &message, MSG_NOSIGNAL),
              ssize_t(text.size()));
  }

  /// Skips the test where the kernel gives no userfaultfd.
  UniqueFd makeUffd(uint64_t features, bool handshake = true) {
    UniqueFd fd(int(syscall(SYS_userfaultfd, O_CLOEXEC)));
    if (!fd)
      return fd;
    uffdio_api api{UFFD_API, features, 0};
    if (handshake && ioctl(fd.get(), UFFDIO_API, &api))
      fd.reset();
    return fd;
  }

  std::string whyRefused(uint64_t snapshotBytes = 4 * mib) {
    auto progress = receiver.receive(server.get());
    if (!progress)
      return progress.error().context;
    if (*progress == Progress::More)
      return "more";
    auto done = receiver.finish(snapshotBytes);
    return done ? "" : done.error().context;
  }

  UniqueFd client, server;
  FirecrackerReceiver receiver;
};

TEST_F(FirecrackerReceiverTest, takesWhatFirecrackerSends) {
  UniqueFd uffd = makeUffd(UFFD_FEATURE_EVENT_REMOVE);
  if (!uffd)
    GTEST_SKIP() << "userfaultfd: " << strerror(errno);
  send(one(4 * mib, ",\"page_size\":4096,\"page_size_kib\":4096"),
       {uffd.get()});
  auto progress = receiver.receive(server.get());
  ASSERT_TRUE(progress) << progress.error().context;
  ASSERT_EQ(*progress, Progress::Whole);
  auto done = receiver.finish(4 * mib);
  ASSERT_TRUE(done) << done.error().context;
  EXPECT_EQ(done->regions.size(), 1u);
  EXPECT_TRUE(done->removeEvents);
  EXPECT_TRUE(fcntl(done->uffd.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(done->uffd.get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(FirecrackerReceiverTest, takesAMessageInPiecesAndAClosedSocketAfterIt) {
  UniqueFd uffd = makeUffd(0);
  if (!uffd)
    GTEST_SKIP() << "userfaultfd: " << strerror(errno);
  std::string text = one(4 * mib, ",\"x\":\"[\\\"]\"");
  for (size_t i = 0; i < text.size(); ++i) {
    send(text.substr(i, 1),
         i == 5 ? std::vector{uffd.get()} : std::vector<int>{});
    if (i + 1 == text.size())
      client.reset();
    auto progress = receiver.receive(server.get());
    ASSERT_TRUE(progress) << progress.error().context;
    ASSERT_EQ(*progress == Progress::Whole, i + 1 == text.size()) << i;
  }
  auto done = receiver.finish(4 * mib);
  ASSERT_TRUE(done) << done.error().context;
  EXPECT_FALSE(done->removeEvents);
}

TEST_F(FirecrackerReceiverTest, refusesWrongDescriptors) {
  send(one(4 * mib));
  EXPECT_THAT(whyRefused(), HasSubstr("0 descriptors, expected 1"));

  UniqueFd event(eventfd(0, EFD_CLOEXEC));
  receiver = FirecrackerReceiver();
  send(one(4 * mib), {event.get()});
  EXPECT_THAT(whyRefused(), HasSubstr("the descriptor is no userfaultfd"));

  receiver = FirecrackerReceiver();
  send(one(4 * mib), {event.get(), event.get()});
  EXPECT_THAT(whyRefused(), HasSubstr("2 descriptors, expected 1"));

  receiver = FirecrackerReceiver();
  send(one(4 * mib), std::vector<int>(6, event.get()));
  EXPECT_THAT(whyRefused(), HasSubstr("6 descriptors, expected 1"));

  receiver = FirecrackerReceiver();
  send("[", std::vector<int>(16, event.get()));
  EXPECT_THAT(whyRefused(), HasSubstr("more descriptors than 8, expected 1"));
}

TEST_F(FirecrackerReceiverTest, refusesUffdsThatItCannotFollow) {
  UniqueFd raw = makeUffd(0, /*handshake=*/false);
  UniqueFd moving = makeUffd(UFFD_FEATURE_EVENT_REMAP);
  if (!raw || !moving)
    GTEST_SKIP() << "userfaultfd: " << strerror(errno);
  send(one(4 * mib), {raw.get()});
  EXPECT_THAT(whyRefused(), HasSubstr("has not had its UFFDIO_API"));
  receiver = FirecrackerReceiver();
  send(one(4 * mib), {moving.get()});
  EXPECT_THAT(whyRefused(), HasSubstr("fork, remap or unmap events"));
}

TEST_F(FirecrackerReceiverTest, refusesWhatIsNoMessageBeforeItEnds) {
  EXPECT_EQ(whyRefused(), "more"); // nothing yet
  send(std::string(4096, '['));
  EXPECT_THAT(whyRefused(), HasSubstr("nested deeper than 4"));

  receiver = FirecrackerReceiver();
  send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(whyRefused(), HasSubstr("does not start with '['"));

  receiver = FirecrackerReceiver();
  send("[] []");
  EXPECT_THAT(whyRefused(), HasSubstr("more after its end"));

  receiver = FirecrackerReceiver();
  send("[\"" + std::string(70000, 'x'));
  EXPECT_THAT(whyRefused(), HasSubstr("more than 65536 bytes"));
}

TEST_F(FirecrackerReceiverTest, refusesAPeerThatLeavesInTheMiddle) {
  send("[{\"base");
  client.reset();
  EXPECT_THAT(whyRefused(), HasSubstr("the peer closed after 7 bytes"));
}

} // namespace
