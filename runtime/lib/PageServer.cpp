//===- PageServer.cpp - answers the page faults of many VMs ---------------===//
//
// Each thread has an epoll set with the userfaultfds of its sessions and the
// pidfds of their processes, and a list of the sessions that want to be called
// by time: faults that met EAGAIN, replay, drain. A turn of the loop:
//
// 1. wait for messages, at most until something is due
// 2. commands of other threads
// 3. messages: faults first
// 4. what is due, one stretch of pages for each session
//
// Other threads change a session only by commands to its thread; what they
// read of it are atomics. The map of sessions has a lock, which no fault takes.
//
//===----------------------------------------------------------------------===//

#include "PageServer.h"
#include "FaultSession.h"
#include "Log.h"
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>

namespace spacer {
namespace {

using Health = FaultSession::Health;
using SessionPtr = std::shared_ptr<FaultSession>;

class Worker;
thread_local Worker *currentWorker = nullptr;

/// Tells the server: a session is gone ("") or broken.
using Ended = std::function<void(const SessionPtr &, const std::string &why)>;

class Worker {
public:
  static Result<std::unique_ptr<Worker>> start(Ended ended);
  ~Worker() { stop(); }
  /// Waits for the thread's end. What is posted later never runs.
  void stop();

  /// Any thread; runs soon, or at once on the worker's own thread.
  void post(std::function<void()> command);
  void watch(SessionPtr session);
  /// No more calls for it after this.
  void unwatch(const SessionPtr &session);
  void makeBusy(const SessionPtr &session);

  LatencyCounts latency{};
  std::atomic<size_t> sessions{0};

private:
  /// What an epoll event points to. The last bit says which descriptor.
  struct Watched {
    SessionPtr session;
    bool gone = false;
  };
  static constexpr uintptr_t pidBit = 1;

  void run();
  int waitFor(epoll_event *events, int room);
  void runCommands();
  void serve(const epoll_event &event);
  void check(const SessionPtr &session, Health health);
  void workDue();
  bool epollAdd(int fd, uintptr_t data, uint32_t events = EPOLLIN);
  void stopReading(FaultSession &session);

  UniqueFd epoll, wake;
  Ended ended;
  std::atomic<bool> stopping{false};
  std::mutex lock;
  std::vector<std::function<void()>> commands;
  // The thread's own.
  std::map<FaultSession *, std::unique_ptr<Watched>> watched;
  std::vector<std::unique_ptr<Watched>> leaving; ///< until the turn ends
  std::vector<SessionPtr> busy;
  std::thread thread;
};

Result<std::unique_ptr<Worker>> Worker::start(Ended ended) {
  std::unique_ptr<Worker> made(new Worker);
  made->ended = std::move(ended);
  made->epoll.reset(epoll_create1(EPOLL_CLOEXEC));
  made->wake.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made->epoll || !made->wake || !made->epollAdd(made->wake.get(), 0))
    return systemError("page server: epoll");
  // Signals are for the other threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  made->thread = std::thread([w = made.get()] { w->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(made->thread.native_handle(), "spacer-faults");
  return made;
}

void Worker::stop() {
  if (!thread.joinable())
    return;
  stopping = true;
  post([] {});
  thread.join();
}

void Worker::post(std::function<void()> command) {
  if (currentWorker == this)
    return command();
  std::lock_guard hold(lock);
  commands.push_back(std::move(command));
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(wake.get(), &one, sizeof one);
}

bool Worker::epollAdd(int fd, uintptr_t data, uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.u64 = data;
  return epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &e) == 0;
}

