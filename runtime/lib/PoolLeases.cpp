//===- PoolLeases.cpp - which living processes use which objects ----------===//
//
// A lease is a file in the folder `leases`: PID-START-OBJECT, where START is
// the process's start time in clock ticks (/proc/PID/stat, field 22), so that a
// number that is used again does not count; one byte for each time it was
// taken. Files and not rows, for a clone must not wait for a disk, and after a
// power loss no process is left to have a lease.
//
// Who decides (lease, remove, compress) holds an flock on the folder, so an
// object cannot go between "is it there?" and "I use it".
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace spacer {
namespace {

/// Start time of a living process; 0 if there is none. A zombie maps nothing,
/// unless it is only the first thread that has ended: then there are others.
uint64_t startOf(int pid) {
  UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(),
                     O_RDONLY | O_CLOEXEC));
  char text[1024];
  ssize_t n = fd ? ::read(fd.get(), text, sizeof text - 1) : 0;
  if (n <= 0)
    return 0;
  std::string_view rest(text, size_t(n));
  size_t close = rest.rfind(')'); // the name may hold anything
  if (close == std::string_view::npos || close + 2 >= rest.size())
    return 0;
  rest.remove_prefix(close + 2);
  bool dead = rest[0] == 'Z' || rest[0] == 'X';
  for (int field = 3; field < 22; ++field) {
    uint64_t threads = 0;
    if (field == 20)
      std::from_chars(rest.data(), rest.data() + rest.size(), threads);
    if (field == 20 && dead && threads < 2)
      return 0;
    size_t space = rest.find(' ');
    if (space == std::string_view::npos)
      return 0;
    rest.remove_prefix(space + 1);
  }
  uint64_t start = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), start);
  return start;
}

struct Name {
  int pid = 0;
  uint64_t start = 0;
  std::string_view object;
};

bool parse(std::string_view text, Name &n) {
  const char *end = text.data() + text.size();
  auto pid = std::from_chars(text.data(), end, n.pid);
  if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != '-')
    return false;
  auto start = std::from_chars(pid.ptr + 1, end, n.start);
  if (start.ec != std::errc() || start.ptr == end || *start.ptr != '-')
    return false;
  n.object = {start.ptr + 1, size_t(end - start.ptr - 1)};
  return true;
}

std::string fileName(int pid, uint64_t start, std::string_view object) {
  return std::to_string(pid) + "-" + std::to_string(start) + "-" +
         std::string(object);
}

} // namespace

Result<PagePool::State::LeaseLock>
PagePool::State::lockLeases(bool exclusive) const {
  LeaseLock lock;
  lock.folder.reset(
      ::open(file("leases").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.folder)
    return systemError(file("leases"));
  while (::flock(lock.folder.get(), exclusive ? LOCK_EX : LOCK_SH) != 0)
    if (errno != EINTR)
      return systemError(file("leases") + ": flock");
  return lock;
}

Result<std::vector<std::string>>
PagePool::State::leased(const LeaseLock &lock) const {
  // Its own description: reading a folder moves the offset.
  DIR *folder = ::opendir(file("leases").c_str());
  if (!folder)
    return systemError(file("leases"));
  std::vector<std::string> objects;
  std::vector<std::string> dead;
  while (dirent *e = ::readdir(folder)) {
    Name n;
    if (!parse(e->d_name, n))
      continue;
    if (uint64_t start = startOf(n.pid); start && start == n.start)
      objects.emplace_back(n.object);
    else
      dead.emplace_back(e->d_name);
  }
  ::closedir(folder);
  for (const std::string &d : dead)
    ::unlinkat(lock.folder.get(), d.c_str(), 0); // else the next one does it
  return objects;
}

Result<void> PagePool::lease(std::string_view object, int pid) {
  if (auto good = checkName(object, "object name"); !good)
    return good;
  auto lock = state->lockLeases(true);
  if (!lock)
    return lock.takeError();
  // What others made cold or removed before the lock is seen from here on.
  if (auto done = state->refresh(); !done)
    return done;
  {
    std::lock_guard hold(state->catalogMutex);
    auto row = state->catalog.prepare("SELECT 1 FROM object WHERE name = ?");
    if (!row)
      return row.takeError();
    auto there = row->bindAll(object).next();
    if (!there)
      return there.takeError();
    if (!*there)
      return state->noObject(object);
  }
  uint64_t start = startOf(pid);
  if (!start)
    return Error{ESRCH, "process " + std::to_string(pid) + ": is not there"};
  std::string name = fileName(pid, start, object);
  UniqueFd fd(::openat(lock->folder.get(), name.c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd || ::write(fd.get(), "+", 1) != 1)
    return systemError(state->file("leases") + "/" + name);
  return {};
}

Result<void> PagePool::release(std::string_view object, int pid) {
  if (auto good = checkName(object, "object name"); !good)
    return good;
  auto lock = state->lockLeases(true);
  if (!lock)
    return lock.takeError();
  std::string name = fileName(pid, startOf(pid), object);
  UniqueFd fd(::openat(lock->folder.get(), name.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat st;
  if (!fd || ::fstat(fd.get(), &st) != 0)
    return Error{ENOENT, state->file("leases") + ": process " +
                             std::to_string(pid) + " has no lease of '" +
                             std::string(object) + "'"};
  if (st.st_size > 1 ? ::ftruncate(fd.get(), st.st_size - 1) != 0
                     : ::unlinkat(lock->folder.get(), name.c_str(), 0) != 0)
    return systemError(state->file("leases") + "/" + name);
  return {};
}

} // namespace spacer
