//===- CApiServer.cpp - the C interface: fault server and client ----------===//

#include "CApi.h"
#include "Client.h"
#include "PageServer.h"
#include <fcntl.h>

using namespace spacer;
using namespace spacer::capi;

struct spacer_server {
  std::shared_ptr<HostPool> host;
  std::unique_ptr<PageServer> server;
};

struct spacer_client {
  Client client;
  std::vector<UniqueFd> uffds; ///< as long as the memory lives, see Client.h
};

namespace {

/// 256 GiB of pages to come.
constexpr uint64_t spareCapacityPages = uint64_t(1) << 26;

HostAddr addressOf(const void *p) { return {reinterpret_cast<uint64_t>(p)}; }

int prepare(HostPool &host, const spacer_plan &plan) {
  for (const PlanStep &s : plan.plan.steps()) {
    if (s.kind == StepKind::Zero)
      continue;
    auto problem = [&](int err, const char *why) {
      return fail({err, plan.object + ": " + std::to_string(s.pages) +
                            " pages at guest page " +
                            std::to_string(s.guest.value) + " " + why});
    };
    if ((s.pool + s.pages).value > host.capacityPages())
      return problem(ENOSPC, "lie beyond the server's capacity");
    if (s.kind == StepKind::Lazy)
      continue;
    switch (host.fill(s.pool, s.pages)) {
    case HostPool::Outcome::Present:
      break;
    case HostPool::Outcome::Corrupt:
      return problem(EBADMSG, "do not have their checksums");
    case HostPool::Outcome::Failed:
      return problem(EIO, "cannot be read");
    }
  }
  return 0;
}

int addSession(spacer_server *server, const spacer_plan &plan, const char *name,
               UniqueFd uffd, UniqueFd pidfd,
               const std::vector<LazyRange> &ranges, uint64_t *session) {
  SessionSpec spec;
  spec.name = name ? name : "";
  spec.object = plan.object;
  spec.uffd = std::move(uffd);
  spec.pidfd = std::move(pidfd);
  spec.pool = server->host;
  spec.map = plan.map;
  for (const LazyRange &r : ranges)
    spec.regions.push_back({r.start, r.bytes, r.guest});
  auto id = server->server->add(std::move(spec));
  if (!id)
    return fail(id.error());
  if (session)
    *session = uint64_t(*id);
  return 0;
}

int checkPlan(const spacer_server *server, const spacer_plan *plan) {
  if (!server || !plan)
    return invalid("server: no server or plan given");
  if (plan->host != server->host)
    return invalid("server: the plan was not made for it");
  return 0;
}

} // namespace

int spacer_server_start(spacer_server **server, spacer_pool *pool,
                        const spacer_server_options *options) {
  return guarded([&] {
    if (!server)
      return invalid("server: no handle given");
    *server = nullptr;
    spacer_server_options o{};
    if (options)
      o = *options;
    if (!pool || !reservedZero(o.reserved))
      return invalid("server: no pool given, or unknown options");
    uint64_t capacity = o.capacity_pages
                            ? o.capacity_pages
                            : pool->pool->pageCount() + spareCapacityPages;
    auto host = HostPool::create(pool->pool, capacity);
    if (!host)
      return fail(host.error());
    PageServerOptions serverOptions;
    serverOptions.threads = o.threads;
    if (o.batch_pages)
      serverOptions.batchPages = o.batch_pages;
    auto started = PageServer::start(std::move(serverOptions));
    if (!started)
      return fail(started.error());
    *server = new spacer_server{std::move(*host), std::move(*started)};
    return 0;
  });
}

int spacer_server_stop(spacer_server *server) {
  return guarded([&] {
    if (!server)
      return 0;
    for (const SessionStats &s : server->server->stats())
      if (auto drained = server->server->drain(s.id); !drained)
        return fail(drained.error());
    delete server;
    return 0;
  });
}

int spacer_server_plan(spacer_plan **plan, spacer_server *server,
                       const char *object, const spacer_plan_options *options) {
  return guarded([&] {
    if (!plan)
      return invalid("plan: no handle given");
    *plan = nullptr;
    if (!server || !object)
      return invalid("plan: no server or object given");
    std::shared_ptr<PagePool> pool(server->host, &server->host->pool());
    return makePlanHandle(plan, std::move(pool), server->host, object, options);
  });
}

int spacer_server_prepare(spacer_server *server, const spacer_plan *plan) {
  return guarded([&] {
    if (int wrong = checkPlan(server, plan))
      return wrong;
    return prepare(*server->host, *plan);
  });
}

int spacer_server_map(spacer_server *server, spacer_plan *plan,
                      const char *name, void *base, size_t bytes,
                      int protection, uint64_t *session) {
  return guarded([&] {
    if (session)
      *session = 0;
    if (int wrong = checkPlan(server, plan))
      return wrong;
    if (int wrong = checkRoom(plan->plan, base, bytes))
      return wrong;
    if (int wrong = prepare(*server->host, *plan))
      return wrong;
    auto pool = server->host->clientFd();
    if (!pool)
      return fail(pool.error());
    plan->leased = false; // ends with the process
    auto lazy = mapPlan(plan->plan, pool->get(), addressOf(base), protection);
    if (!lazy)
      return fail(lazy.error());
    if (lazy->empty())
      return 0;
    auto uffd = watchRanges(*lazy);
    int result = uffd ? addSession(server, *plan, name, uffd->release(), {},
                                   *lazy, session)
                      : fail(uffd.error());
    if (result != 0) // no lazy pages that nobody serves
      (void)mapZero(addressOf(base), plan->plan.guestPages() * pageBytes,
                    protection);
    return result;
  });
}

