//===- MemoryFile.cpp - a snapshot's memory as one sealed file ------------===//

#include "MemoryFile.h"
#include "Digest.h"
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>

namespace spacer {

static constexpr int allSeals =
    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Result<UniqueFd> makeMemoryFile(const PageMap &map, const PagePool &pool,
                                const std::string &name) {
  UniqueFd file(::memfd_create(name.substr(0, 200).c_str(),
                               MFD_CLOEXEC | MFD_ALLOW_SEALING));
  uint64_t bytes = map.guestPages() * pageBytes;
  if (!file || ::ftruncate(file.get(), off_t(bytes)))
    return systemError("memory file of " + name);
  if (bytes) {
    void *start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         file.get(), 0);
    if (start == MAP_FAILED)
      return systemError("memory file of " + name);
    Mapping memory(start, bytes); // gone before the seal
    constexpr uint64_t atOncePages = 1024;
    for (const PageRun &run : map.runs())
      for (uint64_t done = 0; done < run.pages; done += atOncePages) {
        uint64_t pages = std::min(atOncePages, run.pages - done);
        auto read = pool.read(
            run.pool + done,
            memory.bytes().subspan((run.guest.value + done) * pageBytes,
                                   pages * pageBytes));
        if (!read)
          return read.takeError();
      }
  }
  if (::fcntl(file.get(), F_ADD_SEALS, allSeals))
    return systemError("memory file of " + name + ": cannot seal");
  return file;
}

namespace {

/// A process that has the file.
struct Holder {
  int pid = 0;
  uint64_t startTicks = 0;
  int fd = -1;
  uint64_t inode = 0;
};

/// 0 if there is no such process; zombies have no descriptors any more.
uint64_t startTicksOf(int pid) {
  char text[1024];
  std::snprintf(text, sizeof text, "/proc/%d/stat", pid);
  UniqueFd file(::open(text, O_RDONLY | O_CLOEXEC));
  ssize_t n = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (n <= 0)
    return 0;
  text[n] = 0;
  // The name in parentheses may hold anything; field 22 is the 20th after it.
  const char *at = std::strrchr(text, ')');
  if (!at)
    return 0;
  std::istringstream fields(at + 1);
  std::string skipped;
  for (int i = 0; i < 19; ++i)
    fields >> skipped;
  uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

/// The file that \p holder says it has, opened anew; none if it has not.
UniqueFd takeFrom(const Holder &holder, uint64_t bytes) {
  UniqueFd file(::open(("/proc/" + std::to_string(holder.pid) + "/fd/" +
                        std::to_string(holder.fd))
                           .c_str(),
                       O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) || !S_ISREG(status.st_mode) ||
      status.st_ino != holder.inode || uint64_t(status.st_size) != bytes ||
      ::fcntl(file.get(), F_GET_SEALS) != allSeals)
    return {};
  return file;
}

/// Lines that are whole and of living processes.
std::vector<Holder> readHolders(int fd) {
  std::string text(64 << 10, 0);
  ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? size_t(n) : 0);
  std::vector<Holder> holders;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    Holder h;
    if (std::sscanf(line.c_str(), "%d %" SCNu64 " %d %" SCNu64, &h.pid,
                    &h.startTicks, &h.fd, &h.inode) == 4 &&
        h.pid > 0 && h.startTicks && startTicksOf(h.pid) == h.startTicks)
      holders.push_back(h);
  }
  return holders;
}

} // namespace

Result<int> sharedMemoryFile(const std::filesystem::path &directory,
                             const PageMap &map, const PagePool &pool,
                             const std::string &name) {
  // What this process has already, by the file in the directory.
  static std::mutex lock;
  static std::map<std::filesystem::path, UniqueFd> kept;

  std::error_code error;
  std::filesystem::create_directories(directory, error);
  ::chmod(directory.c_str(), 0700);
  std::filesystem::path path =
      directory / (pool.domain() + "." + digestOf(map.encode()).hex());
  std::lock_guard guard(lock);
  if (auto had = kept.find(path); had != kept.end())
    return had->second.get();
  UniqueFd record(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!record)
    return systemError(path.string());
  while (::flock(record.get(), LOCK_EX))
    if (errno != EINTR)
      return systemError(path.string());

  std::vector<Holder> holders = readHolders(record.get());
  UniqueFd file;
  for (const Holder &h : holders)
    if ((file = takeFrom(h, map.guestPages() * pageBytes)))
      break;
  if (!file) {
    auto made = makeMemoryFile(map, pool, name);
    if (!made)
      return made.takeError();
    file = std::move(*made);
  }
  struct stat status;
  if (::fstat(file.get(), &status))
    return systemError("memory file of " + name);
  holders.push_back(
      {::getpid(), startTicksOf(::getpid()), file.get(), status.st_ino});
  std::string text;
  for (const Holder &h : holders)
    text += std::to_string(h.pid) + " " + std::to_string(h.startTicks) + " " +
            std::to_string(h.fd) + " " + std::to_string(h.inode) + "\n";
  // Half a list, after a crash, costs a second file at worst.
  if (::ftruncate(record.get(), 0) ||
      ::pwrite(record.get(), text.data(), text.size(), 0) !=
          ssize_t(text.size()))
    return systemError(path.string());
  return kept.emplace(path, std::move(file)).first->second.get();
}

} // namespace spacer
