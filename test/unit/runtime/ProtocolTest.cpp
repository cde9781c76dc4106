//===- ProtocolTest.cpp ---------------------------------------------------===//

#include "Protocol.h"
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

using namespace spacer;
using testing::HasSubstr;

namespace {

std::string problemOf(std::string_view text) {
  auto request = parseRequest(text);
  return request ? "" : request.error().context;
}

LazyRange range(uint64_t start, uint64_t bytes, uint64_t guest) {
  return {{start}, bytes, {guest}};
}

TEST(ProtocolTest, readsTheRequestsOfTheDocument) {
  auto open = parseRequest(
      R"({"op": "open", "object": "web-ready", "mappings": 77, "lazy": "all"})");
  ASSERT_TRUE(open) << open.error().context;
  auto &o = std::get<OpenRequest>(*open);
  EXPECT_EQ(o.object, "web-ready");
  EXPECT_EQ(o.mappings, 77u);
  EXPECT_EQ(o.lazy, LazyPolicy::All);

  auto attach = parseRequest(
      R"({"op": "attach", "object": "web-ready", "name": "web-3",
 "ranges": [{"start": "0x7f0000000000", "bytes": 65536, "guest": 4096}]})");
  ASSERT_TRUE(attach) << attach.error().context;
  auto &a = std::get<AttachRequest>(*attach);
  EXPECT_EQ(a.name, "web-3");
  ASSERT_EQ(a.ranges.size(), 1u);
  EXPECT_EQ(a.ranges[0].start.value, 0x7f0000000000u);
  EXPECT_EQ(a.ranges[0].bytes, 65536u);
  EXPECT_EQ(a.ranges[0].guest.value, 4096u);
  EXPECT_EQ(fdsOf(*attach), (std::pair<size_t, size_t>(1, 2)));

  EXPECT_TRUE(parseRequest(R"({"op":"release"})"));
  EXPECT_TRUE(parseRequest(R"({"op":"stats"})"));
  EXPECT_TRUE(parseRequest(R"({"op":"reload"})"));
  auto drain = parseRequest(R"({"op":"drain","session":17})");
  ASSERT_TRUE(drain);
  EXPECT_EQ(std::get<DrainRequest>(*drain).session, 17u);
}

TEST(ProtocolTest, writesWhatItReads) {
  for (const Request &r : std::initializer_list<Request>{
           OpenRequest{"a", 5, LazyPolicy::None},
           RangesRequest{{range(0x1000, 8192, 3)}},
           AttachRequest{"a", "b", {range(0x1000, 8192, 3)}}, ReleaseRequest{},
           StatsRequest{}, ReloadRequest{}, DrainRequest{9}}) {
    auto back = parseRequest(encode(r));
    ASSERT_TRUE(back) << encode(r);
    EXPECT_EQ(encode(*back), encode(r));
  }
}

