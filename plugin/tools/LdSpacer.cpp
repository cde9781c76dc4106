//===- LdSpacer.cpp - the linker's main -----------------------------------===//
//
// lld's ELF driver with our hook installed. The name by which it was started
// does not matter: it is always the GNU-compatible linker.
//
//===----------------------------------------------------------------------===//

#include "LinkerHooks.h"
#include "lld/Common/Driver.h"
#include "lld/Common/ErrorHandler.h"
#include "llvm/Support/Compiler.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

LLD_HAS_DRIVER(elf)

int main(int argc, char **argv) {
  // Stack dumps, and an interrupted link leaves no temporary file.
  llvm::InitLLVM init(argc, argv);
  llvm::sys::Process::UseANSIEscapeCodes(true);
  // lld's own tests ask whether a crash is reported as lld reports it.
  if (getenv("FORCE_LLD_DIAGNOSTICS_CRASH")) {
    llvm::errs()
        << "crashing due to environment variable FORCE_LLD_DIAGNOSTICS_CRASH\n";
    LLVM_BUILTIN_TRAP;
  }
  llvm::SmallVector<const char *, 256> args(argv, argv + argc);
  args[0] = "ld.lld";
  spacer::installLinkerHooks();
  bool ok = lld::elf::link(args, llvm::outs(), llvm::errs(),
                           /*exitEarly=*/true, /*disableOutput=*/false);
  // As lld's own main: discards an output that was not committed.
  lld::exitLld(ok ? 0 : 1);
}
