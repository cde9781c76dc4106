//===- Names.cpp - what objects, domains, snapshots and VMs may be called -===//

#include "Names.h"
#include <algorithm>

namespace spacer {

bool validName(std::string_view name) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           std::string_view("._@+-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 200 && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), good);
}

Result<void> checkName(std::string_view name, const char *what) {
  if (validName(name))
    return {};
  std::string shown(name.substr(0, 210));
  for (char &c : shown)
    if (uint8_t(c) < 32 || c == 127)
      c = '?';
  return Error{EINVAL, std::string(what) + " '" + shown + "': " + nameRule};
}

} // namespace spacer
