//===- ClientTest.cpp -----------------------------------------------------===//
//
// A daemon of one thread answers one connection by a script.
//
//===----------------------------------------------------------------------===//

#include "Client.h"
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

using namespace spacer;
using testing::HasSubstr;

namespace {

constexpr uint64_t pages = 64;

UniqueFd memfdOf(std::span<const uint8_t> bytes) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()), ssize_t(bytes.size()));
  return fd;
}

class ClientTest : public testing::Test {
protected:
  void SetUp() override {
    for (size_t i = 0; i < content.size(); ++i)
      content[i] = uint8_t(i * 7 + (i >> 12) * 13 + 1);
    pool = memfdOf(content);
    map = *PageMap::make(pages, {{{2}, {10}, 20}, {{30}, {40}, 10}});
    for (const PageRun &r : map.runs())
      std::memcpy(&expected[r.guest.value * pageBytes],
                  &content[r.pool.value * pageBytes], r.pages * pageBytes);
  }
  void TearDown() override {
    if (daemon.joinable())
      daemon.join();
  }

  /// The daemon's side runs \p body with its end of the connection.
  Client connected(std::function<void(int socket)> body) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    daemon = std::thread(
        [body = std::move(body), end = UniqueFd(pair[1])] { body(end.get()); });
    return Client(UniqueFd(pair[0]));
  }

  void answerOpen(int socket, const Plan &plan) {
    auto packet = receivePacket(socket);
    ASSERT_TRUE(packet && *packet);
    auto request = parseRequest((*packet)->text);
    ASSERT_TRUE(request) << request.error().context;
    ASSERT_EQ(std::get<OpenRequest>(*request).object, "web");
    UniqueFd text = memfdOf(plan.encode());
    int fds[] = {text.get(), pool.get()};
    ASSERT_TRUE(sendPacket(socket, encode(Answer{plan.guestPages(), {}}), fds));
  }

  Plan lazyPlan() {
    PlanOptions options;
    options.lazy = [](PoolPage p) {
      return std::pair(p.value >= 40, uint64_t(1));
    };
    return makePlan(map, options);
  }

  bool isZero() {
    return std::all_of(memory.begin(), memory.end(),
                       [](uint8_t b) { return b == 0; });
  }

  std::vector<uint8_t> content = std::vector<uint8_t>(pages * pageBytes);
  std::vector<uint8_t> expected = std::vector<uint8_t>(pages * pageBytes);
  UniqueFd pool;
  PageMap map;
  Mapping range{mmap(nullptr, pages *pageBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                pages *pageBytes};
  std::span<uint8_t> memory = range.bytes();
  HostAddr base{reinterpret_cast<uint64_t>(memory.data())};
  std::thread daemon;
};

TEST_F(ClientTest, mapsAnObjectThatIsAllThere) {
  Client client =
      connected([&](int socket) { answerOpen(socket, makePlan(map)); });
  auto mapped = client.mapObject("web", "vm", base, memory.size());
  ASSERT_TRUE(mapped) << mapped.error().context;
  EXPECT_FALSE(mapped->uffd);
  EXPECT_FALSE(mapped->session);
  EXPECT_EQ(mapped->guestBytes, memory.size());
  EXPECT_TRUE(std::equal(memory.begin(), memory.end(), expected.begin()));
}

