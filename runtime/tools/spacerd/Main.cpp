//===- Main.cpp - the daemon spacerd --------------------------------------===//
//
// Arguments, then two processes (Keeper.h): this one becomes the keeper and
// forks the worker. A worker whose keeper dies comes back here with all its
// threads ended, becomes the keeper, and forks the next worker, which takes the
// sessions over as after any other death.
//
//===----------------------------------------------------------------------===//

#include "Daemon.h"
#include "Log.h"
#include <CLI/CLI.hpp>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <iostream>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace spacer;

namespace {

constexpr char about[] =
    "Holds the pages of a pool in memory, once, for all VMs of this host, and "
    "answers their page faults.\n";

constexpr char examples[] = R"(
Signals: SIGTERM brings everything that is lazy, then ends; while that is not
possible the daemon stays and says why. SIGHUP looks for new domains.

Examples:
  spacerd                                    root's pool, sockets in /run/spacer
  spacerd --directory=pool --run=run --log-level=debug
  curl --unix-socket run/metrics.sock http://spacer/metrics

Exit status: 0 stopped in order, 2 cannot start.)";

struct Arguments {
  DaemonOptions daemon;
  double capacityGiB = 1024;
  bool keeper = true;
  std::string logLevel = "info", socketMode = "0660", socketGroup;
};

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

/// Where `spacer` has its pool: see rootDirectory() of the command.
std::string defaultPools() {
  if (std::string root = variable("SPACER_ROOT"); !root.empty())
    return root + "/pool";
  if (geteuid() == 0)
    return "/var/lib/spacer/pool";
  if (std::string state = variable("XDG_STATE_HOME"); !state.empty())
    return state + "/spacer/pool";
  return variable("HOME") + "/.local/state/spacer/pool";
}

std::string defaultRun() {
  if (std::string run = variable("SPACER_RUN"); !run.empty())
    return run;
  std::string user = variable("XDG_RUNTIME_DIR");
  return geteuid() == 0 || user.empty() ? "/run/spacer" : user + "/spacer";
}

void declare(CLI::App &app, Arguments &a) {
  app.set_version_flag("--version", "spacerd " SPACER_VERSION);
  a.daemon.directory = defaultPools();
  a.daemon.run = defaultRun();
  app.add_option("--directory", a.daemon.directory,
                 "The pool directory, one folder a domain")
      ->capture_default_str();
  app.add_option("--run", a.daemon.run, "Where the sockets go")
      ->capture_default_str();
  app.add_option("--capacity", a.capacityGiB,
                 "Room for each domain's page numbers, in GiB; costs nothing "
                 "until pages are used")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 65536.0));
  app.add_option("--threads", a.daemon.threads,
                 "Threads that serve faults [as many as cores]")
      ->check(CLI::Range(1, 1024));
  app.add_flag("!--no-keeper", a.keeper,
               "One process only: when it dies, its VMs stop or lose pages");
  app.add_option("--socket-mode", a.socketMode,
                 "Permissions of DOMAIN.sock and metrics.sock")
      ->capture_default_str();
  app.add_option("--socket-group", a.socketGroup,
                 "Group of DOMAIN.sock and metrics.sock");
  app.add_option("--log-level", a.logLevel, "debug, info, warning or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.footer(examples);
}

/// What the parser alone cannot check; an empty string if all is well.
std::string prepare(Arguments &a) {
  char *end = nullptr;
  unsigned long mode = std::strtoul(a.socketMode.c_str(), &end, 8);
  if (a.socketMode.empty() || *end || mode > 0777)
    return "--socket-mode=" + a.socketMode + ": expected an octal mode";
  a.daemon.socketMode = static_cast<mode_t>(mode);
  if (!a.socketGroup.empty()) {
    group *found = getgrnam(a.socketGroup.c_str());
    if (!found)
      return "--socket-group=" + a.socketGroup + ": no such group";
    a.daemon.socketGroup = found->gr_gid;
  }
  a.daemon.capacityPages = static_cast<uint64_t>(a.capacityGiB * (1 << 18));
  std::error_code failed;
  for (std::string *path : {&a.daemon.directory, &a.daemon.run})
    *path = std::filesystem::absolute(*path, failed).lexically_normal();
  if (!std::filesystem::is_directory(a.daemon.directory, failed))
    return a.daemon.directory + ": no such directory";
  std::filesystem::create_directories(a.daemon.run, failed);
  if (failed)
    return a.daemon.run + ": " + failed.message();
  return "";
}

/// One daemon a run directory: the lock belongs to all its processes. -1 and a
/// line on standard error if another has it.
int lockRun(const std::string &run) {
  std::string path = run + "/lock";
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  std::cerr << "spacerd: " << path << ": "
            << (fd >= 0 && errno == EWOULDBLOCK ? "another spacerd runs here"
                                                : std::strerror(errno))
            << '\n';
  return -1;
}

void raiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

LogLevel levelOf(const std::string &word) {
  return word == "debug"     ? LogLevel::Debug
         : word == "info"    ? LogLevel::Info
         : word == "warning" ? LogLevel::Warning
                             : LogLevel::Error;
}

int exitCodeOf(ServeEnd end) {
  return end == ServeEnd::Stopped ? workerStopped : workerCannotStart;
}

int runAlone(const Arguments &a) {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&set, s);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  WorkerStart start;
  start.link = std::make_unique<KeeperLink>();
  return exitCodeOf(serve(a.daemon, start));
}

int runBoth(const Arguments &a) {
  KeptRecords records;
  uint64_t restarts = 0;
  for (;;) {
    KeeperEnd end = runKeeper(std::move(records), restarts);
    if (!end.worker)
      return end.exitCode;
    ServeEnd how = serve(a.daemon, *end.worker);
    if (how != ServeEnd::KeeperLost)
      return exitCodeOf(how);
    logError("becoming the keeper, and starting another worker");
    restarts = end.worker->restarts + 1;
    records = end.worker->link->takeRecords();
  }
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  CLI::App app(about, "spacerd");
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &e) {
    return app.exit(e);
  } catch (const CLI::ParseError &e) {
    std::string what = e.what();
    std::cerr << "spacerd: " << what.substr(0, what.find('\n'))
              << " (see spacerd --help)\n";
    return workerCannotStart;
  }
  if (std::string problem = prepare(arguments); !problem.empty()) {
    std::cerr << "spacerd: " << problem << '\n';
    return workerCannotStart;
  }
  startLog("spacerd", levelOf(arguments.logLevel));
  signal(SIGPIPE, SIG_IGN);
  raiseDescriptorLimit();
  if (lockRun(arguments.daemon.run) < 0) // kept until the end of the process
    return workerCannotStart;
  return arguments.keeper ? runBoth(arguments) : runAlone(arguments);
}
