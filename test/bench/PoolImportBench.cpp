//===- PoolImportBench.cpp - importing a snapshot, against memcpy ---------===//
//
//   PoolImportBench MiB DUPLICATES% ROUNDS FOLDER
//
// A snapshot of random pages of which so many percent, in runs of 1 to 32, are
// copies of earlier ones. Each round, in turn: memcpy of the snapshot into
// memory that is there; an import from memory into a new pool, of which only
// hashing, lookup and comparison are timed; the import of the same from a file,
// with all that belongs to it. Prints seconds as JSON.
//
//===----------------------------------------------------------------------===//

#include "PagePool.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

using namespace spacer;

namespace {

using Json = nlohmann::ordered_json;

double seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

uint64_t randomState = 88172645463325252;
uint64_t random64() {
  randomState ^= randomState << 13;
  randomState ^= randomState >> 7;
  return randomState ^= randomState << 17;
}

Mapping memoryOf(uint64_t bytes) {
  void *p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("mmap");
    std::exit(1);
  }
  return {p, bytes};
}

void fill(Mapping &memory, uint64_t duplicatesPercent) {
  uint64_t pages = memory.size() / pageBytes;
  for (uint64_t p = 0; p < pages;) {
    uint64_t n = std::min(pages - p, 1 + random64() % 32);
    uint8_t *to = memory.data() + p * pageBytes;
    if (p > n && random64() % 100 < duplicatesPercent) {
      uint64_t from = random64() % (p - n);
      std::memcpy(to, memory.data() + from * pageBytes, n * pageBytes);
    } else {
      for (uint64_t i = 0; i < n * pageBytes; i += 8) {
        uint64_t v = random64();
        std::memcpy(to + i, &v, 8);
      }
    }
    p += n;
  }
}

struct MemorySource final : PageSource {
  std::span<const uint8_t> memory;
  uint64_t at = 0;
  explicit MemorySource(std::span<const uint8_t> memory) : memory(memory) {}
  ObjectKind kind() const override { return ObjectKind::Snapshot; }
  uint64_t guestPages() const override { return memory.size() / pageBytes; }
  uint64_t bytesToRead() const override { return memory.size(); }
  Result<PageChunk> next() override {
    uint64_t n = std::min<uint64_t>(1 << 20, memory.size() - at);
    PageChunk c{{at / pageBytes}, memory.subspan(at, n), {}};
    at += n;
    return c;
  }
};

uint64_t anonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "RssAnon:") {
      uint64_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
  return 0;
}

template <class T> T need(Result<T> r) {
  if (!r) {
    std::cerr << "PoolImportBench: " << r.error().context << '\n';
    std::exit(1);
  }
  return std::move(*r);
}

struct Import {
  ImportSummary summary;
  double seconds;
  uint64_t anonymousBytes; ///< more than before, at most
};
Import import(const std::filesystem::path &folder, PageSource &source) {
  std::filesystem::remove_all(folder);
  auto pool = need(PagePool::open(folder, "bench", PagePool::Access::Write));
  Import i{};
  uint64_t before = anonymousBytes(), calls = 0;
  double start = seconds();
  i.summary = need(pool->add("snapshot", source, [&](uint64_t, uint64_t) {
    if (++calls % 64 == 0) // reading the status takes time
      i.anonymousBytes = std::max(i.anonymousBytes, anonymousBytes() - before);
    return true;
  }));
  i.seconds = seconds() - start;
  return i;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::cerr << "usage: PoolImportBench MiB DUPLICATES% ROUNDS FOLDER\n";
    return 2;
  }
  uint64_t bytes = std::stoull(argv[1]) << 20;
  std::filesystem::path folder = argv[4];
  std::string file = folder / "snapshot";
  Mapping snapshot = memoryOf(bytes), copy = memoryOf(bytes);
  fill(snapshot, std::stoull(argv[2]));
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<char *>(snapshot.data()), std::streamsize(bytes));

  Json rounds = Json::array();
  for (int r = std::stoi(argv[3]); r > 0; --r) {
    double start = seconds();
    std::memcpy(copy.data(), snapshot.data(), bytes);
    double memcpySeconds = seconds() - start;
    MemorySource source(snapshot.bytes());
    Import inMemory = import(folder / "pool", source);
    auto raw = need(openRaw(file, ObjectKind::Snapshot));
    Import fromFile = import(folder / "pool", *raw);
    std::filesystem::remove_all(folder / "pool");
    rounds.push_back({{"memcpy", memcpySeconds},
                      {"match", inMemory.summary.matchSeconds},
                      {"read", fromFile.summary.readSeconds},
                      {"write", fromFile.summary.writeSeconds},
                      {"import", fromFile.seconds},
                      {"anonymousBytes", fromFile.anonymousBytes},
                      {"newPages", fromFile.summary.newPages},
                      {"sharedPages", fromFile.summary.sharedPages}});
  }
  std::cout << rounds.dump() << '\n';
}
