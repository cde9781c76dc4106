//===- Command.cpp - what the subcommands of spacer share -----------------===//

#include "Command.h"
#include <cstdlib>
#include <iostream>
#include <unistd.h>

namespace spacer {

void Session::print(const Json &document) const {
  std::cout << document.dump(2, ' ', false, Json::error_handler_t::replace)
            << '\n';
}

std::string rootDirectory(const Session &session) {
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (!session.root.empty())
    return session.root;
  if (std::string root = variable("SPACER_ROOT"); !root.empty())
    return root;
  if (geteuid() == 0)
    return "/var/lib/spacer";
  if (std::string state = variable("XDG_STATE_HOME"); !state.empty())
    return state + "/spacer";
  return variable("HOME") + "/.local/state/spacer";
}

} // namespace spacer
