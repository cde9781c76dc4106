//===- WorkingSet.cpp - the order in which pages are first touched --------===//

#include "WorkingSet.h"
#include "Sockets.h"
#include <map>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace spacer {
namespace {

/// Entries that are read at most: far more than any guest's first seconds.
constexpr size_t mostEntries = 1 << 20;

/// Sets of pages as stretches that do not touch.
class Covered {
public:
  /// Adds [from, to); calls \p fresh for each part that was not covered.
  template <class F> void add(uint64_t from, uint64_t to, F fresh) {
    auto at = stretches.upper_bound(from);
    if (at != stretches.begin() && std::prev(at)->second >= from)
      --at;
    uint64_t start = from, end = to, next = from;
    while (at != stretches.end() && at->first <= to) {
      if (next < at->first)
        fresh(next, at->first);
      next = std::max(next, at->second);
      start = std::min(start, at->first);
      end = std::max(end, at->second);
      at = stretches.erase(at);
    }
    if (next < to)
      fresh(next, to);
    stretches[start] = end;
  }

private:
  std::map<uint64_t, uint64_t> stretches;
};

} // namespace

PageOrder joinOrders(const PageOrder &first, const PageOrder &second,
                     uint64_t guestPages) {
  PageOrder out;
  Covered covered;
  auto take = [&](const PageOrder &order) {
    for (auto [page, pages] : order) {
      if (page.value >= guestPages || pages == 0)
        continue;
      pages = std::min(pages, guestPages - page.value);
      covered.add(page.value, page.value + pages, [&](uint64_t a, uint64_t b) {
        if (!out.empty() && out.back().first.value + out.back().second == a)
          out.back().second += b - a;
        else
          out.push_back({{a}, b - a});
      });
    }
  };
  take(first);
  take(second);
  return out;
}

uint64_t pagesOf(const PageOrder &order) {
  uint64_t sum = 0;
  for (auto [page, pages] : order)
    sum += pages;
  return sum;
}

std::string encodeOrder(const PageOrder &order) {
  std::string out = "[";
  for (auto [page, pages] : order) {
    if (out.size() > 1)
      out += ',';
    out += '[' + std::to_string(page.value) + ',' + std::to_string(pages) + ']';
  }
  return out + "]";
}

Result<PageOrder> decodeOrder(std::string_view text) {
  PageOrder order;
  if (text.empty())
    return order;
  Error wrong{EBADMSG, "working set: expected a list of [guest page, pages]"};
  // Two levels, each number on its own: deeper text is not for the parser.
  if (text.find("[[[") != text.npos || text.find('{') != text.npos)
    return wrong;
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.size() > mostEntries)
    return wrong;
  for (const auto &entry : json) {
    if (!entry.is_array() || entry.size() != 2 ||
        !entry[0].is_number_unsigned() || !entry[1].is_number_unsigned())
      return wrong;
    auto page = entry[0].get<uint64_t>(), pages = entry[1].get<uint64_t>();
    if (pages == 0 || page >= 1ull << 52 || pages >= 1ull << 52)
      return wrong;
    order.push_back({{page}, pages});
  }
  return order;
}

Result<UniqueFd> storeOrder(const PageOrder &order) {
  std::vector<uint64_t> numbers;
  numbers.reserve(2 * order.size());
  for (auto [page, pages] : order) {
    numbers.push_back(page.value);
    numbers.push_back(pages);
  }
  return sealedCopy("spacer-order", numbers.data(), 8 * numbers.size());
}

PageOrder loadOrder(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0)
    return {};
  std::vector<uint64_t> numbers(static_cast<size_t>(status.st_size) / 16 * 2);
  auto bytes = static_cast<ssize_t>(8 * numbers.size());
  if (pread(fd, numbers.data(), static_cast<size_t>(bytes), 0) != bytes)
    return {};
  PageOrder order;
  for (size_t i = 0; i < numbers.size(); i += 2)
    order.push_back({{numbers[i]}, numbers[i + 1]});
  return order;
}

} // namespace spacer