TEST(ProtocolTest, manyRangesTakeSeveralPackets) {
  AttachRequest all{"object", "name", {}};
  for (uint64_t i = 0; i < 10'000; ++i)
    all.ranges.push_back(
        range(0x7fff'0000'0000 + i * 8192, 4096, (1ull << 51) + 2 * i));
  std::vector<LazyRange> seen;
  std::vector<std::string> packets = encodePackets(Request(all));
  for (const std::string &text : packets) {
    EXPECT_LE(text.size(), packetMaxBytes);
    auto r = parseRequest(text);
    ASSERT_TRUE(r) << r.error().context;
    bool last = &text == &packets.back();
    EXPECT_STREQ(nameOf(*r), last ? "attach" : "ranges");
    auto &list = last ? std::get<AttachRequest>(*r).ranges
                      : std::get<RangesRequest>(*r).ranges;
    seen.insert(seen.end(), list.begin(), list.end());
  }
  ASSERT_EQ(seen.size(), all.ranges.size());
  EXPECT_EQ(seen[9'999].guest, all.ranges[9'999].guest);
}

TEST(ProtocolTest, refusesWhatIsNoRequest) {
  EXPECT_THAT(problemOf(""), HasSubstr("no JSON"));
  EXPECT_THAT(problemOf("{\"op\":\"open\""), HasSubstr("no JSON"));
  EXPECT_THAT(problemOf("\xff\xfe\x00\x01"), HasSubstr("no JSON"));
  EXPECT_THAT(problemOf("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(problemOf("{}"), HasSubstr("without \"op\""));
  EXPECT_THAT(problemOf(R"({"op":7})"), HasSubstr("without \"op\""));
  EXPECT_THAT(problemOf(R"({"op":"rm\n-rf"})"),
              HasSubstr("unknown operation 'rm?-rf'"));
  EXPECT_THAT(problemOf(R"({"op":"open"})"), HasSubstr("missing"));
  EXPECT_THAT(problemOf(R"({"op":"open","object":1})"),
              HasSubstr("expected string"));
  EXPECT_THAT(problemOf(R"({"op":"open","object":"a","mappings":0})"),
              HasSubstr("at least 1"));
  for (const char *number : {"-1", "1.5", "1e99", "18446744073709551616"})
    EXPECT_THAT(problemOf(R"({"op":"open","object":"a","mappings":)" +
                          std::string(number) + "}"),
                HasSubstr("whole number"))
        << number;
  EXPECT_THAT(problemOf(R"({"op":"open","object":"a","file":"/etc/passwd"})"),
              HasSubstr("unknown field 'file'"));
  EXPECT_THAT(problemOf(R"({"op":"stats","x":[]})"),
              HasSubstr("unknown field 'x'"));
  EXPECT_THAT(problemOf(R"({"op":"drain"})"), HasSubstr("missing"));
}

TEST(ProtocolTest, refusesNamesThatCouldBePaths) {
  for (const char *name : {"", "..", ".hidden", "a/b", "/etc", "a\\u0000b",
                           "a b", "a\\n", "\\u00e9"})
    EXPECT_THAT(
        problemOf(R"({"op":"open","object":")" + std::string(name) + "\"}"),
        HasSubstr("expected 1 to 200"))
        << name;
  EXPECT_EQ(
      problemOf(R"({"op":"open","object":")" + std::string(200, 'x') + "\"}"),
      "");
  EXPECT_NE(
      problemOf(R"({"op":"open","object":")" + std::string(201, 'x') + "\"}"),
      "");
}

