//===- FirecrackerDriver.cpp - Firecracker as a VMM -----------------------===//

#include "FirecrackerDriver.h"
#include "FirecrackerApi.h"
#include "MemoryFile.h"
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>

namespace spacer {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

namespace {

/// Where this driver alone puts things.
fs::path consoleFifo(const VmPaths &paths) {
  return paths.directory / "console.in";
}
fs::path handlerSocket(const VmPaths &paths) {
  return paths.directory / "uffd.sock";
}
fs::path handlerLog(const VmPaths &paths) {
  return paths.directory / "handler.log";
}

std::string lastLine(const fs::path &path) {
  std::ifstream in(path);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty())
      last = line;
  for (char &c : last)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  return last.substr(0, 500);
}

/// A child that must not stay: killed and reaped unless released.
class Child {
public:
  explicit Child(ProcessId id) : id(id) {}
  Child(Child &&other) noexcept : id(std::exchange(other.id, {})) {}
  ~Child() {
    if (!id)
      return;
    killProcess(id);
    ::waitpid(id.pid, nullptr, 0);
  }
  /// It may have ended and wait to be reaped: then it does not live.
  bool lives() const { return alive(id); }
  ProcessId release() { return std::exchange(id, {}); }

private:
  ProcessId id;
};

/// Kilobytes and flags of one mapping in smaps.
struct SmapsEntry {
  uint64_t start = 0, end = 0;
  bool writablePrivate = false, noReserve = false;
};

std::vector<SmapsEntry> readSmaps(std::string_view smaps) {
  std::vector<SmapsEntry> list;
  std::istringstream in{std::string(smaps)};
  std::string line;
  while (std::getline(in, line)) {
    unsigned long long start, end;
    char access[5];
    if (std::sscanf(line.c_str(), "%llx-%llx %4s", &start, &end, access) == 3)
      list.push_back(
          {start, end, std::string_view(access, 4) == "rw-p", false});
    else if (line.starts_with("VmFlags:") && !list.empty())
      list.back().noReserve = (line + ' ').find(" nr ") != std::string::npos;
  }
  return list;
}

class FirecrackerDriver final : public Driver {
public:
  explicit FirecrackerDriver(FirecrackerOptions options)
      : options(std::move(options)) {}

  std::string_view name() const override { return "firecracker"; }
  Result<void> check(VmConfig &config, bool forClone) override;
  Result<ProcessId> start(const VmLaunch &launch) override;
  Result<ProcessId> startFromSnapshot(const VmLaunch &launch,
                                      const fs::path &stateFile,
                                      const MemoryProvider &memory) override;
  Result<VmStatus> status(const VmPaths &paths) override;
  Result<void> pause(const VmPaths &paths) override;
  Result<void> resume(const VmPaths &paths) override;
  Result<void> saveState(const VmPaths &paths, const VmConfig &config,
                         const fs::path &stateFile) override;
  Result<std::vector<GuestBlock>> memory(const VmPaths &paths,
                                         const VmConfig &config,
                                         const ProcessId &process) override;
  Result<void> quit(const VmPaths &paths) override;
  Result<ConsoleEnds> openConsole(const VmPaths &paths) override;

private:
  Result<Child> spawnVmm(const VmLaunch &launch);
  Result<Child> spawnHandler(const VmLaunch &launch,
                             const MemoryProvider &memory);
  Error failed(const VmLaunch &launch, Error why) const;

  FirecrackerOptions options;
};

} // namespace

Result<FirecrackerOptions> FirecrackerOptions::fromEnvironment() {
  FirecrackerOptions options;
  if (const char *text = std::getenv("SPACER_FIRECRACKER"); text && *text) {
    std::istringstream words(text);
    words >> options.program;
    for (std::string word; words >> word;)
      options.arguments.push_back(word);
  }
  if (const char *word = std::getenv("SPACER_FIRECRACKER_BACKEND");
      word && *word) {
    if (std::string_view(word) == "uffd")
      options.backend = Backend::Uffd;
    else if (std::string_view(word) != "file")
      return Error{EINVAL, std::string("SPACER_FIRECRACKER_BACKEND is '") +
                               word + "', expected file or uffd"};
  }
  std::error_code error;
  if (fs::path self = fs::read_symlink("/proc/self/exe", error);
      !error && self.filename() == "spacer")
    options.handler = self;
  return options;
}

