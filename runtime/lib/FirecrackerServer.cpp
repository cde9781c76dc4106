//===- FirecrackerServer.cpp - the other end of the `Uffd` backend --------===//

#include "FirecrackerServer.h"
#include "Kernel.h"
#include "Log.h"
#include "Uffd.h"
#include <algorithm>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <thread>

namespace spacer {

using std::chrono::milliseconds;

Result<std::unique_ptr<FirecrackerServer>>
FirecrackerServer::start(Options options) {
  std::unique_ptr<FirecrackerServer> self(
      new FirecrackerServer(std::move(options)));
  self->endedEvent.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!self->endedEvent)
    return systemError("eventfd");
  PageServerOptions serving;
  serving.threads = self->options.threads;
  serving.ended = [s = self.get()](SessionId id, const std::string &why) {
    std::lock_guard guard(s->lock);
    s->ended.emplace_back(id, why);
    uint64_t one = 1;
    (void)!::write(s->endedEvent.get(), &one, sizeof one);
  };
  auto server = PageServer::start(std::move(serving));
  if (!server)
    return server.takeError();
  self->server = std::move(*server);
  if (auto done = self->listen(); !done)
    return done.takeError();
  return self;
}

FirecrackerServer::~FirecrackerServer() { stopListening(); }

// The socket

Result<void> FirecrackerServer::listen() {
  const std::string path = options.socket;
  sockaddr_un address{AF_UNIX, {}};
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, "socket '" + path + "': the name has " +
                                   std::to_string(path.size()) +
                                   " bytes, expected 1 to " +
                                   std::to_string(sizeof address.sun_path - 1)};
  std::memcpy(address.sun_path, path.data(), path.size());
  auto *to = reinterpret_cast<sockaddr *>(&address);

  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode))
      return Error{EEXIST, path + ": exists and is no socket"};
    UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), to, sizeof address) == 0 ||
        errno != ECONNREFUSED)
      return Error{EADDRINUSE, path + ": another process listens there"};
    ::unlink(path.c_str());
  }
  UniqueFd socket(
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket)
    return systemError("socket");
  // The file has its mode from the first moment. Nobody gets in before
  // listen().
  mode_t before = ::umask(0777 & ~options.mode);
  int bound = ::bind(socket.get(), to, sizeof address);
  ::umask(before);
  if (bound || ::lstat(path.c_str(), &status) || ::listen(socket.get(), SOMAXCONN))
    return systemError(path);
  socketDevice = status.st_dev;
  socketInode = status.st_ino;
  listener = std::move(socket);
  return {};
}

void FirecrackerServer::stopListening() {
  if (!listener)
    return;
  struct stat status;
  if (::lstat(options.socket.c_str(), &status) == 0 &&
      status.st_dev == socketDevice && status.st_ino == socketInode)
    ::unlink(options.socket.c_str());
  listener.reset();
  waiting.clear();
}

// Connections

void FirecrackerServer::turn(std::vector<pollfd> &more, milliseconds wait) {
  auto now = Clock::now();
  std::vector<pollfd> polled = more;
  polled.push_back({endedEvent.get(), POLLIN, 0});
  size_t listenerAt = polled.size();
  // poll(2) skips -1.
  polled.push_back({now < acceptAfter ? -1 : listener.get(), POLLIN, 0});
  size_t firstPeer = polled.size();
  for (const Pending &peer : waiting) {
    polled.push_back({peer.socket.get(), POLLIN, 0});
    wait = std::min(wait, std::chrono::ceil<milliseconds>(std::max(
                              peer.deadline - now, Clock::duration())));
  }
  if (now < acceptAfter)
    wait = std::min(wait, milliseconds(100));
  if (::poll(polled.data(), polled.size(), int(wait.count())) < 0)
    for (pollfd &p : polled)
      p.revents = 0; // a signal; deadlines are looked at all the same
  for (size_t i = 0; i < more.size(); ++i)
    more[i].revents = polled[i].revents;

  takeEnded();
  now = Clock::now();
  size_t at = firstPeer;
  for (auto peer = waiting.begin(); peer != waiting.end();) {
    bool done = false;
    if (polled[at++].revents)
      done = advance(*peer);
    else if (now >= peer->deadline) {
      logWarning("process " + std::to_string(peer->pid) + ": " +
                 std::to_string(peer->receiver.size()) + " bytes in " +
                 std::to_string(options.patience.count()) +
                 " ms and no whole message: refused");
      done = true;
    }
    peer = done ? waiting.erase(peer) : std::next(peer);
  }
  if (listener && polled[listenerAt].revents)
    accept();
  if (options.once && count)
    stopListening();
}

