//===- Closer.cpp - closes what clients sent, elsewhere -------------------===//

#include "Closer.h"
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <sys/socket.h>
#include <thread>

namespace spacer {
namespace {

constexpr unsigned mostThreads = 64;

} // namespace

struct Closer::State {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<UniqueFd> queue;
  unsigned threads = 0, idle = 0;
  bool ending = false;

  void work() {
    std::unique_lock guard(lock);
    while (true) {
      ++idle;
      changed.wait(guard, [&] { return ending || !queue.empty(); });
      --idle;
      if (queue.empty())
        break; // ending
      UniqueFd fd = std::move(queue.front());
      queue.pop_front();
      guard.unlock();
      linger none{0, 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
      fd.reset();
      guard.lock();
    }
    --threads;
  }
};

Closer::Closer() : state(std::make_shared<State>()) {}

Closer::~Closer() {
  std::lock_guard guard(state->lock);
  state->ending = true;
  state->changed.notify_all();
}

void Closer::close(UniqueFd fd) {
  if (!fd)
    return;
  std::lock_guard guard(state->lock);
  state->queue.push_back(std::move(fd));
  if (state->idle >= state->queue.size() || state->threads == mostThreads)
    return state->changed.notify_one();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([s = state] { s->work(); }).detach();
    ++state->threads;
  } catch (const std::system_error &) {
    state->changed.notify_one(); // those that are there must do
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace spacer
