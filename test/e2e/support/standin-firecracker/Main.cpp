//===- Main.cpp - a stand-in for Firecracker, for tests -------------------===//
//
//   standin-firecracker --api-sock=PATH [--id=NAME] [--protocol=1.MINOR]
//                       [--regions=N] [--pieces=BYTES] [--log-path=FILE]
//
// --protocol says as which release it behaves (Machine.h says in what). The API
// has one thread; the guest's console is standard input and output.
//
//===----------------------------------------------------------------------===//

#include "Guest.h"
#include <csignal>
#include <cstring>
#include <iostream>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace standin;

static void answer(int connection, int status, const Json &body) {
  const char *reason = status == 200   ? "OK"
                       : status == 204 ? "No Content"
                                       : "Bad Request";
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason +
                     " \r\nServer: Firecracker API\r\n"
                     "Connection: keep-alive\r\n";
  std::string content = status == 204 ? "" : body.dump();
  if (status != 204)
    text += "Content-Type: application/json\r\nContent-Length: " +
            std::to_string(content.size()) + "\r\n";
  text += "\r\n" + content;
  (void)!send(connection, text.data(), text.size(), MSG_NOSIGNAL);
}

/// Serves requests until the client leaves.
static void serve(Machine &machine, int connection) {
  std::string input;
  auto fill = [&](size_t wanted) {
    char bytes[4096];
    while (input.size() < wanted) {
      ssize_t n = read(connection, bytes, sizeof bytes);
      if (n <= 0)
        return false;
      input.append(bytes, size_t(n));
    }
    return true;
  };
  for (;;) {
    size_t end;
    while ((end = input.find("\r\n\r\n")) == std::string::npos)
      if (!fill(input.size() + 1))
        return;
    std::string head = input.substr(0, end);
    size_t length = 0;
    for (const char *name : {"Content-Length: ", "content-length: "})
      if (size_t at = head.find(name); at != std::string::npos)
        length = size_t(std::atoll(head.c_str() + at + std::strlen(name)));
    if (length > 51200 || !fill(end + 4 + length))
      return;
    std::string content = input.substr(end + 4, length);
    input.erase(0, end + 4 + length);
    size_t space = head.find(' '), second = head.find(' ', space + 1);
    if (space == std::string::npos || second == std::string::npos)
      return;
    try {
      Json body = length ? Json::parse(content, nullptr, false) : Json();
      if (body.is_discarded())
        throw Fault("An error occurred when deserializing the json body of a "
                    "request: expected value at line 1 column 1.");
      Json result =
          machine.handle(head.substr(0, space),
                         head.substr(space + 1, second - space - 1), body);
      answer(connection, result.is_null() ? 204 : 200, result);
    } catch (const Fault &e) {
      answer(connection, 400, {{"fault_message", e.what()}});
    } catch (const Json::exception &e) {
      answer(connection, 400,
             {{"fault_message", std::string("An error occurred when "
                                            "deserializing the json body of a "
                                            "request: ") +
                                    e.what()}});
    }
  }
}

int main(int argc, char **argv) {
  Machine machine;
  std::string path = "/run/firecracker.socket";
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i], value;
    if (size_t at = name.find('='); at != std::string::npos) {
      value = name.substr(at + 1);
      name.resize(at);
    } else if (i + 1 < argc && name != "--version") {
      value = argv[++i];
    }
    if (name == "--api-sock") {
      path = value;
    } else if (name == "--id") {
      machine.id = value;
    } else if (name == "--protocol") {
      std::sscanf(value.c_str(), "%d.%d", &machine.release.major,
                  &machine.release.minor);
    } else if (name == "--regions") {
      machine.regionCount = unsigned(std::stoul(value));
    } else if (name == "--pieces") {
      machine.pieceBytes = unsigned(std::stoul(value));
    } else if (name == "--log-path" || name == "--level") {
      // It logs nothing.
    } else if (name == "--version") {
      std::cout << "Firecracker v1.16.0-standin\n";
      return 0;
    } else {
      std::cerr << "standin-firecracker: unknown argument " << name << '\n';
      return 152; // as the real one: ArgParsing
    }
  }

  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{AF_UNIX, {}};
  if (path.size() >= sizeof address.sun_path) {
    std::cerr << "standin-firecracker: " << path << ": too long\n";
    return 1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  if (bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof address) ||
      listen(listener, 8)) {
    std::cerr << "Failed to open the API socket at: " << path
              << ". Check that it is not already used.\n";
    return 1;
  }
  std::thread([&] {
    for (;;)
      if (int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
          connection >= 0) {
        serve(machine, connection);
        close(connection);
      }
  }).detach();
  runGuest(machine);
  for (;;)
    pause(); // the console ended, the machine runs on
}
