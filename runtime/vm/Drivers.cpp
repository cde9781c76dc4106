//===- Drivers.cpp - the VMMs that we know --------------------------------===//

#include "Driver.h"

namespace spacer {

Result<std::unique_ptr<Driver>> makeDriver(std::string_view name) {
  // A driver adds a line here: if (name == "...") return makeXDriver();
  return Error{EINVAL, "driver '" + std::string(name) +
                           "': expected qemu or firecracker"};
}

} // namespace spacer
