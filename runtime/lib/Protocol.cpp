//===- Protocol.cpp - what spacerd and its clients say to each other ------===//

#include "Protocol.h"
#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace spacer {
namespace {

using Json = nlohmann::json;

/// No request of ours nests deeper than three.
constexpr int greatestDepth = 8;
/// What one range takes in a packet at most, as encode() writes it.
constexpr size_t rangeTextBytes = 90;
constexpr size_t rangesPerPacket = (packetMaxBytes - 1024) / rangeTextBytes;

Error refuse(std::string why) { return {EINVAL, std::move(why)}; }

/// A piece of foreign text for a message: short, printable.
std::string quote(std::string_view text) {
  std::string out = "'";
  for (char c : text.substr(0, 40))
    out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (text.size() > 40 ? "...'" : "'");
}

/// Brackets outside strings, counted before any parser recurses over them.
bool tooDeep(std::string_view text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > greatestDepth)
        return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

Result<Json> parseObject(std::string_view text) {
  if (text.size() > packetMaxBytes)
    return refuse("request of " + std::to_string(text.size()) +
                  " bytes, expected at most " + std::to_string(packetMaxBytes));
  if (tooDeep(text))
    return refuse("request nests deeper than " + std::to_string(greatestDepth));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return refuse("request is no JSON: " + quote(text));
  if (!json.is_object())
    return refuse(std::string("request is a JSON ") + json.type_name() +
                  ", expected an object");
  return json;
}

/// Takes the fields of one object; remembers the first that is wrong.
class Fields {
public:
  Fields(const Json &object, std::string where)
      : object(object), where(std::move(where)) {}

  void name(const char *key, std::string &to) {
    const Json *value = take(key, Json::value_t::string);
    if (!value)
      return;
    const auto &text = value->get_ref<const std::string &>();
    if (validName(text))
      to = text;
    else
      fail(std::string("'") + key + "' is " + quote(text) + ", " + nameRule);
  }
  void number(const char *key, uint64_t &to, bool needed = true) {
    const Json *value = take(key, Json::value_t::number_unsigned, needed);
    if (value)
      to = value->get<uint64_t>();
  }
  /// "0x7f0000000000"
  void address(const char *key, uint64_t &to) {
    const Json *value = take(key, Json::value_t::string);
    if (!value)
      return;
    const auto &text = value->get_ref<const std::string &>();
    const char *end = text.data() + text.size();
    bool hex = text.size() > 2 && text[0] == '0' && text[1] == 'x';
    auto [at, wrong] = std::from_chars(text.data() + 2 * hex, end, to, 16);
    if (!hex || wrong != std::errc() || at != end)
      fail(std::string("'") + key + "' is " + quote(text) +
           ", expected a hexadecimal address such as \"0x7f0000000000\"");
  }
  void lazy(const char *key, LazyPolicy &to) {
    const Json *value = take(key, Json::value_t::string, /*needed=*/false);
    if (!value)
      return;
    const auto &text = value->get_ref<const std::string &>();
    if (text == "cold")
      to = LazyPolicy::Cold;
    else if (text == "all")
      to = LazyPolicy::All;
    else if (text == "none")
      to = LazyPolicy::None;
    else
      fail(std::string("'") + key + "' is " + quote(text) +
           ", expected \"cold\", \"all\" or \"none\"");
  }
  void ranges(const char *key, std::vector<LazyRange> &to);

  void fail(std::string why) {
    if (problem.empty())
      problem = where + ": " + std::move(why);
  }
  /// Call last: a field that nobody took is one that is not understood.
  std::string finish() {
    if (taken != object.size())
      for (const auto &[key, value] : object.items())
        if (std::find(keys.begin(), keys.end(), key) == keys.end())
          fail("unknown field " + quote(key));
    return problem;
  }
  bool ok() const { return problem.empty(); }

private:
  const Json *take(const char *key, Json::value_t type, bool needed = true) {
    auto at = object.find(key);
    if (at == object.end()) {
      if (needed)
        fail(std::string("'") + key + "' is missing");
      return nullptr;
    }
    ++taken;
    keys.push_back(key);
    if (at->type() == type)
      return &*at;
    fail(std::string("'") + key + "' is " +
         (at->is_number() ? "a number out of range" : at->type_name()) +
         ", expected " +
         (type == Json::value_t::number_unsigned ? "a whole number from 0 on"
                                                 : Json(type).type_name()));
    return nullptr;
  }

