//===- Jobs.cpp - work that would block the event loop --------------------===//

#include "Jobs.h"

namespace spacer {

Jobs::Jobs(unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back([this] { work(); });
}

Jobs::~Jobs() {
  {
    std::lock_guard guard(lock);
    ending = true;
  }
  changed.notify_all();
  for (std::thread &t : threads)
    t.join();
}

void Jobs::add(std::function<bool()> slice) {
  {
    std::lock_guard guard(lock);
    queue.push_back(std::move(slice));
  }
  changed.notify_one();
}

void Jobs::work() {
  std::unique_lock guard(lock);
  for (;;) {
    changed.wait(guard, [this] { return ending || !queue.empty(); });
    if (ending)
      return;
    std::function<bool()> slice = std::move(queue.front());
    queue.pop_front();
    guard.unlock();
    bool more = slice();
    if (!more)
      slice = nullptr; // what it owns goes without the lock
    guard.lock();
    if (more)
      queue.push_back(std::move(slice));
  }
}

} // namespace spacer
