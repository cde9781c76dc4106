//===- Machine.h - a microVM of the stand-in ------------------------------===//
//
// The stand-in for Firecracker, for tests. It imitates, as Firecracker's
// sources do it at each release:
//
//   - the API over a Unix socket: paths, status codes, fault_message, which
//     call is allowed when, fields that are not known are refused;
//   - guest memory: anonymous private mappings (MAP_NORESERVE, MAP_HUGETLB for
//     2M), from a snapshot's file as private mappings, or registered with a
//     userfaultfd (MISSING) that goes to a socket in one message;
//   - what the balloon does to a range that the guest gives back;
//   - the memory file: regions one after another, as long as the memory.
//
// It has no devices, no vCPU that boots a kernel, no seccomp, no jailer. Its
// state file is its own JSON. Its guest is a loop that executes commands from
// standard input (Guest.h), some of them by a raw KVM vCPU. It asks nobody
// whether the memory is right: `dump` writes what the guest sees to a file.
//
//===----------------------------------------------------------------------===//

#ifndef STANDIN_MACHINE_H
#define STANDIN_MACHINE_H

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace standin {

using Json = nlohmann::json;

/// What goes back as 400 with a fault_message.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct GuestRegion {
  uint8_t *host = nullptr;
  uint64_t guest = 0; ///< guest physical address
  uint64_t bytes = 0;
};

struct Release {
  int major = 1, minor = 16;
  bool atLeast(int thatMinor) const { return major > 1 || minor >= thatMinor; }
};

class Machine {
public:
  enum class State { NotStarted, Running, Paused };

  Release release;
  std::string id = "anonymous-instance";
  unsigned regionCount = 1; ///< how memory is split, as at the MMIO gap
  /// The message goes out in pieces of so many bytes; 0: in one.
  unsigned pieceBytes = 0;

  /// One request; the answer's body, or nothing for 204.
  Json handle(const std::string &method, const std::string &path,
              const Json &body);

  // For the guest.
  /// Holds the guest back while it is paused; the lock is a vCPU that runs.
  std::unique_lock<std::mutex> run();
  bool started() const { return state != State::NotStarted; }
  const std::vector<GuestRegion> &memory() const { return regions; }
  uint64_t memoryBytes() const { return memoryMib << 20; }
  /// The host's address of guest memory; Fault if it is not in one region.
  uint8_t *at(uint64_t offset, uint64_t bytes) const;
  /// What the balloon does.
  void discard(uint64_t offset, uint64_t bytes);

private:
  Json describe() const;
  void configure(const Json &body, bool partly);
  void start();
  void setState(const Json &body);
  void createSnapshot(const Json &body);
  void loadSnapshot(const Json &body);
  void layOut(int fd);
  void sendUffd(const std::string &path);
  void loadKernel();

  std::mutex vcpu;
  std::condition_variable changed;
  State state = State::NotStarted;
  uint64_t memoryMib = 128, vcpus = 1;
  std::string hugePages = "None", kernel, bootArguments;
  bool configured = false, balloon = false;
  bool restored = false, fromFile = false;
  int uffd = -1, handlerSocket = -1;
  std::vector<GuestRegion> regions;
};

} // namespace standin

#endif
