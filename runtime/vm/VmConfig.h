//===- VmConfig.h - what a VM is, and where its files are -----------------===//
//
// A VM is a directory, ROOT/vms/NAME, and at most one process of a VMM:
//
//   config.json    what was asked for; written once
//   process.json   pid and start time (a reused number is another process)
//   exit.json      how the process ended
//   lock           flock: one command at a time changes the VM
//   console.log    everything that the guest ever wrote to its console
//   vmm.log        what the VMM said on standard output and error
//   console.in, qmp.sock, api.sock, memory ...   the driver's; gone when the
//                  process is
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_VMCONFIG_H
#define SPACER_RUNTIME_VMCONFIG_H

#include "Names.h"
#include "Process.h"
#include "Result.h"
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace spacer {

struct VmConfig {
  std::string name;
  std::string driver = "qemu";     ///< Drivers.cpp
  std::string machine = "microvm"; ///< qemu: microvm or pc
  std::string accel = "tcg";       ///< tcg or kvm; "auto" is resolved before
  uint64_t memoryMiB = 128;
  std::string image;     ///< absolute path; "" for a clone
  std::string arguments; ///< the guest's command line
  std::string snapshot;  ///< of which it is a clone, or ""
  std::string domain = "default";
  int64_t created = 0; ///< seconds since 1970

  uint64_t memoryBytes() const { return memoryMiB << 20; }
  std::string json() const;
  /// EBADMSG, with \p file in the message, unless json() could have written it.
  static Result<VmConfig> parse(std::string_view text, const std::string &file);
};


/// "auto" becomes kvm only where the processor itself runs the guest: /dev/kvm
/// can be opened and kvm_intel or kvm_amd is there (kvm_pvm emulates plain
/// guests, slower than TCG). EINVAL for a word that is none of the three.
Result<std::string> resolveAccel(std::string_view word);

/// The files of one VM.
struct VmPaths {
  std::filesystem::path directory;

  std::filesystem::path config() const { return directory / "config.json"; }
  std::filesystem::path process() const { return directory / "process.json"; }
  std::filesystem::path exit() const { return directory / "exit.json"; }
  std::filesystem::path lock() const { return directory / "lock"; }
  std::filesystem::path consoleLog() const { return directory / "console.log"; }
  std::filesystem::path consoleInput() const {
    return directory / "console.in"; // a FIFO
  }
  std::filesystem::path vmmLog() const { return directory / "vmm.log"; }
  std::filesystem::path qmpSocket() const { return directory / "qmp.sock"; }
  std::filesystem::path apiSocket() const { return directory / "api.sock"; }
};

} // namespace spacer

#endif
