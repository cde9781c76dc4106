//===- ConnectionTest.cpp - what a client of the daemon gets --------------===//

#include "Connection.h"
#include "Closer.h"
#include "Plan.h"
#include "PoolFixture.h"
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace spacer;
using namespace spacer::test;

namespace {

class ConnectionTest : public testing::Test {
protected:
  TemporaryFolder folder;
  KeeperLink noKeeper;
  std::shared_ptr<Domain> domain;
  std::unique_ptr<Sessions> sessions;
  std::shared_ptr<Connection> connection;
  UniqueFd peerEnd;
  Administration administration;

  void start(const std::vector<uint64_t> &pages) {
    NumberSource source(pages);
    ASSERT_TRUE(openPool(folder.path)->add("object", source));
    auto opened = Domain::open(folder.path, "d", 1024, noKeeper);
    ASSERT_TRUE(opened) << opened.error().context;
    domain = *opened;
    auto made = Sessions::start(1, noKeeper, [] {});
    ASSERT_TRUE(made);
    sessions = std::move(*made);
    connect();
  }
  void connect() {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    peerEnd.reset(pair[1]);
    UniqueFd mine(pair[0]);
    auto peer = peerOf(mine.get());
    ASSERT_TRUE(peer);
    connection = std::make_shared<Connection>(Connection::Kind::Domain,
                                              std::move(mine), *peer, domain);
  }
  Reply ask(const Request &request, std::vector<UniqueFd> fds = {}) {
    Connection::Job job;
    auto now = connection->handle(Packet{encode(request), std::move(fds)},
                                  false, *sessions, administration, job);
    if (now)
      return std::move(*now);
    Reply reply;
    while (job(reply))
      ;
    return reply;
  }
};

TEST_F(ConnectionTest, CopiesOfAPlanAreInThePoolsMemory) {
  std::vector<uint64_t> pages;
  for (uint64_t i = 0; i < 64; ++i) { // runs of one page: zeros between them
    pages.push_back(i + 1);
    pages.push_back(0);
  }
  start(pages);
  for (uint64_t budget : {1, 5, 20}) {
    connect();
    Reply reply = ask(OpenRequest{"object", budget, LazyPolicy::All});
    ASSERT_EQ(reply.fds.size(), 2u) << reply.text;
    struct stat st;
    ASSERT_EQ(fstat(reply.fds[0].get(), &st), 0);
    std::vector<uint8_t> bytes(static_cast<size_t>(st.st_size));
    ASSERT_EQ(pread(reply.fds[0].get(), bytes.data(), bytes.size(), 0),
              st.st_size);
    auto plan = Plan::decode(bytes);
    ASSERT_TRUE(plan);
    uint64_t copied = 0;
    for (const PlanStep &s : plan->steps())
      if (s.kind == StepKind::Pool || s.kind == StepKind::Copy) {
        copied += s.pages;
        std::vector<uint8_t> found(s.pages * pageBytes);
        ASSERT_EQ(pread(reply.fds[1].get(), found.data(), found.size(),
                        static_cast<off_t>(offsetOf(s.pool).value)),
                  static_cast<ssize_t>(found.size()));
        for (uint64_t i = 0; i < s.pages; ++i)
          EXPECT_EQ(std::memcmp(&found[i * pageBytes],
                                pageOf(pages[s.guest.value + i]).data(),
                                pageBytes),
                    0)
              << "budget " << budget << ", guest page " << s.guest.value + i;
      }
    EXPECT_GT(copied, 0u);
    connection->releaseAll();
  }
}

TEST_F(ConnectionTest, ConnectionsOfAnObjectShareItsMap) {
  start(range(1, 20));
  auto first = domain->lease("object", getpid());
  auto second = domain->lease("object", getpid());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->get(), second->get());
}

TEST_F(ConnectionTest, RangesComeAfterAnOpen) {
  start(range(1, 20));
  Request ranges = RangesRequest{{{{0x10000}, pageBytes, {0}}}};
  EXPECT_TRUE(ask(ranges).close);
  connect();
  EXPECT_FALSE(ask(OpenRequest{"object"}).close);
  EXPECT_FALSE(ask(ranges).close);
}

/// A connection over which a socket comes whose closing waits for its peer.
TEST(CloserTest, doesNotWait) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof at;
  auto *address = reinterpret_cast<sockaddr *>(&at);
  if (bind(listener.get(), address, bytes) != 0 ||
      listen(listener.get(), 1) != 0 ||
      getsockname(listener.get(), address, &bytes) != 0)
    GTEST_SKIP() << "TCP on the loopback interface";
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), address, bytes), 0);
  UniqueFd peer(accept(listener.get(), nullptr, nullptr));
  std::vector<char> data(1 << 20);
  while (send(client.get(), data.data(), data.size(), MSG_DONTWAIT) > 0)
    ;
  linger wait{1, 5};
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof wait),
            0);
  // In a message that nobody has read.
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  UniqueFd mine(pair[0]), theirs(pair[1]);
  int fd = client.get();
  ASSERT_TRUE(sendPacket(theirs.get(), "x", {&fd, 1}));
  theirs.reset();
  auto start = std::chrono::steady_clock::now();
  client.reset();
  {
    Closer closer;
    closer.close(std::move(mine));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

} // namespace