void Worker::watch(SessionPtr session) {
  auto entry = std::make_unique<Watched>();
  entry->session = session;
  auto data = reinterpret_cast<uintptr_t>(entry.get());
  watched[session.get()] = std::move(entry);
  session->watched = true;
  // By edge: each message is one, and serve() reads until there is none.
  // Otherwise each wait would first ask all that were served in the last turn.
  if (!epollAdd(session->uffdFd(), data, EPOLLIN | EPOLLET) ||
      (session->pidFd() >= 0 && !epollAdd(session->pidFd(), data | pidBit)))
    logError(session->name + ": " + systemError("epoll").context);
  makeBusy(session);
  if (!session->why().empty())
    check(session, Health::Broken);
}

/// A descriptor leaves an epoll set by itself only when its last copy is
/// closed, and a keeper may have one.
void Worker::stopReading(FaultSession &session) {
  if (std::exchange(session.watched, false))
    epoll_ctl(epoll.get(), EPOLL_CTL_DEL, session.uffdFd(), nullptr);
}

void Worker::unwatch(const SessionPtr &session) {
  auto found = watched.find(session.get());
  if (found == watched.end())
    return;
  stopReading(*session);
  if (session->pidFd() >= 0)
    epoll_ctl(epoll.get(), EPOLL_CTL_DEL, session->pidFd(), nullptr);
  found->second->gone = true;
  leaving.push_back(std::move(found->second));
  watched.erase(found);
  session->busy = false; // workDue() drops it
  --sessions;
}

void Worker::makeBusy(const SessionPtr &session) {
  if (session->busy || session->due() == INT64_MAX)
    return;
  session->busy = true;
  if (std::find(busy.begin(), busy.end(), session) == busy.end())
    busy.push_back(session);
}

void Worker::run() {
  currentWorker = this;
  epoll_event events[64];
  while (!stopping.load(std::memory_order_relaxed)) {
    int n = waitFor(events, int(std::size(events)));
    for (int i = 0; i < n; ++i)
      if (events[i].data.u64 == 0)
        runCommands();
      else
        serve(events[i]);
    if (!busy.empty())
      workDue();
    leaving.clear();
  }
  runCommands(); // someone may wait for the answer
  busy.clear();
  watched.clear();
}