int spacer_server_fd(spacer_server *server) {
  return guarded([&] {
    if (!server)
      return invalid("server: no handle given");
    auto fd = server->host->clientFd();
    return fd ? fd->release() : fail(fd.error());
  });
}

int spacer_server_attach(spacer_server *server, const spacer_plan *plan,
                         const spacer_attach *attach, uint64_t *session) {
  return guarded([&] {
    if (session)
      *session = 0;
    if (int wrong = checkPlan(server, plan))
      return wrong;
    if (!attach || !reservedZero(attach->reserved) ||
        (attach->range_count && !attach->ranges))
      return invalid("attach: no ranges, or unknown options");
    auto duplicate = [](int fd) {
      return UniqueFd(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3));
    };
    UniqueFd uffd = duplicate(attach->uffd), pidfd = duplicate(attach->pidfd);
    if (!uffd || (attach->pidfd >= 0 && !pidfd))
      return fail(systemError("attach: uffd or pidfd", EBADF));
    std::vector<LazyRange> ranges;
    for (size_t i = 0; i < attach->range_count; ++i) {
      const spacer_range &r = attach->ranges[i];
      ranges.push_back({{r.start}, r.bytes, {r.guest_page}});
    }
    return addSession(server, *plan, attach->name, std::move(uffd),
                      std::move(pidfd), ranges, session);
  });
}

int spacer_server_stats(const spacer_server *server,
                        int (*each)(const spacer_session_stats *, void *),
                        void *user) {
  return guarded([&] {
    if (!server || !each)
      return invalid("stats: no server or callback given");
    for (const SessionStats &s : server->server->stats()) {
      spacer_session_stats stats{};
      stats.session = uint64_t(s.id);
      stats.name = s.name.c_str();
      stats.object = s.object.c_str();
      stats.faults = s.faults;
      stats.continued = s.continued;
      stats.copied = s.copied;
      stats.zeroed = s.zeroed;
      stats.poisoned = s.poisoned;
      stats.prefetched = s.prefetched;
      stats.removed = s.removed;
      stats.retries = s.retries;
      if (int stop = each(&stats, user))
        return stop;
    }
    return 0;
  });
}

int spacer_server_drain(spacer_server *server, uint64_t session) {
  return guarded([&] {
    return server ? done(server->server->drain(SessionId(session)))
                  : invalid("server: no handle given");
  });
}

int spacer_server_remove(spacer_server *server, uint64_t session) {
  return guarded([&] {
    if (!server)
      return invalid("server: no handle given");
    server->server->remove(SessionId(session));
    return 0;
  });
}

int spacer_client_connect(spacer_client **client, const char *socket) {
  return guarded([&] {
    if (!client || !socket)
      return invalid("client: no handle or socket given");
    *client = nullptr;
    auto connected = Client::connect(socket);
    if (!connected)
      return fail(connected.error());
    *client = new spacer_client{std::move(*connected), {}};
    return 0;
  });
}

void spacer_client_close(spacer_client *client) { delete client; }

int spacer_client_map_object(spacer_client *client, const char *object,
                             const char *name, void *base, size_t bytes,
                             const spacer_client_options *options,
                             spacer_client_mapping *result) {
  return guarded([&] {
    spacer_client_options o{};
    if (options)
      o = *options;
    if (!client || !object || !base || !reservedZero(o.reserved) ||
        o.lazy > SPACER_LAZY_ALL)
      return invalid("client: no client, object or range given, or unknown "
                     "options");
    ClientMapOptions mapOptions;
    if (o.mappings)
      mapOptions.mappings = o.mappings;
    mapOptions.lazy = o.lazy == SPACER_LAZY_ALL    ? LazyPolicy::All
                      : o.lazy == SPACER_LAZY_NONE ? LazyPolicy::None
                                                   : LazyPolicy::Cold;
    if (o.protection)
      mapOptions.protection = int(o.protection);
    client->uffds.reserve(client->uffds.size() + 1); // no failure afterwards
    auto mapped = client->client.mapObject(object, name ? name : object,
                                           addressOf(base), bytes, mapOptions);
    if (!mapped)
      return fail(mapped.error());
    if (mapped->uffd)
      client->uffds.push_back(std::move(mapped->uffd));
    if (result) {
      const PlanSummary &s = mapped->summary;
      *result = {mapped->guestBytes,
                 mapped->session.value_or(0),
                 {mapped->guestBytes / pageBytes,
                  s.mappings,
                  s.wantedMappings,
                  s.poolPages,
                  s.zeroPages,
                  s.copyPages,
                  s.lazyPages,
                  s.copiedRuns,
                  {}},
                 {}};
    }
    return 0;
  });
}
