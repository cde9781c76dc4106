//===- Keeper.cpp - holds what must outlive the daemon --------------------===//
//
// On the wire, worker to keeper: a Header, the key, the text, and the
// descriptors; back: an errno as 32 bits. Orders go the other way on a socket
// of their own, one byte each, and "ready" comes back on it.
//
//===----------------------------------------------------------------------===//

#include "Keeper.h"
#include "Log.h"
#include "Protocol.h"
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>

// Linux 5.1; Debian 12's glibc has it in <linux/fcntl.h> only.
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace spacer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr uint32_t opHold = 1, opHoldSealing = 2, opDrop = 3;
struct Header {
  uint32_t op, keyBytes, textBytes, reserved;
};
static_assert(sizeof(Header) == 16);

/// A worker that lives shorter than this after it started has crashed at once;
/// after so many in a row the next one waits, each time twice as long.
constexpr milliseconds shortLife{250}, firstPause{100}, longestPause{10'000};
constexpr int shortLivesBeforePause = 5;
/// A worker that has lived for so long is not in the middle of anything.
constexpr milliseconds calm{5'000};

Result<Mapping> mapWhole(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0)
    return systemError("keeper: fstat");
  auto bytes = static_cast<size_t>(status.st_size);
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED)
    return systemError("keeper: mmap");
  return Mapping(at, bytes);
}

/// Maps \p record's memfd, then closes the door.
Result<void> mapAndSeal(KeptRecord &record) {
  if (record.fds.empty())
    return Error{EBADF, "keeper: nothing to map"};
  auto memory = mapWhole(record.fds[0].get());
  if (!memory)
    return memory.takeError();
  constexpr int seals =
      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  int fd = record.fds[0].get();
  if (fcntl(fd, F_ADD_SEALS, seals) < 0 &&
      (fcntl(fd, F_GET_SEALS) & seals) != seals)
    return systemError("keeper: seal");
  record.memory = std::move(*memory);
  return {};
}

class Keeper {
public:
  Keeper(KeptRecords records, uint64_t restarts)
      : records(std::move(records)), restarts(restarts) {}
  KeeperEnd run();

private:
  /// True in the worker.
  bool startWorker(KeeperEnd &end);
  void serveCall();
  int obey(Packet packet);
  void handleSignal();
  /// Returns false when the keeper's work is over.
  bool reap(KeeperEnd &end);
  void order(char what) {
    if (orders)
      send(orders.get(), &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  bool holdsSessions() const {
    auto at = records.lower_bound("session/");
    return at != records.end() && at->first.starts_with("session/");
  }

  KeptRecords records;
  uint64_t restarts;
  UniqueFd signals, calls, orders;
  pid_t worker = -1;
  /// Letting go of a dead process has been seen to take the kernel from 100 ms
  /// to seconds on a busy host, so that waits until all is calm.
  std::vector<pid_t> zombies;
  Clock::time_point started;
  int shortLives = 0;
  milliseconds pause{0};
  bool everReady = false, ready = false, stopping = false, childDied = false;
};

bool Keeper::startWorker(KeeperEnd &end) {
  int callPair[2], orderPair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, callPair) < 0)
    return false;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orderPair) < 0) {
    close(callPair[0]);
    close(callPair[1]);
    return false;
  }
  calls.reset(callPair[0]);
  orders.reset(orderPair[0]);
  UniqueFd workerCalls(callPair[1]), workerOrders(orderPair[1]);
  ready = false;
  started = Clock::now();
  worker = fork();
  if (worker < 0) {
    logError(systemError("keeper: fork").context);
    return false;
  }
  if (worker > 0) {
    if (stopping)
      order('s');
    return false;
  }
  prctl(PR_SET_NAME, "spacerd");
  signals.reset();
  calls.reset();
  orders.reset();
  end.worker = std::make_unique<WorkerStart>();
  end.worker->restarts = restarts;
  end.worker->link = std::make_unique<KeeperLink>(
      std::move(workerCalls), std::move(workerOrders), std::move(records));
  return true;
}

int Keeper::obey(Packet packet) {
  Header header;
  std::string_view rest = packet.text;
  if (rest.size() < sizeof header)
    return EPROTO;
  std::memcpy(&header, rest.data(), sizeof header);
  rest.remove_prefix(sizeof header);
  if (rest.size() != uint64_t(header.keyBytes) + header.textBytes)
    return EPROTO;
  std::string key(rest.substr(0, header.keyBytes));
  if (header.op == opDrop) {
    records.erase(key);
    return 0;
  }
  if (header.op != opHold && header.op != opHoldSealing)
    return EPROTO;
  KeptRecord record;
  record.text = rest.substr(header.keyBytes);
  record.fds = std::move(packet.fds);
  if (header.op == opHoldSealing)
    if (auto done = mapAndSeal(record); !done)
      return done.error().sysErrno;
  records[key] = std::move(record);
  return 0;
}

