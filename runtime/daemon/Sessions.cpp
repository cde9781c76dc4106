//===- Sessions.cpp - the VMs whose faults the daemon serves --------------===//

#include "Sessions.h"
#include "Log.h"
#include "Sockets.h"
#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

namespace spacer {

struct Sessions::Session {
  uint64_t number = 0;
  SessionId id{};
  std::shared_ptr<Domain> domain;
  std::string object, name, ranges; ///< ranges: their digest
  std::shared_ptr<const PageMap> map;
  pid_t pid = 0;
  uid_t user = 0;
  UniqueFd pidfd;
  PageOrder earlier; ///< first faults that a dead worker saw
  std::atomic<uint64_t> faultsCollected = 0;
  std::atomic<bool> broken = false;

  std::string text() const {
    return "session " + std::to_string(number) + " (" + domain->name + "/" +
           object + ", " + name + ", process " + std::to_string(pid) + ")";
  }
};

namespace {

/// Each takes eight descriptors of the daemon.
constexpr size_t sessionsPerProcess = 256;

enum : size_t { uffdAt, pidfdAt, stateAt, mapAt, recordFds };

/// Names sort as numbers do.
std::string keyOf(const char *kind, uint64_t number) {
  char text[40];
  snprintf(text, sizeof text, "%s/%010" PRIu64, kind, number);
  return text;
}

Result<UniqueFd> duplicate(int fd) {
  UniqueFd other(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!other)
    return systemError("duplicate a descriptor");
  return other;
}

Result<PageMap> loadMap(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0)
    return systemError("page map");
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  if (pread(fd, bytes.data(), bytes.size(), 0) !=
      static_cast<ssize_t>(bytes.size()))
    return Error{EBADMSG, "page map: cannot be read whole"};
  return PageMap::decode(bytes);
}

std::string digestOf(const std::vector<LazyRange> &ranges) {
  std::vector<uint64_t> numbers;
  for (const LazyRange &r : ranges)
    numbers.insert(numbers.end(), {r.start.value, r.bytes, r.guest.value});
  return spacer::digestOf({reinterpret_cast<const uint8_t *>(numbers.data()),
                           8 * numbers.size()})
      .hex();
}

void addTo(SessionStats &sum, const SessionStats &one) {
  sum.faults += one.faults;
  sum.continued += one.continued;
  sum.copied += one.copied;
  sum.zeroed += one.zeroed;
  sum.poisoned += one.poisoned;
  sum.prefetched += one.prefetched;
  sum.removed += one.removed;
  sum.retries += one.retries;
}

/// A region is one mapping; where the map's runs end inside a range, the range
/// was not one of mapPlan()'s, and PageServer::add() says so.
std::vector<Region> regionsOf(const std::vector<LazyRange> &ranges) {
  std::vector<Region> regions;
  for (const LazyRange &r : ranges) {
    Region region;
    region.start = r.start;
    region.bytes = r.bytes;
    region.guest = r.guest;
    regions.push_back(region);
  }
  return regions;
}

} // namespace

Result<std::unique_ptr<Sessions>> Sessions::start(unsigned threads,
                                                  KeeperLink &link,
                                                  std::function<void()> ended) {
  std::unique_ptr<Sessions> made(new Sessions(link, std::move(ended)));
  PageServerOptions options;
  options.threads = threads;
  options.ended = [s = made.get()](SessionId id, const std::string &why) {
    Ending ending{id, why, {}, {}};
    if (why.empty()) { // after this call the server knows it no more
      ending.order = s->server->workingSet(id);
      ending.last = s->statsOf(id);
    }
    {
      std::lock_guard guard(s->lock);
      s->endings.push_back(std::move(ending));
    }
    s->wake();
  };
  auto server = PageServer::start(std::move(options));
  if (!server)
    return server.takeError();
  made->server = std::move(*server);
  for (const std::string &key : link.keys("session"))
    made->nextNumber = std::strtoull(key.c_str() + 8, nullptr, 10) + 1;
  // Of sessions that ended just when their server died.
  std::vector<std::string> sessions = link.keys("session");
  for (const std::string &key : link.keys("order"))
    if (!std::binary_search(sessions.begin(), sessions.end(),
                            "session/" + key.substr(6)))
      link.drop(key);
  return made;
}

