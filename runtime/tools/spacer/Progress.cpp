//===- Progress.cpp - a line for those who wait -------------------------===//

#include "Progress.h"
#include <chrono>
#include <cstdio>
#include <unistd.h>

namespace spacer {
namespace {

bool shown = false;

} // namespace

Progress showProgress(std::string what) {
  using Clock = std::chrono::steady_clock;
  bool terminal = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start = Clock::now(), last = start;
  return [=](uint64_t done, uint64_t all) mutable {
    if (interrupted())
      return false;
    Clock::time_point now = Clock::now();
    if (!terminal || now - start < std::chrono::seconds(1) ||
        now - last < std::chrono::milliseconds(100))
      return true;
    last = now;
    double seconds = std::chrono::duration<double>(now - start).count();
    double left =
        done ? seconds * double(all - std::min(done, all)) / double(done) : 0;
    std::fprintf(stderr, "\r%s: %3.0f%%, %.0f of %.0f MiB, %.0f s left\033[K",
                 what.c_str(), all ? 100.0 * double(done) / double(all) : 0.0,
                 double(done) / (1 << 20), double(all) / (1 << 20), left);
    shown = true;
    return true;
  };
}

void finishProgress() {
  if (shown)
    std::fputs("\r\033[K", stderr);
  shown = false;
}

} // namespace spacer