  const Json &object;
  std::string where, problem;
  std::vector<std::string_view> keys;
  size_t taken = 0;
};

std::string hex(uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

void Fields::ranges(const char *key, std::vector<LazyRange> &to) {
  const Json *list = take(key, Json::value_t::array);
  if (!list)
    return;
  to.reserve(list->size());
  for (const Json &entry : *list) {
    if (!entry.is_object())
      return fail("a range is " + std::string(entry.type_name()) +
                  ", expected an object");
    LazyRange range;
    Fields fields(entry, where + ": range " + std::to_string(to.size()));
    fields.address("start", range.start.value);
    fields.number("bytes", range.bytes);
    fields.number("guest", range.guest.value);
    if (fields.ok() && (range.bytes == 0 || !pageAligned(range.bytes) ||
                        !pageAligned(range.start.value)))
      fields.fail(hex(range.start.value) + " with " +
                  std::to_string(range.bytes) +
                  " bytes, expected whole pages of 4096, at least one");
    if (fields.ok() && range.start.value + range.bytes < range.start.value)
      fields.fail(hex(range.start.value) + " with " +
                  std::to_string(range.bytes) + " bytes ends past 2^64");
    if (fields.ok() && range.guest.value >= 1ull << 52)
      fields.fail("guest page " + std::to_string(range.guest.value) +
                  ", expected less than 2^52");
    if (std::string why = fields.finish(); !why.empty()) {
      if (problem.empty())
        problem = std::move(why);
      return;
    }
    to.push_back(range);
  }
}

Json rangesJson(std::span<const LazyRange> ranges) {
  Json list = Json::array();
  for (const LazyRange &r : ranges)
    list.push_back({{"start", hex(r.start.value)},
                    {"bytes", r.bytes},
                    {"guest", r.guest.value}});
  return list;
}

std::string dump(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class... F> struct Overloaded : F... {
  using F::operator()...;
};

} // namespace

const char *nameOf(const Request &request) {
  static constexpr const char *names[] = {
      "open", "ranges", "attach", "release", "stats", "reload", "drain"};
  return names[request.index()];
}

std::pair<size_t, size_t> fdsOf(const Request &request) {
  if (std::holds_alternative<AttachRequest>(request))
    return {1, 2};
  return {0, 0};
}

Result<Request> parseRequest(std::string_view text) {
  auto json = parseObject(text);
  if (!json)
    return json.takeError();
  auto op = json->find("op");
  if (op == json->end() || !op->is_string())
    return refuse("request without \"op\"");
  std::string word = op->get<std::string>();
  json->erase(op);

  Request request;
  Fields fields(*json, word);
  if (word == "open") {
    OpenRequest r;
    fields.name("object", r.object);
    fields.number("mappings", r.mappings, /*needed=*/false);
    fields.lazy("lazy", r.lazy);
    if (r.mappings == 0)
      fields.fail("'mappings' is 0, expected at least 1");
    request = std::move(r);
  } else if (word == "ranges") {
    RangesRequest r;
    fields.ranges("ranges", r.ranges);
    request = std::move(r);
  } else if (word == "attach") {
    AttachRequest r;
    fields.name("object", r.object);
    fields.name("name", r.name);
    fields.ranges("ranges", r.ranges);
    request = std::move(r);
  } else if (word == "release") {
    request = ReleaseRequest{};
  } else if (word == "stats") {
    request = StatsRequest{};
  } else if (word == "reload") {
    request = ReloadRequest{};
  } else if (word == "drain") {
    DrainRequest r;
    fields.number("session", r.session);
    request = r;
  } else {
    return refuse("unknown operation " + quote(word));
  }
  if (std::string why = fields.finish(); !why.empty())
    return refuse(std::move(why));
  return request;
}

std::string encode(const Request &request) {
  Json json = {{"op", nameOf(request)}};
  std::visit(
      Overloaded{[&](const OpenRequest &r) {
                   static constexpr const char *words[] = {"cold", "all",
                                                           "none"};
                   json["object"] = r.object;
                   json["mappings"] = r.mappings;
                   json["lazy"] = words[static_cast<int>(r.lazy)];
                 },
                 [&](const RangesRequest &r) {
                   json["ranges"] = rangesJson(r.ranges);
                 },
                 [&](const AttachRequest &r) {
                   json["object"] = r.object;
                   json["name"] = r.name;
                   json["ranges"] = rangesJson(r.ranges);
                 },
                 [&](const DrainRequest &r) { json["session"] = r.session; },
                 [](const auto &) {}},
      request);
  return dump(json);
}

std::vector<std::string> encodePackets(const Request &request) {
  std::vector<std::string> packets;
  const auto *attach = std::get_if<AttachRequest>(&request);
  if (!attach || attach->ranges.size() <= rangesPerPacket) {
    packets.push_back(encode(request));
    return packets;
  }
  auto at = attach->ranges.begin(), end = attach->ranges.end();
  while (static_cast<size_t>(end - at) > rangesPerPacket) {
    packets.push_back(
        encode(Request(RangesRequest{{at, at + rangesPerPacket}})));
    at += rangesPerPacket;
  }
  packets.push_back(
      encode(Request(AttachRequest{attach->object, attach->name, {at, end}})));
  return packets;
}

Result<void> checkRanges(std::vector<LazyRange> &ranges, uint64_t guestPages) {
  if (ranges.empty())
    return refuse("attach: no ranges");
  std::sort(ranges.begin(), ranges.end(),
            [](auto &a, auto &b) { return a.guest < b.guest; });
  uint64_t next = 0;
  for (const LazyRange &r : ranges) {
    uint64_t pages = r.bytes / pageBytes;
    if (r.guest.value < next)
      return refuse("attach: ranges overlap at guest page " +
                    std::to_string(r.guest.value));
    if (r.guest.value > guestPages || pages > guestPages - r.guest.value)
      return refuse("attach: guest pages " + std::to_string(r.guest.value) +
                    " to " + std::to_string(r.guest.value + pages) +
                    ", the object ends at " + std::to_string(guestPages));
    next = r.guest.value + pages;
  }
  std::sort(ranges.begin(), ranges.end(),
            [](auto &a, auto &b) { return a.start < b.start; });
  HostAddr end;
  for (const LazyRange &r : ranges) {
    if (r.start < end)
      return refuse("attach: ranges overlap at " + hex(r.start.value));
    end = r.start + r.bytes;
  }
  return {};
}

std::string encode(const Answer &answer) {
  Json json = {{"ok", true}};
  if (answer.guestPages)
    json["guestPages"] = *answer.guestPages;
  if (answer.session)
    json["session"] = *answer.session;
  return dump(json);
}

std::string encode(const Error &error) {
  return dump({{"ok", false},
               {"errno", error.sysErrno},
               {"error", error.context.substr(0, 4096)}});
}

Result<Answer> parseAnswer(std::string_view text) {
  Error wrong{EPROTO, "the daemon's answer is none: " + quote(text)};
  auto json = parseObject(text);
  if (!json)
    return wrong;
  auto ok = json->find("ok");
  if (ok == json->end() || !ok->is_boolean())
    return wrong;
  if (!ok->get<bool>()) {
    auto code = json->find("errno"), why = json->find("error");
    if (code == json->end() || !code->is_number_integer() ||
        why == json->end() || !why->is_string())
      return wrong;
    auto value = code->get<int64_t>();
    return Error{value > 0 && value < 4096 ? static_cast<int>(value) : EPROTO,
                 why->get<std::string>()};
  }
  Answer answer;
  auto number = [&](const char *key, std::optional<uint64_t> &to) {
    auto at = json->find(key);
    if (at != json->end() && at->is_number_unsigned())
      to = at->get<uint64_t>();
  };
  number("guestPages", answer.guestPages);
  number("session", answer.session);
  return answer;
}

ssize_t receiveAll(int socket, std::span<char> to, int &flags,
                   std::vector<UniqueFd> &fds) {
  constexpr size_t most = 253; // SCM_MAX_FD: no message has more
  iovec part{to.data(), to.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(most * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  flags = got < 0 ? 0 : message.msg_flags;
  if (got < 0)
    return got;
  for (cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
      continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return got;
}

Result<std::optional<Packet>> receivePacket(int socket,
                                            std::vector<UniqueFd> *refused) {
  Packet packet;
  packet.text.resize(packetMaxBytes);
  int flags;
  ssize_t got = receiveAll(socket, packet.text, flags, packet.fds);
  if (got < 0)
    return systemError("receive");
  auto refuse = [&](std::string why) {
    if (refused)
      *refused = std::move(packet.fds);
    return Error{EMSGSIZE, std::move(why)};
  };
  if (flags & MSG_TRUNC)
    return refuse("request longer than " + std::to_string(packetMaxBytes) +
                  " bytes");
  if (flags & MSG_CTRUNC || packet.fds.size() > packetMaxFds)
    return refuse("request with more than " + std::to_string(packetMaxFds) +
                  " descriptors");
  if (got == 0 && packet.fds.empty()) // no packet of ours is empty
    return std::optional<Packet>();
  packet.text.resize(static_cast<size_t>(got));
  return std::optional<Packet>(std::move(packet));
}

Result<void> sendPacket(int socket, std::string_view text,
                        std::span<const int> fds) {
  if (text.size() > packetMaxBytes || fds.size() > packetMaxFds)
    return Error{EMSGSIZE, "packet of " + std::to_string(text.size()) +
                               " bytes and " + std::to_string(fds.size()) +
                               " descriptors, expected at most " +
                               std::to_string(packetMaxBytes) + " and " +
                               std::to_string(packetMaxFds)};
  iovec part{const_cast<char *>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(packetMaxFds * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
  }
  ssize_t sent;
  do
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return systemError("send");
  return {};
}

Result<UniqueFd> connectTo(const std::string &path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, path + ": socket path of " +
                                   std::to_string(path.size()) +
                                   " bytes, expected at most 107"};
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd)
    return systemError(path);
  int done;
  do
    done = connect(fd.get(), reinterpret_cast<sockaddr *>(&address),
                   sizeof address);
  while (done < 0 && errno == EINTR);
  if (done < 0)
    return systemError(path);
  return fd;
}

Result<Answer> call(int socket, std::string_view text,
                    std::span<const int> fdsToSend,
                    std::vector<UniqueFd> *fds) {
  if (auto sent = sendPacket(socket, text, fdsToSend); !sent)
    return sent.takeError();
  auto packet = receivePacket(socket);
  if (!packet)
    return packet.takeError();
  if (!*packet)
    return Error{ECONNRESET, "the daemon closed the connection"};
  if (fds)
    *fds = std::move((*packet)->fds);
  return parseAnswer((*packet)->text);
}

} // namespace spacer
