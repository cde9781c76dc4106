//===- Interrupt.cpp - SIGINT and SIGTERM as something to wait for --------===//

#include "Interrupt.h"
#include <algorithm>
#include <atomic>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace spacer {
namespace {

int wakeFd = -1;
std::atomic<bool> seen{false}; // lock-free: for a handler too
thread_local unsigned held = 0;

void onSignal(int) {
  int saved = errno;
  seen = true;
  uint64_t one = 1;
  (void)!write(wakeFd, &one, sizeof one);
  errno = saved;
}

} // namespace

void catchInterrupts() {
  if (wakeFd >= 0)
    return;
  wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action{};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART; // who waits polls, and poll() is not restarted
  for (int s : {SIGINT, SIGTERM, SIGHUP})
    sigaction(s, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);
}

bool interrupted() { return seen && held == 0; }
Uninterrupted::Uninterrupted() { ++held; }
Uninterrupted::~Uninterrupted() { --held; }
int interruptFd() { return wakeFd; }
Error interruptError() { return {ECANCELED, "interrupted"}; }

Result<short> waitFor(int fd, short events, Deadline end, const char *what) {
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd fds[] = {{fd, events, 0}, {wakeFd, POLLIN, 0}};
    int n = poll(fds, held ? 1 : 2, int(std::max<int64_t>(0, left.count() + 1)));
    if (n < 0 && errno != EINTR)
      return systemError(what);
    if (interrupted())
      return interruptError();
    if (n > 0 && fds[0].revents)
      return fds[0].revents;
    if (std::chrono::steady_clock::now() >= end)
      return Error{ETIMEDOUT, std::string(what) + ": no answer in time"};
  }
}

} // namespace spacer