std::unique_ptr<Driver> makeFirecrackerDriver(FirecrackerOptions options) {
  return std::make_unique<FirecrackerDriver>(std::move(options));
}

// What there is

/// "Firecracker v1.16.0": the version's two first numbers.
static Result<std::pair<int, int>> askVersion(const std::string &program) {
  UniqueFd output(::memfd_create("version", MFD_CLOEXEC));
  if (!output)
    return systemError("memfd");
  SpawnOptions spawning;
  spawning.argv = {program, "--version"};
  spawning.log = "/dev/null";
  spawning.standardOutput = output.get();
  auto process = spawn(spawning);
  if (!process)
    return process.takeError();
  Child child(*process);
  waitForEnd(*process, std::chrono::seconds(10));
  char text[256] = {};
  ssize_t n = ::pread(output.get(), text, sizeof text - 1, 0);
  int major = 0, minor = 0;
  if (n <= 0 || std::sscanf(text, "Firecracker v%d.%d", &major, &minor) != 2)
    return Error{ENOTSUP, program + " --version says '" +
                              std::string(text, std::strcspn(text, "\n")) +
                              "', expected 'Firecracker v1.1' or later"};
  return std::pair(major, minor);
}

Result<void> FirecrackerDriver::check(VmConfig &config, bool forClone) {
  auto version = askVersion(options.program);
  if (!version)
    return version.takeError();
  if (*version < std::pair(1, 1))
    return Error{ENOTSUP, options.program + " is version " +
                              std::to_string(version->first) + "." +
                              std::to_string(version->second) +
                              ", expected 1.1 or later"};
  config.accel = "kvm";
  config.machine = "microvm";
  (void)forClone;
  return {};
}

// Starting

Error FirecrackerDriver::failed(const VmLaunch &launch, Error why) const {
  std::string last = lastLine(launch.paths.vmmLog());
  return {why.sysErrno, "vm " + launch.config.name + ": " + why.context +
                            (last.empty() ? "" : " (vmm.log: " + last + ")")};
}

