//===- Daemon.cpp - the worker: clients, domains, sessions ----------------===//

#include "Daemon.h"
#include "Closer.h"
#include "Connection.h"
#include "Jobs.h"
#include "Log.h"
#include "Statistics.h"
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unordered_map>

namespace spacer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds silenceLimit{10}, adoptAgain{5}, orderInterval{2},
    saveInterval{30};
constexpr size_t connectionsPerProcess = 64, connectionsPerUser = 1024;
constexpr unsigned jobThreads = 3;
constexpr size_t httpMostBytes = 8 << 10;
/// Lines about clients that one second may bring to the log.
constexpr int complaintsPerSecond = 20;

struct Listener {
  UniqueFd socket;
  Connection::Kind kind;
  std::shared_ptr<Domain> domain;
};

class Daemon {
public:
  Daemon(const DaemonOptions &options, WorkerStart &start)
      : options(options), link(*start.link), restarts(start.restarts) {}
  ~Daemon();
  Result<void> start();
  ServeEnd loop();

private:
  enum Token : uint64_t { orderToken, wakeToken, tickToken, firstToken = 16 };

  // Domains.
  void scan(bool complain);
  Result<void> openDomain(const std::string &name);
  Result<void> listen(const std::string &file, Connection::Kind kind,
                      std::shared_ptr<Domain> domain);
  std::shared_ptr<Domain> domain(const std::string &name);
  std::vector<std::shared_ptr<Domain>> allDomains();

  // Clients.
  void acceptFrom(const Listener &listener);
  void admit(const Listener &listener, UniqueFd socket);
  void readFrom(uint64_t token);
  void serveMetrics(uint64_t token, Connection &c);
  void writeMetrics(uint64_t token, Connection &c);
  void answer(uint64_t token, Reply reply);
  void close(uint64_t token);
  void setApart(std::vector<UniqueFd> &fds);
  void closeSilent();
  void complain(const Connection &c, const std::string &why);

  // Events.
  void watch(int fd, uint64_t token, uint32_t events, int how = EPOLL_CTL_ADD);
  void wake();
  void handleWake();
  void handleOrder();
  void tick();
  void stop();

  Administration makeAdministration();
  DaemonStatistics statistics();

  const DaemonOptions &options;
  KeeperLink &link;
  const uint64_t restarts;
  const Clock::time_point started = Clock::now();
  UniqueFd poll, wakeup, timer, signals, spare;
  std::unordered_map<uint64_t, Listener> listeners;
  std::unordered_map<uint64_t, std::shared_ptr<Connection>> connections;
  std::unordered_map<pid_t, size_t> perProcess;
  std::unordered_map<uid_t, size_t> perUser;
  uint64_t nextToken = firstToken;
  std::filesystem::file_time_type scanned{};
  bool scanAgain = false;
  int complaints = 0;
  Clock::time_point nextAdopt{}, nextOrders{}, nextSave{}, nextDrain{};
  size_t notAdopted = 0;
  bool stopping = false, draining = false, drained = false, lost = false;
  std::atomic<uint64_t> accepted = 0, refused = 0, silent = 0, badRequests = 0,
                        openConnections = 0;

  std::mutex domainLock;
  std::map<std::string, std::shared_ptr<Domain>> domains;
  std::mutex finishedLock;
  std::vector<std::pair<uint64_t, Reply>> finished;
  std::atomic<bool> endings = false, reloadWanted = false;
  std::atomic<int> drainResult = -1; ///< sessions that are still lazy
  Administration administration;
  std::unique_ptr<Sessions> sessions;
  Closer closer;
  std::unique_ptr<Jobs> jobs; ///< last: goes first
};

/// Jobs and fault threads end before anything that they use.
Daemon::~Daemon() {
  jobs.reset();
  sessions.reset();
}

void Daemon::watch(int fd, uint64_t token, uint32_t events, int how) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (epoll_ctl(poll.get(), how, fd, &event) < 0)
    logError(systemError("epoll_ctl").context);
}