void Keeper::serveCall() {
  auto packet = receivePacket(calls.get());
  if (!packet && packet.error().sysErrno == EAGAIN)
    return;
  if (packet && !*packet) { // the worker's end closed: SIGCHLD follows
    calls.reset();
    return;
  }
  int32_t result = packet ? obey(std::move(**packet)) : packet.error().sysErrno;
  send(calls.get(), &result, sizeof result, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Keeper::handleSignal() {
  signalfd_siginfo info;
  if (read(signals.get(), &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGCHLD) {
    childDied = true;
  } else if (info.ssi_signo == SIGHUP) {
    order('r');
  } else {
    stopping = true;
    pause = milliseconds(0);
    notifyManager("STOPPING=1");
    order('s');
  }
}

bool Keeper::reap(KeeperEnd &end) {
  siginfo_t info{};
  if (worker < 0 ||
      waitid(P_PID, static_cast<id_t>(worker), &info,
             WEXITED | WNOHANG | WNOWAIT) < 0 ||
      info.si_pid != worker)
    return true;
  zombies.push_back(std::exchange(worker, -1));
  // What it said before it died counts: each of it is repeatable.
  while (calls) {
    pollfd left{calls.get(), POLLIN, 0};
    if (poll(&left, 1, 0) <= 0)
      break;
    serveCall();
  }
  bool exited = info.si_code == CLD_EXITED;
  if (exited && info.si_status == workerStopped && stopping)
    return false;
  if (exited && info.si_status == workerCannotStart && !everReady &&
      !holdsSessions()) {
    end.exitCode = workerCannotStart;
    return false;
  }
  ++restarts;
  shortLives = Clock::now() - started < shortLife ? shortLives + 1 : 0;
  pause = shortLives <= shortLivesBeforePause
              ? milliseconds(0)
              : std::min(
                    longestPause,
                    firstPause *
                        (1 << std::min(shortLives - shortLivesBeforePause, 8)));
  std::string line = "keeper: the worker ";
  line += exited ? "exited with status " : "was killed by signal ";
  line += std::to_string(info.si_status) + ", starting another";
  if (pause.count())
    line += " in " + std::to_string(pause.count()) + " ms";
  logError(line);
  return true;
}

KeeperEnd Keeper::run() {
  KeeperEnd end;
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGCHLD, SIGTERM, SIGINT, SIGHUP})
    sigaddset(&set, s);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) {
    logError(systemError("keeper: signalfd").context);
    end.exitCode = workerCannotStart;
    return end;
  }
  prctl(PR_SET_NAME, "spacerd-keeper");
  Clock::time_point next = Clock::now();
  for (;;) {
    if (worker < 0 && Clock::now() >= next) {
      if (startWorker(end))
        return end;
      if (worker < 0) // could not fork: again in a while
        next = Clock::now() + firstPause;
    }
    pollfd set[] = {{signals.get(), POLLIN, 0},
                    {calls.get(), POLLIN, 0},
                    {ready ? -1 : orders.get(), POLLIN, 0}};
    int wait = -1;
    if (worker < 0 || !zombies.empty()) {
      auto left = (worker < 0 ? next : started + calm) - Clock::now();
      auto count = std::chrono::ceil<milliseconds>(left).count();
      wait = static_cast<int>(std::max<int64_t>(count, 0));
    }
    if (poll(set, 3, wait) < 0 && errno != EINTR)
      std::this_thread::sleep_for(firstPause);
    if (set[1].revents)
      serveCall();
    if (set[2].revents) {
      char word;
      ready = true; // or its end: then there is nothing more to read
      if (recv(orders.get(), &word, 1, MSG_DONTWAIT) == 1) {
        if (!everReady)
          notifyManager("READY=1");
        everReady = true;
      }
    }
    if (set[0].revents)
      handleSignal();
    if (childDied) {
      childDied = false;
      bool had = worker >= 0;
      if (!reap(end))
        return end;
      if (had && worker < 0)
        next = Clock::now() + pause;
    }
    if (!zombies.empty() && worker > 0 && Clock::now() >= started + calm) {
      waitpid(zombies.back(), nullptr, 0);
      zombies.pop_back();
    }
    if (stopping && worker < 0)
      next = std::min(next, Clock::now() + pause);
  }
}

} // namespace

