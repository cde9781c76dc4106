//===- LdSpacer.cpp - the linker's main -----------------------------------===//
//
// lld's ELF driver with our hook installed. The name by which it was started
// does not matter: it is always the GNU-compatible linker. Two programs are
// made of this file: ld.spacer, and ld.spacer-lto (SPACER_WITH_LTO), see
// LtoLinker.h.
//
//===----------------------------------------------------------------------===//

#include "Heap.h"
#include "LinkerHooks.h"
#include "LtoLinker.h"
#include "lld/Common/Driver.h"
#include "lld/Common/ErrorHandler.h"
#include "llvm/Support/Compiler.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

LLD_HAS_DRIVER(elf)

int main(int argc, char **argv) {
  spacer::useHugePagesForHeap();
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
#ifdef SPACER_WITH_LTO
  llvm::raw_ostream &out = llvm::outs(), &err = llvm::errs();
  spacer::installLinkerHooks();
#else
  spacer::handOverIfAsked(argc, argv);
  llvm::raw_ostream &out = spacer::heldOut(), &err = spacer::heldErr();
  spacer::installLinkerHooks(spacer::releaseOutput);
#endif
  bool ok = lld::elf::link(args, out, err, /*exitEarly=*/true,
                           /*disableOutput=*/false);
  // As lld's own main: discards an output that was not committed.
  lld::exitLld(ok ? 0 : 1);
}
