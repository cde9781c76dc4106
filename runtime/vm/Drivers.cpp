//===- Drivers.cpp - the VMMs that we know --------------------------------===//

#include "FirecrackerDriver.h"
#include "QemuDriver.h"

namespace spacer {

Result<std::unique_ptr<Driver>> makeDriver(std::string_view name) {
  if (name == "qemu")
    return makeQemuDriver();
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