int Worker::waitFor(epoll_event *events, int room) {
  if (busy.empty())
    return epoll_wait(epoll.get(), events, room, -1);
  int64_t first = INT64_MAX;
  for (const SessionPtr &s : busy)
    first = std::min(first, s->due());
  if (first == INT64_MAX)
    return epoll_wait(epoll.get(), events, room, 0);
  int64_t left = std::max<int64_t>(first - nowNs(), 0);
  timespec t{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  int n = epoll_pwait2(epoll.get(), events, room, &t, nullptr);
  if (n < 0 && errno == ENOSYS) // before Linux 5.11
    n = epoll_wait(epoll.get(), events, room,
                   int(std::min<int64_t>((left + 999'999) / 1'000'000, 1000)));
  return n;
}

void Worker::runCommands() {
  uint64_t number;
  [[maybe_unused]] ssize_t n = read(wake.get(), &number, sizeof number);
  std::vector<std::function<void()>> now;
  {
    std::lock_guard hold(lock);
    now.swap(commands);
  }
  for (auto &command : now)
    command();
}

void Worker::serve(const epoll_event &event) {
  auto *w = reinterpret_cast<Watched *>(event.data.u64 & ~uint64_t(pidBit));
  if (w->gone)
    return; // in this very turn; it is in `leaving`
  bool process = event.data.u64 & pidBit;
  if (!process && event.events & EPOLLERR) // the client has cleared the flag
    setNonBlocking(w->session->uffdFd());
  check(w->session, process ? Health::Dead : w->session->serve(latency));
}

void Worker::check(const SessionPtr &given, Health health) {
  switch (health) {
  case Health::Good:
    break;
  case Health::Dead: {
    SessionPtr session = given; // the caller's may go with the list
    if (!watched.count(session.get()))
      return; // a drain that came late
    unwatch(session);
    ended(session, "");
    return;
  }
  case Health::Deaf:
    stopReading(*given);
    [[fallthrough]];
  case Health::Broken:
    if (!std::exchange(given->told, true)) {
      SessionPtr session = given;
      ended(session, session->why());
      if (!watched.count(session.get()))
        return;
    }
    break;
  }
  makeBusy(given);
}

void Worker::workDue() {
  int64_t now = nowNs();
  // check() may append to the list, or end sessions.
  for (size_t i = 0; i < busy.size(); ++i)
    if (SessionPtr s = busy[i]; s->busy && s->due() <= now)
      check(s, s->work(latency));
  std::erase_if(busy, [](const SessionPtr &s) {
    if (s->busy && s->due() == INT64_MAX)
      s->busy = false;
    return !s->busy;
  });
}

} // namespace

struct PageServer::State {
  struct Entry {
    SessionPtr session;
    Worker *worker = nullptr;
  };

  PageServerOptions options;
  mutable std::mutex lock;
  std::map<uint64_t, Entry> sessions;
  uint64_t nextId = 1;
  std::vector<std::unique_ptr<Worker>> workers;

  void sessionEnded(const SessionPtr &session, const std::string &why);
  Result<SessionId> start(SessionSpec spec, SessionState state, bool adopted);
  Entry find(SessionId id) const;
};

PageServer::PageServer(std::unique_ptr<State> state)
    : state(std::move(state)) {}

PageServer::~PageServer() {
  // All of them before anything goes: they call back.
  for (auto &worker : state->workers)
    worker->stop();
}

Result<std::unique_ptr<PageServer>>
PageServer::start(PageServerOptions options) {
  auto state = std::make_unique<State>();
  unsigned threads = options.threads
                         ? options.threads
                         : std::max(1u, std::thread::hardware_concurrency());
  state->options = std::move(options);
  for (unsigned i = 0; i < threads; ++i) {
    auto worker = Worker::start(
        [s = state.get()](const SessionPtr &session, const std::string &why) {
          s->sessionEnded(session, why);
        });
    if (!worker)
      return worker.takeError();
    state->workers.push_back(std::move(*worker));
  }
  return std::unique_ptr<PageServer>(new PageServer(std::move(state)));
}

void PageServer::State::sessionEnded(const SessionPtr &session,
                                     const std::string &why) {
  if (options.ended)
    options.ended(session->id, why);
  if (why.empty()) {
    std::lock_guard hold(lock);
    sessions.erase(uint64_t(session->id));
  }
}

PageServer::State::Entry PageServer::State::find(SessionId id) const {
  std::lock_guard hold(lock);
  auto found = sessions.find(uint64_t(id));
  return found == sessions.end() ? Entry{} : found->second;
}

/// What add() and adopt() ask of everyone.
static Result<void> checkSpec(const SessionSpec &spec,
                              std::span<const Region> regions) {
  auto bad = [&](std::string why) {
    return Error{EINVAL, spec.name + ": " + std::move(why)};
  };
  if (!spec.pool || !spec.map)
    return bad("no pool or no page map");
  if (!Uffd::isUffd(spec.uffd.get()))
    return bad("the descriptor is no userfaultfd");
  int flags = fcntl(spec.uffd.get(), F_GETFL);
  if (flags < 0 || fcntl(spec.uffd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return systemError(spec.name + ": userfaultfd");
  for (const PageRun &r : spec.map->runs())
    if (r.pool.value + r.pages > spec.pool->capacityPages())
      return bad("its map refers to pool page " +
                 std::to_string(r.pool.value + r.pages - 1) +
                 ", the pool in memory has room for " +
                 std::to_string(spec.pool->capacityPages()));
  if (auto done = checkRegions(regions, *spec.map); !done)
    return bad(done.error().context);
  return {};
}

Result<SessionId> PageServer::add(SessionSpec spec) {
  if (auto done = checkSpec(spec, spec.regions); !done)
    return done.takeError();
  auto made = SessionState::create(spec.regions);
  if (!made)
    return made.takeError();
  return state->start(std::move(spec), std::move(*made), false);
}

Result<SessionId> PageServer::adopt(SessionSpec spec, UniqueFd stateFd) {
  auto old = SessionState::adopt(std::move(stateFd));
  if (!old)
    return Error{old.error().sysErrno, spec.name + ": " + old.error().context};
  if (auto done = checkSpec(spec, old->regions()); !done)
    return done.takeError();
  return state->start(std::move(spec), std::move(*old), true);
}

Result<SessionId> PageServer::State::start(SessionSpec spec, SessionState with,
                                           bool adopted) {
  Worker *worker = nullptr;
  SessionPtr session;
  {
    std::lock_guard hold(lock);
    SessionId id{nextId++};
    session = std::make_shared<FaultSession>(
        id, std::move(spec), std::move(with), options.batchPages);
    worker =
        std::min_element(workers.begin(), workers.end(), [](auto &a, auto &b) {
          return a->sessions < b->sessions;
        })->get();
    ++worker->sessions;
    sessions[uint64_t(id)] = {session, worker};
  }
  SessionId id = session->id;
  worker->post([worker, session, adopted] {
    if (adopted)
      session->replayMessages();
    worker->watch(session);
  });
  return id;
}

int PageServer::stateFd(SessionId id) const {
  auto entry = state->find(id);
  return entry.session ? entry.session->stateFd() : -1;
}

int PageServer::uffdFd(SessionId id) const {
  auto entry = state->find(id);
  return entry.session ? entry.session->uffdFd() : -1;
}

Result<void> PageServer::drain(SessionId id) {
  auto entry = state->find(id);
  if (!entry.session)
    return Error{ENOENT, "no session " + std::to_string(uint64_t(id))};
  if (currentWorker)
    return Error{EDEADLK, entry.session->name +
                              ": drained by a thread that serves faults"};
  auto promised = std::make_shared<std::promise<std::future<Result<void>>>>();
  auto handed = promised->get_future();
  entry.worker->post(
      [promised, worker = entry.worker, session = entry.session] {
        auto result = session->drain();
        worker->makeBusy(session);
        promised->set_value(std::move(result));
      });
  auto result = handed.get();
  // The session must not be kept alive by us: its end is an answer too.
  entry.session.reset();
  return result.get();
}

void PageServer::remove(SessionId id) {
  State::Entry entry;
  {
    std::lock_guard hold(state->lock);
    auto found = state->sessions.find(uint64_t(id));
    if (found == state->sessions.end())
      return;
    entry = std::move(found->second);
    state->sessions.erase(found);
  }
  auto unwatch = [worker = entry.worker, session = entry.session] {
    worker->unwatch(session);
  };
  if (currentWorker && currentWorker != entry.worker)
    return entry.worker->post(unwatch); // two might wait for each other
  auto promised = std::make_shared<std::promise<void>>();
  auto done = promised->get_future();
  entry.worker->post([promised, unwatch] {
    unwatch();
    promised->set_value();
  });
  done.wait();
}

std::vector<SessionStats> PageServer::stats() const {
  std::lock_guard hold(state->lock);
  std::vector<SessionStats> all;
  for (auto &[id, entry] : state->sessions)
    all.push_back(entry.session->stats());
  return all;
}

std::vector<uint64_t> PageServer::latencyHistogram() const {
  std::vector<uint64_t> sum(std::tuple_size_v<LatencyCounts>);
  for (auto &worker : state->workers)
    for (size_t i = 0; i < sum.size(); ++i)
      sum[i] += worker->latency[i].load(std::memory_order_relaxed);
  return sum;
}

std::vector<std::pair<GuestPage, uint64_t>>
PageServer::workingSet(SessionId id) const {
  auto entry = state->find(id);
  return entry.session ? entry.session->workingSet()
                       : std::vector<std::pair<GuestPage, uint64_t>>();
}

} // namespace spacer
