//===- Sockets.h - where clients come in ----------------------------------===//

#ifndef SPACER_RUNTIME_SOCKETS_H
#define SPACER_RUNTIME_SOCKETS_H

#include "Fd.h"
#include "Result.h"
#include <string>
#include <sys/types.h>

namespace spacer {

/// A listening, non-blocking Unix socket at \p path, in place of a socket that
/// stands there. \p type: SOCK_SEQPACKET or SOCK_STREAM; \p mode: the file's
/// permissions from its first instant on; \p group: -1 leaves it. ENAMETOOLONG
/// for more than 107 bytes; EEXIST if something else than a socket is there.
Result<UniqueFd> listenAt(const std::string &path, int type, mode_t mode,
                          gid_t group);

struct Peer {
  pid_t pid = 0; ///< 0: not visible from here
  uid_t uid = 0;
};
Result<Peer> peerOf(int socket);
/// A pidfd of the process that connected.
Result<UniqueFd> peerPidfd(int socket, const Peer &peer);

/// The process of a pidfd. EBADF if \p fd is none, ESRCH if it has ended.
Result<pid_t> processOf(int pidfd);
/// The user that the process \p pid runs as.
Result<uid_t> userOf(pid_t pid);
bool processEnded(int pidfd);
/// True if the two descriptors are of one open file (kcmp(2)).
bool sameFile(int a, int b);

/// A memfd that holds \p bytes and that nobody can change, opened for reading.
Result<UniqueFd> sealedCopy(const char *name, const void *data, size_t bytes);

} // namespace spacer

#endif
