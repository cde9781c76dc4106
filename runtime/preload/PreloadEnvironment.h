//===- PreloadEnvironment.h - what spacer tells the preload library -------===//
//
// One variable, SPACER_PRELOAD, of words NAME=NUMBER and, last because a path
// may hold anything, daemon=PATH:
//
//   placeholder  descriptor of the file that QEMU is told to map
//   plan         sealed memfd, as Plan::encode() writes it
//   pool         page n at n * 4096, read-only
//   report       regular file; gets "ADDRESS BYTES\n" (hexadecimal, decimal)
//                once guest memory is what the plan says, never before
//   object, vm   names, for the daemon; only with daemon
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PRELOADENVIRONMENT_H
#define SPACER_RUNTIME_PRELOADENVIRONMENT_H

#include <charconv>
#include <string>
#include <string_view>

namespace spacer {

inline constexpr char preloadVariable[] = "SPACER_PRELOAD";
/// The status of a VMM that the library ended.
inline constexpr int preloadFailed = 112;

struct PreloadEnvironment {
  int placeholder = -1, plan = -1, pool = -1, report = -1;
  std::string object, vm, daemon;

  std::string encode() const {
    std::string text = "placeholder=" + std::to_string(placeholder) +
                       " plan=" + std::to_string(plan) +
                       " pool=" + std::to_string(pool) +
                       " report=" + std::to_string(report);
    if (!daemon.empty())
      text += " object=" + object + " vm=" + vm + " daemon=" + daemon;
    return text;
  }

  /// False if anything is missing or unknown.
  bool decode(std::string_view text) {
    while (!text.empty()) {
      size_t equals = text.find('=');
      if (equals == text.npos)
        return false;
      std::string_view name = text.substr(0, equals);
      text.remove_prefix(equals + 1);
      size_t end = name == "daemon" ? text.size()
                                    : std::min(text.find(' '), text.size());
      if (!set(name, text.substr(0, end)))
        return false;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return placeholder >= 0 && plan >= 0 && pool >= 0 && report >= 0;
  }

private:
  bool set(std::string_view name, std::string_view value) {
    for (auto [n, to] :
         {std::pair<std::string_view, std::string *>("object", &object),
          {"vm", &vm},
          {"daemon", &daemon}})
      if (name == n) {
        *to = value;
        return true;
      }
    for (auto [n, to] :
         {std::pair<std::string_view, int *>("placeholder", &placeholder),
          {"plan", &plan},
          {"pool", &pool},
          {"report", &report}})
      if (name == n) {
        auto [at, bad] =
            std::from_chars(value.data(), value.data() + value.size(), *to);
        return bad == std::errc() && at == value.data() + value.size() &&
               *to >= 0;
      }
    return false;
  }
};

} // namespace spacer

#endif
