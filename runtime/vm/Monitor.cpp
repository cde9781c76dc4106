//===- Monitor.cpp - the parent of VMs that run on ------------------------===//

#include "Monitor.h"
#include "Interrupt.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace spacer {

void Monitor::watch(const Vm &vm, const ProcessId &process, bool removeAtEnd) {
  std::lock_guard hold(lock);
  watched[process.pid] = {vm.paths().directory.parent_path().parent_path(),
                          vm.name(), removeAtEnd};
}

void Monitor::forget(const ProcessId &process) {
  std::lock_guard hold(lock);
  watched.erase(process.pid);
}

void Monitor::stay() {
  while (!watched.empty()) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno != EINTR)
      return;
    auto it = watched.find(pid);
    if (it == watched.end())
      continue;
    Watched w = it->second;
    watched.erase(it);
    auto vm = Vm::open(w.root, w.name, w.removeAtEnd);
    if (!vm)
      continue; // removed by someone who saw it end first
    vm->noteExit(status);
    if (w.removeAtEnd)
      (void)vm->remove();
  }
}

namespace {

/// Nothing of the terminal, and no signal of its group, reaches it any more.
void detach() {
  setsid();
  for (int s : {SIGINT, SIGTERM, SIGHUP})
    signal(s, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, 0);
  prctl(PR_SET_NAME, "spacer-monitor");
  (void)!chdir("/");
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd)
    dup2(null.get(), fd);
}

int waitForWork(int resultFd, pid_t child) {
  int code = EXIT_FAILURE;
  bool passedOn = false;
  for (;;) {
    pollfd fds[] = {{resultFd, POLLIN, 0},
                    {passedOn ? -1 : interruptFd(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR)
      break;
    if (interrupted() && !std::exchange(passedOn, true))
      kill(child, SIGTERM);
    if (fds[0].revents) {
      if (read(resultFd, &code, sizeof code) == sizeof code)
        return code;
      break; // it died
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status))
    return WEXITSTATUS(status);
  std::cerr << "spacer: the process that starts VMs ended, status " << status
            << '\n';
  return 2;
}

} // namespace

int withMonitor(const std::function<int(Monitor &)> &work) {
  catchInterrupts();
  std::cout.flush();
  std::cerr.flush();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) {
    std::cerr << "spacer: pipe: " << std::strerror(errno) << '\n';
    return 2;
  }
  UniqueFd resultRead(ends[0]), resultWrite(ends[1]);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child < 0) {
    std::cerr << "spacer: fork: " << std::strerror(errno) << '\n';
    return 2;
  }
  if (child > 0) {
    resultWrite.reset();
    return waitForWork(resultRead.get(), child);
  }
  resultRead.reset();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    raise(SIGTERM);
  Monitor monitor;
  int code = work(monitor);
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  // Before the answer: the parent's end must not interrupt us any more.
  detach();
  (void)!write(resultWrite.get(), &code, sizeof code);
  resultWrite.reset();
  monitor.stay();
  _exit(code);
}

} // namespace spacer
