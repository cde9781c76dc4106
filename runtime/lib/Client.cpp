//===- Client.cpp - a VMM's side of spacerd -------------------------------===//

#include "Client.h"
#include <sys/stat.h>

namespace spacer {
namespace {

/// A plan of 65,530 mappings with a copy between any two is 4 MiB.
constexpr uint64_t planMostBytes = 256 << 20;

Result<Plan> readPlan(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0)
    return systemError("plan");
  auto bytes = uint64_t(st.st_size);
  if (bytes > planMostBytes)
    return Error{EBADMSG, "plan: " + std::to_string(bytes) +
                              " bytes, expected at most " +
                              std::to_string(planMostBytes)};
  std::vector<uint8_t> text(bytes);
  for (size_t done = 0; done < bytes;) {
    ssize_t got = pread(fd, &text[done], bytes - done, off_t(done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError("plan");
    if (got == 0)
      return Error{EBADMSG, "plan: ends at byte " + std::to_string(done) +
                                " of " + std::to_string(bytes)};
    done += size_t(got);
  }
  return Plan::decode(text);
}

} // namespace

Result<Uffd> watchRanges(const std::vector<LazyRange> &ranges) {
  auto uffd =
      Uffd::create(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |
                   UFFD_FEATURE_EVENT_REMOVE);
  if (!uffd)
    return uffd;
  for (const LazyRange &r : ranges)
    if (int err = uffd->registerRange(r.start, r.bytes,
                                      UFFDIO_REGISTER_MODE_MISSING |
                                          UFFDIO_REGISTER_MODE_MINOR))
      return systemError("userfaultfd: registering " + std::to_string(r.bytes) +
                             " bytes at guest page " +
                             std::to_string(r.guest.value),
                         -err);
  return uffd;
}

Result<Client> Client::connect(const std::string &path) {
  auto socket = connectTo(path);
  if (!socket)
    return socket.takeError();
  return Client(std::move(*socket));
}

Result<OpenedObject> Client::open(std::string_view object, uint64_t mappings,
                                  LazyPolicy lazy) {
  std::vector<UniqueFd> fds;
  auto answer =
      call(socket.get(),
           encode(Request(OpenRequest{std::string(object), mappings, lazy})),
           {}, &fds);
  if (!answer)
    return answer.takeError();
  std::string name(object);
  if (fds.size() != 2)
    return Error{EPROTO, name + ": the daemon sent " +
                             std::to_string(fds.size()) +
                             " descriptors, expected plan and pool"};
  auto plan = readPlan(fds[0].get());
  if (!plan)
    return Error{plan.error().sysErrno, name + ": " + plan.error().context};
  if (answer->guestPages != plan->guestPages())
    return Error{EPROTO, name + ": the plan is for " +
                             std::to_string(plan->guestPages()) +
                             " pages, the daemon says " +
                             std::to_string(answer->guestPages.value_or(0))};
  return OpenedObject{std::move(*plan), std::move(fds[1])};
}

Result<uint64_t> Client::attach(std::string_view object, std::string_view name,
                                std::vector<LazyRange> ranges, int uffd) {
  std::vector<std::string> packets = encodePackets(Request(AttachRequest{
      std::string(object), std::string(name), std::move(ranges)}));
  std::optional<uint64_t> session;
  for (size_t i = 0; i < packets.size(); ++i) {
    std::span<const int> fds(&uffd, i + 1 == packets.size());
    auto answer = call(socket.get(), packets[i], fds);
    if (!answer)
      return answer.takeError();
    session = answer->session;
  }
  if (!session)
    return Error{EPROTO, std::string(object) +
                             ": the daemon's answer to attach has no session"};
  return *session;
}

Result<void> Client::release() {
  auto answer = call(socket.get(), encode(Request(ReleaseRequest{})));
  if (!answer)
    return answer.takeError();
  return {};
}

Result<ClientMapping> Client::mapObject(std::string_view object,
                                        std::string_view name, HostAddr base,
                                        uint64_t bytes,
                                        const ClientMapOptions &options) {
  auto opened = open(object, options.mappings, options.lazy);
  if (!opened)
    return opened.takeError();
  ClientMapping out;
  out.guestBytes = opened->plan.guestPages() * pageBytes;
  out.summary = opened->plan.summary();
  if (out.guestBytes > bytes)
    return Error{ENOSPC, std::string(object) + ": the guest has " +
                             std::to_string(out.guestBytes) +
                             " bytes, the range " + std::to_string(bytes)};
  auto lazy =
      mapPlan(opened->plan, opened->pool.get(), base, options.protection);
  if (!lazy)
    return Error{lazy.error().sysErrno,
                 std::string(object) + ": " + lazy.error().context};
  if (lazy->empty())
    return out;

  // From here on a failure must not leave lazy pages that nobody serves.
  auto giveUp = [&](Error why) {
    (void)mapZero(base, out.guestBytes, options.protection);
    return why;
  };
  auto uffd = watchRanges(*lazy);
  if (!uffd)
    return giveUp(uffd.takeError());
  auto session = attach(object, name, std::move(*lazy), uffd->fd());
  if (!session)
    return giveUp(session.takeError());
  out.uffd = uffd->release();
  out.session = *session;
  return out;
}

} // namespace spacer