void Daemon::wake() {
  uint64_t one = 1;
  (void)!write(wakeup.get(), &one, sizeof one);
}

Result<void> Daemon::start() {
  poll.reset(epoll_create1(EPOLL_CLOEXEC));
  wakeup.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  timer.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  spare.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!poll || !wakeup || !timer)
    return systemError("start");
  itimerspec every{{1, 0}, {1, 0}};
  timerfd_settime(timer.get(), 0, &every, nullptr);
  watch(wakeup.get(), wakeToken, EPOLLIN);
  watch(timer.get(), tickToken, EPOLLIN);
  if (link.exists()) {
    watch(link.ordersFd(), orderToken, EPOLLIN);
  } else {
    sigset_t set;
    sigemptyset(&set);
    for (int s : {SIGTERM, SIGINT, SIGHUP})
      sigaddset(&set, s);
    signals.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    watch(signals.get(), orderToken, EPOLLIN);
  }

  auto made = Sessions::start(options.threads, link, [this] {
    endings = true;
    wake();
  });
  if (!made)
    return made.takeError();
  sessions = std::move(*made);
  administration = makeAdministration();
  jobs = std::make_unique<Jobs>(jobThreads);
  for (const std::string &key : link.keys("pool"))
    if (auto done = openDomain(key.substr(5)); !done)
      logError(done.error().context);
  notAdopted = sessions->adopt([this](auto &name) { return domain(name); });
  nextAdopt = Clock::now() + adoptAgain;
  if (auto done = listen("control.sock", Connection::Kind::Control, {}); !done)
    return done.takeError();
  if (auto done = listen("metrics.sock", Connection::Kind::Metrics, {}); !done)
    return done.takeError();
  scan(/*complain=*/true);
  return {};
}

// Domains

std::shared_ptr<Domain> Daemon::domain(const std::string &name) {
  std::lock_guard guard(domainLock);
  auto at = domains.find(name);
  return at == domains.end() ? nullptr : at->second;
}

std::vector<std::shared_ptr<Domain>> Daemon::allDomains() {
  std::lock_guard guard(domainLock);
  std::vector<std::shared_ptr<Domain>> list;
  for (const auto &[name, domain] : domains)
    list.push_back(domain);
  return list;
}

Result<void> Daemon::listen(const std::string &file, Connection::Kind kind,
                            std::shared_ptr<Domain> domain) {
  std::string key = "listen/" + file;
  Listener listener{{}, kind, std::move(domain)};
  if (auto kept = link.record(key); kept && kept->fds.size() == 1) {
    listener.socket = std::move(kept->fds[0]);
  } else {
    bool control = kind == Connection::Kind::Control;
    auto made = listenAt(
        options.run + "/" + file,
        kind == Connection::Kind::Metrics ? SOCK_STREAM : SOCK_SEQPACKET,
        control ? 0600 : options.socketMode,
        control ? static_cast<gid_t>(-1) : options.socketGroup);
    if (!made)
      return made.takeError();
    listener.socket = std::move(*made);
    int fd = listener.socket.get();
    if (auto held = link.hold(key, {}, {&fd, 1}); !held)
      return held.takeError();
  }
  uint64_t token = nextToken++;
  watch(listener.socket.get(), token, EPOLLIN);
  listeners.emplace(token, std::move(listener));
  return {};
}

Result<void> Daemon::openDomain(const std::string &name) {
  auto opened =
      Domain::open(options.directory, name, options.capacityPages, link);
  if (!opened)
    return opened.takeError();
  if (auto done = listen(name + ".sock", Connection::Kind::Domain, *opened);
      !done)
    return done.takeError();
  std::lock_guard guard(domainLock);
  domains[name] = std::move(*opened);
  return {};
}

