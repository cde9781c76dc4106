//===- SessionState.cpp - what of a session survives its server -----------===//

#include "SessionState.h"
#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <sys/stat.h>

namespace spacer {
namespace {

constexpr char magic[8] = {'S', 'P', 'A', 'C', 'E', 'R', 'S', 'T'};
constexpr uint64_t messageOffset = pageBytes;
constexpr uint64_t regionOffset = 2 * pageBytes;
/// A process cannot have more mappings than vm.max_map_count, which is an int.
constexpr uint64_t mostRegions = uint64_t(1) << 31;

struct Header {
  char magic[8];
  uint64_t version;
  uint64_t regions;
  uint64_t pages;
  uint64_t broken;
};
static_assert(sizeof(Region) == 32, "the state's format is fixed");

uint64_t roundUp(uint64_t bytes) { return pagesFor(bytes) * pageBytes; }

uint64_t bitsAt(uint64_t regions) {
  return regionOffset + roundUp(regions * sizeof(Region));
}

uint64_t stateBytes(uint64_t regions, uint64_t pages) {
  return bitsAt(regions) + roundUp((pages + 63) / 64 * 8);
}

Header *headerOf(const Mapping &memory) {
  return reinterpret_cast<Header *>(memory.data());
}

std::string nameOf(const Region &r) {
  return "region of " + std::to_string(r.bytes) + " bytes at " +
         std::to_string(r.start.value);
}

/// Page size, alignment and order only.
Result<void> checkShape(std::span<const Region> regions) {
  uint64_t end = 0;
  for (const Region &r : regions) {
    auto bad = [&](std::string why) {
      return Error{EINVAL, nameOf(r) + " " + std::move(why)};
    };
    if (r.kind != RegionKind::PoolMapping && r.kind != RegionKind::Anonymous)
      return bad("is of kind " + std::to_string(uint32_t(r.kind)));
    if (r.pageSize != pageBytes &&
        (r.pageSize != hugePageBytes || r.kind != RegionKind::Anonymous))
      return bad("has pages of " + std::to_string(r.pageSize));
    if (r.bytes == 0 || r.bytes % r.pageSize || r.start.value % r.pageSize)
      return bad("is not made of whole pages of " + std::to_string(r.pageSize));
    if (r.start.value < end)
      return bad("starts before " + std::to_string(end) +
                 ", where the one before ends");
    if (r.bytes > (uint64_t(1) << 57) ||
        r.start.value > (uint64_t(1) << 57) - r.bytes)
      return bad("ends outside the address space");
    end = r.start.value + r.bytes;
  }
  return {};
}

} // namespace

Result<void> checkRegions(std::span<const Region> regions, const PageMap &map) {
  if (regions.empty() || regions.size() > mostRegions)
    return Error{EINVAL, std::to_string(regions.size()) + " regions"};
  if (auto done = checkShape(regions); !done)
    return done;
  for (const Region &r : regions) {
    if (r.guest.value > map.guestPages() ||
        r.pages() > map.guestPages() - r.guest.value)
      return Error{EINVAL, nameOf(r) + " is guest page " +
                               std::to_string(r.guest.value) +
                               " on, the guest has " +
                               std::to_string(map.guestPages())};
    if (r.kind != RegionKind::PoolMapping)
      continue;
    PageMap::Piece piece = map.at(r.guest);
    if (!piece.pool || piece.pages < r.pages())
      return Error{EINVAL, nameOf(r) + " maps the pool, where guest page " +
                               std::to_string(r.guest.value) + " has " +
                               (piece.pool ? std::to_string(piece.pages)
                                           : std::string("no")) +
                               " pool pages in a row"};
  }
  return {};
}

Result<SessionState> SessionState::create(std::vector<Region> regions) {
  SessionState made;
  made.list = std::move(regions);
  made.indexRegions();
  made.memfd.reset(
      memfd_create("spacer-session", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  uint64_t bytes = stateBytes(made.list.size(), made.pages());
  if (!made.memfd || ftruncate(made.memfd.get(), off_t(bytes)) != 0)
    return systemError("session state of " + std::to_string(bytes) + " bytes");
  fcntl(made.memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  if (auto done = made.map(bytes); !done)
    return done.takeError();
  std::memcpy(made.memory.data() + regionOffset, made.list.data(),
              made.list.size() * sizeof(Region));
  auto *header = new (made.memory.data()) Header{};
  header->version = 1;
  header->regions = made.list.size();
  header->pages = made.pages();
  std::memcpy(header->magic, magic, sizeof magic);
  return made;
}

Result<SessionState> SessionState::adopt(UniqueFd fd) {
  auto bad = [](std::string why) {
    return Error{EBADMSG, "session state: " + std::move(why)};
  };
  struct stat st;
  if (fstat(fd.get(), &st) != 0)
    return systemError("session state");
  uint64_t bytes = uint64_t(st.st_size);
  if (bytes < regionOffset || !pageAligned(bytes))
    return bad(std::to_string(bytes) + " bytes");
  SessionState made;
  made.memfd = std::move(fd);
  if (auto done = made.map(bytes); !done)
    return done.takeError();
  Header h;
  std::memcpy(&h, made.memory.data(), sizeof h);
  if (std::memcmp(h.magic, magic, sizeof magic) != 0 || h.version != 1)
    return bad("none, or of another version");
  if (h.regions == 0 || h.regions > mostRegions || bitsAt(h.regions) > bytes)
    return bad(std::to_string(h.regions) + " regions in " +
               std::to_string(bytes) + " bytes");
  made.list.resize(h.regions);
  std::memcpy(made.list.data(), made.memory.data() + regionOffset,
              h.regions * sizeof(Region));
  if (auto done = checkShape(made.list); !done)
    return bad(done.error().context);
  made.indexRegions();
  if (h.pages != made.pages() || stateBytes(h.regions, h.pages) != bytes)
    return bad(std::to_string(h.pages) + " pages, the regions have " +
               std::to_string(made.pages()));
  return made;
}

Result<void> SessionState::map(uint64_t bytes) {
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_POPULATE, memfd.get(), 0);
  if (at == MAP_FAILED)
    return systemError("session state: mmap of " + std::to_string(bytes) +
                       " bytes");
  memory = Mapping(at, bytes);
  // Without the right to lock it, a copy could fail only if the page were
  // paged out just then.
  mlock(memory.data() + messageOffset, pageBytes);
  return {};
}

void SessionState::indexRegions() {
  firstBit.clear();
  uint64_t bit = 0;
  for (const Region &r : list) {
    firstBit.push_back(bit);
    bit += r.pages();
  }
  firstBit.push_back(bit);
  bitOffset = bitsAt(list.size());
}

std::optional<SessionState::Place> SessionState::find(HostAddr at) const {
  auto in = [&](size_t i) {
    return i < list.size() && list[i].start <= at &&
           at - list[i].start < list[i].bytes;
  };
  // Faults come in neighbourhoods.
  if (!in(lastFound)) {
    auto next = std::upper_bound(
        list.begin(), list.end(), at,
        [](HostAddr a, const Region &r) { return a < r.start; });
    if (next == list.begin())
      return std::nullopt;
    size_t found = size_t(next - list.begin()) - 1;
    if (!in(found))
      return std::nullopt;
    lastFound = found;
  }
  uint64_t page = (at - list[lastFound].start) / pageBytes;
  return Place{&list[lastFound], page, firstBit[lastFound] + page};
}

SessionState::Place SessionState::place(uint64_t bit) const {
  auto next = std::upper_bound(firstBit.begin(), firstBit.end(), bit);
  size_t i = size_t(next - firstBit.begin()) - 1;
  return {&list[i], bit - firstBit[i], bit};
}

uint64_t SessionState::remove(HostAddr start, HostAddr end) {
  uint64_t pages = 0;
  auto first = std::upper_bound(
      list.begin(), list.end(), start,
      [](HostAddr a, const Region &r) { return a < r.start + r.bytes; });
  for (auto r = first; r != list.end() && r->start < end; ++r) {
    uint64_t base = firstBit[size_t(r - list.begin())];
    HostAddr from = std::max(start, r->start);
    HostAddr to = std::min(end, r->start + r->bytes);
    uint64_t bit = base + (from - r->start) / pageBytes;
    uint64_t stop = base + pagesFor(to - r->start);
    pages += stop - bit;
    for (; bit < stop && bit % 64; ++bit)
      bits()[bit / 64] |= uint64_t(1) << bit % 64;
    for (; stop - bit >= 64; bit += 64)
      bits()[bit / 64] = ~uint64_t(0);
    for (; bit < stop; ++bit)
      bits()[bit / 64] |= uint64_t(1) << bit % 64;
  }
  return pages;
}

void SessionState::clearMessages(size_t count) {
  // The order in which a successor finds the stores is the program's (x86
  // does not reorder stores); only the compiler must be told.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memset(static_cast<void *>(messages().data()), 0,
              count * sizeof(uffd_msg));
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

bool SessionState::broken() const { return headerOf(memory)->broken; }

void SessionState::setBroken() { headerOf(memory)->broken = 1; }

} // namespace spacer