Result<Child> FirecrackerDriver::spawnVmm(const VmLaunch &launch) {
  const VmPaths &paths = launch.paths;
  std::error_code ignored;
  fs::remove(paths.apiSocket(), ignored); // it starts only without one
  if (::mkfifo(consoleFifo(paths).c_str(), 0600) && errno != EEXIST)
    return systemError(consoleFifo(paths).string());
  UniqueFd input(::open(consoleFifo(paths).c_str(), O_RDWR | O_CLOEXEC));
  if (!input)
    return systemError(consoleFifo(paths).string());
  UniqueFd output(::open(paths.consoleLog().c_str(),
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!output)
    return systemError(paths.consoleLog().string());

  std::string id = launch.config.name.substr(0, 64);
  for (char &c : id)
    if (!std::isalnum(static_cast<unsigned char>(c)))
      c = '-';
  SpawnOptions spawning;
  spawning.argv = {options.program, "--api-sock", paths.apiSocket(),
                   "--id",          id,           "--log-path",
                   paths.vmmLog(),  "--level",    "Warning"};
  spawning.argv.insert(spawning.argv.end(), options.arguments.begin(),
                       options.arguments.end());
  spawning.log = paths.vmmLog();
  spawning.standardInput = input.get();
  spawning.standardOutput = output.get();
  auto process = spawn(spawning);
  if (!process)
    return process.takeError();
  Child child(*process);
  FirecrackerApi api(paths.apiSocket());
  for (auto end = Clock::now() + launch.patience;;) {
    auto answer = api.get("/");
    if (answer)
      return child;
    bool waiting = answer.error().sysErrno == ECONNREFUSED;
    if (!child.lives())
      return failed(launch, {ECHILD, options.program + " ended at its start"});
    if (!waiting || Clock::now() > end)
      return failed(launch, answer.takeError());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<ProcessId> FirecrackerDriver::start(const VmLaunch &launch) {
  auto child = spawnVmm(launch);
  if (!child)
    return child.takeError();
  FirecrackerApi api(launch.paths.apiSocket(), launch.patience);
  auto done =
      api.put("/machine-config",
              {{"vcpu_count", 1}, {"mem_size_mib", launch.config.memoryMiB}});
  if (done)
    done = api.put("/boot-source", {{"kernel_image_path", launch.config.image},
                                    {"boot_args", launch.config.arguments}});
  if (done)
    done = api.put("/actions", {{"action_type", "InstanceStart"}});
  if (!done)
    return failed(launch, done.takeError());
  return child->release();
}

/// ROOT, of ROOT/vms/NAME.
static fs::path rootOf(const VmPaths &paths) {
  return paths.directory.parent_path().parent_path();
}

Result<Child> FirecrackerDriver::spawnHandler(const VmLaunch &launch,
                                              const MemoryProvider &memory) {
  const VmPaths &paths = launch.paths;
  std::error_code ignored;
  fs::remove(handlerSocket(paths), ignored);
  SpawnOptions spawning;
  spawning.argv = {options.handler,
                   "--root=" + rootOf(paths).string(),
                   "--domain=" + memory.domain,
                   "serve",
                   "--once",
                   "--socket=" + handlerSocket(paths).string(),
                   memory.object};
  spawning.log = handlerLog(paths);
  auto process = spawn(spawning);
  if (!process)
    return process.takeError();
  Child child(*process);
  for (auto end = Clock::now() + launch.patience;;) {
    if (fs::exists(handlerSocket(paths), ignored))
      return child;
    if (!child.lives() || Clock::now() > end)
      return Error{ECHILD, "vm " + launch.config.name + ": no fault handler: " +
                               lastLine(handlerLog(paths))};
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<ProcessId>
FirecrackerDriver::startFromSnapshot(const VmLaunch &launch,
                                     const fs::path &stateFile,
                                     const MemoryProvider &memory) {
  if (memory.map->guestPages() * pageBytes != launch.config.memoryBytes())
    return Error{EINVAL,
                 "vm " + launch.config.name + ": snapshot " + memory.object +
                     " has " + std::to_string(memory.map->guestPages()) +
                     " pages, expected " +
                     std::to_string(launch.config.memoryBytes() / pageBytes)};
  Json backend;
  std::optional<Child> handler;
  if (options.backend == FirecrackerOptions::Backend::File) {
    auto file = sharedMemoryFile(rootOf(launch.paths) / "memory", *memory.map,
                                 *memory.pool, "spacer-" + memory.object);
    if (!file)
      return file.takeError();
    backend = {{"backend_type", "File"},
               {"backend_path", "/proc/" + std::to_string(::getpid()) + "/fd/" +
                                    std::to_string(*file)}};
  } else {
    auto started = spawnHandler(launch, memory);
    if (!started)
      return started.takeError();
    handler.emplace(std::move(*started));
    backend = {{"backend_type", "Uffd"},
               {"backend_path", handlerSocket(launch.paths).string()}};
  }
  auto child = spawnVmm(launch);
  if (!child)
    return child.takeError();
  FirecrackerApi api(launch.paths.apiSocket(), launch.patience);
  auto done = api.put("/snapshot/load", {{"snapshot_path", stateFile.string()},
                                         {"mem_backend", backend},
                                         {"resume_vm", true}});
  if (!done)
    return failed(launch, done.takeError());
  if (handler)
    handler->release(); // ends with the VM
  return child->release();
}

// What runs

Result<VmStatus> FirecrackerDriver::status(const VmPaths &paths) {
  auto answer = FirecrackerApi(paths.apiSocket()).get("/");
  if (!answer)
    return answer.takeError();
  auto state = answer->find("state");
  if (state != answer->end() && *state == "Running")
    return VmStatus::Running;
  if (state != answer->end() && *state == "Paused")
    return VmStatus::Paused;
  return Error{EBADMSG,
               paths.apiSocket().string() + ": state " +
                   (state == answer->end() ? "missing" : state->dump()) +
                   ", expected Running or Paused"};
}

Result<void> FirecrackerDriver::pause(const VmPaths &paths) {
  return FirecrackerApi(paths.apiSocket()).patch("/vm", {{"state", "Paused"}});
}

Result<void> FirecrackerDriver::resume(const VmPaths &paths) {
  return FirecrackerApi(paths.apiSocket()).patch("/vm", {{"state", "Resumed"}});
}

/// Firecracker writes memory and state together. The memory goes to a file that
/// nobody keeps: the caller reads it from the process, which is paused.
Result<void> FirecrackerDriver::saveState(const VmPaths &paths,
                                          const VmConfig &config,
                                          const fs::path &stateFile) {
  UniqueFd unwanted(::memfd_create("spacer-unwanted", MFD_CLOEXEC));
  if (!unwanted)
    return systemError("memfd");
  FirecrackerApi api(paths.apiSocket(), std::chrono::minutes(10));
  return api.put(
      "/snapshot/create",
      {{"snapshot_type", "Full"},
       {"snapshot_path", stateFile.string()},
       {"mem_file_path", "/proc/" + std::to_string(::getpid()) + "/fd/" +
                             std::to_string(unwanted.get())}});
}

Result<std::vector<GuestBlock>> findFirecrackerMemory(std::string_view smaps,
                                                      uint64_t bytes) {
  // Stretches of private writable mappings without gaps that start and end with
  // one without reserve. In between may lie what a balloon of 1.10 or earlier
  // mapped anew, with reserve.
  std::vector<std::pair<uint64_t, uint64_t>> stretches;
  uint64_t end = 0;
  bool open = false;
  for (const SmapsEntry &e : readSmaps(smaps)) {
    open = open && e.writablePrivate && e.start == end;
    end = e.end;
    if (!e.writablePrivate || !e.noReserve)
      continue;
    if (!open)
      stretches.push_back({e.start, e.end});
    stretches.back().second = e.end;
    open = true;
  }
  std::string sizes;
  for (auto [from, to] : stretches)
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(to - from);
  // A C library may reserve memory in the same way, but hardly as much.
  std::erase_if(stretches, [&](auto s) { return s.second - s.first != bytes; });
  if (stretches.size() != 1)
    return Error{ENOTSUP, "guest memory: found mappings of " +
                              (sizes.empty() ? "0" : sizes) +
                              " bytes, expected one of " +
                              std::to_string(bytes)};
  return std::vector{GuestBlock{{stretches[0].first}, bytes, {0}}};
}

Result<std::vector<GuestBlock>>
FirecrackerDriver::memory(const VmPaths &paths, const VmConfig &config,
                          const ProcessId &process) {
  std::string path = "/proc/" + std::to_string(process.pid) + "/smaps";
  std::ifstream in(path);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.empty())
    return Error{ESRCH, path + ": cannot read"};
  auto blocks = findFirecrackerMemory(text, config.memoryBytes());
  if (!blocks)
    return Error{blocks.error().sysErrno,
                 "vm " + config.name + ": " + blocks.error().context};
  return blocks;
}

Result<void> FirecrackerDriver::quit(const VmPaths &paths) {
  // SendCtrlAltDel needs a guest with a keyboard. Whoever listens is the VMM.
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{AF_UNIX, {}};
  const std::string path = paths.apiSocket();
  if (path.size() >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, path + ": too long for a socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<sockaddr *>(&address),
                sizeof address) ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size))
    return systemError(path);
  auto process = identify(peer.pid);
  if (!process)
    return process.takeError();
  auto pidfd = openProcess(*process);
  if (!pidfd)
    return pidfd.takeError();
  if (::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGTERM, nullptr, 0) &&
      errno != ESRCH)
    return systemError(path + ": cannot signal the process");
  return {};
}

Result<ConsoleEnds> FirecrackerDriver::openConsole(const VmPaths &paths) {
  ConsoleEnds ends;
  ends.outputIsFile = true;
  ends.input.reset(
      ::open(consoleFifo(paths).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!ends.input) // ENXIO: nobody reads
    return systemError(consoleFifo(paths).string());
  if (::flock(ends.input.get(), LOCK_EX | LOCK_NB))
    return Error{EBUSY, paths.directory.filename().string() +
                            ": someone else is attached to the console"};
  ends.output.reset(::open(paths.consoleLog().c_str(), O_RDONLY | O_CLOEXEC));
  if (!ends.output || ::lseek(ends.output.get(), 0, SEEK_END) < 0)
    return systemError(paths.consoleLog().string());
  return ends;
}

} // namespace spacer
