//===- PoolVerify.cpp - is everything what it says it is? -----------------===//
//
// SQLite's own check, each object's map, each page against its digest, each
// frame against the file. A page that no object refers to counts too as long as
// it has a digest: an import could still find it.
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"
#include <sys/stat.h>

namespace spacer {
namespace {

constexpr uint64_t readPages = 256;
constexpr size_t mostProblems = 1000;

class Verifier {
public:
  Verifier(const PagePool &pool, const PagePool::State &state)
      : pool(pool), state(state) {}
  VerifySummary summary;

  Result<void> catalog();
  void frames();
  Result<void> pages(const Progress &progress);
  void note(std::string line) {
    if (summary.problems.size() < mostProblems)
      summary.problems.push_back(std::move(line));
    else if (summary.problems.size() == mostProblems)
      summary.problems.push_back("more problems are not listed");
  }

private:
  std::string users(uint64_t page) const;

  const PagePool &pool;
  const PagePool::State &state;
  std::vector<std::pair<std::string, PageSet>> objects;
};

Result<void> Verifier::catalog() {
  std::lock_guard hold(state.catalogMutex);
  {
    auto rows = state.catalog.prepare("PRAGMA integrity_check(20)");
    if (!rows)
      return rows.takeError();
    while (true) {
      auto row = rows->next();
      if (!row) {
        note(row.error().context);
        break;
      }
      if (!*row)
        break;
      if (std::string line = rows->text(0); line != "ok")
        note(state.file("catalog.db") + ": " + line);
    }
  }
  std::vector<std::string> names;
  auto rows = state.catalog.prepare("SELECT name FROM object ORDER BY name");
  if (!rows)
    return rows.takeError();
  while (true) {
    auto row = rows->next();
    if (!row) {
      note(row.error().context);
      break;
    }
    if (!*row)
      break;
    names.push_back(rows->text(0));
  }
  for (const std::string &name : names)
    if (auto s = state.stored(name))
      objects.emplace_back(name, PageSet::of(s->map));
    else
      note(s.error().context);
  return {};
}

void Verifier::frames() {
  struct stat st;
  uint64_t size =
      ::fstat(state.cold.get(), &st) == 0 ? uint64_t(st.st_size) : 0;
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (auto &[chunk, f] : *state.frameTable()) {
    std::string name = state.file("cold") + ": frame of pages from " +
                       std::to_string(chunk * framePages);
    ranges.emplace_back(f.offset, f.offset + f.bytes);
    if (f.offset + f.bytes > size)
      note(name + ": ends at byte " + std::to_string(f.offset + f.bytes) +
           ", the file has " + std::to_string(size));
    if (chunk * framePages + uint64_t(32 - __builtin_clz(f.mask)) >
        pool.pageCount())
      note(name + ": there are " + std::to_string(pool.pageCount()) + " pages");
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second)
      note(state.file("cold") + ": frames overlap at byte " +
           std::to_string(ranges[i].first));
}

std::string Verifier::users(uint64_t page) const {
  std::string text;
  size_t n = 0;
  for (auto &[name, set] : objects)
    if (set.contains(page) && ++n <= 3)
      text += (n == 1 ? " (of " : ", ") + name;
  if (n > 3)
    text += " and " + std::to_string(n - 3) + " more";
  return n ? text + ")" : " (of no object)";
}

Result<void> Verifier::pages(const Progress &progress) {
  std::vector<PageSet::Interval> parts;
  for (auto &[name, set] : objects)
    for (auto i : set.intervals())
      parts.push_back(i);
  PageSet used(std::move(parts));
  uint64_t all = pool.pageCount();
  std::vector<uint8_t> buffer(readPages * pageBytes);
  for (uint64_t p = 0; p < all;) {
    if (progress && !progress(p * pageBytes, all * pageBytes))
      return Error{ECANCELED, state.folder.string() + ": verify canceled"};
    if (pool.digest({p}).isZero()) {
      if (used.contains(p))
        note(state.file("digests") + ": page " + std::to_string(p) +
             " has no digest" + users(p));
      ++p;
      continue;
    }
    uint64_t n = 1;
    while (n < readPages && p + n < all && !pool.digest({p + n}).isZero())
      ++n;
    summary.pages += n;
    std::span<uint8_t> bytes(buffer.data(), n * pageBytes);
    if (!pool.read({p}, bytes))
      for (uint64_t k = 0; k < n; ++k)
        if (auto one = pool.read({p + k}, bytes.first(pageBytes)); !one)
          note(one.error().context + users(p + k));
    p += n;
  }
  return {};
}

} // namespace

Result<VerifySummary> PagePool::verify(const Progress &progress) const {
  Verifier v(*this, *state);
  if (auto done = v.catalog(); !done)
    return done.takeError();
  v.frames();
  if (auto done = v.pages(progress); !done)
    return done.takeError();
  return std::move(v.summary);
}

} // namespace spacer