Result<KeptRecord> KeptRecord::duplicate() const {
  KeptRecord copy;
  copy.text = text;
  for (const UniqueFd &fd : fds) {
    UniqueFd other(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!other)
      return systemError("duplicate a descriptor");
    copy.fds.push_back(std::move(other));
  }
  if (memory) {
    // Of a shared mapping, mremap() from size 0 makes a second one with the
    // same rights: no seal stands in its way.
    void *at = mremap(memory.data(), 0, memory.size(), MREMAP_MAYMOVE);
    if (at == MAP_FAILED)
      return systemError("duplicate a mapping");
    copy.memory = Mapping(at, memory.size());
  }
  return copy;
}

KeeperLink::KeeperLink(UniqueFd calls, UniqueFd orders, KeptRecords records)
    : calls(std::move(calls)), orders(std::move(orders)),
      mirror(std::move(records)) {}

/// 0, or the keeper's errno; EPIPE if there is no keeper any more.
int KeeperLink::transact(const std::string &key, std::string_view text,
                         std::span<const int> fds, uint32_t what) {
  if (!calls)
    return EPIPE;
  Header header{what, static_cast<uint32_t>(key.size()),
                static_cast<uint32_t>(text.size()), 0};
  std::string packet(reinterpret_cast<const char *>(&header), sizeof header);
  packet.append(key).append(text);
  int32_t result = 0;
  if (auto sent = sendPacket(calls.get(), packet, fds); !sent) {
    // Only these say that it is gone. Any other (no memory, too many
    // descriptors on their way) concerns this packet alone: to take it for a
    // lost keeper would be to hold nothing from then on.
    int why = sent.error().sysErrno;
    if (why != EPIPE && why != ECONNRESET && why != ENOTCONN)
      return why;
    calls.reset();
    return EPIPE;
  }
  ssize_t got;
  do
    got = recv(calls.get(), &result, sizeof result, 0);
  while (got < 0 && errno == EINTR);
  if (got == sizeof result)
    return result;
  calls.reset();
  return EPIPE;
}

Result<void> KeeperLink::hold(const std::string &key, std::string_view text,
                              std::span<const int> fds, bool sealing) {
  if (!exists())
    return {};
  KeptRecord record;
  record.text = text;
  for (int fd : fds) {
    record.fds.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!record.fds.back())
      return systemError("hold " + key);
  }
  std::lock_guard guard(lock);
  if (sealing) { // before the keeper closes the door
    auto memory = mapWhole(record.fds[0].get());
    if (!memory)
      return memory.takeError();
    record.memory = std::move(*memory);
  }
  int failed = transact(key, text, fds, sealing ? opHoldSealing : opHold);
  if (failed == EPIPE && sealing)
    if (auto done = mapAndSeal(record); !done)
      return done.takeError();
  if (failed && failed != EPIPE)
    return systemError("keeper: hold " + key, failed);
  mirror[key] = std::move(record);
  return {};
}

void KeeperLink::drop(const std::string &key) {
  if (!exists())
    return;
  std::lock_guard guard(lock);
  transact(key, {}, {}, opDrop);
  mirror.erase(key);
}

void KeeperLink::ready() {
  if (exists())
    send(orders.get(), "+", 1, MSG_NOSIGNAL);
}

std::vector<std::string> KeeperLink::keys(std::string_view kind) const {
  std::string prefix = std::string(kind) + "/";
  std::lock_guard guard(lock);
  std::vector<std::string> found;
  for (auto at = mirror.lower_bound(prefix);
       at != mirror.end() && at->first.starts_with(prefix); ++at)
    found.push_back(at->first);
  return found;
}

Result<KeptRecord> KeeperLink::record(const std::string &key) const {
  std::lock_guard guard(lock);
  auto at = mirror.find(key);
  if (at == mirror.end())
    return Error{ENOENT, "no record " + key};
  return at->second.duplicate();
}

KeptRecords KeeperLink::takeRecords() {
  std::lock_guard guard(lock);
  calls.reset();
  orders.reset();
  return std::move(mirror);
}

KeeperEnd runKeeper(KeptRecords records, uint64_t restarts) {
  return Keeper(std::move(records), restarts).run();
}

void notifyManager(const std::string &state) {
  const char *path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  size_t length = path ? std::strlen(path) : 0;
  if (length < 2 || length >= sizeof address.sun_path ||
      (path[0] != '/' && path[0] != '@'))
    return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') // an abstract name
    address.sun_path[0] = 0;
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (fd && sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                   reinterpret_cast<sockaddr *>(&address), bytes) < 0)
    logWarning(systemError(std::string(path) + ": notify").context);
}

} // namespace spacer
