//===- LdSpacer.cpp - the linker's main -----------------------------------===//
//
// lld's ELF driver with our hook installed. The name by which it was started
// does not matter: it is always the GNU-compatible linker.
//
//===----------------------------------------------------------------------===//

#include "LinkerHooks.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

int main(int argc, char **argv) {
  llvm::sys::Process::UseANSIEscapeCodes(true);
  llvm::SmallVector<const char *, 256> args(argv, argv + argc);
  args[0] = "ld.lld";
  spacer::installLinkerHooks();
  bool ok = lld::elf::link(args, llvm::outs(), llvm::errs(),
                           /*exitEarly=*/true, /*disableOutput=*/false);
  return ok ? 0 : 1;
}
