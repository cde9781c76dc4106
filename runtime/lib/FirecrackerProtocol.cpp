//===- FirecrackerProtocol.cpp - the hand-over of a microVM's memory ------===//

#include "FirecrackerProtocol.h"
#include "Kernel.h"
#include <algorithm>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/socket.h>

namespace spacer {

using Json = nlohmann::json;

static Error bad(std::string what) {
  return {EBADMSG, "firecracker handshake: " + std::move(what)};
}

static std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
  return text;
}

// Regions

namespace {

/// One object of the array, as it came.
struct Row {
  size_t index;
  Region region;
  uint64_t offset;
};

} // namespace

/// The whole number that \p object has as \p name; nothing if it has none.
static Result<std::optional<uint64_t>> number(const Json &object, size_t index,
                                              const char *name) {
  auto field = object.find(name);
  if (field == object.end())
    return std::optional<uint64_t>();
  if (!field->is_number_unsigned())
    return bad("region " + std::to_string(index) + ": " + name +
               " is no whole number from 0 to 2^64-1");
  return std::optional(field->get<uint64_t>());
}

/// page_size is in bytes. page_size_kib has been in bytes in every release that
/// had it; what its name says is understood too, for no page size is both.
static Result<uint32_t> pageSizeOf(const Json &object, size_t index) {
  auto inBytes = number(object, index, "page_size");
  if (!inBytes)
    return inBytes.takeError();
  auto inKib = number(object, index, "page_size_kib");
  if (!inKib)
    return inKib.takeError();
  auto wrong = [&](const char *name, uint64_t value) {
    return bad("region " + std::to_string(index) + ": " + name + " " +
               std::to_string(value) + ", expected 4096 or 2097152");
  };
  std::optional<uint64_t> size = *inBytes;
  if (size && *size != pageBytes && *size != hugePageBytes)
    return wrong("page_size", *size);
  if (*inKib) {
    uint64_t other = **inKib;
    if (other == pageBytes >> 10 || other == hugePageBytes >> 10)
      other <<= 10;
    if (other != pageBytes && other != hugePageBytes)
      return wrong("page_size_kib", other);
    if (size && *size != other)
      return bad("region " + std::to_string(index) + ": page_size " +
                 std::to_string(*size) + ", but page_size_kib " +
                 std::to_string(**inKib));
    size = other;
  }
  return uint32_t(size.value_or(pageBytes));
}

static Result<Row> readRow(const Json &object, size_t index,
                           uint64_t snapshotBytes) {
  std::string where = "region " + std::to_string(index);
  if (!object.is_object())
    return bad(where + " is no object");
  auto pageSize = pageSizeOf(object, index);
  if (!pageSize)
    return pageSize.takeError();
  uint64_t values[3];
  const char *const names[] = {"base_host_virt_addr", "size", "offset"};
  for (unsigned i = 0; i < 3; ++i) {
    auto value = number(object, index, names[i]);
    if (!value)
      return value.takeError();
    if (!*value)
      return bad(where + ": no " + names[i]);
    values[i] = **value;
    if (values[i] % *pageSize)
      return bad(where + ": " + names[i] + " " + hex(values[i]) +
                 " is no multiple of the page size " +
                 std::to_string(*pageSize));
  }
  auto [start, bytes, offset] = values;
  if (!bytes)
    return bad(where + ": size 0");
  if (!start)
    return bad(where + ": base_host_virt_addr 0");
  if (bytes > snapshotBytes || offset > snapshotBytes - bytes)
    return bad(where + ": " + hex(bytes) + " bytes at offset " + hex(offset) +
               " end past the snapshot, which has " + hex(snapshotBytes));
  if (start > (uint64_t(1) << 56) || bytes > (uint64_t(1) << 56))
    return bad(where + ": " + hex(bytes) + " bytes at " + hex(start) +
               " are outside user memory");
  Row row{index, {}, offset};
  row.region.start = {start};
  row.region.bytes = bytes;
  row.region.guest = {offset / pageBytes};
  row.region.kind = RegionKind::Anonymous;
  row.region.pageSize = *pageSize;
  return row;
}