TEST(ProtocolTest, depthIsCountedBeforeParsing) {
  EXPECT_THAT(problemOf(std::string(1 << 20, '[')), HasSubstr("at most"));
  EXPECT_THAT(problemOf(std::string(60'000, '[')), HasSubstr("nests deeper"));
  std::string objects = R"({"op":)";
  for (int i = 0; i < 10'000; ++i)
    objects += R"({"a":)";
  EXPECT_THAT(problemOf(objects), HasSubstr("nests deeper"));
  // Brackets inside a string are none.
  EXPECT_THAT(problemOf(R"({"op":"\"[[[[[[[[[[[[[["})"),
              HasSubstr("unknown operation"));
}

TEST(ProtocolTest, refusesRangesThatAreNone) {
  auto attach = [](std::string ranges) {
    return problemOf(R"({"op":"attach","object":"a","name":"b","ranges":)" +
                     ranges + "}");
  };
  EXPECT_EQ(attach(R"([{"start":"0x1000","bytes":4096,"guest":0}])"), "");
  EXPECT_THAT(attach("{}"), HasSubstr("expected array"));
  EXPECT_THAT(attach("[7]"), HasSubstr("expected an object"));
  EXPECT_THAT(attach(R"([{"start":"0x1000","bytes":0,"guest":0}])"),
              HasSubstr("at least one"));
  EXPECT_THAT(attach(R"([{"start":"0x1001","bytes":4096,"guest":0}])"),
              HasSubstr("whole pages"));
  EXPECT_THAT(attach(R"([{"start":"0x1000","bytes":4097,"guest":0}])"),
              HasSubstr("whole pages"));
  EXPECT_THAT(
      attach(R"([{"start":"0xfffffffffffff000","bytes":8192,"guest":0}])"),
      HasSubstr("past 2^64"));
  EXPECT_THAT(attach(R"([{"start":"4096","bytes":4096,"guest":0}])"),
              HasSubstr("hexadecimal"));
  EXPECT_THAT(attach(R"([{"start":4096,"bytes":4096,"guest":0}])"),
              HasSubstr("expected string"));
  EXPECT_THAT(attach(R"([{"start":"0x1000","bytes":4096,"guest":-1}])"),
              HasSubstr("whole number"));
  EXPECT_THAT(attach(R"([{"start":"0x1000","bytes":4096}])"),
              HasSubstr("range 0: 'guest' is missing"));

  auto check = [](std::vector<LazyRange> ranges) {
    auto done = checkRanges(ranges, 100);
    return done ? "" : done.error().context;
  };
  EXPECT_EQ(check({range(0x5000, 4096, 7), range(0x1000, 8192, 98)}), "");
  EXPECT_THAT(check({}), HasSubstr("no ranges"));
  EXPECT_THAT(check({range(0x1000, 8192, 99)}), HasSubstr("ends at 100"));
  EXPECT_THAT(check({range(0x1000, 4096, 1ull << 51)}),
              HasSubstr("ends at 100"));
  EXPECT_THAT(check({range(0x1000, 8192, 0), range(0x2000, 4096, 9)}),
              HasSubstr("overlap at 0x2000"));
  EXPECT_THAT(check({range(0x1000, 8192, 0), range(0x9000, 4096, 1)}),
              HasSubstr("overlap at guest page 1"));
}

TEST(ProtocolTest, answersComeBack) {
  auto open = parseAnswer(encode(Answer{131072, {}}));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->guestPages, 131072u);
  EXPECT_FALSE(open->session);
  auto refused = parseAnswer(encode(Error{ENOENT, "no object 'x'"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sysErrno, ENOENT);
  EXPECT_EQ(refused.error().context, "no object 'x'");
  for (const char *text : {"", "{}", "[1]", R"({"ok":1})", R"({"ok":false})"})
    EXPECT_EQ(parseAnswer(text).error().sysErrno, EPROTO) << text;
}

struct Sockets {
  Sockets() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    a.reset(pair[0]);
    b.reset(pair[1]);
  }
  UniqueFd a, b;
};

int openDescriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

TEST(ProtocolTest, packetsCarryDescriptors) {
  Sockets s;
  UniqueFd file(open("/dev/null", O_RDONLY));
  int fds[] = {file.get(), file.get()};
  ASSERT_TRUE(sendPacket(s.a.get(), "hello", fds));
  auto got = receivePacket(s.b.get());
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->text, "hello");
  ASSERT_EQ((*got)->fds.size(), 2u);
  EXPECT_EQ(fcntl((*got)->fds[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(receivePacket(s.b.get()).error().sysErrno, EAGAIN);
  s.a.reset();
  auto end = receivePacket(s.b.get());
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ(sendPacket(s.b.get(), "x").error().sysErrno, EPIPE);
}

TEST(ProtocolTest, tooLongOrTooManyLeavesNothingBehind) {
  Sockets s;
  std::string longer(packetMaxBytes + 1, '[');
  EXPECT_EQ(sendPacket(s.a.get(), longer).error().sysErrno, EMSGSIZE);
  ASSERT_EQ(send(s.a.get(), longer.data(), longer.size(), 0),
            static_cast<ssize_t>(longer.size()));
  EXPECT_EQ(receivePacket(s.b.get()).error().sysErrno, EMSGSIZE);

  char control[CMSG_SPACE(20 * sizeof(int))] = {};
  char byte = '{';
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(20 * sizeof(int));
  for (int i = 0; i < 20; ++i)
    std::memcpy(CMSG_DATA(c) + i * sizeof(int), &s.a, sizeof(int));
  int before = openDescriptors();
  ASSERT_EQ(sendmsg(s.a.get(), &message, 0), 1);
  EXPECT_EQ(receivePacket(s.b.get()).error().sysErrno, EMSGSIZE);
  EXPECT_EQ(openDescriptors(), before);
}

} // namespace
