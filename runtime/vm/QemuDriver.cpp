//===- QemuDriver.cpp - unmodified QEMU -----------------------------------===//
//
// Problem: clones of a running guest, in QEMU as the distribution ships it.
//
// Idea: the capability x-ignore-shared leaves guest memory out of a migration
// stream when QEMU believes that others can see it (share=on), so the stream is
// the devices' state alone, about 50 KB. Memory goes into the pool by another
// way, and comes back under the preload library, which QEMU does not notice.
//
// Steps of a start: 1. the socket for QMP is made here and handed over as a
// listening descriptor, so that a connection waits for QEMU instead of being
// refused; the console is QEMU's standard input and output, a FIFO and
// console.log (a socket with a log file writes a byte twice whenever the socket
// is full); 2. guest memory is a memfd, named /proc/self/fd/N: it needs no
// place in a file system and goes away with its users; 3. QMP's greeting says
// that QEMU is up.
// Of a clone: the memfd is an empty placeholder; after the greeting the
// library's report must be there, else the process is killed. The saved state
// is loaded from a descriptor, then "cont".
//
// The kernel image is loaded at the first start only: microvm needs nothing of
// it afterwards. The machine pc has option ROMs in its state, so there the
// image must still be what it was (the snapshot keeps a copy).
//
// Cost: about 35 ms until the greeting, 5 ms until the guest runs on.
// Source: QEMU's docs/interop/qmp-ref, docs/devel/migration.rst;
// migration/ram.c (ramblock_is_ignored), hw/core/loader.c (rom_reset keeps off
// INMIGRATE).
//
//===----------------------------------------------------------------------===//

#include "QemuDriver.h"
#include "Files.h"
#include "Interrupt.h"
#include "PreloadEnvironment.h"
#include "Qmp.h"
#include <charconv>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

