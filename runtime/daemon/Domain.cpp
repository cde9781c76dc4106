//===- Domain.cpp - one sharing domain as the daemon has it ---------------===//

#include "Domain.h"
#include "Log.h"

namespace spacer {

Result<std::shared_ptr<Domain>> Domain::open(const std::string &directory,
                                             const std::string &name,
                                             uint64_t capacityPages,
                                             KeeperLink &link) {
  std::shared_ptr<Domain> domain(new Domain(name, directory));
  auto pool = PagePool::open(directory, name, PagePool::Access::Read);
  if (!pool)
    return pool.takeError();
  domain->pool = std::move(*pool);

  std::string key = "pool/" + name;
  auto kept = link.record(key);
  if (kept && kept->fds.size() == 2 && kept->memory) {
    auto memory =
        HostPool::adopt(domain->pool, std::move(kept->fds[0]),
                        std::move(kept->fds[1]), std::move(kept->memory));
    if (!memory)
      return memory.takeError();
    domain->memory = std::move(*memory);
    return domain;
  }
  if (!kept && kept.error().sysErrno != ENOENT)
    return kept.takeError();
  auto memory =
      HostPool::create(domain->pool, capacityPages, /*sealed=*/!link.exists());
  if (!memory)
    return memory.takeError();
  domain->memory = std::move(*memory);
  int fds[] = {domain->memory->pagesFd(), domain->memory->bitsFd()};
  if (auto held = link.hold(key, {}, fds, /*sealing=*/true); !held)
    return held.takeError();
  if (auto sealed = domain->memory->seal(); !sealed)
    return sealed.takeError();
  return domain;
}

Result<void> Domain::refresh() {
  std::lock_guard guard(catalogLock);
  return pool->refresh();
}

Result<std::shared_ptr<const PageMap>> Domain::lease(const std::string &object,
                                                     pid_t pid) {
  std::lock_guard guard(catalogLock);
  if (auto fresh = pool->refresh(); !fresh)
    return fresh.takeError();
  uint64_t &count = leases[{object, pid}];
  if (count == 0) {
    // Before the map is read: then nobody can replace the object in between.
    auto done = pool->lease(object, pid);
    if (!done && done.error().sysErrno != EROFS &&
        done.error().sysErrno != EACCES) {
      leases.erase({object, pid});
      return done.takeError();
    }
    if (!done && !std::exchange(leaseComplained, true))
      logWarning("domain " + name + ": leases cannot be noted, so gc and rm " +
                 "see no use of objects: " + done.error().context);
  }
  ++count;
  auto undo = [&](Error error) {
    if (--count == 0) {
      leases.erase({object, pid});
      (void)pool->release(object, pid);
    }
    return error;
  };
  auto map = pool->map(object);
  if (!map)
    return undo(map.takeError());
  for (const PageRun &run : map->runs()) {
    uint64_t end = run.pool.value + run.pages;
    if (end > memory->capacityPages())
      return undo({ENOSPC, "domain " + name + ": object " + object +
                               " has pool page " + std::to_string(end - 1) +
                               ", the daemon has room for " +
                               std::to_string(memory->capacityPages()) +
                               " (--capacity)"});
    if (end > pool->pageCount())
      return undo({EBADMSG, "domain " + name + ": object " + object +
                                " has pool page " + std::to_string(end - 1) +
                                ", the pool ends at " +
                                std::to_string(pool->pageCount())});
  }
  std::erase_if(maps, [](const auto &m) { return m.second.expired(); });
  std::weak_ptr<const PageMap> &known = maps[object];
  // Equal unless leases cannot be noted and the object was replaced.
  if (auto shared = known.lock(); shared && *shared == *map)
    return shared;
  auto made = std::make_shared<const PageMap>(std::move(*map));
  known = made;
  return made;
}

void Domain::leaseAgain(const std::string &object, pid_t pid) {
  std::lock_guard guard(catalogLock);
  if (leases[{object, pid}]++ == 0)
    if (auto done = pool->lease(object, pid); !done)
      logWarning("domain " + name + ": lease of " + object + " to process " +
                 std::to_string(pid) + ": " + done.error().context);
}

void Domain::release(const std::string &object, pid_t pid) {
  std::lock_guard guard(catalogLock);
  auto at = leases.find({object, pid});
  if (at == leases.end() || --at->second > 0)
    return;
  leases.erase(at);
  // The lease of a process that has ended counts for nothing anyway.
  if (auto done = pool->release(object, pid); !done)
    logDebug("domain " + name + ": " + done.error().context);
}

Domain::Learned &Domain::learned(const std::string &object) {
  auto [at, fresh] = orders.try_emplace(object);
  if (!fresh)
    return at->second;
  auto text = pool->attribute(object, "working-set");
  auto order = text ? decodeOrder(*text) : text.takeError();
  if (order)
    at->second.order = std::move(*order);
  else
    logWarning("domain " + name + ": object " + object + ": " +
               order.error().context);
  return at->second;
}

PageOrder Domain::workingSet(const std::string &object, uint64_t guestPages) {
  std::lock_guard guard(orderLock);
  return joinOrders(learned(object).order, {}, guestPages);
}

void Domain::learn(const std::string &object, const PageOrder &order,
                   uint64_t guestPages) {
  if (order.empty())
    return;
  std::lock_guard guard(orderLock);
  Learned &l = learned(object);
  PageOrder joined = joinOrders(l.order, order, guestPages);
  if (pagesOf(joined) == pagesOf(l.order))
    return;
  l.order = std::move(joined);
  l.grown = true;
}

void Domain::saveWorkingSets() {
  std::map<std::string, PageOrder> grown;
  {
    std::lock_guard guard(orderLock);
    for (auto &[object, l] : orders)
      if (std::exchange(l.grown, false))
        grown[object] = l.order;
  }
  if (grown.empty())
    return;
  auto writer = PagePool::open(directory, name, PagePool::Access::Write);
  for (const auto &[object, order] : grown) {
    Result<void> done = writer ? (*writer)->setAttribute(object, "working-set",
                                                         encodeOrder(order))
                               : Result<void>(writer.error());
    if (done)
      continue;
    logWarning("domain " + name + ": working set of " + object +
               " not saved: " + done.error().context);
    std::lock_guard guard(orderLock);
    if (done.error().sysErrno == EBUSY)
      orders[object].grown = true;
    else if (done.error().sysErrno == ENOENT)
      orders.erase(object);
  }
}

} // namespace spacer
