//===- Jobs.h - work that would block the event loop ----------------------===//
//
// A job works in slices: it returns true when there is more to do, and goes to
// the end of the queue then. So a large object that is being read takes turns
// with everybody else, with few threads.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_JOBS_H
#define SPACER_RUNTIME_JOBS_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace spacer {

class Jobs {
public:
  explicit Jobs(unsigned threads);
  /// Finishes the slices at work; what is queued is dropped.
  ~Jobs();
  /// Any thread, jobs included.
  void add(std::function<bool()> slice);

private:
  void work();

  std::mutex lock;
  std::condition_variable changed;
  std::deque<std::function<bool()>> queue;
  bool ending = false;
  std::vector<std::thread> threads;
};

} // namespace spacer

#endif