/// Opens the domains that are new in the directory.
void Daemon::scan(bool complain) {
  namespace fs = std::filesystem;
  std::error_code failed;
  scanned = fs::last_write_time(options.directory, failed);
  scanAgain = false;
  fs::directory_iterator entries(options.directory, failed), end;
  if (failed && complain)
    logWarning(options.directory + ": " + failed.message());
  for (; !failed && entries != end; entries.increment(failed)) {
    std::string name = entries->path().filename();
    std::error_code ignored;
    if (!validName(name) || domain(name) || !entries->is_directory(ignored))
      continue;
    if (name == "control" || name == "metrics") {
      if (complain)
        logWarning(entries->path().string() +
                   ": a domain cannot have this name");
      continue;
    }
    if (!fs::exists(entries->path() / "catalog.db", ignored)) {
      scanAgain = true;
      continue;
    }
    auto done = openDomain(name);
    scanAgain |= !done;
    if (done)
      logInfo("domain " + name + " is served");
    else if (complain)
      logError(done.error().context);
  }
}

// Clients

void Daemon::complain(const Connection &c, const std::string &why) {
  if (++complaints > complaintsPerSecond)
    return;
  logWarning("client " + std::to_string(c.peer.pid) + " (user " +
             std::to_string(c.peer.uid) + "): " + why);
}

