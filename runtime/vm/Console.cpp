//===- Console.cpp - a terminal on a guest's console ----------------------===//
//
// Everything that a guest writes goes to console.log, attached or not, so that
// file is what is shown: nothing is lost between start and attach, and nothing
// comes twice. Input goes through the driver's descriptor, a FIFO; should a
// driver give a socket, what comes back on it is the same output again and is
// thrown away, lest the VMM wait for us.
//
// A guest takes its input when it likes, and a VMM drops what it has not taken
// when we hang up, so we stay until the queue is empty.
//
//===----------------------------------------------------------------------===//

#include "Console.h"
#include "Interrupt.h"
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

namespace spacer {
namespace {

using Clock = std::chrono::steady_clock;

bool writeAll(int fd, const char *data, size_t bytes) {
  while (bytes) {
    ssize_t n = write(fd, data, bytes);
    if (n < 0 && errno == EAGAIN) {
      pollfd p{fd, POLLOUT, 0};
      poll(&p, 1, 1000);
    } else if (n < 0 && errno != EINTR) {
      return false;
    }
    data += std::max<ssize_t>(n, 0);
    bytes -= size_t(std::max<ssize_t>(n, 0));
    if (interrupted())
      return false;
  }
  return true;
}

/// A terminal that gives every key at once, until the end of its life.
class RawTerminal {
public:
  explicit RawTerminal(int fd) : fd(fd) {
    if (!isatty(fd) || tcgetattr(fd, &before))
      return;
    termios raw = before;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST; // guests end lines with \n alone
    active = tcsetattr(fd, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (active)
      tcsetattr(fd, TCSADRAIN, &before);
  }
  bool isActive() const { return active; }

private:
  int fd;
  termios before{};
  bool active = false;
};

/// A file that another process appends to.
class GrowingFile {
public:
  static Result<GrowingFile> open(const std::filesystem::path &path) {
    GrowingFile f;
    f.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!f.fd)
      return systemError(path.string());
    f.watch.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!f.watch ||
        inotify_add_watch(f.watch.get(), path.c_str(), IN_MODIFY) < 0)
      return systemError(path.string() + ": inotify");
    return f;
  }

  int watchFd() const { return watch.get(); }
  void seek(int64_t to) { lseek(fd.get(), to, to < 0 ? SEEK_END : SEEK_SET); }
  void seekEnd() { lseek(fd.get(), 0, SEEK_END); }

  /// Copies what is there now; the number of bytes, or -1 if \p to fails.
  int64_t copyTo(int to) {
    char buffer[16384];
    while (read(watch.get(), buffer, sizeof buffer) > 0)
      ; // before reading the file: what comes later wakes us again
    int64_t all = 0;
    for (ssize_t n; (n = read(fd.get(), buffer, sizeof buffer)) > 0; all += n)
      if (!writeAll(to, buffer, size_t(n)))
        return -1;
    return all;
  }

private:
  UniqueFd fd, watch;
};

/// Bytes that the guest has not taken yet.
int pending(int fd) {
  int bytes = 0;
  if (ioctl(fd, SIOCOUTQ, &bytes) == 0 || ioctl(fd, FIONREAD, &bytes) == 0)
    return bytes;
  return 0;
}

class Session {
public:
  Session(GrowingFile &log, ConsoleEnds &ends, const AttachOptions &options,
          int processFd)
      : log(log), ends(ends), options(options), processFd(processFd),
        terminal(options.input) {}

  Result<AttachEnd> run() {
    for (;;) {
      int64_t shown = log.copyTo(options.output);
      if (shown < 0)
        return interrupted() ? interruptError() : systemError("output");
      if (shown > 0 || pending(ends.input.get()) > 0)
        lastActive = Clock::now();
      if (interrupted())
        return interruptError();
      if (processEnded) { // its last words are out
        return AttachEnd::GuestEnded;
      }
      if (inputEnded && Clock::now() - lastActive >= options.idle)
        return AttachEnd::Idle;
      if (detached)
        return AttachEnd::Detached;
      if (auto done = wait(); !done)
        return done.takeError();
    }
  }

private:
  Result<void> wait() {
    pollfd fds[] = {{log.watchFd(), POLLIN, 0},
                    {inputEnded ? -1 : options.input, POLLIN, 0},
                    {ends.input.get(), POLLIN, 0},
                    {processFd, POLLIN, 0},
                    {interruptFd(), POLLIN, 0}};
    if (hungUp)
      fds[2].fd = -1;
    int n = poll(fds, std::size(fds), inputEnded ? 50 : 1000);
    if (n < 0 && errno != EINTR)
      return systemError("poll");
    if (n <= 0)
      return {};
    if (fds[1].revents)
      sendInput();
    if (fds[2].revents)
      drainEcho();
    processEnded = fds[3].revents;
    return {};
  }

  void sendInput() {
    char buffer[4096];
    ssize_t n = read(options.input, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    lastActive = Clock::now();
    if (n <= 0) {
      inputEnded = true;
      return;
    }
    std::string text(buffer, size_t(n));
    if (terminal.isActive())
      detached = keys.filter(text);
    if (!writeAll(ends.input.get(), text.data(), text.size()))
      inputEnded = true; // the guest is going; the process's end tells
  }

  void drainEcho() {
    char buffer[16384];
    ssize_t n = recv(ends.input.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      hungUp = true;
  }

  GrowingFile &log;
  ConsoleEnds &ends;
  const AttachOptions &options;
  int processFd;
  RawTerminal terminal;
  DetachKeys keys;
  Clock::time_point lastActive = Clock::now();
  bool inputEnded = false, detached = false, hungUp = false,
       processEnded = false;
};

} // namespace

bool DetachKeys::filter(std::string &typed) {
  constexpr char ctrlP = 16, ctrlQ = 17;
  std::string out;
  for (char c : typed) {
    if (half && c == ctrlQ) {
      typed = out;
      return true;
    }
    if (std::exchange(half, false))
      out += ctrlP;
    if (c == ctrlP)
      half = true;
    else
      out += c;
  }
  typed = out;
  return false;
}

Result<AttachEnd> attachConsole(const VmPaths &paths, ConsoleEnds ends,
                                const ProcessId &process,
                                const AttachOptions &options) {
  signal(SIGPIPE, SIG_IGN);
  auto log = GrowingFile::open(paths.consoleLog());
  if (!log)
    return log.takeError();
  if (options.from < 0)
    log->seekEnd();
  else
    log->seek(options.from);
  auto processFd = openProcess(process);
  if (!processFd)
    return processFd.takeError();
  return Session(*log, ends, options, processFd->get()).run();
}

Result<void> followFile(const std::filesystem::path &file, int output,
                        std::optional<ProcessId> process) {
  signal(SIGPIPE, SIG_IGN);
  auto log = GrowingFile::open(file);
  if (!log)
    return log.takeError();
  Result<UniqueFd> processFd =
      process ? openProcess(*process) : Result<UniqueFd>(UniqueFd());
  bool ended = !processFd || !process;
  for (;;) {
    if (log->copyTo(output) < 0)
      return interrupted() ? interruptError() : systemError("output");
    if (ended || interrupted())
      return {};
    pollfd fds[] = {{log->watchFd(), POLLIN, 0},
                    {processFd->get(), POLLIN, 0},
                    {interruptFd(), POLLIN, 0}};
    poll(fds, std::size(fds), 1000);
    ended = fds[1].revents;
  }
}

} // namespace spacer
