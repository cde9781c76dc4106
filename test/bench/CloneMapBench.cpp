//===- CloneMapBench.cpp - a plan against the bare mmap calls -------------===//
//
//   CloneMapBench GUEST-MIB RUNS ROUNDS [MAPPINGS]
//
// Each round composes the same guest memory three ways, in turning order, over
// a range of its own that is unmapped again outside the clock: `bare` is a loop
// of the mmap() calls alone, from a table; `plan` decodes the plan's bytes and
// calls mapPlan(); `make` plans from the page map first. Prints one JSON
// document with the times of each round in nanoseconds.
//
//===----------------------------------------------------------------------===//

#include "MemoryMap.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

using namespace spacer;

namespace {

[[noreturn]] void stop(const std::string &why) {
  std::fprintf(stderr, "CloneMapBench: %s\n", why.c_str());
  std::exit(2);
}

/// \p count runs over about 80% of the guest, of random lengths and from random
/// places of a pool as large as the guest; every third continues in the guest.
PageMap guestMap(uint64_t pages, uint64_t count) {
  std::mt19937_64 random(7);
  std::vector<PageRun> runs;
  uint64_t share = pages / count, guest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = share * 4 / 5 - random() % (share / 5 + 1);
    length = std::max<uint64_t>(length, 1);
    runs.push_back({{guest}, {random() % (pages - length)}, length});
    guest = i % 3 ? (i + 1) * share : guest + length;
  }
  auto map = PageMap::make(pages, runs);
  if (!map)
    stop(map.error().context);
  return *map;
}

UniqueFd filledPool(uint64_t pages) {
  UniqueFd fd(memfd_create("pool", MFD_CLOEXEC));
  std::vector<uint64_t> block(pageBytes / 8 * 256);
  for (uint64_t page = 0; page < pages; page += 256) {
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = page * 1'000'003 + i;
    if (write(fd.get(), block.data(), block.size() * 8) < 0)
      stop(std::strerror(errno));
  }
  return fd;
}

struct Call {
  uint64_t at, bytes;
  off_t offset;
};

uint64_t nanoseconds(const std::function<void()> &work) {
  auto from = std::chrono::steady_clock::now();
  work();
  return uint64_t(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - from)
          .count());
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4)
    stop("GUEST-MIB RUNS ROUNDS [MAPPINGS] are needed");
  uint64_t pages = std::strtoull(argv[1], nullptr, 10) << 20 >> 12;
  uint64_t runs = std::strtoull(argv[2], nullptr, 10);
  uint64_t rounds = std::strtoull(argv[3], nullptr, 10);
  if (pages == 0 || runs == 0 || runs * 5 > pages || rounds == 0)
    stop("no such guest");
  PlanOptions options;
  if (argc > 4)
    options.mappings = std::strtoull(argv[4], nullptr, 10);

  PageMap map = guestMap(pages, runs);
  UniqueFd pool = filledPool(pages);
  Plan plan = makePlan(map, options);
  std::vector<uint8_t> bytes = plan.encode();
  std::vector<Call> calls;
  for (const PlanStep &s : plan.steps())
    if (s.kind == StepKind::Pool)
      calls.push_back({s.guest.value * pageBytes, s.pages * pageBytes,
                       off_t(offsetOf(s.pool).value)});

  constexpr int protection = PROT_READ | PROT_WRITE;
  constexpr int flags = MAP_PRIVATE | MAP_NORESERVE;
  uint64_t size = pages * pageBytes;
  auto bare = [&] {
    auto *base = static_cast<char *>(
        mmap(nullptr, size, protection, flags | MAP_ANONYMOUS, -1, 0));
    for (const Call &c : calls)
      if (mmap(base + c.at, c.bytes, protection, flags | MAP_FIXED, pool.get(),
               c.offset) == MAP_FAILED)
        stop(std::strerror(errno));
    return Mapping(base, size);
  };
  auto compose = [&](const Plan &from) {
    auto guest = mapPlan(from, pool.get());
    if (!guest)
      stop(guest.error().context);
    return std::move(guest->memory);
  };
  std::function<Mapping()> ways[] = {
      bare,
      [&] {
        auto decoded = Plan::decode(bytes);
        if (!decoded)
          stop(decoded.error().context);
        return compose(*decoded);
      },
      [&] { return compose(makePlan(map, options)); }};

  std::vector<uint64_t> times[3];
  for (uint64_t round = 0; round < rounds + 3; ++round)
    for (size_t i = 0; i < 3; ++i) {
      size_t way = (round + i) % 3;
      Mapping memory; // goes after the clock has stopped
      uint64_t time = nanoseconds([&] { memory = ways[way](); });
      if (round >= 3) // warm by then
        times[way].push_back(time);
    }

  PlanSummary sum = plan.summary();
  nlohmann::ordered_json out = {
      {"guestPages", pages},        {"runs", map.runs().size()},
      {"mappings", sum.mappings},   {"wanted", sum.wantedMappings},
      {"poolPages", sum.poolPages}, {"copyPages", sum.copyPages},
      {"planBytes", bytes.size()},  {"bare", times[0]},
      {"plan", times[1]},           {"make", times[2]}};
  std::printf("%s\n", out.dump().c_str());
}