void FirecrackerServer::accept() {
  for (;;) {
    UniqueFd socket(::accept4(listener.get(), nullptr, nullptr,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED)
        continue;
      if (errno != EAGAIN) {
        logWarning(options.socket.string() +
                   ": cannot accept: " + std::strerror(errno));
        acceptAfter = Clock::now() + milliseconds(100);
      }
      return;
    }
    Pending peer;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    peer.pid = credentials.pid;
    int pidfd = -1;
    size = sizeof pidfd;
    // The second way may, in theory, name a later process of the same number.
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size))
      pidfd = errno == ENOPROTOOPT ? int(::syscall(SYS_pidfd_open, peer.pid, 0))
                                   : -1;
    peer.pidfd.reset(pidfd);
    if (!peer.pidfd) {
      logWarning("process " + std::to_string(peer.pid) +
                 ": gone before its message: refused");
      continue;
    }
    peer.socket = std::move(socket);
    peer.deadline = Clock::now() + options.patience;
    if (waiting.size() >= options.pending) {
      logWarning("process " + std::to_string(waiting.front().pid) +
                 ": no whole message while " + std::to_string(options.pending) +
                 " others wait: refused");
      waiting.pop_front();
    }
    waiting.push_back(std::move(peer));
    if (advance(waiting.back()))
      waiting.pop_back();
    if (options.once && count)
      return;
  }
}

bool FirecrackerServer::advance(Pending &peer) {
  auto progress = peer.receiver.receive(peer.socket.get());
  if (progress && *progress == FirecrackerReceiver::Progress::More)
    return false;
  Result<void> added =
      progress ? addSession(peer) : Result<void>(progress.takeError());
  if (!added)
    logWarning("process " + std::to_string(peer.pid) + ": " +
               added.error().context + ": refused");
  return true;
}

Result<void> FirecrackerServer::addSession(Pending &peer) {
  auto handshake = peer.receiver.finish(options.map->guestPages() * pageBytes);
  if (!handshake)
    return handshake.takeError();
  if (options.once && count)
    return Error{EBUSY, "another process is served, and only one is to be"};
  SessionSpec spec;
  spec.name = "process " + std::to_string(peer.pid);
  spec.object = options.object;
  spec.uffd = std::move(handshake->uffd);
  spec.pidfd = std::move(peer.pidfd);
  spec.pool = options.pool;
  spec.map = options.map;
  spec.regions = handshake->regions;
  spec.record = false;
  auto id = server->add(std::move(spec));
  if (!id)
    return id.takeError();
  const Region &first = handshake->regions.front();
  logInfo("process " + std::to_string(peer.pid) + ": serves " +
          std::to_string(options.map->guestPages() * pageBytes >> 20) +
          " MiB in " + std::to_string(handshake->regions.size()) +
          " regions, pages of " + std::to_string(first.pageSize) +
          (handshake->removeEvents ? "" : ", without remove events"));
  living.push_back({*id, peer.pid, std::move(handshake->regions), false});
  ++count;
  return {};
}

// Ends

void FirecrackerServer::takeEnded() {
  uint64_t events;
  (void)!::read(endedEvent.get(), &events, sizeof events);
  std::vector<std::pair<SessionId, std::string>> list;
  {
    std::lock_guard guard(lock);
    list.swap(ended);
  }
  for (auto &[id, why] : list) {
    auto session = std::ranges::find(living, id, &Living::id);
    if (session == living.end())
      continue;
    if (!why.empty()) {
      session->broken = true; // the server has logged it
      continue;
    }
    server->remove(id);
    logInfo("process " + std::to_string(session->pid) + ": ended");
    living.erase(session);
  }
}

Result<void> FirecrackerServer::drainOne(const Living &session) {
  if (session.broken)
    return Error{EIO, "process " + std::to_string(session.pid) +
                          ": its session is broken"};
  Result<void> done;
  for (int tries = 0; tries < 10; ++tries) {
    done = server->drain(session.id);
    if (done || done.error().sysErrno != EBUSY)
      break;
  }
  if (!done)
    return done;
  // The peer has a copy of the descriptor: while ranges are registered its next
  // discard would wait for a handler for ever. Without, a page that was given
  // back reads as zero, which is right for anonymous memory.
  int uffd = server->uffdFd(session.id);
  for (const Region &region : session.regions) {
    uffdio_range range{region.start.value, region.bytes};
    if (uffd < 0 || ::ioctl(uffd, UFFDIO_UNREGISTER, &range)) {
      if (errno == ESRCH)
        break; // the memory is gone
      return systemError("process " + std::to_string(session.pid) +
                         ": cannot let go of its memory");
    }
  }
  // Events that came in before that are still read by the server's threads.
  for (int i = 0; i < 1000; ++i) {
    pollfd queue{uffd, POLLIN, 0};
    if (::poll(&queue, 1, 0) <= 0)
      break;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return done;
}

Result<void> FirecrackerServer::drain() {
  takeEnded();
  Result<void> first;
  for (auto session = living.begin(); session != living.end();) {
    auto done = drainOne(*session);
    // ESRCH, ENOENT: it ended meanwhile.
    if (!done && done.error().sysErrno != ESRCH &&
        done.error().sysErrno != ENOENT) {
      if (first)
        first = done;
      ++session;
      continue;
    }
    server->remove(session->id);
    session = living.erase(session);
  }
  return first;
}

} // namespace spacer