Result<std::vector<Region>>
parseFirecrackerRegions(std::string_view message, uint64_t snapshotBytes,
                        const FirecrackerLimits &limits) {
  // The receiver holds these before; here for everyone else.
  if (message.size() > limits.bytes)
    return bad(std::to_string(message.size()) + " bytes, expected at most " +
               std::to_string(limits.bytes));
  bool tooDeep = false;
  Json list = Json::parse(
      message,
      [&](int depth, Json::parse_event_t, Json &) {
        // Values that are not kept cost nothing: a deep message stays shallow.
        tooDeep |= depth > int(limits.depth);
        return !tooDeep;
      },
      /*allow_exceptions=*/false);
  if (tooDeep)
    return bad("nested deeper than " + std::to_string(limits.depth));
  if (list.is_discarded())
    return bad("is no JSON");
  if (!list.is_array())
    return bad("is no array of regions");
  if (list.empty())
    return bad("has no regions");
  if (list.size() > limits.regions)
    return bad(std::to_string(list.size()) + " regions, expected at most " +
               std::to_string(limits.regions));

  std::vector<Row> rows;
  uint64_t total = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    auto row = readRow(list[i], i, snapshotBytes);
    if (!row)
      return row.takeError();
    total += row->region.bytes; // at most 256 * 2^56: no overflow
    rows.push_back(*row);
  }
  auto overlap = [&](auto begin, const char *what) -> std::string {
    std::ranges::sort(rows, {}, begin);
    for (size_t i = 1; i < rows.size(); ++i)
      if (begin(rows[i]) - begin(rows[i - 1]) < rows[i - 1].region.bytes)
        return "regions " + std::to_string(rows[i - 1].index) + " and " +
               std::to_string(rows[i].index) + " overlap " + what + " at " +
               hex(begin(rows[i]));
    return "";
  };
  // One page of the snapshot in two places could be removed in one of them.
  if (auto why =
          overlap([](const Row &r) { return r.offset; }, "in the snapshot");
      !why.empty())
    return bad(why);
  if (auto why = overlap([](const Row &r) { return r.region.start.value; },
                         "in memory");
      !why.empty())
    return bad(why);
  if (total != snapshotBytes)
    return bad("regions hold " + hex(total) + " bytes, the snapshot " +
               hex(snapshotBytes) + ": not the same machine");

  std::vector<Region> regions;
  for (const Row &row : rows)
    regions.push_back(row.region);
  return regions;
}

// The message

Result<FirecrackerReceiver::Progress> FirecrackerReceiver::receive(int socket) {
  // A little more than the limit on descriptors, so that an excess is seen.
  constexpr size_t roomFds = 8;
  alignas(cmsghdr) char control[CMSG_SPACE(roomFds * sizeof(int))];
  uint8_t bytes[4096];
  for (;;) {
    iovec part{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return Progress::More;
      return systemError("firecracker handshake: cannot receive");
    }
    std::vector<UniqueFd> arrived;
    for (cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
          int fd;
          std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
          arrived.emplace_back(fd);
        }
    if (message.msg_flags & MSG_CTRUNC)
      return bad("more descriptors than " + std::to_string(roomFds) +
                 ", expected 1");
    if (n == 0)
      return Error{EPIPE, "firecracker handshake: the peer closed after " +
                              std::to_string(text.size()) +
                              " bytes, before the message was whole"};
    auto progress = take({bytes, size_t(n)}, std::move(arrived));
    if (!progress || *progress == Progress::Whole)
      return progress;
  }
}

