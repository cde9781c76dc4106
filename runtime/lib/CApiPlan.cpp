//===- CApiPlan.cpp - the C interface: plans and their memory -------------===//
//
// A plan made without a server maps the pool's page file, where cold pages are
// holes: they are lazy in the plan whatever was asked for, and
// spacer_plan_map() reads them. The lease that comes before keeps others from
// making more pages cold, or freeing them, under the mapping.
//
//===----------------------------------------------------------------------===//

#include "CApi.h"
#include "MemoryMap.h"
#include <unistd.h>

using namespace spacer;
using namespace spacer::capi;

namespace {

/// What must not be mapped at once. Looks at no more than 64 pages at a time,
/// for a run may be short.
template <class Lazy> auto stretches(uint64_t end, Lazy lazy) {
  return [=](PoolPage page) {
    bool answer = lazy(page);
    uint64_t pages = 1;
    while (pages < 64 && page.value + pages < end &&
           lazy(page + pages) == answer)
      ++pages;
    return std::pair(answer, pages);
  };
}

void setLaziness(PlanOptions &options, const PagePool *pool,
                 const HostPool *host, uint32_t lazy) {
  uint64_t end = pool->pageCount();
  if (!host && lazy == SPACER_LAZY_ALL)
    options.lazy = [](PoolPage) { return std::pair(true, ~uint64_t(0)); };
  else if (!host)
    options.lazy = stretches(end, [=](PoolPage p) { return pool->isCold(p); });
  else if (lazy == SPACER_LAZY_ALL)
    options.lazy =
        stretches(end, [=](PoolPage p) { return !host->present(p); });
  else if (lazy == SPACER_LAZY_COLD)
    options.lazy = stretches(
        end, [=](PoolPage p) { return pool->isCold(p) && !host->present(p); });
}

} // namespace

int spacer::capi::makePlanHandle(spacer_plan **out,
                                 std::shared_ptr<PagePool> pool,
                                 std::shared_ptr<HostPool> host,
                                 const char *object,
                                 const spacer_plan_options *options) {
  spacer_plan_options o{};
  if (options)
    o = *options;
  if (!reservedZero(o.reserved) || o.lazy > SPACER_LAZY_ALL ||
      o.flags & ~uint32_t(SPACER_PLAN_UNLEASED))
    return invalid("plan: unknown options");
  auto plan = std::make_unique<spacer_plan>();
  plan->object = object;
  if (!(o.flags & SPACER_PLAN_UNLEASED)) {
    if (auto leased = pool->lease(object, getpid()); !leased)
      return fail(leased.error());
    plan->leased = true;
  }
  plan->pool = std::move(pool);
  plan->host = std::move(host);
  auto map = plan->pool->map(object);
  if (!map) {
    int result = fail(map.error());
    spacer_plan_free(plan.release());
    return result;
  }
  PlanOptions planOptions;
  if (o.mappings)
    planOptions.mappings = o.mappings;
  if (o.least_run_pages)
    planOptions.leastRunPages = o.least_run_pages;
  setLaziness(planOptions, plan->pool.get(), plan->host.get(), o.lazy);
  plan->map = std::make_shared<const PageMap>(std::move(*map));
  plan->plan = makePlan(*plan->map, planOptions);
  *out = plan.release();
  return 0;
}

int spacer::capi::checkRoom(const Plan &plan, const void *base, size_t bytes) {
  uint64_t guestBytes = plan.guestPages() * pageBytes;
  if (!base || !pageAligned(reinterpret_cast<uint64_t>(base)))
    return invalid("plan: the range does not start at a page");
  if (guestBytes > bytes)
    return fail({ENOSPC, "plan: the guest has " + std::to_string(guestBytes) +
                             " bytes, the range " + std::to_string(bytes)});
  return 0;
}

spacer_plan_summary spacer::capi::summaryOf(const Plan &plan) {
  PlanSummary s = plan.summary();
  return {plan.guestPages(), s.mappings,   s.wantedMappings,
          s.poolPages,       s.zeroPages,  s.copyPages,
          s.lazyPages,       s.copiedRuns, {}};
}

int spacer_plan_make(spacer_plan **plan, spacer_pool *pool, const char *object,
                     const spacer_plan_options *options) {
  return guarded([&] {
    if (!plan)
      return invalid("plan: no handle given");
    *plan = nullptr;
    if (!pool || !object)
      return invalid("plan: no pool or object given");
    return makePlanHandle(plan, pool->pool, nullptr, object, options);
  });
}

void spacer_plan_free(spacer_plan *plan) {
  if (plan && plan->leased)
    guarded([&] { return done(plan->pool->release(plan->object, getpid())); });
  delete plan;
}

void spacer_plan_get_summary(const spacer_plan *plan,
                             spacer_plan_summary *summary) {
  *summary = summaryOf(plan->plan);
}

int spacer_plan_steps(const spacer_plan *plan,
                      int (*each)(const spacer_step *, void *), void *user) {
  return guarded([&] {
    if (!plan || !each)
      return invalid("plan: no handle or callback given");
    for (const PlanStep &s : plan->plan.steps()) {
      spacer_step step{s.guest.value, s.pool.value, s.pages, uint32_t(s.kind),
                       0};
      if (int stop = each(&step, user))
        return stop;
    }
    return 0;
  });
}

int spacer_plan_map(spacer_plan *plan, void *base, size_t bytes,
                    int protection) {
  return guarded([&] {
    if (!plan)
      return invalid("plan: no handle given");
    if (plan->host)
      return invalid("plan: made for a server, whose map function is needed");
    if (int wrong = checkRoom(plan->plan, base, bytes))
      return wrong;
    plan->leased = false; // ends with the process
    const PagePool &pool = *plan->pool;
    return done(mapPlan(plan->plan, pool.pageFile(),
                        {reinterpret_cast<uint64_t>(base)}, protection,
                        [&pool](PoolPage first, std::span<uint8_t> out) {
                          return pool.read(first, out);
                        }));
  });
}

int spacer_memory_discard(void *start, size_t bytes) {
  return guarded([&] {
    return done(discard({reinterpret_cast<uint64_t>(start)}, bytes));
  });
}