void Daemon::acceptFrom(const Listener &listener) {
  for (int i = 0; i < 32; ++i) {
    UniqueFd socket(accept4(listener.socket.get(), nullptr, nullptr,
                            SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      admit(listener, std::move(socket));
      continue;
    }
    if (errno == EMFILE && spare) { // end one instead of spinning on it
      spare.reset();
      closer.close(UniqueFd(
          accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      spare.reset(open("/dev/null", O_RDONLY | O_CLOEXEC)); // else tick() does
      ++refused;
      if (++complaints <= complaintsPerSecond)
        logError("out of descriptors, a connection is refused");
    }
    return;
  }
}

void Daemon::admit(const Listener &listener, UniqueFd socket) {
  ++accepted;
  auto peer = peerOf(socket.get());
  if (!peer)
    return closer.close(std::move(socket));
  auto c = std::make_shared<Connection>(listener.kind, std::move(socket), *peer,
                                        listener.domain);
  auto has = [](auto &counts, auto key) {
    auto at = counts.find(key);
    return at == counts.end() ? 0 : at->second;
  };
  if (has(perProcess, peer->pid) >= connectionsPerProcess ||
      has(perUser, peer->uid) >= connectionsPerUser) {
    ++refused;
    complain(*c, "too many connections");
    (void)sendPacket(c->socket.get(),
                     encode(Error{EBUSY, "too many connections"}));
    return closer.close(std::move(c->socket));
  }
  ++perProcess[peer->pid];
  ++perUser[peer->uid];
  ++openConnections;
  uint64_t token = nextToken++;
  watch(c->socket.get(), token, EPOLLIN | EPOLLRDHUP);
  connections.emplace(token, std::move(c));
}

void Daemon::close(uint64_t token) {
  auto at = connections.find(token);
  if (at == connections.end())
    return;
  std::shared_ptr<Connection> c = at->second;
  epoll_ctl(poll.get(), EPOLL_CTL_DEL, c->socket.get(), nullptr);
  if (c->busy) { // answer() comes back here
    c->gone = true;
    return;
  }
  if (c->holdsLease())
    jobs->add([this, c] {
      c->releaseAll();
      closer.close(std::move(c->socket));
      return false;
    });
  else
    closer.close(std::move(c->socket));
  if (--perProcess[c->peer.pid] == 0)
    perProcess.erase(c->peer.pid);
  if (--perUser[c->peer.uid] == 0)
    perUser.erase(c->peer.uid);
  --openConnections;
  connections.erase(at);
}

void Daemon::answer(uint64_t token, Reply reply) {
  auto at = connections.find(token);
  if (at == connections.end())
    return;
  Connection &c = *at->second;
  bool wasBusy = std::exchange(c.busy, false);
  c.active = Clock::now();
  if (c.gone)
    return close(token);
  std::vector<int> fds;
  for (const UniqueFd &fd : reply.fds)
    fds.push_back(fd.get());
  auto sent = sendPacket(c.socket.get(), reply.text, fds);
  if (!sent && sent.error().sysErrno != EPIPE &&
      sent.error().sysErrno != ECONNRESET)
    complain(c, "does not take its answers: " + sent.error().context);
  if (!sent || reply.close)
    return close(token);
  if (wasBusy)
    watch(c.socket.get(), token, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD);
}

/// A descriptor that is neither userfaultfd nor pidfd is of no use here, and
/// closing it may take a while: another takes its place, for the refusal.
void Daemon::setApart(std::vector<UniqueFd> &fds) {
  for (UniqueFd &fd : fds) {
    if (Uffd::isUffd(fd.get()))
      continue;
    auto process = processOf(fd.get());
    if (process || process.error().sysErrno == ESRCH)
      continue;
    UniqueFd other(fcntl(wakeup.get(), F_DUPFD_CLOEXEC, 3));
    std::swap(fd, other);
    closer.close(std::move(other));
  }
}

void Daemon::readFrom(uint64_t token) {
  auto at = connections.find(token);
  if (at == connections.end())
    return;
  std::shared_ptr<Connection> c = at->second;
  if (c->busy) // only a hang-up is reported meanwhile
    return close(token);
  if (c->kind == Connection::Kind::Metrics)
    return serveMetrics(token, *c);
  std::vector<UniqueFd> refusedFds;
  auto packet = receivePacket(c->socket.get(), &refusedFds);
  closer.close(std::move(refusedFds));
  if (packet && *packet)
    setApart((*packet)->fds);
  if (!packet && packet.error().sysErrno == EAGAIN)
    return;
  if (!packet && packet.error().sysErrno == EMSGSIZE) {
    ++badRequests;
    complain(*c, packet.error().context);
    return answer(token, Reply::error(packet.error(), true));
  }
  if (!packet || !*packet)
    return close(token);
  c->active = Clock::now();
  Connection::Job job;
  auto reply =
      c->handle(std::move(**packet), stopping, *sessions, administration, job);
  if (reply) {
    if (reply->close) {
      ++badRequests;
      complain(*c, reply->text);
    }
    return answer(token, std::move(*reply));
  }
  c->busy = true;
  watch(c->socket.get(), token, EPOLLRDHUP, EPOLL_CTL_MOD);
  jobs->add([this, c, token, job = std::move(job)] {
    Reply made;
    if (job(made))
      return true;
    {
      std::lock_guard guard(finishedLock);
      finished.push_back({token, std::move(made)});
    }
    wake();
    return false;
  });
}

void Daemon::serveMetrics(uint64_t token, Connection &c) {
  if (c.written) // the answer is on its way
    return writeMetrics(token, c);
  char buffer[2048];
  int flags;
  std::vector<UniqueFd> fds;
  ssize_t got = receiveAll(c.socket.get(), buffer, flags, fds);
  if (got < 0 && errno == EAGAIN)
    return;
  closer.close(std::move(fds));
  if (got <= 0)
    return close(token);
  c.collected.append(buffer, static_cast<size_t>(got));
  if (c.collected.size() > httpMostBytes) {
    ++badRequests;
    complain(c, "metrics request longer than 8192 bytes");
    return close(token);
  }
  if (c.collected.find("\r\n\r\n") == std::string::npos &&
      c.collected.find("\n\n") == std::string::npos)
    return;
  bool get = c.collected.starts_with("GET ");
  bool found = c.collected.starts_with("GET /metrics ") ||
               c.collected.starts_with("GET /metrics?");
  std::string body =
      found ? asMetrics(statistics()) : "only GET /metrics is here\n";
  c.collected = std::string("HTTP/1.1 ") +
                (found ? "200 OK"
                 : get ? "404 Not Found"
                       : "405 Method Not Allowed") +
                "\r\nContent-Type: text/plain; version=0.0.4\r\n"
                "Content-Length: " +
                std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
                body;
  c.written = 1;
  writeMetrics(token, c);
}

/// `written` counts from 1, so that 0 says: no answer yet.
void Daemon::writeMetrics(uint64_t token, Connection &c) {
  while (c.written - 1 < c.collected.size()) {
    ssize_t put = send(c.socket.get(), c.collected.data() + c.written - 1,
                       c.collected.size() - c.written + 1, MSG_NOSIGNAL);
    if (put < 0 && errno == EAGAIN)
      return watch(c.socket.get(), token, EPOLLOUT | EPOLLRDHUP, EPOLL_CTL_MOD);
    if (put < 0)
      break;
    c.written += static_cast<size_t>(put);
  }
  close(token);
}

void Daemon::closeSilent() {
  auto limit = Clock::now() - silenceLimit;
  std::vector<uint64_t> ends;
  for (const auto &[token, c] : connections)
    if (!c->busy && !c->holdsLease() && c->active < limit)
      ends.push_back(token);
  for (uint64_t token : ends) {
    ++silent;
    complain(*connections[token], "said nothing for 10 seconds");
    close(token);
  }
}

// Events

void Daemon::handleWake() {
  uint64_t count;
  (void)!read(wakeup.get(), &count, sizeof count);
  if (reloadWanted.exchange(false)) // before its answer goes out
    scan(/*complain=*/true);
  std::vector<std::pair<uint64_t, Reply>> now;
  {
    std::lock_guard guard(finishedLock);
    now.swap(finished);
  }
  for (auto &[token, reply] : now) {
    auto at = connections.find(token);
    if (reply.close && at != connections.end() && !at->second->gone) {
      ++badRequests;
      complain(*at->second, reply.text);
    }
    answer(token, std::move(reply));
  }
  if (endings.exchange(false))
    jobs->add([this] {
      sessions->reap();
      return false;
    });
  int lazy = drainResult.exchange(-1);
  if (lazy == 0)
    drained = true;
  if (lazy >= 0)
    draining = false;
}

void Daemon::handleOrder() {
  char word = 0;
  if (link.exists()) {
    ssize_t got = recv(link.ordersFd(), &word, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (got <= 0) {
      epoll_ctl(poll.get(), EPOLL_CTL_DEL, link.ordersFd(), nullptr);
      logError("the keeper process is gone");
      lost = true;
      return;
    }
  } else {
    signalfd_siginfo info;
    if (read(signals.get(), &info, sizeof info) != sizeof info)
      return;
    word = info.ssi_signo == SIGHUP ? 'r' : 's';
  }
  if (word == 'r')
    reloadWanted = true, wake();
  else
    stop();
}

/// Brings everything lazy. What cannot be brought is named in the log, and the
/// daemon stays; it tries again now and then, and at each further order.
void Daemon::stop() {
  if (!std::exchange(stopping, true))
    logInfo("stopping: bringing what is still lazy");
  if (std::exchange(draining, true))
    return logInfo("stopping: still bringing what is lazy");
  nextDrain = Clock::now() + adoptAgain;
  jobs->add([this] {
    std::vector<std::string> lazy = sessions->drainAll();
    for (const std::string &line : lazy)
      logError("not stopping: " + line);
    sessions->collectOrders();
    for (const auto &d : allDomains())
      d->saveWorkingSets();
    drainResult = static_cast<int>(lazy.size());
    wake();
    return false;
  });
}

void Daemon::tick() {
  uint64_t count;
  (void)!read(timer.get(), &count, sizeof count);
  if (complaints > complaintsPerSecond)
    logWarning(std::to_string(complaints - complaintsPerSecond) +
               " more lines about clients were left out");
  complaints = 0;
  if (!spare)
    spare.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  closeSilent();
  Clock::time_point now = Clock::now();
  std::error_code failed;
  if (scanAgain ||
      std::filesystem::last_write_time(options.directory, failed) != scanned)
    scan(/*complain=*/false);
  if (notAdopted && now >= nextAdopt) {
    for (const std::string &key : link.keys("pool"))
      if (!domain(key.substr(5)))
        if (auto done = openDomain(key.substr(5)); !done)
          logError(done.error().context);
    notAdopted = sessions->adopt([this](auto &name) { return domain(name); });
    nextAdopt = now + adoptAgain;
  }
  if (now >= nextOrders) {
    nextOrders = now + orderInterval;
    bool save = now >= nextSave;
    if (save)
      nextSave = now + saveInterval;
    jobs->add([this, save] {
      sessions->reap();
      sessions->collectOrders();
      if (save)
        for (const auto &d : allDomains())
          d->saveWorkingSets();
      return false;
    });
  }
  if (stopping && !draining && now >= nextDrain)
    stop();
}

ServeEnd Daemon::loop() {
  epoll_event events[64];
  while (!drained && !(lost && !stopping)) {
    int count = epoll_wait(poll.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      uint64_t token = events[i].data.u64;
      if (token == orderToken)
        handleOrder();
      else if (token == wakeToken)
        handleWake();
      else if (token == tickToken)
        tick();
      else if (auto at = listeners.find(token); at != listeners.end())
        acceptFrom(at->second);
      else
        readFrom(token);
    }
  }
  if (!drained)
    return ServeEnd::KeeperLost;
  for (const std::string &key : link.keys("listen"))
    unlink((options.run + "/" + key.substr(7)).c_str());
  if (!link.exists())
    for (const auto &[token, listener] : listeners)
      unlink((options.run + "/" +
              (listener.kind == Connection::Kind::Domain ? listener.domain->name
               : listener.kind == Connection::Kind::Control ? "control"
                                                            : "metrics") +
              ".sock")
                 .c_str());
  logInfo("stopped, nothing is lazy");
  return ServeEnd::Stopped;
}

// What administrators ask

DaemonStatistics Daemon::statistics() {
  DaemonStatistics s;
  s.pid = getpid();
  s.keeper = link.exists() && !lost ? getppid() : 0;
  s.uptimeSeconds =
      std::chrono::duration<double>(Clock::now() - started).count();
  s.restarts = restarts;
  s.connections = openConnections;
  s.accepted = accepted;
  s.refusedConnections = refused;
  s.silent = silent;
  s.refusedRequests = badRequests;
  auto totals = sessions->totals();
  for (const auto &d : allDomains())
    s.domains.push_back({d->name, d->host()->pool().pageCount(),
                         d->host()->presentPages(), d->host()->capacityPages(),
                         totals[d->name]});
  s.sessions = sessions->rows();
  s.latency = sessions->latencyHistogram();
  return s;
}

Administration Daemon::makeAdministration() {
  Administration a;
  a.stats = [this] {
    std::string json = asJson(statistics());
    auto memory = sealedCopy("spacer-stats", json.data(), json.size());
    if (!memory)
      return Reply::error(memory.error(), false);
    Reply reply{encode(Answer{}), {}, false};
    reply.fds.push_back(std::move(*memory));
    return reply;
  };
  a.reload = [this] {
    for (const auto &d : allDomains())
      if (auto done = d->refresh(); !done)
        return Reply::error(done.error(), false);
    reloadWanted = true;
    wake();
    return Reply{encode(Answer{}), {}, false};
  };
  a.drain = [this](uint64_t session) {
    auto done = sessions->drain(session);
    return done ? Reply{encode(Answer{}), {}, false}
                : Reply::error(done.error(), false);
  };
  return a;
}

} // namespace

/// When the table of descriptors of a process with threads grows, the kernel
/// waits for an RCU grace period, which has been seen to take seconds on a busy
/// host: just when a successor takes sessions over. While there is one thread
/// it does not wait.
static void growDescriptorTable(size_t sessions) {
  for (auto size = static_cast<int>(4096 + 16 * sessions); size > 64;
       size /= 2) {
    UniqueFd high(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, size - 1));
    if (high || errno != EINVAL) // EINVAL: past RLIMIT_NOFILE
      return;
  }
}

ServeEnd serve(const DaemonOptions &options, WorkerStart &start) {
  growDescriptorTable(start.link->keys("session").size());
  Daemon daemon(options, start);
  if (auto done = daemon.start(); !done) {
    logError(done.error().context);
    return ServeEnd::CannotStart;
  }
  start.link->ready();
  return daemon.loop();
}

} // namespace spacer
