//===- Connection.cpp - one client, and what it may do next ---------------===//

#include "Connection.h"
#include "Plan.h"

namespace spacer {
namespace {

/// Pages that one slice of an open reads: some ten milliseconds.
constexpr uint64_t slicePages = 2048;
constexpr size_t mostOpenObjects = 64;
/// The planner may ask about a page in the middle of a long stretch again and
/// again, so an answer does not look far.
constexpr uint64_t longestAnswer = 256;

Reply answerOf(const Answer &answer) { return {encode(answer), {}, false}; }

Plan planFor(const PageMap &map, const HostPool &host, uint64_t mappings) {
  PlanOptions options;
  options.mappings = mappings;
  // A page that is in memory stays there, so the plan stays right.
  options.lazy = [&](PoolPage page) {
    bool lazy = !host.present(page);
    uint64_t pages = 1;
    while (pages < longestAnswer && host.present(page + pages) != lazy)
      ++pages;
    return std::pair(lazy, pages);
  };
  return makePlan(map, options);
}

} // namespace

Reply Reply::error(const Error &why, bool close) {
  return {encode(why), {}, close};
}

std::optional<Reply> Connection::handle(Packet packet, bool stopping,
                                        Sessions &sessions,
                                        const Administration &administration,
                                        Job &job) {
  auto request = parseRequest(packet.text);
  if (!request)
    return Reply::error(request.error(), true);
  auto [least, most] = fdsOf(*request);
  if (packet.fds.size() < least || packet.fds.size() > most)
    return Reply::error(
        {EINVAL, std::string(nameOf(*request)) + " with " +
                     std::to_string(packet.fds.size()) +
                     " descriptors, expected " + std::to_string(least) +
                     (least == most ? "" : " or " + std::to_string(most))},
        true);
  bool administrative = std::holds_alternative<StatsRequest>(*request) ||
                        std::holds_alternative<ReloadRequest>(*request) ||
                        std::holds_alternative<DrainRequest>(*request);
  if (administrative != (kind == Kind::Control))
    return Reply::error(
        {EPERM, std::string(nameOf(*request)) + " is not for this socket"},
        true);
  if (stopping && !administrative &&
      !std::holds_alternative<ReleaseRequest>(*request))
    return Reply::error({ESHUTDOWN, "the daemon is stopping"}, true);

  if (auto *r = std::get_if<RangesRequest>(&*request)) {
    if (opened.empty())
      return Reply::error(
          {EINVAL, "ranges: nothing is open on this connection"}, true);
    if (r->ranges.size() > attachMaxRanges - ranges.size())
      return Reply::error(
          {E2BIG, "more than " + std::to_string(attachMaxRanges) + " ranges"},
          true);
    ranges.insert(ranges.end(), r->ranges.begin(), r->ranges.end());
    return answerOf({});
  }
  if (auto *r = std::get_if<OpenRequest>(&*request)) {
    job = openJob(std::move(*r));
  } else if (auto *r = std::get_if<AttachRequest>(&*request)) {
    auto fds = std::make_shared<std::vector<UniqueFd>>(std::move(packet.fds));
    auto attachment = std::make_shared<AttachRequest>(std::move(*r));
    job = [this, fds, attachment, &sessions](Reply &reply) {
      auto done = attach(*attachment, *fds, sessions);
      reply = done ? std::move(*done) : Reply::error(done.error(), true);
      return false;
    };
  } else if (std::holds_alternative<ReleaseRequest>(*request)) {
    job = [this](Reply &reply) {
      releaseAll();
      reply = answerOf({});
      return false;
    };
  } else if (auto *r = std::get_if<DrainRequest>(&*request)) {
    job = [&administration, session = r->session](Reply &reply) {
      reply = administration.drain(session);
      return false;
    };
  } else {
    bool stats = std::holds_alternative<StatsRequest>(*request);
    job = [&administration, stats](Reply &reply) {
      reply = stats ? administration.stats() : administration.reload();
      return false;
    };
  }
  return {};
}

/// Brings the next pages of the map. Sets \p run to the number of runs when
/// nothing is left.
Result<void> Connection::fillSlice(const PageMap &map, LazyPolicy lazy,
                                   size_t &run, uint64_t &page,
                                   const std::string &object) {
  HostPool &host = *domain->host();
  uint64_t budget = slicePages;
  while (run < map.runs().size() && budget > 0) {
    const PageRun &r = map.runs()[run];
    uint64_t pages = 0;
    bool wanted = false;
    while (page + pages < r.pages && pages < budget) {
      PoolPage at = r.pool + (page + pages);
      bool w = !host.present(at) &&
               (lazy == LazyPolicy::None || !host.pool().isCold(at));
      if (pages > 0 && w != wanted)
        break;
      wanted = w;
      ++pages;
    }
    if (wanted) {
      PoolPage first = r.pool + page;
      auto outcome = host.fill(first, pages);
      for (uint64_t i = 0; outcome != HostPool::Outcome::Present && i < pages;
           ++i)
        if (!host.present(first + i))
          return Error{outcome == HostPool::Outcome::Corrupt ? EBADMSG : EIO,
                       "object " + object + ": pool page " +
                           std::to_string((first + i).value) +
                           (outcome == HostPool::Outcome::Corrupt
                                ? " does not have its digest"
                                : " cannot be read")};
    }
    budget -= wanted ? pages : std::min<uint64_t>(budget, pages / 64);
    page += pages;
    if (page == r.pages) {
      ++run;
      page = 0;
    }
  }
  return {};
}

/// A budget that is too small makes copies of what was lazy. The client takes
/// copies from the pool's memory, where an absent page reads as zeros. Brings
/// the next of them; sets \p step to the number of steps when nothing is left.
Result<void> Connection::fillCopies(const Plan &plan, size_t &step,
                                    const std::string &object) {
  HostPool &host = *domain->host();
  uint64_t budget = slicePages;
  for (; step < plan.steps().size() && budget > 0; ++step) {
    const PlanStep &s = plan.steps()[step];
    if (s.kind != StepKind::Pool && s.kind != StepKind::Copy)
      continue;
    auto outcome = host.fill(s.pool, s.pages);
    if (outcome != HostPool::Outcome::Present)
      return Error{outcome == HostPool::Outcome::Corrupt ? EBADMSG : EIO,
                   "object " + object + ": " + std::to_string(s.pages) +
                       " pages from pool page " + std::to_string(s.pool.value) +
                       (outcome == HostPool::Outcome::Corrupt
                            ? " do not have their digests"
                            : " cannot be read")};
    budget -= std::min(budget, s.kind == StepKind::Copy ? s.pages : 0);
  }
  return {};
}

Connection::Job Connection::openJob(OpenRequest request) {
  struct Progress {
    OpenRequest request;
    std::shared_ptr<const PageMap> map;
    size_t run = 0;
    uint64_t page = 0;
    std::optional<Plan> plan;
    size_t step = 0;
  };
  auto p = std::make_shared<Progress>();
  p->request = std::move(request);
  return [this, p](Reply &reply) {
    const std::string &object = p->request.object;
    auto fail = [&](const Error &why) {
      if (p->map && !opened.count(object))
        domain->release(object, peer.pid);
      reply = Reply::error(why, false);
      return false;
    };
    if (!p->map) {
      if (opened.size() >= mostOpenObjects)
        return fail({EMFILE, "open: " + std::to_string(mostOpenObjects) +
                                 " objects are open on this connection"});
      if (auto known = opened.find(object); known != opened.end()) {
        p->map = known->second; // the lease is there, the map cannot change
      } else {
        auto map = domain->lease(object, peer.pid);
        if (!map)
          return fail(map.error());
        p->map = std::move(*map);
      }
    }
    if (gone)
      return fail({ECANCELED, "the client left"});
    if (p->request.lazy != LazyPolicy::All && !p->plan) {
      if (auto done =
              fillSlice(*p->map, p->request.lazy, p->run, p->page, object);
          !done)
        return fail(done.error());
      if (p->run < p->map->runs().size())
        return true;
    }
    if (!p->plan)
      p->plan = planFor(*p->map, *domain->host(), p->request.mappings);
    if (auto done = fillCopies(*p->plan, p->step, object); !done)
      return fail(done.error());
    if (p->step < p->plan->steps().size())
      return true;
    std::vector<uint8_t> bytes = p->plan->encode();
    auto plan = sealedCopy("spacer-plan", bytes.data(), bytes.size());
    if (!plan)
      return fail(plan.error());
    auto pool = domain->host()->clientFd();
    if (!pool)
      return fail(pool.error());
    Answer answer;
    answer.guestPages = p->map->guestPages();
    reply.text = encode(answer);
    reply.fds.push_back(std::move(*plan));
    reply.fds.push_back(std::move(*pool));
    opened.emplace(object, p->map);
    return false;
  };
}

Result<Reply> Connection::attach(AttachRequest &request,
                                 std::vector<UniqueFd> &fds,
                                 Sessions &sessions) {
  auto at = opened.find(request.object);
  if (at == opened.end())
    return Error{EINVAL, "attach: object " + request.object +
                             " is not open on this connection"};
  Sessions::Attach attach;
  attach.domain = domain;
  attach.object = request.object;
  attach.name = request.name;
  attach.map = at->second;
  attach.ranges = std::move(ranges);
  ranges.clear();
  attach.ranges.insert(attach.ranges.end(), request.ranges.begin(),
                       request.ranges.end());
  if (attach.ranges.size() > attachMaxRanges)
    return Error{E2BIG,
                 "more than " + std::to_string(attachMaxRanges) + " ranges"};
  if (auto good = checkRanges(attach.ranges, attach.map->guestPages()); !good)
    return good.takeError();
  attach.uffd = std::move(fds[0]);
  if (fds.size() > 1) {
    attach.pidfd = std::move(fds[1]);
  } else {
    auto pidfd = peerPidfd(socket.get(), peer);
    if (!pidfd)
      return pidfd.takeError();
    attach.pidfd = std::move(*pidfd);
  }
  auto pid = processOf(attach.pidfd.get());
  if (!pid)
    return Error{pid.error().sysErrno, "attach: " + pid.error().context};
  if (*pid != peer.pid && peer.uid != 0) {
    auto user = userOf(*pid);
    if (!user || *user != peer.uid)
      return Error{EPERM, "attach: process " + std::to_string(*pid) +
                              " is not of user " + std::to_string(peer.uid)};
  }
  attach.pid = *pid;
  attach.user = peer.uid;
  auto session = sessions.attach(std::move(attach));
  if (!session)
    return session.takeError();
  Answer answer;
  answer.session = *session;
  return answerOf(answer);
}

void Connection::releaseAll() {
  for (const auto &[object, map] : opened)
    domain->release(object, peer.pid);
  opened.clear();
  ranges.clear();
}

} // namespace spacer
