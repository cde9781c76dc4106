//===- Drivers.cpp - the VMMs that we know --------------------------------===//

#include "FirecrackerDriver.h"

namespace spacer {

Result<std::unique_ptr<Driver>> makeDriver(std::string_view name) {
  // A driver adds a line here: if (name == "...") return makeXDriver();
  if (name == "firecracker") {
    auto options = FirecrackerOptions::fromEnvironment();
    if (!options)
      return options.takeError();
    return makeFirecrackerDriver(std::move(*options));
  }
  return Error{EINVAL, "driver '" + std::string(name) +
                           "': expected qemu or firecracker"};
}

} // namespace spacer
