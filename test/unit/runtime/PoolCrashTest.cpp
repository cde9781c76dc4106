//===- PoolCrashTest.cpp - killed, and out of space, at every step --------===//
//
// A child does one thing to a pool under ptrace(2). In round n it is killed
// before the n-th system call that changes a file, or that call fails with
// ENOSPC; n rises until the child comes through. After each round the pool must
// be whole and every object's bytes what they were, and the same work done
// again must succeed.
//
//===----------------------------------------------------------------------===//

#include "PoolFixture.h"
#include <csignal>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

using namespace spacer;
using namespace spacer::test;

namespace {

#ifdef __x86_64__

bool changesFiles(uint64_t number) {
  for (long n : {SYS_write, SYS_pwrite64, SYS_pwritev, SYS_fdatasync, SYS_fsync,
                 SYS_fallocate, SYS_ftruncate, SYS_unlink, SYS_unlinkat})
    if (number == uint64_t(n))
      return true;
  return false;
}

enum class Fate { Kill, Full };
enum class Outcome { Killed, Done, Failed, NoTracing };

/// Exit status of the child: 0 done, 1 failed with one line, 2 anything else.
template <class F> Outcome runChild(F body, Fate fate, unsigned at) {
  pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
      ::_exit(77);
    ::raise(SIGSTOP);
    ::_exit(body());
  }
  int status;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status))
    return Outcome::NoTracing;
  ::ptrace(PTRACE_SETOPTIONS, child, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  unsigned seen = 0;
  bool entering = true, failing = false;
  long signal = 0;
  while (true) {
    ::ptrace(PTRACE_SYSCALL, child, 0, signal);
    signal = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_LE(WEXITSTATUS(status), 1) << "child said something else";
      return WEXITSTATUS(status) == 0 ? Outcome::Done : Outcome::Failed;
    }
    if (WIFSIGNALED(status)) {
      ADD_FAILURE() << "child died of signal " << WTERMSIG(status);
      return Outcome::Killed;
    }
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      signal = WSTOPSIG(status);
      continue;
    }
    user_regs_struct regs;
    ::ptrace(PTRACE_GETREGS, child, 0, &regs);
    if (entering && changesFiles(regs.orig_rax) && ++seen == at) {
      if (fate == Fate::Kill) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        return Outcome::Killed;
      }
      failing = true;
      regs.orig_rax = ~0ull; // no call at all
      ::ptrace(PTRACE_SETREGS, child, 0, &regs);
    } else if (!entering && failing) {
      failing = false;
      regs.rax = uint64_t(-ENOSPC);
      ::ptrace(PTRACE_SETREGS, child, 0, &regs);
    }
    entering = !entering;
  }
}

struct Work {
  const char *name;
  Result<void> (*run)(PagePool &);
};
template <class T> Result<void> plain(Result<T> r) {
  return r ? Result<void>() : Result<void>(r.takeError());
}
std::vector<uint64_t> newNumbers() {
  std::vector<uint64_t> n = range(70, 120);
  for (uint64_t x : range(300, 330))
    n.push_back(x);
  return n;
}
constexpr Work works[] = {
    {"add",
     [](PagePool &p) {
       NumberSource source(newNumbers(), 30);
       return plain(p.add("d", source));
     }},
    {"gc", [](PagePool &p) { return plain(p.gc()); }},
    {"compress", [](PagePool &p) { return plain(p.compress("b")); }},
    {"thaw", [](PagePool &p) { return plain(p.thaw("a")); }},
    {"remove", [](PagePool &p) { return p.remove("e"); }},
};

class PoolCrashTest : public testing::TestWithParam<std::tuple<Work, Fate>> {
protected:
  PoolCrashTest() { // rounds sync a lot
    if (::access("/dev/shm", W_OK) == 0)
      ::setenv("TMPDIR", "/dev/shm", 1);
  }
  ~PoolCrashTest() override { ::unsetenv("TMPDIR"); }