namespace spacer {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr char program[] = "qemu-system-x86_64";
constexpr char memoryName[] = "spacer-guest";

fs::path reportPath(const VmPaths &paths) { return paths.directory / "memory"; }

/// Beside this program, in ../lib/spacer.
Result<fs::path> preloadLibrary() {
  std::error_code failed;
  fs::path self = fs::read_symlink("/proc/self/exe", failed);
  fs::path library = self.parent_path().parent_path() / "lib" / "spacer" /
                     "libspacer-preload.so";
  if (access(library.c_str(), R_OK))
    return systemError(library.string());
  if (library.string().find_first_of(": ") != std::string::npos)
    return Error{EINVAL, library.string() +
                             ": a path with ':' or ' ' cannot be preloaded"};
  return library;
}

/// QEMU's option syntax: a comma is written twice.
std::string escaped(const std::string &value) {
  std::string out;
  for (char c : value)
    out += c == ',' ? ",," : std::string(1, c);
  return out;
}

std::string inheritedPath(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace

std::vector<std::string> qemuArguments(const VmLaunch &launch,
                                       const QemuDescriptors &fds,
                                       bool incoming) {
  const VmConfig &c = launch.config;
  auto socket = [](const char *id, int fd) {
    return std::string("socket,id=") + id + ",fd=" + std::to_string(fd) +
           ",server=on,wait=off";
  };
  std::vector<std::string> words = {
      program, "-name", escaped("guest=" + c.name), "-nodefaults",
      "-no-user-config", "-no-reboot", "-display", "none", "-machine",
      c.machine + ",memory-backend=ram,mem-merge=off,dump-guest-core=off",
      // A hundred clones translate a hundred times; what they run is small.
      "-accel", c.accel == "tcg" ? "tcg,tb-size=32" : c.accel, "-cpu",
      c.accel == "kvm" ? "host" : "max", "-m",
      std::to_string(c.memoryMiB) + "M", "-object",
      "memory-backend-file,id=ram,share=on,size=" +
          std::to_string(c.memoryMiB) +
          "M,mem-path=" + inheritedPath(fds.memory),
      "-chardev", socket("qmp", fds.qmp), "-mon", "chardev=qmp,mode=control",
      "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
      "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"};
  if (!c.image.empty()) {
    words.insert(words.end(), {"-kernel", c.image});
    if (!c.arguments.empty())
      words.insert(words.end(), {"-append", c.arguments});
  }
  if (incoming)
    words.insert(words.end(), {"-incoming", "defer"});
  return words;
}

Result<GuestBlock> parseMemoryReport(std::string_view text,
                                     const std::string &file,
                                     uint64_t expectedBytes) {
  Error bad{EBADMSG, file + ": expected the address of " +
                         std::to_string(expectedBytes) +
                         " bytes of guest memory, found '" +
                         std::string(text.substr(0, 60)) + "'"};
  if (!text.starts_with("0x") || !text.ends_with('\n'))
    return bad;
  const char *at = text.data() + 2, *end = text.data() + text.size() - 1;
  GuestBlock block;
  auto address = std::from_chars(at, end, block.start.value, 16);
  if (address.ec != std::errc() || address.ptr == end || *address.ptr != ' ')
    return bad;
  auto size = std::from_chars(address.ptr + 1, end, block.bytes);
  if (size.ec != std::errc() || size.ptr != end ||
      block.bytes != expectedBytes || !pageAligned(block.start.value))
    return bad;
  return block;
}

std::string describeQemuExit(int waitStatus, bool vmmComplained) {
  if (!WIFEXITED(waitStatus))
    return "";
  int status = WEXITSTATUS(waitStatus);
  if (status == 0)
    return "stopped";
  if (status % 2 == 0 || (status == 1 && vmmComplained))
    return "failed";
  return "exited " + std::to_string(status / 2);
}

namespace {

/// A process that is killed unless told otherwise.
class Launched {
public:
  explicit Launched(ProcessId process) : process(process) {}
  ~Launched() {
    if (!process)
      return;
    killProcess(process);
    waitpid(process.pid, nullptr, 0);
  }
  ProcessId keep() { return std::exchange(process, {}); }
  const ProcessId &id() const { return process; }

private:
  ProcessId process;
};

class QemuDriver final : public Driver {
public:
  std::string_view name() const override { return "qemu"; }
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
  bool cloneNeedsImage(const VmConfig &config) const override {
    return config.machine == "pc";
  }
  std::string describeExit(const VmPaths &paths, int waitStatus) override {
    return describeQemuExit(waitStatus, !lastLine(paths.vmmLog()).empty());
  }

private:
  /// QMP's listening socket, and both ends of the console.
  struct Channels {
    UniqueFd qmp, consoleIn, consoleOut;
  };
  Result<Channels> makeChannels(const VmPaths &paths);
  Result<Qmp>
  connectTo(const VmPaths &paths,
            std::chrono::seconds patience = std::chrono::seconds(10));
  Result<json> once(const VmPaths &paths, const char *command);
};

Result<void> QemuDriver::check(VmConfig &config, bool forClone) {
  if (config.machine != "microvm" && config.machine != "pc")
    return Error{EINVAL,
                 "machine '" + config.machine + "': expected microvm or pc"};
  if (forClone)
    if (auto library = preloadLibrary(); !library)
      return library.takeError();
  return {};
}

Result<QemuDriver::Channels> QemuDriver::makeChannels(const VmPaths &paths) {
  Channels channels;
  auto qmp = listenAt(paths.qmpSocket());
  if (!qmp)
    return qmp.takeError();
  channels.qmp = std::move(*qmp);
  std::string in = paths.consoleInput(), out = paths.consoleLog();
  // Open for writing as well: the guest's input never ends by itself.
  if (mkfifo(in.c_str(), 0600) ||
      !(channels.consoleIn =
            UniqueFd(open(in.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC))))
    return systemError(in);
  channels.consoleOut = UniqueFd(
      open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!channels.consoleOut)
    return systemError(out);
  return channels;
}

Result<Qmp> QemuDriver::connectTo(const VmPaths &paths,
                                  std::chrono::seconds patience) {
  auto qmp = Qmp::connect(paths.qmpSocket(), deadlineIn(patience));
  if (qmp)
    qmp->setPatience(patience);
  return qmp;
}

/// \p error, or what QEMU itself said before it ended.
Error explained(Error error, const VmPaths &paths) {
  std::string said = lastLine(paths.vmmLog());
  std::string vm = paths.directory.filename().string();
  if (!said.empty() && error.sysErrno != ECANCELED)
    error.context = vm + ": " + said;
  else if (error.sysErrno == ECONNRESET || error.sysErrno == EPIPE)
    error.context = vm + ": the guest ended at once; its last line: '" +
                    lastLine(paths.consoleLog()) +
                    "' (is its --memory enough?)";
  return error;
}

Result<ProcessId> QemuDriver::start(const VmLaunch &launch) {
  auto channels = makeChannels(launch.paths);
  if (!channels)
    return channels.takeError();
  auto memory = makeMemfd(memoryName, launch.config.memoryBytes());
  if (!memory)
    return memory.takeError();
  QemuDescriptors fds{memory->get(), channels->qmp.get()};
  auto process = spawn({.argv = qemuArguments(launch, fds, false),
                        .environment = {},
                        .keep = {fds.memory, fds.qmp},
                        .log = launch.paths.vmmLog(),
                        .standardInput = channels->consoleIn.get(),
                        .standardOutput = channels->consoleOut.get()});
  if (!process)
    return process.takeError();
  Launched launched(*process);
  if (launch.spawned)
    launch.spawned(*process);
  channels = Channels(); // QEMU's end alone stays: a dead QEMU hangs up
  auto qmp = connectTo(launch.paths, launch.patience);
  if (!qmp)
    return explained(qmp.takeError(), launch.paths);
  return launched.keep();
}

/// The capability, and events instead of asking again and again.
Result<void> prepareMigration(Qmp &qmp) {
  auto capability = [](const char *name) {
    return json{{"capability", name}, {"state", true}};
  };
  auto done =
      qmp.command("migrate-set-capabilities",
                  {{"capabilities",
                    {capability("x-ignore-shared"), capability("events")}}});
  if (!done)
    return Error{ENOTSUP, "qemu cannot keep guest memory out of its state "
                          "(x-ignore-shared): " +
                              done.error().context};
  return {};
}

Result<void> waitForMigration(Qmp &qmp) {
  for (;;) {
    auto event = qmp.event("MIGRATION");
    if (!event)
      return event.takeError();
    json status = event->value("status", json());
    if (status == "completed")
      return {};
    if (status == "failed" || status == "cancelled")
      return Error{EIO, "qemu: migration " + status.get<std::string>()};
  }
}

Result<ProcessId> QemuDriver::startFromSnapshot(const VmLaunch &launch,
                                                const fs::path &stateFile,
                                                const MemoryProvider &memory) {
  auto library = preloadLibrary();
  if (!library)
    return library.takeError();
  auto channels = makeChannels(launch.paths);
  if (!channels)
    return channels.takeError();
  auto placeholder = makeMemfd(memoryName, launch.config.memoryBytes());
  if (!placeholder)
    return placeholder.takeError();
  UniqueFd state(open(stateFile.c_str(), O_RDONLY | O_CLOEXEC));
  if (!state)
    return systemError(stateFile.string());
  fs::path reportFile = reportPath(launch.paths);
  UniqueFd report(
      open(reportFile.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!report)
    return systemError(reportFile.string());

  QemuDescriptors fds{placeholder->get(), channels->qmp.get()};
  PreloadEnvironment preload;
  preload.placeholder = fds.memory;
  preload.plan = memory.planFd;
  preload.pool = memory.poolFd;
  preload.report = report.get();
  if (memory.plan->hasLazy()) {
    preload.object = memory.object;
    preload.vm = launch.config.name;
    preload.daemon = memory.daemonSocket;
  }
  std::string libraries = library->string();
  if (const char *others = getenv("LD_PRELOAD"); others && *others)
    libraries += std::string(":") + others;
  auto process = spawn(
      {.argv = qemuArguments(launch, fds, true),
       .environment = {"LD_PRELOAD=" + libraries,
                       std::string(preloadVariable) + "=" + preload.encode()},
       .keep = {fds.memory, fds.qmp, memory.planFd, memory.poolFd, report.get(),
                state.get()},
       .log = launch.paths.vmmLog(),
       .standardInput = channels->consoleIn.get(),
       .standardOutput = channels->consoleOut.get()});
  if (!process)
    return process.takeError();
  Launched launched(*process);
  if (launch.spawned)
    launch.spawned(*process);
  channels = Channels();

  auto qmp = connectTo(launch.paths, launch.patience);
  if (!qmp)
    return explained(qmp.takeError(), launch.paths);
  auto text = readFile(reportFile);
  if (!text)
    return text.takeError();
  if (text->empty())
    return Error{ENOTSUP, std::string(program) +
                              ": did not map guest memory through " +
                              library->string()};
  if (auto block =
          parseMemoryReport(*text, reportFile, launch.config.memoryBytes());
      !block)
    return block.takeError();

  // Guest memory is as planned: no guest instruction runs above this line.
  auto done = prepareMigration(*qmp);
  if (done)
    if (auto r = qmp->command("migrate-incoming",
                              {{"uri", "fd:" + std::to_string(state.get())}});
        !r)
      done = r.takeError();
  if (done)
    done = waitForMigration(*qmp);
  if (done)
    if (auto r = qmp->command("cont"); !r)
      done = r.takeError();
  if (!done)
    return explained(done.takeError(), launch.paths);
  return launched.keep();
}

Result<json> QemuDriver::once(const VmPaths &paths, const char *command) {
  auto qmp = connectTo(paths);
  if (!qmp)
    return qmp.takeError();
  return qmp->command(command);
}

Result<VmStatus> QemuDriver::status(const VmPaths &paths) {
  auto answer = once(paths, "query-status");
  if (!answer)
    return answer.takeError();
  return answer->is_object() && answer->value("running", json()) == true
             ? VmStatus::Running
             : VmStatus::Paused;
}

Result<void> QemuDriver::pause(const VmPaths &paths) {
  auto done = once(paths, "stop");
  return done ? Result<void>() : done.takeError();
}

Result<void> QemuDriver::resume(const VmPaths &paths) {
  auto done = once(paths, "cont");
  return done ? Result<void>() : done.takeError();
}

Result<void> QemuDriver::quit(const VmPaths &paths) {
  auto done = once(paths, "quit");
  if (done)
    return {};
  // It may be gone before its answer is.
  int err = done.error().sysErrno;
  return err == ECONNRESET || err == EPIPE ? Result<void>() : done.takeError();
}

/// Copies until the writer closes its end; 0 or an errno.
int drainSocket(int from, int to) {
  char buffer[65536];
  for (;;) {
    ssize_t n = read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : 0;
    for (ssize_t done = 0; done < n;) {
      ssize_t w = write(to, buffer + done, size_t(n - done));
      if (w < 0 && errno != EINTR)
        return errno;
      done += std::max<ssize_t>(w, 0);
    }
  }
}

Result<void> QemuDriver::saveState(const VmPaths &paths, const VmConfig &,
                                   const fs::path &stateFile) {
  auto qmp = connectTo(paths, std::chrono::seconds(60));
  if (!qmp)
    return qmp.takeError();
  if (auto ready = prepareMigration(*qmp); !ready)
    return ready;
  UniqueFd file(
      open(stateFile.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file)
    return systemError(stateFile.string());
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
    return systemError("socketpair");
  UniqueFd readEnd(ends[0]), writeEnd(ends[1]);
  if (auto given =
          qmp->command("getfd", {{"fdname", "spacer-state"}}, writeEnd.get());
      !given)
    return given.takeError();
  writeEnd.reset();

  // A socket holds less than the state: somebody must read meanwhile.
  int failure = 0;
  std::thread reader([&] { failure = drainSocket(readEnd.get(), file.get()); });
  auto done = [&]() -> Result<void> {
    auto started = qmp->command("migrate", {{"uri", "fd:spacer-state"}});
    if (!started) {
      (void)qmp->command("closefd", {{"fdname", "spacer-state"}});
      return started.takeError();
    }
    auto finished = waitForMigration(*qmp);
    if (!finished)
      (void)qmp->command("migrate_cancel");
    return finished;
  }();
  if (!done) // QEMU may still hold its end
    shutdown(readEnd.get(), SHUT_RDWR);
  reader.join();
  if (done && failure)
    done = systemError(stateFile.string(), failure);
  if (done && fsync(file.get()))
    done = systemError(stateFile.string());
  return done;
}

/// Where \p process maps the memfd that start() made.
Result<GuestBlock> findMemfd(const ProcessId &process, uint64_t bytes) {
  std::string file = "/proc/" + std::to_string(process.pid) + "/maps";
  auto text = readFile(file, 64 << 20);
  if (!text)
    return text.takeError();
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    unsigned long long start, end;
    if (line.find("/memfd:spacer-guest") != line.npos &&
        std::sscanf(line.c_str(), "%llx-%llx", &start, &end) == 2 &&
        end - start == bytes)
      return GuestBlock{.start = {start}, .bytes = bytes, .guest = {}};
  }
  return Error{ENOENT, file + ": no mapping of " + std::to_string(bytes) +
                           " bytes of guest memory"};
}

Result<std::vector<GuestBlock>> QemuDriver::memory(const VmPaths &paths,
                                                   const VmConfig &config,
                                                   const ProcessId &process) {
  Result<GuestBlock> block = Error{};
  if (config.snapshot.empty()) {
    block = findMemfd(process, config.memoryBytes());
  } else {
    auto text = readFile(reportPath(paths));
    if (!text)
      return text.takeError();
    block = parseMemoryReport(*text, reportPath(paths), config.memoryBytes());
  }
  if (!block)
    return block.takeError();
  return std::vector{*block};
}

Result<ConsoleEnds> QemuDriver::openConsole(const VmPaths &paths) {
  // Two writers would mix their lines; the lock says so at once.
  ConsoleEnds ends;
  std::string lock = paths.directory / "console.lock";
  ends.lock.reset(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!ends.lock)
    return systemError(lock);
  if (flock(ends.lock.get(), LOCK_EX | LOCK_NB))
    return Error{EBUSY,
                 paths.consoleInput().string() + ": someone else is attached"};
  ends.input.reset(
      open(paths.consoleInput().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!ends.input)
    return systemError(paths.consoleInput().string());
  ends.output.reset(open(paths.consoleLog().c_str(), O_RDONLY | O_CLOEXEC));
  if (!ends.output)
    return systemError(paths.consoleLog().string());
  ends.outputIsFile = true;
  return ends;
}

} // namespace

std::unique_ptr<Driver> makeQemuDriver() {
  return std::make_unique<QemuDriver>();
}

} // namespace spacer
