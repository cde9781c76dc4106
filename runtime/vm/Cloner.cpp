//===- Cloner.cpp - many VMs from one snapshot ----------------------------===//
//
// Steps: 1. the snapshot's files are checked against their digests and the pool
// pages against theirs, once for all clones; 2. one plan, in a sealed memfd
// that all clones read; 3. a few threads start VMMs, each with private mappings
// of the same pool; 4. each VMM's process gets a lease, so that the pages stay.
//
// Where pages come from: the daemon's memfd if spacerd runs, else the page
// file. In the page file cold pages are holes, so they are thawed first.
//
// Our own lease is taken before anything is looked at and given back when every
// clone has one.
//
//===----------------------------------------------------------------------===//

#include "Cloner.h"
#include "Client.h"
#include "Files.h"
#include "Interrupt.h"
#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/wait.h>
#include <thread>

namespace spacer {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A lease of this process, which runs on as the clones' monitor.
class OwnLease {
public:
  OwnLease() = default;
  OwnLease(const OwnLease &) = delete;
  ~OwnLease() {
    if (pool)
      (void)pool->release(object, getpid());
  }
  Result<void> take(PagePool &from, const std::string &name) {
    auto taken = from.lease(name, getpid());
    if (taken) {
      pool = &from;
      object = name;
    }
    return taken;
  }

private:
  PagePool *pool = nullptr;
  std::string object;
};

/// Guest memory, ready to be mapped by any number of processes.
struct Memory {
  std::unique_ptr<PagePool> pool;
  OwnLease lease;
  PageMap map;
  Plan plan;
  UniqueFd planFd, poolFd;
  std::optional<Client> daemon; ///< the daemon's lease lives with it
  std::string daemonSocket;
};

Result<void> thawIfCold(const fs::path &root, const Snapshot &s, Memory &m) {
  for (const PageRun &run : m.map.runs())
    for (uint64_t i = 0; i < run.pages; ++i) {
      if (!m.pool->isCold(run.pool + i))
        continue;
      auto writer =
          PagePool::open(root / "pool", s.vm.domain, PagePool::Access::Write);
      if (!writer)
        return writer.takeError();
      if (auto done = (*writer)->thaw(s.name); !done)
        return done.takeError();
      return m.pool->refresh();
    }
  return {};
}

/// Every page that a clone would map has its digest.
Result<void> checkPages(const Snapshot &s, const Memory &m) {
  std::vector<uint8_t> buffer(1 << 20);
  for (const PageRun &run : m.map.runs())
    for (uint64_t done = 0; done < run.pages;) {
      if (interrupted())
        return interruptError();
      uint64_t pages =
          std::min<uint64_t>(run.pages - done, buffer.size() / pageBytes);
      auto read = m.pool->read(run.pool + done,
                               {buffer.data(), size_t(pages * pageBytes)});
      if (!read)
        return Error{read.error().sysErrno,
                     "snapshot " + s.name +
                         " cannot be cloned: " + read.error().context};
      done += pages;
    }
  return {};
}

Result<void> openFromPageFile(const fs::path &root, const Snapshot &s,
                              const CloneRequest &request, Memory &m) {
  if (auto thawed = thawIfCold(root, s, m); !thawed)
    return thawed;
  if (auto fine = checkPages(s, m); !fine)
    return fine;
  PlanOptions options;
  options.mappings = request.mappings;
  m.plan = makePlan(m.map, options);
  std::string file = "/proc/self/fd/" + std::to_string(m.pool->pageFile());
  m.poolFd.reset(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!m.poolFd)
    return systemError("page file of domain " + s.vm.domain);
  return {};
}

Result<void> openFromDaemon(const Snapshot &s, const CloneRequest &request,
                            Client client, Memory &m) {
  auto opened = client.open(s.name, request.mappings, request.lazy);
  if (!opened)
    return opened.takeError();
  m.plan = std::move(opened->plan);
  m.poolFd = std::move(opened->pool);
  m.daemon = std::move(client);
  return {};
}

/// Fills \p m, which does not move afterwards.
Result<void> openMemory(const fs::path &root, const Snapshot &s,
                        const CloneRequest &request, Memory &m) {
  auto pool =
      PagePool::open(root / "pool", s.vm.domain, PagePool::Access::Read);
  if (!pool)
    return pool.takeError();
  m.pool = std::move(*pool);
  if (auto taken = m.lease.take(*m.pool, s.name); !taken)
    return taken;
  auto map = m.pool->map(s.name);
  if (!map)
    return map.takeError();
  m.map = std::move(*map);
  if (m.map.guestPages() * pageBytes != s.vm.memoryBytes())
    return Error{EBADMSG, "snapshot " + s.name + ": the pool has " +
                              std::to_string(m.map.guestPages()) +
                              " pages of it, expected " +
                              std::to_string(s.vm.memoryBytes() / pageBytes)};
  fs::path socket = request.daemonFolder / (s.vm.domain + ".sock");
  std::error_code ignored;
  bool there = !request.daemonFolder.empty() &&
               (request.daemonRequired || fs::exists(socket, ignored));
  Result<void> done;
  if (there) {
    auto client = Client::connect(socket);
    if (client) {
      m.daemonSocket = socket;
      done = openFromDaemon(s, request, std::move(*client), m);
    } else if (request.daemonRequired) {
      return client.takeError();
    } else {
      there = false; // its socket was left behind
    }
  }
  if (!there)
    done = openFromPageFile(root, s, request, m);
  if (!done)
    return done;
  if (m.plan.guestPages() != m.map.guestPages())
    return Error{EBADMSG, "snapshot " + s.name + ": the plan has " +
                              std::to_string(m.plan.guestPages()) +
                              " pages, expected " +
                              std::to_string(m.map.guestPages())};
  auto bytes = m.plan.encode();
  auto planFd = makeSealed(
      "spacer-plan", {reinterpret_cast<char *>(bytes.data()), bytes.size()});
  if (!planFd)
    return planFd.takeError();
  m.planFd = std::move(*planFd);
  return {};
}

class Cloner {
public:
  Cloner(const fs::path &root, const CloneRequest &request,
         const Snapshot &snapshot, Memory &memory, Monitor &monitor)
      : root(root), request(request), snapshot(snapshot), memory(memory),
        monitor(monitor), made(request.count) {}

