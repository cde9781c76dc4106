//===- PageSource.cpp - raw guest memory from a file ----------------------===//
//
// SEEK_DATA and SEEK_HOLE say where a sparse file has bytes; the rest is zero
// and is not read. Each stretch is copied into one buffer with pread. A file
// that is another one at the end of the reading than at its start (its size; by
// path also its time of change) is refused: its pages would be of two states.
//
//===----------------------------------------------------------------------===//

#include "PageSource.h"
#include "Fd.h"
#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

namespace spacer {
namespace {

constexpr uint64_t bufferBytes = 1 << 20;
/// As PageMap: page numbers times 4096 stay in 63 bits.
constexpr uint64_t mostBytes = uint64_t(1) << 60;

class RawSource final : public PageSource {
public:
  RawSource(UniqueFd fd, std::string name, ObjectKind kind, struct stat st,
            bool watchTime)
      : fd(std::move(fd)), name(std::move(name)), kindOf(kind), at(st),
        watchTime(watchTime), sizeBytes(uint64_t(st.st_size)),
        buffer(std::min(bufferBytes, pagesFor(sizeBytes) * pageBytes)) {}

  ObjectKind kind() const override { return kindOf; }
  uint64_t guestPages() const override { return pagesFor(sizeBytes); }
  uint64_t bytesToRead() const override {
    return std::min(sizeBytes, uint64_t(at.st_blocks) * 512);
  }

  Result<PageChunk> next() override {
    if (position >= dataEnd) {
      auto found = findData();
      if (!found)
        return found.takeError();
      if (!*found) {
        if (auto same = checkUnchanged(); !same)
          return same.takeError();
        return PageChunk{{pagesFor(sizeBytes)}, {}, {}};
      }
    }
    uint64_t bytes = std::min(bufferBytes, dataEnd - position);
    uint64_t inFile = std::min(bytes, sizeBytes - position);
    for (uint64_t done = 0; done < inFile;) {
      ssize_t n = ::pread(fd.get(), buffer.data() + done, inFile - done,
                          off_t(position + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return systemError(name);
      if (n == 0)
        return Error{EBADMSG, name + ": ends at byte " +
                                  std::to_string(position + done) + ", had " +
                                  std::to_string(sizeBytes) +
                                  " when it was opened"};
      done += uint64_t(n);
    }
    std::fill(buffer.begin() + ptrdiff_t(inFile),
              buffer.begin() + ptrdiff_t(bytes), uint8_t(0));
    PageChunk chunk{{position / pageBytes}, {buffer.data(), bytes}, {}};
    position += bytes;
    return chunk;
  }

private:
  /// Sets position and dataEnd to the next stretch, in whole pages.
  Result<bool> findData() {
    if (position >= sizeBytes)
      return false;
    off_t data = ::lseek(fd.get(), off_t(position), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      return false;
    if (data < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) {
      dataEnd = guestPages() * pageBytes; // no holes in this file system
      return true;
    }
    off_t hole = data < 0 ? -1 : ::lseek(fd.get(), data, SEEK_HOLE);
    if (hole < 0)
      return systemError(name + ": lseek");
    if (hole <= data)
      return Error{EBADMSG, name + ": changed while it was read"};
    position = std::max(position, uint64_t(data) / pageBytes * pageBytes);
    dataEnd = std::min(pagesFor(uint64_t(hole)), guestPages()) * pageBytes;
    return position < dataEnd;
  }

  Result<void> checkUnchanged() {
    struct stat now;
    if (::fstat(fd.get(), &now) != 0)
      return systemError(name);
    if (now.st_size != at.st_size)
      return Error{EBADMSG, name + ": changed while it was read: " +
                                std::to_string(now.st_size) + " bytes, had " +
                                std::to_string(at.st_size)};
    if (watchTime && (now.st_mtim.tv_sec != at.st_mtim.tv_sec ||
                      now.st_mtim.tv_nsec != at.st_mtim.tv_nsec))
      return Error{EBADMSG, name + ": was written to while it was read"};
    return {};
  }

  UniqueFd fd;
  std::string name;
  ObjectKind kindOf;
  struct stat at;
  bool watchTime;
  uint64_t sizeBytes;
  uint64_t position = 0, dataEnd = 0; ///< of the current stretch, whole pages
  std::vector<uint8_t> buffer;
};

Result<std::unique_ptr<PageSource>> openFd(UniqueFd fd, const std::string &name,
                                           ObjectKind kind, bool watchTime) {
  struct stat st;
  if (::fstat(fd.get(), &st) != 0)
    return systemError(name);
  if (!S_ISREG(st.st_mode))
    return Error{EINVAL, name + ": no regular file"};
  if (st.st_size == 0)
    return Error{EINVAL, name + ": is empty, expected a guest's memory"};
  if (uint64_t(st.st_size) > mostBytes)
    return Error{EFBIG, name + ": " + std::to_string(st.st_size) +
                            " bytes, the most is " + std::to_string(mostBytes)};
  return std::unique_ptr<PageSource>(
      new RawSource(std::move(fd), name, kind, st, watchTime));
}

} // namespace

Result<std::unique_ptr<PageSource>> openRaw(const std::string &path,
                                            ObjectKind kind) {
  // Not to wait for the other end of a pipe.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd)
    return systemError(path);
  return openFd(std::move(fd), path, kind, true);
}

Result<std::unique_ptr<PageSource>> openRaw(int fd, const std::string &name,
                                            ObjectKind kind) {
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own)
    return systemError(name);
  return openFd(std::move(own), name, kind, false);
}

} // namespace spacer
