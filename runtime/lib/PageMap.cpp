//===- PageMap.cpp - what each page of a guest's memory holds -------------===//

#include "PageMap.h"
#include "SealedTable.h"
#include <algorithm>

namespace spacer {
namespace {

constexpr char magic[8] = {'S', 'P', 'A', 'C', 'E', 'R', 'P', 'M'};
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
  h.guestPages = total;
  h.runs = list.size();
  return sealTable(magic, h, list);
}

Result<PageMap> PageMap::decode(std::span<const uint8_t> bytes) {
  auto table = openTable<Header, PageRun>(magic, bytes, &Header::runs,
                                          "page map", "runs");
  if (!table)
    return table.takeError();
  auto bad = [](std::string why) {
    return Error{EBADMSG, "page map: " + std::move(why)};
  };
  auto map = make(table->header.guestPages, std::move(table->rows));
  if (!map)
    return bad(map.error().context);
  if (map->list.size() != table->header.runs)
    return bad("runs that continue each other");
  return map;
}

} // namespace spacer
