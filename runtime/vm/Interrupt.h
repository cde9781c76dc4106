//===- Interrupt.h - SIGINT and SIGTERM as something to wait for ----------===//

#ifndef SPACER_RUNTIME_INTERRUPT_H
#define SPACER_RUNTIME_INTERRUPT_H

#include "Result.h"
#include <chrono>

namespace spacer {

/// From now on SIGINT, SIGTERM and SIGHUP do not end the process but make
/// interrupted() true, for ever. A file size
/// limit becomes an error and no signal. Call while there is one thread.
void catchInterrupts();
bool interrupted();
/// Readable once interrupted; -1 before catchInterrupts().
int interruptFd();
/// While one lives, this thread is not interrupted: for undoing what an
/// interrupted command has begun.
class Uninterrupted {
public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted &) = delete;
  Uninterrupted &operator=(const Uninterrupted &) = delete;
};
/// ECANCELED, "interrupted".
Error interruptError();

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline deadlineIn(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}
/// Waits until \p fd has one of \p events: returns what poll() found. Fails
/// with ETIMEDOUT or, when interrupted, ECANCELED; \p what is for the message.
Result<short> waitFor(int fd, short events, Deadline end, const char *what);

} // namespace spacer

#endif