Result<FirecrackerReceiver::Progress>
FirecrackerReceiver::take(std::span<const uint8_t> bytes,
                          std::vector<UniqueFd> descriptors) {
  for (UniqueFd &fd : descriptors)
    fds.push_back(std::move(fd));
  if (fds.size() > limits.descriptors)
    return bad(std::to_string(fds.size()) + " descriptors, expected 1");
  if (text.size() + bytes.size() > limits.bytes)
    return Error{EMSGSIZE, "firecracker handshake: more than " +
                               std::to_string(limits.bytes) + " bytes"};
  text.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  return scan();
}

/// Finds the end of the array by its brackets alone; what lies between is the
/// parser's business, later.
Result<FirecrackerReceiver::Progress> FirecrackerReceiver::scan() {
  auto space = [](char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
  };
  for (; scanned < text.size(); ++scanned) {
    char c = text[scanned];
    if (escaped) {
      escaped = false;
    } else if (inString) {
      escaped = c == '\\';
      inString = c != '"';
    } else if (whole || depth == 0) {
      if (space(c))
        continue;
      if (whole)
        return bad("more after its end");
      if (c != '[')
        return bad("does not start with '['");
      depth = 1;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits.depth)
        return bad("nested deeper than " + std::to_string(limits.depth));
    } else if (c == ']' || c == '}') {
      whole = --depth == 0;
    }
  }
  return whole ? Progress::Whole : Progress::More;
}

// The descriptor

Result<UffdState> uffdState(int fd) {
  std::string path = "/proc/self/fdinfo/" + std::to_string(fd);
  UniqueFd info(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char content[1024];
  ssize_t n = info ? ::read(info.get(), content, sizeof content - 1) : -1;
  if (n < 0)
    return systemError(path);
  content[n] = 0;
  // "API:\t<api>:<features>:<all features>", all hexadecimal; features have
  // bit 31 set once the handshake was made.
  unsigned api = 0;
  unsigned long long features = 0;
  const char *line = std::strstr(content, "\nAPI:\t");
  if (!std::strstr(content, "\npending:\t") || !line ||
      std::sscanf(line, "\nAPI:\t%x:%llx", &api, &features) != 2)
    return Error{EBADMSG, "the descriptor is no userfaultfd"};
  UffdState state;
  state.handshakeDone = features != 0;
  state.features = features & ~(1ull << 31);
  return state;
}

Result<FirecrackerHandshake>
FirecrackerReceiver::finish(uint64_t snapshotBytes) {
  if (!whole)
    return bad("not whole");
  if (fds.size() != 1)
    return bad(std::to_string(fds.size()) + " descriptors, expected 1");
  auto uffd = uffdState(fds[0].get());
  if (!uffd)
    return bad(uffd.error().context);
  if (!uffd->handshakeDone)
    return bad("the userfaultfd has not had its UFFDIO_API");
  // FORK would put descriptors into this process; after REMAP and UNMAP the
  // regions would lie elsewhere.
  constexpr uint64_t notFollowed = UFFD_FEATURE_EVENT_FORK |
                                   UFFD_FEATURE_EVENT_REMAP |
                                   UFFD_FEATURE_EVENT_UNMAP;
  if (uffd->features & notFollowed)
    return bad("the userfaultfd asks for fork, remap or unmap events: features "
               "are " +
               hex(uffd->features) + ", expected at most remove events");
  auto regions = parseFirecrackerRegions(text, snapshotBytes, limits);
  if (!regions)
    return regions.takeError();
  int flags = fcntl(fds[0].get(), F_GETFL);
  if (flags < 0 || fcntl(fds[0].get(), F_SETFL, flags | O_NONBLOCK) < 0)
    return systemError("firecracker handshake: userfaultfd");
  FirecrackerHandshake done;
  done.regions = std::move(*regions);
  done.uffd = std::move(fds[0]);
  done.removeEvents = uffd->features & UFFD_FEATURE_EVENT_REMOVE;
  fds.clear();
  return done;
}

} // namespace spacer
