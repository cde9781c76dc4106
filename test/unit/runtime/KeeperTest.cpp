//===- KeeperTest.cpp -----------------------------------------------------===//
//
// The keeper forks, so each test forks first and plays the keeper's program in
// the child; what its workers find comes back through a pipe, a line each.
//
//===----------------------------------------------------------------------===//

#include "Keeper.h"
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace spacer;

namespace {

constexpr size_t memoryBytes = 64 << 10;

class KeeperTest : public testing::Test {
protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    in.reset(ends[0]);
    out.reset(ends[1]);
    prctl(PR_SET_CHILD_SUBREAPER, 1); // for keepers that are not our children
  }

  /// \p worker runs in each worker, with a fresh process's exit code.
  template <class F> pid_t run(F worker) {
    pid_t pid = fork();
    if (pid != 0)
      return pid;
    KeptRecords records;
    uint64_t restarts = 0;
    for (;;) {
      KeeperEnd end = runKeeper(std::move(records), restarts);
      if (!end.worker)
        _exit(end.exitCode);
      int code = worker(*end.worker);
      if (code >= 0)
        _exit(code);
      restarts = end.worker->restarts + 1;
      records = end.worker->link->takeRecords();
    }
  }

  void say(const std::string &line) {
    std::string text = line + "\n";
    (void)!write(out.get(), text.data(), text.size());
  }

  std::string hear() {
    std::string line;
    char c;
    pollfd set{in.get(), POLLIN, 0};
    while (poll(&set, 1, 10'000) == 1 && read(in.get(), &c, 1) == 1 &&
           c != '\n')
      line += c;
    return line;
  }

  /// The next order, or '-' when the keeper is gone.
  static char order(KeeperLink &link) {
    char word;
    return read(link.ordersFd(), &word, 1) == 1 ? word : '-';
  }

  static int exitCode(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  UniqueFd in, out;
};

UniqueFd memory() {
  UniqueFd fd(memfd_create("keeper-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(ftruncate(fd.get(), memoryBytes), 0);
  return fd;
}

bool canMapWritable(int fd) {
  void *at =
      mmap(nullptr, memoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED)
    munmap(at, memoryBytes);
  return at != MAP_FAILED;
}

/// What a successor must find, or what is wrong.
std::string findings(KeeperLink &link) {
  if (link.keys("session") != std::vector<std::string>{"session/2"})
    return "sessions";
  auto pool = link.record("pool/a");
  if (!pool || pool->text != "text" || pool->fds.size() != 1)
    return "record";
  if (!pool->memory || pool->memory.size() != memoryBytes)
    return "no mapping";
  if (pool->memory.data()[5] != 77)
    return "content";
  pool->memory.data()[6] = 78; // a fault here ends the worker
  if (canMapWritable(pool->fds[0].get()))
    return "mapped writable anew";
  char byte = 1;
  if (pwrite(pool->fds[0].get(), &byte, 1, 0) != -1)
    return "written";
  return "fine " + std::to_string(pool->memory.data()[6]);
}

void firstWorker(KeeperLink &link) {
  UniqueFd fd = memory();
  Mapping mine(mmap(nullptr, memoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                    fd.get(), 0),
               memoryBytes);
  int number = fd.get();
  EXPECT_TRUE(link.hold("pool/a", "text", {&number, 1}, /*sealing=*/true));
  mine.data()[5] = 77; // after the sealing
  UniqueFd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
  number = other.get();
  EXPECT_TRUE(link.hold("session/1", "", {&number, 1}));
  EXPECT_TRUE(link.hold("session/2", "", {&number, 1}));
  link.drop("session/1");
  link.ready();
}

TEST_F(KeeperTest, successorHasDescriptorsAndWritableMapping) {
  pid_t keeper = run([&](WorkerStart &start) {
    if (start.restarts == 0) {
      firstWorker(*start.link);
      raise(SIGKILL);
    }
    say(findings(*start.link));
    return order(*start.link) == 's' ? workerStopped : 9;
  });
  EXPECT_EQ(hear(), "fine 78");
  kill(keeper, SIGTERM);
  EXPECT_EQ(exitCode(keeper), workerStopped);
}

TEST_F(KeeperTest, workerWhoseKeeperDiesBecomesOne) {
  pid_t keeper = run([&](WorkerStart &start) {
    if (start.restarts == 0) {
      firstWorker(*start.link);
      say("up");
      return order(*start.link) == '-' ? -1 : 9;
    }
    say(findings(*start.link));
    say(std::to_string(getppid()));
    return order(*start.link) == 's' ? workerStopped : 9;
  });
  EXPECT_EQ(hear(), "up");
  kill(keeper, SIGKILL);
  EXPECT_EQ(exitCode(keeper), -SIGKILL);
  EXPECT_EQ(hear(), "fine 78");
  pid_t second = std::stoi(hear());
  EXPECT_NE(second, getpid());
  kill(second, SIGTERM);
  EXPECT_EQ(exitCode(second), workerStopped);
}

TEST_F(KeeperTest, workerThatCannotStartEndsItAll) {
  pid_t keeper = run([&](WorkerStart &) { return workerCannotStart; });
  EXPECT_EQ(exitCode(keeper), workerCannotStart);
}

TEST_F(KeeperTest, crashLoopSlowsDownAndStillStops) {
  pid_t keeper = run([&](WorkerStart &start) {
    if (start.restarts < 7) {
      if (start.restarts == 0)
        start.link->ready();
      raise(SIGKILL);
    }
    say("lives");
    return order(*start.link) == 's' ? workerStopped : 9;
  });
  EXPECT_EQ(hear(), "lives");
  kill(keeper, SIGTERM);
  EXPECT_EQ(exitCode(keeper), workerStopped);
}

TEST_F(KeeperTest, withoutKeeperNothingIsHeld) {
  KeeperLink link;
  EXPECT_FALSE(link.exists());
  UniqueFd fd = memory();
  int number = fd.get();
  EXPECT_TRUE(link.hold("pool/a", "", {&number, 1}, true));
  EXPECT_TRUE(link.keys("pool").empty());
  EXPECT_TRUE(canMapWritable(fd.get()));
}

} // namespace
