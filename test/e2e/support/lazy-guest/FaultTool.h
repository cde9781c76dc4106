//===- FaultTool.h - what the commands of fault-tool share ----------------===//

#ifndef SPACER_TEST_FAULTTOOL_H
#define SPACER_TEST_FAULTTOOL_H

#include "LazyGuest.h"
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace spacer::test {

/// A pool with one object of distinct pages (number 0: zero), in memory.
struct World {
  std::filesystem::path folder;
  std::shared_ptr<PagePool> disk;
  std::shared_ptr<HostPool> host;
  std::shared_ptr<const PageMap> map;
  std::vector<Digest> digests;
  std::vector<uint64_t> firstWords;
  UniqueFd clientFd;

  /// \p numbers: one a guest page; equal numbers are equal pages.
  explicit World(const std::vector<uint64_t> &numbers, bool filled);
  ~World();
  std::unique_ptr<LazyGuest> guest(LazyGuest::Options options) const;
  SessionId add(PageServer &server, const LazyGuest &g) const;
};

/// Runs of the pool of 1 to 256 pages between gaps of up to 32.
std::vector<uint64_t> mixedPages(uint64_t pages);
/// Different from each other.
std::vector<uint64_t> distinctPages(uint64_t pages);

[[noreturn]] void die(const std::string &why);
std::unique_ptr<PageServer> startServer(unsigned threads, uint64_t batch);
double percentile(std::vector<double> values, double which);

/// The bare loop that ours is measured against: poll, read, one ioctl, in one
/// thread, with nothing known but where the pages are.
class BareLoop {
public:
  enum class Call { Continue, Copy, Zero };
  /// \p batch pages to an ioctl, aligned.
  BareLoop(const World &world, Call call, uint64_t batch,
           std::vector<const LazyGuest *> guests);
  ~BareLoop();

private:
  struct State;
  std::unique_ptr<State> state;
};

// The commands print one line of JSON.
int measureRound(const std::string &what, uint64_t pages, unsigned rounds);
int measureRate(unsigned clients, uint64_t pages, unsigned rounds);
int measureReplay(uint64_t pages, unsigned rounds);

} // namespace spacer::test

#endif
