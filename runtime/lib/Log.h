//===- Log.h - one line an event ------------------------------------------===//
//
// spdlog behind a door, so that only one file pays for its headers. Lines go to
// standard error (and from there to the journal): time, level, text. Never
// called on the path of a served fault.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_LOG_H
#define SPACER_RUNTIME_LOG_H

#include <string_view>

namespace spacer {

enum class LogLevel { Debug, Info, Warning, Error };

/// \p prefix stands before every line, such as "spacerd". Lines below \p least
/// are dropped. Not called: nothing below Warning is written.
void startLog(std::string_view prefix, LogLevel least);
/// Any thread. Control characters and line ends in \p line come out as '?'.
void logLine(LogLevel level, std::string_view line);

inline void logDebug(std::string_view line) { logLine(LogLevel::Debug, line); }
inline void logInfo(std::string_view line) { logLine(LogLevel::Info, line); }
inline void logWarning(std::string_view line) {
  logLine(LogLevel::Warning, line);
}
inline void logError(std::string_view line) { logLine(LogLevel::Error, line); }

} // namespace spacer

#endif
