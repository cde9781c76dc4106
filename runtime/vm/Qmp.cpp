//===- Qmp.cpp - QEMU's machine protocol ----------------------------------===//

#include "Qmp.h"
#include "Files.h"
#include <poll.h>
#include <sys/socket.h>

namespace spacer {

using nlohmann::json;

Result<void> QmpParser::feed(std::string_view bytes) {
  constexpr size_t longest = 1 << 20;
  for (;;) {
    size_t end = bytes.find('\n');
    rest.append(bytes.substr(0, end));
    if (rest.size() > longest)
      return Error{EPROTO, "qmp: a line of more than a megabyte"};
    if (end == bytes.npos)
      return {};
    bytes.remove_prefix(end + 1);
    std::string line = std::exchange(rest, {});
    if (line.find_first_not_of(" \t\r") == line.npos)
      continue;
    json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object())
      return Error{EPROTO,
                   "qmp: expected an object, found " + line.substr(0, 60)};
    messages.push_back(std::move(message));
  }
}

std::optional<json> QmpParser::next() {
  if (messages.empty())
    return std::nullopt;
  json message = std::move(messages.front());
  messages.pop_front();
  return message;
}

Result<json> Qmp::read(Deadline end) {
  for (;;) {
    if (auto message = parser.next())
      return std::move(*message);
    auto ready = waitFor(socket.get(), POLLIN, end, name.c_str());
    if (!ready)
      return ready.takeError();
    char buffer[8192];
    ssize_t n = recv(socket.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n < 0)
      return systemError(name);
    if (n == 0)
      return Error{ECONNRESET, name + ": qemu closed the connection"};
    if (auto fed = parser.feed({buffer, size_t(n)}); !fed)
      return fed.takeError();
  }
}

Result<Qmp> Qmp::connect(const std::filesystem::path &path, Deadline end) {
  Qmp qmp;
  qmp.name = path.string();
  auto fd = connectStream(path);
  if (!fd)
    return fd.takeError();
  qmp.socket = std::move(*fd);
  auto greeting = qmp.read(end);
  if (!greeting)
    return greeting.takeError();
  if (!greeting->contains("QMP"))
    return Error{EPROTO, qmp.name + ": expected a greeting, found " +
                             greeting->dump().substr(0, 60)};
  if (auto ready = qmp.command("qmp_capabilities"); !ready)
    return ready.takeError();
  return qmp;
}

namespace {

bool sendLine(int socket, const std::string &line, int fd) {
  iovec part{const_cast<char *>(line.data()), line.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t n;
  while ((n = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
    ;
  return n == ssize_t(line.size()); // a few hundred bytes: never in part
}

std::string description(const json &error) {
  if (error.is_object() && error.contains("desc") && error["desc"].is_string())
    return error["desc"];
  return "failed: " + error.dump();
}

} // namespace

Result<json> Qmp::command(const std::string &what, const json &arguments,
                          int fd) {
  json message = {{"execute", what}};
  if (!arguments.is_null())
    message["arguments"] = arguments;
  if (!sendLine(socket.get(), message.dump() + "\n", fd))
    return systemError(name);
  Deadline end = deadlineIn(patience);
  for (;;) {
    auto answer = read(end);
    if (!answer)
      return answer;
    if (answer->contains("event"))
      events.push_back(std::move(*answer));
    else if (answer->contains("error"))
      return Error{EIO, what + ": " + description((*answer)["error"])};
    else
      return answer->value("return", json());
  }
}

Result<json> Qmp::event(std::string_view wanted) {
  Deadline end = deadlineIn(patience);
  for (;;) {
    json message;
    if (!events.empty()) {
      message = std::move(events.front());
      events.pop_front();
    } else {
      auto got = read(end);
      if (!got)
        return got;
      message = std::move(*got);
    }
    if (message.contains("event") && message["event"] == wanted)
      return message.value("data", json::object());
  }
}

} // namespace spacer
