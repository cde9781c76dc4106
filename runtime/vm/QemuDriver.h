//===- QemuDriver.h - unmodified QEMU -------------------------------------===//

#ifndef SPACER_RUNTIME_QEMUDRIVER_H
#define SPACER_RUNTIME_QEMUDRIVER_H

#include "Driver.h"

namespace spacer {

std::unique_ptr<Driver> makeQemuDriver();

/// For tests: the words after "qemu-system-x86_64", and what a report file of
/// the preload library says.
struct QemuDescriptors {
  int memory = -1, qmp = -1;
};
std::vector<std::string> qemuArguments(const VmLaunch &launch,
                                       const QemuDescriptors &fds,
                                       bool incoming);
Result<GuestBlock> parseMemoryReport(std::string_view text,
                                     const std::string &file,
                                     uint64_t expectedBytes);
/// QEMU's status when the guest ended by isa-debug-exit is odd.
std::string describeQemuExit(int waitStatus, bool vmmComplained);

} // namespace spacer

#endif