TEST_F(ClientTest, lazyPagesComeThroughTheUserfaultfd) {
  bool attached = false;
  Client client = connected([&](int socket) {
    answerOpen(socket, lazyPlan());
    auto packet = receivePacket(socket);
    ASSERT_TRUE(packet);
    if (!*packet)
      return; // no userfaultfd for this user
    auto request = parseRequest((*packet)->text);
    ASSERT_TRUE(request) << request.error().context;
    auto &attach = std::get<AttachRequest>(*request);
    ASSERT_EQ(attach.ranges.size(), 1u);
    ASSERT_EQ((*packet)->fds.size(), 1u);
    Uffd uffd(std::move((*packet)->fds[0]));
    ASSERT_TRUE(sendPacket(socket, encode(Answer{{}, 17})));
    attached = true;
    for (uint64_t done = 0; done < attach.ranges[0].bytes;) {
      pollfd ready{uffd.fd(), POLLIN, 0};
      ASSERT_EQ(poll(&ready, 1, 5000), 1);
      uffd_msg message;
      ASSERT_EQ(read(uffd.fd(), &message, sizeof message),
                ssize_t(sizeof message));
      ASSERT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
      HostAddr at{message.arg.pagefault.address / pageBytes * pageBytes};
      ASSERT_EQ(uffd.continueRange(at, pageBytes, true), int64_t(pageBytes));
      done += pageBytes;
    }
  });
  auto mapped = client.mapObject("web", "vm", base, memory.size());
  if (!mapped) {
    client = Client(UniqueFd());
    daemon.join();
    if (mapped.error().sysErrno == EPERM || mapped.error().sysErrno == ENOSYS)
      GTEST_SKIP() << mapped.error().context;
    FAIL() << mapped.error().context;
  }
  EXPECT_EQ(mapped->session, 17u);
  EXPECT_TRUE(std::equal(memory.begin(), memory.end(), expected.begin()));
  daemon.join();
  EXPECT_TRUE(attached);
}

TEST_F(ClientTest, aRefusedAttachLeavesZerosAndNoLazyPages) {
  Client client = connected([&](int socket) {
    answerOpen(socket, lazyPlan());
    auto packet = receivePacket(socket);
    if (packet && *packet)
      (void)sendPacket(socket, encode(Error{EINVAL, "attach: not today"}));
  });
  auto mapped = client.mapObject("web", "vm", base, memory.size());
  ASSERT_FALSE(mapped);
  if (mapped.error().sysErrno == EINVAL) {
    EXPECT_THAT(mapped.error().context, HasSubstr("not today"));
  }
  client = Client(UniqueFd());
  EXPECT_TRUE(isZero());
}

TEST_F(ClientTest, aGuestThatDoesNotFitIsRefused) {
  Client client =
      connected([&](int socket) { answerOpen(socket, makePlan(map)); });
  memory[0] = 42;
  auto mapped = client.mapObject("web", "vm", base, memory.size() - pageBytes);
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().sysErrno, ENOSPC);
  EXPECT_EQ(memory[0], 42);
}

TEST_F(ClientTest, answersThatAreNoneAreRefused) {
  auto plan = makePlan(map).encode();
  auto damaged = plan;
  damaged[60] ^= 1;
  struct {
    std::string answer;
    std::vector<uint8_t> plan;
    size_t fds;
    const char *says;
  } cases[] = {
      {encode(Answer{pages, {}}), plan, 0, "descriptors"},
      {encode(Answer{pages, {}}), plan, 1, "descriptors"},
      {encode(Answer{pages + 1, {}}), plan, 2, "the daemon says"},
      {encode(Answer{pages, {}}), damaged, 2, "plan"},
      {encode(Answer{pages, {}}), {}, 2, "plan"},
      {encode(Error{ENOENT, "web: no such object"}), plan, 0, "no such"},
      {"[]", plan, 2, ""},
  };
  for (const auto &c : cases) {
    Client client = connected([&](int socket) {
      (void)receivePacket(socket);
      UniqueFd text = memfdOf(c.plan);
      int fds[] = {text.get(), pool.get()};
      (void)sendPacket(socket, c.answer, {fds, c.fds});
    });
    memory[5] = 1;
    auto mapped = client.mapObject("web", "vm", base, memory.size());
    ASSERT_FALSE(mapped) << c.says;
    EXPECT_THAT(mapped.error().context, HasSubstr(c.says));
    daemon.join();
  }
  Client client = connected([](int socket) { (void)receivePacket(socket); });
  EXPECT_EQ(client.mapObject("web", "vm", base, memory.size()).error().sysErrno,
            ECONNRESET);
}

TEST_F(ClientTest, noDaemonIsOneClearLine) {
  auto client = Client::connect("/nonexistent/default.sock");
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().sysErrno, ENOENT);
  EXPECT_THAT(client.error().context, HasSubstr("/nonexistent/default.sock"));
}

} // namespace
