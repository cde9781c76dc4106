//===- Log.cpp - one line an event ----------------------------------------===//

#include "Log.h"
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <string>

namespace spacer {
namespace {

spdlog::level::level_enum levelOf(LogLevel level) {
  switch (level) {
  case LogLevel::Debug:
    return spdlog::level::debug;
  case LogLevel::Info:
    return spdlog::level::info;
  case LogLevel::Warning:
    return spdlog::level::warn;
  case LogLevel::Error:
    return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger &logger() {
  static auto instance = [] {
    auto made = spdlog::stderr_color_mt("spacer");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %n: %l: %v");
    made->set_level(spdlog::level::warn);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

} // namespace

void startLog(std::string_view prefix, LogLevel least) {
  std::string pattern = "%Y-%m-%dT%H:%M:%S.%e ";
  pattern.append(prefix).append(": %^%l%$: %v");
  logger().set_pattern(pattern);
  logger().set_level(levelOf(least));
}

void logLine(LogLevel level, std::string_view line) {
  std::string clean(line);
  for (char &c : clean)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  logger().log(levelOf(level), "{}", clean);
}

} // namespace spacer
