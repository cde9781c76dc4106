//===- Sockets.cpp - where clients come in --------------------------------===//

#include "Sockets.h"
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// Linux 6.5.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#ifndef F_SEAL_FUTURE_WRITE // Linux 5.1; not in Debian 12's <fcntl.h>
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace spacer {

Result<UniqueFd> listenAt(const std::string &path, int type, mode_t mode,
                          gid_t group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, path + ": socket path of " +
                                   std::to_string(path.size()) +
                                   " bytes, expected at most 107"};
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat there;
  if (lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode))
      return Error{EEXIST, path + ": there is a file that is no socket"};
    unlink(path.c_str());
  }
  UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // bind() gives the file the socket's own mode, less the umask.
  if (!fd || fchmod(fd.get(), mode) < 0 ||
      bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) <
          0)
    return systemError(path);
  if ((group != static_cast<gid_t>(-1) &&
       lchown(path.c_str(), static_cast<uid_t>(-1), group) < 0) ||
      chmod(path.c_str(), mode) < 0 || listen(fd.get(), 4096) < 0)
    return systemError(path);
  return fd;
}

Result<Peer> peerOf(int socket) {
  ucred credentials{};
  socklen_t bytes = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) < 0)
    return systemError("SO_PEERCRED");
  return Peer{credentials.pid, credentials.uid};
}

Result<UniqueFd> peerPidfd(int socket, const Peer &peer) {
  int fd = -1;
  socklen_t bytes = sizeof fd;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &bytes) == 0) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return UniqueFd(fd);
  }
  fd = static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0));
  if (fd < 0)
    return systemError("process " + std::to_string(peer.pid));
  return UniqueFd(fd);
}

Result<pid_t> processOf(int pidfd) {
  char path[64], line[128];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  FILE *file = fopen(path, "re");
  if (!file)
    return systemError(path);
  long pid = 0;
  bool found = false;
  while (!found && fgets(line, sizeof line, file))
    found = sscanf(line, "Pid: %ld", &pid) == 1;
  fclose(file);
  if (!found)
    return Error{EBADF, "the second descriptor is no pidfd"};
  if (pid < 0)
    return Error{ESRCH, "the pidfd's process has ended"};
  if (pid == 0)
    return Error{ESRCH, "the pidfd's process is not visible from here"};
  return static_cast<pid_t>(pid);
}

Result<uid_t> userOf(pid_t pid) {
  struct stat status;
  std::string path = "/proc/" + std::to_string(pid);
  if (stat(path.c_str(), &status) < 0)
    return systemError(path);
  return status.st_uid;
}

bool processEnded(int pidfd) {
  pollfd set{pidfd, POLLIN, 0};
  return poll(&set, 1, 0) == 1;
}

bool sameFile(int a, int b) {
  pid_t self = getpid();
  return syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

Result<UniqueFd> sealedCopy(const char *name, const void *data, size_t bytes) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd)
    return systemError("memfd_create");
  auto from = static_cast<const char *>(data);
  for (size_t done = 0; done < bytes;) {
    ssize_t wrote = write(fd.get(), from + done, bytes - done);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote <= 0)
      return systemError(std::string("memfd ") + name);
    done += static_cast<size_t>(wrote);
  }
  // Nobody has mapped it yet, so this is as good as F_SEAL_WRITE, which would
  // wait for other processors to let go of the pages: seconds on a busy host.
  if (fcntl(fd.get(), F_ADD_SEALS,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) <
      0)
    return systemError("seal");
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

} // namespace spacer