  static void make(const std::filesystem::path &folder) {
    auto pool = openPool(folder);
    auto put = [&](std::string_view name, const std::vector<uint64_t> &n) {
      NumberSource source(n, 100);
      ASSERT_TRUE(pool->add(name, source));
    };
    put("a", range(1, 60));
    put("c", range(200, 230));
    put("b", range(40, 90));
    put("e", range(90, 95));
    ASSERT_TRUE(pool->compress("a"));
    ASSERT_TRUE(pool->compress("c"));
    ASSERT_TRUE(pool->remove("c"));
  }
  static void expectContent(PagePool &pool, std::string_view name,
                            const std::vector<uint64_t> &numbers) {
    auto found = contentOf(pool, name);
    ASSERT_TRUE(found) << found.error().context;
    EXPECT_TRUE(*found == pagesOf(numbers)) << name << " has other bytes";
  }
  static void expectKept(PagePool &pool, const std::string &work, bool done) {
    expectWhole(pool);
    expectContent(pool, "a", range(1, 60));
    expectContent(pool, "b", range(40, 90));
    if (pool.map("e") || work != "remove")
      expectContent(pool, "e", range(90, 95));
    if (pool.map("d") || (work == "add" && done))
      expectContent(pool, "d", newNumbers());
  }
};

TEST_P(PoolCrashTest, nothingThatWasInThePoolIsLost) {
  auto [work, fate] = GetParam();
  TemporaryFolder original;
  make(original.path);
  unsigned n = 1;
  for (;; ++n) {
    SCOPED_TRACE("system call " + std::to_string(n));
    TemporaryFolder folder;
    std::filesystem::copy(original.path, folder.path,
                          std::filesystem::copy_options::recursive);
    Outcome outcome = runChild(
        [&, run = work.run] {
          auto pool = PagePool::open(folder.path, "d", PagePool::Access::Write);
          if (!pool)
            return pool.error().context.find('\n') == std::string::npos ? 1 : 2;
          auto done = run(**pool);
          if (!done && done.error().context.find('\n') != std::string::npos)
            return 2;
          if (fate == Fate::Full) { // the same process goes on
            if (auto v = (*pool)->verify(); !v || !v->problems.empty())
              return 2;
            // A commit whose last sync fails has happened all the same.
            bool happened = (*pool)->map("d") || !(*pool)->map("e");
            if (!done && !happened && !run(**pool))
              return 2;
          }
          return done ? 0 : 1;
        },
        fate, n);
    if (outcome == Outcome::NoTracing)
      GTEST_SKIP() << "ptrace(2) is not allowed";
    if (auto reader = PagePool::open(folder.path, "d", PagePool::Access::Read))
      expectKept(**reader, work.name, outcome == Outcome::Done);
    else
      ADD_FAILURE() << reader.error().context;
    auto pool = openPool(folder.path);
    ASSERT_TRUE(pool);
    bool had = bool(pool->map("d")), gone = !pool->map("e");
    if (!had && !gone) {
      auto again = work.run(*pool);
      ASSERT_TRUE(again) << again.error().context;
    }
    ASSERT_TRUE(pool->gc());
    expectKept(*pool, work.name, true);
    if (HasFailure() || (outcome == Outcome::Done && fate == Fate::Kill))
      break;
    // Some failures do no harm, such as that of a truncation.
    if (outcome == Outcome::Done && n > 35)
      break;
  }
  EXPECT_GT(n, 5u);
}

INSTANTIATE_TEST_SUITE_P(
    Every, PoolCrashTest,
    testing::Combine(testing::ValuesIn(works),
                     testing::Values(Fate::Kill, Fate::Full)),
    [](auto &info) {
      return std::string(std::get<0>(info.param).name) +
             (std::get<1>(info.param) == Fate::Kill ? "Killed" : "Full");
    });

#endif

} // namespace
