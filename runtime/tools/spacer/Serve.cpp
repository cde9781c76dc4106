//===- Serve.cpp - a snapshot's memory for Firecracker --------------------===//
//
//   1. the snapshot: an object of the pool, or a file, which is imported into a
//      pool of its own, so that what becomes of the file changes nothing
//   2. --socket: a handler (FirecrackerServer); --file: a sealed memory file
//   3. the command after `--`, if any, which may merge its memory
//   4. until a signal, or the end of the command, or of the one session of
//      --once; what is lazy is brought first
//
//===----------------------------------------------------------------------===//

#include "Serve.h"
#include "FirecrackerServer.h"
#include "HostPool.h"
#include "Kernel.h"
#include "Log.h"
#include "MemoryFile.h"
#include "PagePool.h"
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace spacer {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr char about[] =
    "Serve a snapshot's memory to Firecracker, in the foreground";

constexpr char details[] = R"(
With --socket, for Firecracker's memory backend `Uffd`: page faults are answered
by copies, which are not shared between VMs. With --file, for its backend `File`:
all VMs of this snapshot share its pages until they write them. A command after
`--` is started when all is ready; with --memory-merge the kernel's KSM may merge
its pages.

Examples:
  spacer serve --socket=/run/web.uffd web-ready
  spacer serve --socket=web.uffd --memory-merge ./memory -- firecracker --no-seccomp
  spacer serve --file --path=/run/web.memory web-ready

On SIGINT and SIGTERM, pages that VMs still miss are brought first.)";

struct ServeArguments {
  std::string snapshot, socket, path, scratch;
  std::string mode = "0600";
  std::vector<std::string> command;
  bool file = false, once = false, merge = false;
  unsigned threads = 0;
  double timeout = 5;
};

struct Snapshot {
  std::string name; ///< for messages
  std::shared_ptr<PagePool> pool;
  PageMap map;
};

// The snapshot

/// A folder that goes with this object; the files in it that are open live on.
class ScratchFolder {
public:
  explicit ScratchFolder(const std::string &parent)
      : path(parent + "/spacer-serve-XXXXXX") {
    if (!mkdtemp(path.data()))
      throw Failure(systemError(path).context);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string path;
};

std::string mib(uint64_t pages) {
  return std::to_string(pages * pageBytes >> 20) + " MiB";
}

Snapshot importFile(const std::string &path, std::string parent) {
  if (parent.empty()) {
    const char *variable = std::getenv("TMPDIR");
    parent = variable && *variable ? variable : "/var/tmp";
  }
  auto source = need(openRaw(path, ObjectKind::Snapshot));
  ScratchFolder folder(parent);
  Snapshot snapshot;
  snapshot.name = path;
  snapshot.pool =
      need(PagePool::open(folder.path, "scratch", PagePool::Access::Write));
  auto next = Clock::now() + std::chrono::seconds(2);
  auto summary = need(
      snapshot.pool->add("memory", *source, [&](uint64_t done, uint64_t all) {
        if (Clock::now() > next) {
          logInfo(path + ": read " + std::to_string(done >> 20) + " of " +
                  std::to_string(all >> 20) + " MiB");
          next = Clock::now() + std::chrono::seconds(2);
        }
        return true;
      }));
  snapshot.map = need(snapshot.pool->map("memory"));
  logInfo(path + ": " + mib(summary.guestPages) + ", " + mib(summary.newPages) +
          " different");
  return snapshot;
}

/// A name with a slash is a file's; object names have none.
Snapshot openSnapshot(const Session &session, const ServeArguments &arguments) {
  if (arguments.snapshot.find('/') != std::string::npos)
    return importFile(arguments.snapshot, arguments.scratch);
  Snapshot snapshot;
  snapshot.name = arguments.snapshot;
  std::string directory = rootDirectory(session) + "/pool";
  auto pool = PagePool::open(directory, session.domain, PagePool::Access::Read);
  auto map = pool ? (*pool)->map(arguments.snapshot)
                  : Result<PageMap>(pool.takeError());
  if (!map) {
    struct stat status;
    bool aFile = map.error().sysErrno == ENOENT &&
                 ::stat(arguments.snapshot.c_str(), &status) == 0;
    throw Failure(
        map.error().context +
        (aFile ? " (for the file say ./" + arguments.snapshot + ")" : ""));
  }
  snapshot.pool = std::move(*pool);
  snapshot.map = std::move(*map);
  // Neither removed nor made cold while we live.
  if (auto leased = snapshot.pool->lease(arguments.snapshot, getpid()); !leased)
    logWarning(leased.error().context);
  return snapshot;
}

// The command after `--`

/// As it was: a command that we start gets it back.
rlimit descriptorLimit;

/// Three descriptors for each VM: as many as we may have.
void raiseDescriptorLimit() {
  ::getrlimit(RLIMIT_NOFILE, &descriptorLimit);
  rlimit most = {descriptorLimit.rlim_max, descriptorLimit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &most);
}

/// What keeps KSM from merging, "" if nothing does.
std::string whyNoMerging() {
  if (::prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) < 0)
    return "this kernel has no PR_SET_MEMORY_MERGE (Linux 6.4)";
  std::ifstream run("/sys/kernel/mm/ksm/run");
  int value = 0;
  if (!(run >> value))
    return "this kernel has no KSM";
  if (value != 1)
    return "KSM does not run: /sys/kernel/mm/ksm/run is " +
           std::to_string(value) + ", expected 1";
  return "";
}

