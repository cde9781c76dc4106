//===- Process.cpp - processes that outlive the command -------------------===//

#include "Process.h"
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace spacer {
namespace {

struct Stat {
  char state = 0;
  uint64_t startTicks = 0;
};

/// /proc/PID/stat; the command's name may hold anything, so look behind its
/// last parenthesis.
bool readStat(int pid, Stat &stat) {
  char path[32], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd)
    return false;
  ssize_t n = read(fd.get(), text, sizeof text - 1);
  if (n <= 0)
    return false;
  text[n] = 0;
  const char *at = std::strrchr(text, ')');
  unsigned long long start = 0;
  if (!at || std::sscanf(at + 1,
                         " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                         "%*d %*d %*d %*d %*d %*d %llu",
                         &stat.state, &start) != 2)
    return false;
  stat.startTicks = start;
  return true;
}

} // namespace

Result<ProcessId> identify(int pid) {
  Stat stat;
  if (pid <= 0 || !readStat(pid, stat))
    return Error{ESRCH, "process " + std::to_string(pid) + ": there is none"};
  return ProcessId{pid, stat.startTicks};
}

bool alive(const ProcessId &process) {
  Stat stat;
  return process && readStat(process.pid, stat) && stat.state != 'Z' &&
         stat.state != 'X' && stat.startTicks == process.startTicks;
}

Result<UniqueFd> openProcess(const ProcessId &process) {
  UniqueFd fd(int(syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd)
    return systemError("process " + std::to_string(process.pid));
  // Opened first, compared afterwards: the number cannot change hands between.
  auto now = identify(process.pid);
  if (!now || now->startTicks != process.startTicks)
    return Error{ESRCH,
                 "process " + std::to_string(process.pid) + ": it has ended"};
  return fd;
}

bool waitForEnd(const ProcessId &process, std::chrono::milliseconds patience) {
  auto fd = openProcess(process);
  if (!fd)
    return !alive(process);
  auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd p{fd->get(), POLLIN, 0};
    int n = poll(&p, 1, int(std::max<int64_t>(0, left.count())));
    if (n > 0)
      return true;
    if (n == 0)
      return false;
    if (errno != EINTR)
      return !alive(process);
  }
}

void killProcess(const ProcessId &process) {
  if (auto fd = openProcess(process))
    syscall(SYS_pidfd_send_signal, fd->get(), SIGKILL, nullptr, 0);
}

namespace {

std::vector<std::string>
environmentWith(const std::vector<std::string> &changes) {
  std::vector<std::string> all;
  for (char **e = environ; *e; ++e) {
    std::string_view entry = *e;
    std::string_view name = entry.substr(0, entry.find('=') + 1);
    if (std::none_of(changes.begin(), changes.end(), [&](const auto &c) {
          return std::string_view(c).starts_with(name);
        }))
      all.emplace_back(entry);
  }
  all.insert(all.end(), changes.begin(), changes.end());
  return all;
}

std::vector<char *> pointers(std::vector<std::string> &words) {
  std::vector<char *> result;
  for (std::string &w : words)
    result.push_back(w.data());
  result.push_back(nullptr);
  return result;
}

/// Between fork and exec: system calls only. Returns errno.
int becomeProgram(const char *path, char *const *argv, char *const *envp,
                  const std::vector<int> &keep, const int (&standard)[3]) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD})
    signal(s, SIG_DFL);
  // A standard descriptor's source may be 0, 1 or 2 itself: move them up first.
  int high[3];
  for (int i = 0; i < 3; ++i)
    if ((high[i] = fcntl(standard[i], F_DUPFD_CLOEXEC, 3)) < 0)
      return errno;
  for (int i = 0; i < 3; ++i)
    if (dup2(high[i], i) < 0)
      return errno;
  if (syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */))
    return errno;
  for (int fd : keep)
    if (fcntl(fd, F_SETFD, 0))
      return errno;
  execve(path, argv, envp);
  return errno;
}

/// The file that execvp() would take, or "".
std::string findProgram(const std::string &name) {
  if (name.find('/') != std::string::npos)
    return access(name.c_str(), X_OK) == 0 ? name : "";
  const char *path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0)
      return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

} // namespace

Result<ProcessId> spawn(const SpawnOptions &options) {
  std::string program = findProgram(options.argv.at(0));
  if (program.empty())
    return Error{ENOENT, options.argv[0] + ": no such program in PATH"};
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  UniqueFd log(open(options.log.c_str(),
                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log)
    return systemError(options.log.string());
  int standard[3] = {
      options.standardInput >= 0 ? options.standardInput : null.get(),
      options.standardOutput >= 0 ? options.standardOutput : log.get(),
      log.get()};
  auto words = options.argv, env = environmentWith(options.environment);
  auto argv = pointers(words), envp = pointers(env);

  int report[2]; // closed by a successful exec, else it carries an errno
  if (pipe2(report, O_CLOEXEC))
    return systemError("pipe");
  UniqueFd reportRead(report[0]), reportWrite(report[1]);
  pid_t pid = fork();
  if (pid < 0)
    return systemError("fork");
  if (pid == 0) {
    int failure = becomeProgram(program.c_str(), argv.data(), envp.data(),
                                options.keep, standard);
    (void)!write(reportWrite.get(), &failure, sizeof failure);
    _exit(127);
  }
  auto id = identify(pid);
  reportWrite.reset();
  int failure = 0;
  ssize_t n;
  while ((n = read(reportRead.get(), &failure, sizeof failure)) < 0 &&
         errno == EINTR)
    ;
  if (n == sizeof failure) {
    waitpid(pid, nullptr, 0);
    return systemError(program, failure);
  }
  return id;
}

} // namespace spacer