Sessions::Limits Sessions::limits() {
  constexpr size_t descriptorsEach = 10;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
    limit.rlim_cur = 1024;
  size_t all = std::min<size_t>(limit.rlim_cur, 1 << 30) / 4 * 3;
  all = std::max<size_t>(all / descriptorsEach, 1);
  return {all, (all + 1) / 2};
}

Sessions::~Sessions() = default;

Result<uint64_t> Sessions::attach(Attach request) {
  std::lock_guard attaching(attachLock);
  if (!Uffd::isUffd(request.uffd.get()))
    return Error{EBADF, "attach: the first descriptor is no userfaultfd"};
  int flags = fcntl(request.uffd.get(), F_GETFL);
  if (flags < 0 || fcntl(request.uffd.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    return systemError("attach: userfaultfd");
  auto session = std::make_shared<Session>();
  session->domain = request.domain;
  session->object = request.object;
  session->name = request.name;
  session->map = request.map;
  session->pid = request.pid;
  session->user = request.user;
  session->ranges = digestOf(request.ranges);

  size_t ofProcess = 0, ofUser = 0, ofAll = 0;
  for (const auto &other : all()) {
    ++ofAll;
    ofProcess += other->pid == request.pid;
    ofUser += other->user == request.user;
    if (!sameFile(server->uffdFd(other->id), request.uffd.get()))
      continue;
    if (other->domain == session->domain && other->object == session->object &&
        other->name == session->name && other->ranges == session->ranges)
      return other->number; // a client that missed our first answer
    return Error{EEXIST, "attach: this userfaultfd belongs to session " +
                             std::to_string(other->number)};
  }

  if (ofProcess >= sessionsPerProcess)
    return Error{EMFILE, "attach: process " + std::to_string(request.pid) +
                             " has " + std::to_string(ofProcess) +
                             " sessions, possible are " +
                             std::to_string(sessionsPerProcess)};
  if (Limits most = limits(); ofAll >= most.all || ofUser >= most.user)
    return Error{EMFILE,
                 "attach: user " + std::to_string(request.user) + " has " +
                     std::to_string(ofUser) + " of " + std::to_string(ofAll) +
                     " sessions, possible are " + std::to_string(most.user) +
                     " of " + std::to_string(most.all)};

  auto keptUffd = duplicate(request.uffd.get());
  auto pidfd = duplicate(request.pidfd.get());
  if (!keptUffd || !pidfd)
    return systemError("attach");
  session->pidfd = std::move(*pidfd);
  std::vector<uint8_t> mapBytes = request.map->encode();
  auto mapFd = sealedCopy("spacer-map", mapBytes.data(), mapBytes.size());
  if (!mapFd)
    return mapFd.takeError();

  SessionSpec spec;
  spec.name = request.name;
  spec.object = request.object;
  spec.uffd = std::move(request.uffd);
  spec.pidfd = std::move(request.pidfd);
  spec.pool = request.domain->host();
  spec.map = request.map;
  spec.regions = regionsOf(request.ranges);
  spec.replay =
      request.domain->workingSet(request.object, request.map->guestPages());
  auto id = server->add(std::move(spec));
  if (!id)
    return id.takeError();
  session->id = *id;
  {
    std::lock_guard guard(lock);
    session->number = nextNumber++;
  }
  nlohmann::json text = {
      {"domain", request.domain->name}, {"object", request.object},
      {"name", request.name},           {"pid", request.pid},
      {"user", request.user},           {"ranges", session->ranges}};
  int fds[recordFds];
  fds[uffdAt] = keptUffd->get();
  fds[pidfdAt] = session->pidfd.get();
  fds[stateAt] = server->stateFd(*id);
  fds[mapAt] = mapFd->get();
  if (auto held =
          link.hold(keyOf("session", session->number), text.dump(), fds);
      !held) {
    server->remove(*id); // now `ended` has been called, or never will
    std::lock_guard guard(lock);
    std::erase_if(endings, [&](const Ending &e) { return e.id == *id; });
    return held.takeError();
  }
  request.domain->leaseAgain(request.object, request.pid);
  {
    std::lock_guard guard(lock);
    sessions[session->number] = session;
    SessionTotals &t = past[session->domain->name];
    ++t.started;
    if (!endings.empty())
      wake(); // perhaps it ended before it stood here
  }
  logInfo(session->text() + " begins, " +
          std::to_string(request.ranges.size()) + " ranges");
  return session->number;
}

size_t Sessions::adopt(
    const std::function<std::shared_ptr<Domain>(const std::string &)> &find) {
  size_t left = 0;
  for (const std::string &key : link.keys("session")) {
    uint64_t number = std::strtoull(key.c_str() + 8, nullptr, 10);
    {
      std::lock_guard guard(lock);
      if (sessions.count(number))
        continue;
    }
    if (auto done = adoptOne(key, number, find); !done) {
      ++left;
      logError("session " + std::to_string(number) +
               " cannot be taken over yet, its faults wait: " +
               done.error().context);
    }
  }
  return left;
}

Result<void> Sessions::adoptOne(
    const std::string &key, uint64_t number,
    const std::function<std::shared_ptr<Domain>(const std::string &)> &find) {
  auto kept = link.record(key);
  if (!kept)
    return kept.takeError();
  auto json = nlohmann::json::parse(kept->text, nullptr, false);
  if (!json.is_object() || kept->fds.size() != recordFds)
    return Error{EBADMSG, "the keeper's record is not whole"};
  auto session = std::make_shared<Session>();
  session->number = number;
  session->object = json.value("object", "");
  session->name = json.value("name", "");
  session->pid = json.value("pid", 0);
  session->user = json.value("user", uid_t(0));
  session->ranges = json.value("ranges", "");
  if (processEnded(kept->fds[pidfdAt].get())) {
    link.drop(keyOf("order", number));
    link.drop(key);
    return {};
  }
  std::string domain = json.value("domain", "");
  session->domain = find(domain);
  if (!session->domain)
    return Error{EAGAIN, "domain " + domain + " is not open"};
  auto map = loadMap(kept->fds[mapAt].get());
  if (!map)
    return map.takeError();
  session->map = std::make_shared<const PageMap>(std::move(*map));
  if (auto order = link.record(keyOf("order", number));
      order && order->fds.size() == 1)
    session->earlier = loadOrder(order->fds[0].get());
  auto pidfd = duplicate(kept->fds[pidfdAt].get());
  if (!pidfd)
    return pidfd.takeError();
  session->pidfd = std::move(*pidfd);

  SessionSpec spec;
  spec.name = session->name;
  spec.object = session->object;
  spec.uffd = std::move(kept->fds[uffdAt]);
  spec.pidfd = std::move(kept->fds[pidfdAt]);
  spec.pool = session->domain->host();
  spec.map = session->map;
  auto id = server->adopt(std::move(spec), std::move(kept->fds[stateAt]));
  if (!id)
    return id.takeError();
  session->id = *id;
  {
    std::lock_guard guard(lock);
    sessions[number] = session;
    ++past[domain].started;
    if (!endings.empty())
      wake();
  }
  logInfo(session->text() + " taken over");
  return {};
}

std::vector<std::shared_ptr<Sessions::Session>> Sessions::all() const {
  std::lock_guard guard(lock);
  std::vector<std::shared_ptr<Session>> list;
  for (const auto &[number, session] : sessions)
    list.push_back(session);
  return list;
}

std::shared_ptr<Sessions::Session> Sessions::find(SessionId id) const {
  std::lock_guard guard(lock);
  for (const auto &[number, session] : sessions)
    if (session->id == id)
      return session;
  return nullptr;
}

SessionStats Sessions::statsOf(SessionId id) const {
  for (SessionStats &s : server->stats())
    if (s.id == id)
      return std::move(s);
  return {};
}

void Sessions::reap() {
  std::vector<Ending> now, later;
  {
    std::lock_guard guard(lock);
    now.swap(endings);
  }
  for (Ending &ending : now) {
    auto session = find(ending.id);
    if (!session) { // being attached at this moment
      later.push_back(std::move(ending));
    } else if (ending.why.empty()) {
      finish(session, ending);
    } else {
      session->broken = true;
      logError(session->text() + " cannot be served: " + ending.why);
    }
  }
  std::lock_guard guard(lock);
  std::move(later.begin(), later.end(), std::back_inserter(endings));
}

void Sessions::finish(const std::shared_ptr<Session> &session,
                      const Ending &ending) {
  uint64_t pages = session->map->guestPages();
  session->domain->learn(session->object,
                         joinOrders(session->earlier, ending.order, pages),
                         pages);
  std::lock_guard records(recordLock);
  {
    std::lock_guard guard(lock);
    sessions.erase(session->number);
    addTo(past[session->domain->name].sum, ending.last);
  }
  link.drop(keyOf("order", session->number));
  link.drop(keyOf("session", session->number));
  session->domain->release(session->object, session->pid);
  logInfo(session->text() + " ends after " +
          std::to_string(ending.last.faults) + " faults");
}

void Sessions::collectOrders() {
  std::map<SessionId, uint64_t> faults;
  for (const SessionStats &s : server->stats())
    faults[s.id] = s.faults;
  for (const auto &session : all()) {
    auto at = faults.find(session->id);
    if (at == faults.end() || at->second == session->faultsCollected)
      continue;
    session->faultsCollected = at->second;
    uint64_t pages = session->map->guestPages();
    PageOrder order =
        joinOrders(session->earlier, server->workingSet(session->id), pages);
    session->domain->learn(session->object, order, pages);
    if (!link.exists())
      continue;
    std::lock_guard records(recordLock);
    {
      std::lock_guard guard(lock);
      if (!sessions.count(session->number))
        continue;
    }
    if (auto stored = storeOrder(order)) {
      int fd = stored->get();
      (void)link.hold(keyOf("order", session->number), {}, {&fd, 1});
    }
  }
}

Result<void> Sessions::drain(uint64_t number) {
  std::shared_ptr<Session> session;
  {
    std::lock_guard guard(lock);
    auto at = sessions.find(number);
    if (at != sessions.end())
      session = at->second;
  }
  if (!session)
    return Error{ENOENT, "no session " + std::to_string(number)};
  auto done = server->drain(session->id);
  if (done || processEnded(session->pidfd.get()))
    return {};
  return Error{done.error().sysErrno,
               session->text() + ": " + done.error().context};
}

std::vector<std::string> Sessions::drainAll() {
  std::vector<std::string> lazy;
  std::vector<uint64_t> known;
  for (const auto &session : all()) {
    known.push_back(session->number);
    auto done = drain(session->number);
    if (!done && done.error().sysErrno != ENOENT)
      lazy.push_back(done.error().context);
  }
  for (const std::string &key : link.keys("session")) {
    uint64_t number = std::strtoull(key.c_str() + 8, nullptr, 10);
    std::lock_guard guard(lock);
    if (!sessions.count(number) &&
        std::find(known.begin(), known.end(), number) == known.end())
      lazy.push_back("session " + std::to_string(number) +
                     " has not been taken over yet");
  }
  return lazy;
}

std::vector<SessionRow> Sessions::rows() const {
  std::map<SessionId, SessionStats> stats;
  for (SessionStats &s : server->stats())
    stats[s.id] = std::move(s);
  std::vector<SessionRow> rows;
  std::lock_guard guard(lock);
  for (const auto &[number, session] : sessions)
    rows.push_back({number, session->domain->name, session->pid,
                    session->broken, stats[session->id]});
  return rows;
}

std::map<std::string, SessionTotals> Sessions::totals() const {
  std::map<std::string, SessionTotals> totals;
  std::vector<SessionRow> now = rows();
  {
    std::lock_guard guard(lock);
    totals = past;
  }
  for (const SessionRow &row : now) {
    SessionTotals &t = totals[row.domain];
    ++t.sessions;
    t.broken += row.broken;
    addTo(t.sum, row.stats);
  }
  return totals;
}

std::vector<uint64_t> Sessions::latencyHistogram() const {
  return server->latencyHistogram();
}

} // namespace spacer
