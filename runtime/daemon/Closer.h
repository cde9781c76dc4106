//===- Closer.h - closes what clients sent, elsewhere ---------------------===//
//
// close(2) may wait for whoever made the file: a TCP connection with SO_LINGER
// for its peer, a file of FUSE for its server. Descriptors come from clients,
// also unread ones that wait in a connection and are closed with it. So the
// event loop and the jobs close none of them; threads do that are for nothing
// else. A thread that waits too long gets company, up to a limit; beyond that
// the queue waits.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_CLOSER_H
#define SPACER_RUNTIME_CLOSER_H

#include "Fd.h"
#include <memory>
#include <vector>

namespace spacer {

class Closer {
public:
  Closer();
  /// Does not wait: what is stuck stays with its thread.
  ~Closer();
  /// Any thread. Returns at once.
  void close(UniqueFd fd);
  void close(std::vector<UniqueFd> fds) {
    for (UniqueFd &fd : fds)
      close(std::move(fd));
  }

private:
  struct State;
  std::shared_ptr<State> state;
};

} // namespace spacer

#endif