/// -1 if there is none to start.
pid_t startCommand(const ServeArguments &arguments) {
  if (arguments.command.empty())
    return -1;
  if (arguments.merge)
    if (std::string why = whyNoMerging(); !why.empty())
      logWarning("--memory-merge: " + why);
  std::vector<std::string> words = arguments.command;
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = ::fork();
  if (child < 0)
    throw Failure(systemError("fork").context);
  if (child == 0) { // other threads hold locks: system calls only
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::setrlimit(RLIMIT_NOFILE, &descriptorLimit);
    if (arguments.merge)
      ::prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
    ::execvp(argv[0], argv.data());
    const char *why = std::strerror(errno);
    (void)!::write(2, argv[0], std::strlen(argv[0]));
    (void)!::write(2, ": ", 2);
    (void)!::write(2, why, std::strlen(why));
    (void)!::write(2, "\n", 1);
    ::_exit(127);
  }
  return child;
}

// Until it ends

/// Signals as events, the command, and what to do when either says so.
class Foreground {
public:
  Foreground() {
    sigset_t set;
    sigemptyset(&set);
    for (int s : {SIGINT, SIGTERM, SIGHUP, SIGCHLD})
      sigaddset(&set, s);
    // Before any thread is there: all inherit it.
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals)
      throw Failure(systemError("signalfd").context);
  }
  void start(const ServeArguments &arguments) {
    child = startCommand(arguments);
    hasCommand = child > 0;
  }
  pollfd event() const { return {signals.get(), POLLIN, 0}; }
  void take() {
    signalfd_siginfo info;
    while (::read(signals.get(), &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) {
        asked = true;
        // A terminal has told the command too; twice does no harm.
        if (child > 0)
          ::kill(child, SIGTERM);
      }
    int status;
    if (child > 0 && ::waitpid(child, &status, WNOHANG) == child) {
      child = -1;
      exitCode =
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  /// With a command its end decides.
  bool over() const { return hasCommand ? child < 0 : asked; }

  int exitCode = 0;

private:
  UniqueFd signals;
  pid_t child = -1;
  bool hasCommand = false, asked = false;
};

unsigned parseMode(const std::string &text) {
  size_t end = 0;
  unsigned long mode = 01000;
  if (!text.empty() && text.size() <= 4 &&
      text.find_first_not_of("01234567") == std::string::npos)
    mode = std::stoul(text, &end, 8);
  if (mode > 0777)
    throw Failure("--mode '" + text + "': expected 0000 to 0777");
  return unsigned(mode);
}

void say(const Session &session, const char *what, const std::string &path) {
  if (session.json)
    session.print({{what, path}});
  else
    std::cout << path << '\n';
  std::cout.flush();
}

int serveSocket(const Session &session, const ServeArguments &arguments) {
  FirecrackerServerOptions options;
  options.mode = parseMode(arguments.mode);
  Foreground foreground;
  Snapshot snapshot = openSnapshot(session, arguments);
  options.socket = arguments.socket;
  options.object = snapshot.name;
  options.pool = need(HostPool::create(
      snapshot.pool, std::max<uint64_t>(1, snapshot.pool->pageCount())));
  options.map = std::make_shared<PageMap>(std::move(snapshot.map));
  options.threads = arguments.threads;
  options.once = arguments.once;
  options.patience = milliseconds(int64_t(arguments.timeout * 1000));
  auto server = need(FirecrackerServer::start(options));
  logInfo(arguments.socket + ": " + snapshot.name + ", " +
          mib(options.map->guestPages()) +
          "; this backend copies: pages of VMs are not shared (--file shares)");
  say(session, "socket", arguments.socket);
  foreground.start(arguments);

  std::vector<pollfd> events;
  for (bool draining = false;;) {
    events.assign(1, foreground.event());
    server->turn(events, milliseconds(draining ? 1000 : 60'000));
    foreground.take();
    bool done = arguments.once && server->accepted() && !server->sessions();
    if (!foreground.over() && !done)
      continue;
    server->stopListening();
    if (size_t count = server->sessions(); count && !draining)
      logInfo("ends: brings what " + std::to_string(count) +
              " VMs have not read yet");
    auto drained = server->drain();
    if (drained && !server->sessions())
      return foreground.exitCode;
    // Its memory is not whole, and without a handler it would wait for ever.
    if (!draining)
      logError(drained.error().context + ": serves on until its VM ends");
    draining = true;
  }
}

int serveFile(const Session &session, const ServeArguments &arguments) {
  Foreground foreground;
  Snapshot snapshot = openSnapshot(session, arguments);
  std::string label = fs::path(snapshot.name).filename();
  UniqueFd file =
      need(makeMemoryFile(snapshot.map, *snapshot.pool, "spacer-" + label));
  std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" +
                     std::to_string(file.get());
  if (!arguments.path.empty() &&
      ::symlink(path.c_str(), arguments.path.c_str())) {
    // One that leads nowhere is a dead server's.
    std::error_code error;
    bool stale = errno == EEXIST &&
                 fs::is_symlink(fs::symlink_status(arguments.path, error)) &&
                 !fs::exists(arguments.path, error);
    if (!stale || ::unlink(arguments.path.c_str()) ||
        ::symlink(path.c_str(), arguments.path.c_str()))
      throw Failure(
          systemError(arguments.path, stale ? errno : EEXIST).context);
  }
  logInfo(snapshot.name + ": " + mib(snapshot.map.guestPages()) + ", " +
          mib(snapshot.map.poolPages()) +
          " not zero; VMs of this snapshot share them until they write");
  say(session, "file", arguments.path.empty() ? path : arguments.path);
  foreground.start(arguments);
  while (!foreground.over()) {
    pollfd event = foreground.event();
    (void)::poll(&event, 1, -1);
    foreground.take();
  }
  // What VMs have mapped stays; only the name goes.
  std::error_code error;
  if (!arguments.path.empty() &&
      fs::read_symlink(arguments.path, error) == path)
    ::unlink(arguments.path.c_str());
  return foreground.exitCode;
}

} // namespace

void addServe(CLI::App &app, Session &session) {
  auto *serve = app.add_subcommand("serve", about);
  auto arguments = std::make_shared<ServeArguments>();
  serve->footer(details);
  auto *socket =
      serve->add_option("--socket", arguments->socket,
                        "Listen here for Firecracker's memory backend Uffd");
  serve
      ->add_flag("--file", arguments->file,
                 "Make a file for Firecracker's memory backend File")
      ->excludes(socket);
  serve->add_option("--path", arguments->path,
                    "With --file: a link to the file, of this name");
  serve->add_option("--mode", arguments->mode, "Mode of the socket's file")
      ->capture_default_str();
  serve->add_flag("--once", arguments->once,
                  "Serve one VM, and end when it has ended");
  serve
      ->add_option("--threads", arguments->threads,
                   "Threads that answer faults [as many as cores]")
      ->check(CLI::Range(1, 256));
  serve
      ->add_option("--timeout", arguments->timeout,
                   "Seconds that a VM may take for its first message")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  serve->add_flag("--memory-merge", arguments->merge,
                  "Let KSM merge the pages of the command after --");
  serve->add_option("--scratch", arguments->scratch,
                    "Where a FILE's pages are kept meanwhile [$TMPDIR, "
                    "/var/tmp]");
  serve
      ->add_option("snapshot", arguments->snapshot,
                   "An object of the pool, or a file of guest memory: a name "
                   "with a slash")
      ->required();
  serve->add_option("command", arguments->command,
                    "After --: a command to start, such as firecracker");
  serve->callback([arguments, &session] {
    if (arguments->file == !arguments->socket.empty())
      throw Failure("serve: expected --socket=PATH or --file");
    if (arguments->merge && arguments->command.empty())
      throw Failure("serve: --memory-merge is for a command after --");
    startLog("spacer", LogLevel::Info);
    raiseDescriptorLimit();
    session.exitCode = arguments->file ? serveFile(session, *arguments)
                                       : serveSocket(session, *arguments);
  });
}

} // namespace spacer