  /// The first failure, if there is one; then none of them is left.
  Result<void> run() {
    unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::min(request.count, 2 * cores); ++i)
      threads.emplace_back([this] { work(); });
    for (std::thread &t : threads)
      t.join();
    if (interrupted() && !failure)
      failure = interruptError();
    if (!failure)
      return {};
    for (One &one : made)
      undo(one);
    return *failure;
  }

  std::vector<CloneResult::One> results() const {
    std::vector<CloneResult::One> all;
    for (const One &one : made)
      all.push_back(one.result);
    std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) {
      return strverscmp(a.name.c_str(), b.name.c_str()) < 0;
    });
    return all;
  }

private:
  struct One {
    std::optional<Vm> vm;
    CloneResult::One result;
  };

  void work() {
    for (unsigned i;
         !stopped && !interrupted() && (i = next.fetch_add(1)) < request.count;)
      if (auto done = startOne(made[i]); !done) {
        std::lock_guard hold(lock);
        stopped = true;
        if (!failure)
          failure = done.takeError();
      }
  }

  /// A free name, and its folder.
  Result<Vm> makeVm() {
    VmConfig config = snapshot.vm;
    config.snapshot = snapshot.name;
    config.image = snapshot.image.bytes ? snapshot.imageFile().string() : "";
    config.created = std::time(nullptr);
    bool exact = request.count == 1 && !request.name.empty();
    std::string prefix = request.name.empty() ? snapshot.name : request.name;
    for (;;) {
      config.name =
          exact ? prefix : prefix + "-" + std::to_string(number.fetch_add(1));
      auto vm = Vm::create(root, config);
      if (vm || exact || vm.error().sysErrno != EEXIST)
        return vm;
    }
  }

  Result<void> startOne(One &one) {
    auto begin = Clock::now();
    auto vm = makeVm();
    if (!vm)
      return vm.takeError();
    one.vm = std::move(*vm);
    one.result.name = one.vm->name();
    auto driver = makeDriver(snapshot.vm.driver);
    if (!driver)
      return driver.takeError();
    MemoryProvider provider{.object = snapshot.name,
                            .domain = snapshot.vm.domain,
                            .map = &memory.map,
                            .plan = &memory.plan,
                            .planFd = memory.planFd.get(),
                            .poolFd = memory.poolFd.get(),
                            .pool = memory.pool.get(),
                            .daemonSocket = memory.daemonSocket};
    VmLaunch launch{.config = one.vm->config(),
                    .paths = one.vm->paths(),
                    .spawned = [&](const ProcessId &process) {
                      (void)one.vm->setProcess(process);
                    }};
    auto process =
        (*driver)->startFromSnapshot(launch, snapshot.stateFile(), provider);
    if (!process)
      return process.takeError();
    one.result.process = *process;
    if (auto noted = one.vm->setProcess(*process); !noted)
      return noted;
    {
      std::lock_guard hold(lock);
      if (auto leased = memory.pool->lease(snapshot.name, process->pid);
          !leased && leased.error().sysErrno != ESRCH) // ended already
        return leased;
    }
    one.result.seconds = secondsSince(begin);
    monitor.watch(*one.vm, *process, request.removeAtEnd);
    one.vm->unlock();
    return {};
  }

  void undo(One &one) {
    if (one.result.process) {
      monitor.forget(one.result.process);
      killProcess(one.result.process);
      waitpid(one.result.process.pid, nullptr, 0);
    }
    if (one.vm)
      (void)one.vm->remove();
  }

  const fs::path &root;
  const CloneRequest &request;
  const Snapshot &snapshot;
  Memory &memory;
  Monitor &monitor;
  std::vector<One> made;
  std::mutex lock; ///< of failure and of what the pool does not lock itself
  std::optional<Error> failure;
  std::atomic<unsigned> next{0}, number{1};
  std::atomic<bool> stopped{false};
};

} // namespace

Result<CloneResult> cloneSnapshot(const fs::path &root,
                                  const CloneRequest &request,
                                  Monitor &monitor) {
  auto begin = Clock::now();
  auto snapshot = Snapshot::open(root, request.snapshot);
  if (!snapshot)
    return snapshot.takeError();
  auto driver = makeDriver(snapshot->vm.driver);
  if (!driver)
    return driver.takeError();
  if (auto able = (*driver)->check(snapshot->vm, true); !able)
    return able.takeError();
  Memory memory;
  if (auto opened = openMemory(root, *snapshot, request, memory); !opened)
    return opened.takeError();
  CloneResult result;
  result.checkSeconds = secondsSince(begin);
  result.plan = memory.plan.summary();
  result.daemon = !memory.daemonSocket.empty();
  Cloner cloner(root, request, *snapshot, memory, monitor);
  if (auto done = cloner.run(); !done)
    return done.takeError();
  result.clones = cloner.results();
  result.allSeconds = secondsSince(begin);
  return result;
}

} // namespace spacer
