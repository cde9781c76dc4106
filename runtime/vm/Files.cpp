//===- Files.cpp - small files, written whole, and sockets in folders -----===//

#include "Files.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace spacer {
namespace {

Result<void> writeAll(int fd, std::string_view text, const std::string &name) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return systemError(name);
    text.remove_prefix(size_t(n));
  }
  return {};
}

} // namespace

Result<std::string> readFile(const std::filesystem::path &path,
                             size_t mostBytes) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return systemError(path.string());
  std::string text;
  char buffer[8192];
  for (;;) {
    ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return systemError(path.string());
    if (n == 0)
      return text;
    text.append(buffer, size_t(n));
    if (text.size() > mostBytes)
      return Error{EFBIG, path.string() + ": expected at most " +
                              std::to_string(mostBytes) + " bytes"};
  }
}

Result<void> writeFile(const std::filesystem::path &path,
                       std::string_view text) {
  std::string name = path.string() + ".new-" + std::to_string(getpid());
  UniqueFd fd(
      open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd)
    return systemError(name);
  auto done = writeAll(fd.get(), text, name);
  if (done && rename(name.c_str(), path.c_str()))
    done = systemError(path.string());
  if (!done)
    unlink(name.c_str());
  return done;
}

std::string lastLine(const std::filesystem::path &path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return "";
  constexpr off_t tail = 4096;
  off_t size = lseek(fd.get(), 0, SEEK_END);
  char buffer[tail];
  ssize_t n =
      pread(fd.get(), buffer, sizeof buffer, std::max<off_t>(0, size - tail));
  std::string line, last;
  for (ssize_t i = 0; i <= n; ++i) {
    if (i < n && buffer[i] != '\n') {
      line += static_cast<unsigned char>(buffer[i]) < 0x20 ? ' ' : buffer[i];
      continue;
    }
    if (line.find_first_not_of(' ') != line.npos)
      last = line;
    line.clear();
  }
  return last;
}

Result<UniqueFd> makeMemfd(const char *name, uint64_t bytes) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ftruncate(fd.get(), off_t(bytes)) ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
    return systemError(std::string("memfd ") + name);
  return fd;
}

Result<UniqueFd> makeSealed(const char *name, std::string_view bytes) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd)
    return systemError(std::string("memfd ") + name);
  if (auto done = writeAll(fd.get(), bytes, name); !done)
    return done.takeError();
  if (fcntl(fd.get(), F_ADD_SEALS,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
    return systemError(std::string("memfd ") + name);
  return fd;
}

namespace {

/// "/proc/self/fd/FOLDER/NAME"; \p folder must stay open meanwhile.
Result<sockaddr_un> addressOf(const std::filesystem::path &path,
                              UniqueFd &folder) {
  folder.reset(
      open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return systemError(path.parent_path().string());
  std::string name = "/proc/self/fd/" + std::to_string(folder.get()) + "/" +
                     path.filename().string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, path.string() + ": name of a socket too long"};
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  return address;
}

} // namespace

Result<UniqueFd> listenAt(const std::filesystem::path &path) {
  UniqueFd folder;
  auto address = addressOf(path, folder);
  if (!address)
    return address.takeError();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd ||
      bind(fd.get(), reinterpret_cast<sockaddr *>(&*address),
           sizeof *address) ||
      listen(fd.get(), 8))
    return systemError(path.string());
  return fd;
}

Result<UniqueFd> connectStream(const std::filesystem::path &path) {
  UniqueFd folder;
  auto address = addressOf(path, folder);
  if (!address)
    return address.takeError();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr *>(&*address),
                     sizeof *address))
    return systemError(path.string());
  return fd;
}

} // namespace spacer
