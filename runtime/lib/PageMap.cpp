//===- PageMap.cpp - what each page of a guest's memory holds -------------===//

#include "PageMap.h"
#include "Digest.h"
#include <algorithm>

namespace spacer {
namespace {

constexpr char magic[8] = {'S', 'P', 'A', 'C', 'E', 'R', 'P', 'M'};
constexpr uint32_t version = 1;
/// Far above any real guest; keeps every page number times 4096 in 63 bits.
constexpr uint64_t mostPages = uint64_t(1) << 50;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t guestPages;
  uint64_t runs;
};
static_assert(sizeof(Header) == 32, "format is fixed");
static_assert(sizeof(PageRun) == 24, "format is fixed");
constexpr size_t digestBytes = 16;

bool continues(const PageRun &a, const PageRun &b) {
  return a.guest + a.pages == b.guest && a.pool + a.pages == b.pool;
}

std::string problem(uint64_t guestPages, const std::vector<PageRun> &runs) {
  if (guestPages > mostPages)
    return "guest of " + std::to_string(guestPages) + " pages";
  uint64_t end = 0;
  for (const PageRun &r : runs) {
    std::string at = "run at guest page " + std::to_string(r.guest.value);
    if (r.pages == 0)
      return at + " is empty";
    if (r.guest.value < end)
      return at + " starts before " + std::to_string(end) +
             ", where the one before ends";
    if (r.guest.value > guestPages || r.pages > guestPages - r.guest.value)
      return at + " has " + std::to_string(r.pages) + " pages, the guest has " +
             std::to_string(guestPages);
    if (r.pool.value > mostPages || r.pages > mostPages - r.pool.value)
      return at + " has pool page " + std::to_string(r.pool.value);
    end = r.guest.value + r.pages;
  }
  return {};
}

} // namespace

Result<PageMap> PageMap::make(uint64_t guestPages, std::vector<PageRun> runs) {
  if (std::string why = problem(guestPages, runs); !why.empty())
    return Error{EINVAL, "page map: " + why};
  PageMap map;
  map.total = guestPages;
  for (const PageRun &r : runs)
    if (!map.list.empty() && continues(map.list.back(), r))
      map.list.back().pages += r.pages;
    else
      map.list.push_back(r);
  return map;
}

uint64_t PageMap::poolPages() const {
  uint64_t sum = 0;
  for (const PageRun &r : list)
    sum += r.pages;
  return sum;
}

PageMap::Piece PageMap::at(GuestPage page) const {
  assert(page.value < total);
  auto next = std::upper_bound(
      list.begin(), list.end(), page,
      [](GuestPage p, const PageRun &r) { return p < r.guest; });
  if (next != list.begin()) {
    const PageRun &r = *std::prev(next);
    if (uint64_t in = page - r.guest; in < r.pages)
      return {r.pages - in, r.pool + in};
  }
  uint64_t end = next == list.end() ? total : next->guest.value;
  return {end - page.value, std::nullopt};
}

std::vector<uint8_t> PageMap::encode() const {
  Header h{};
  std::memcpy(h.magic, magic, sizeof magic);
  h.version = version;
  h.guestPages = total;
  h.runs = list.size();
  size_t runBytes = list.size() * sizeof(PageRun);
  std::vector<uint8_t> out(sizeof h + runBytes + digestBytes);
  std::memcpy(out.data(), &h, sizeof h);
  if (runBytes)
    std::memcpy(out.data() + sizeof h, list.data(), runBytes);
  Digest d = digestOf({out.data(), out.size() - digestBytes});
  std::memcpy(out.data() + out.size() - digestBytes, d.bytes.data(),
              digestBytes);
  return out;
}

Result<PageMap> PageMap::decode(std::span<const uint8_t> bytes) {
  auto bad = [](std::string why) {
    return Error{EBADMSG, "page map: " + std::move(why)};
  };
  Header h;
  if (bytes.size() < sizeof h + digestBytes)
    return bad(std::to_string(bytes.size()) + " bytes, the least is " +
               std::to_string(sizeof h + digestBytes));
  std::memcpy(&h, bytes.data(), sizeof h);
  if (std::memcmp(h.magic, magic, sizeof magic) != 0)
    return bad("no page map");
  if (h.version != version || h.reserved != 0)
    return bad("version " + std::to_string(h.version) + ", known is 1");
  uint64_t room = bytes.size() - sizeof h - digestBytes;
  if (room % sizeof(PageRun) != 0 || room / sizeof(PageRun) != h.runs)
    return bad(std::to_string(h.runs) + " runs in " + std::to_string(room) +
               " bytes");
  Digest d = digestOf(bytes.first(bytes.size() - digestBytes));
  if (std::memcmp(d.bytes.data(), bytes.data() + bytes.size() - digestBytes,
                  digestBytes) != 0)
    return bad("wrong checksum");
  std::vector<PageRun> runs(h.runs);
  if (room)
    std::memcpy(runs.data(), bytes.data() + sizeof h, room);
  auto map = make(h.guestPages, std::move(runs));
  if (!map)
    return bad(map.error().context);
  if (map->list.size() != h.runs)
    return bad("runs that continue each other");
  return map;
}

} // namespace spacer
