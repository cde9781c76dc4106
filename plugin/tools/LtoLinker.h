//===- LtoLinker.h - the linker with an optimiser, beside the one without -===//
//
// Most of what a process of lld does before it reads its first file is to load
// and relocate libLLVM: half of the time of a small link, and none of it is
// needed unless an input is bitcode. So ld.spacer holds the few parts of LLVM
// that a linker needs, and is one fixed-address program. It hands over to
// lib/spacer/ld.spacer-lto, the same linker on libLLVM, when
//  1. an argument is for the optimiser (-mllvm, --lto-O2 and such),
//  2. an argument names a pipe, which cannot be read a second time, or
//  3. a file that lld reads is bitcode.
// In the last case the link begins anew. lld has written no file by then, but
// it may have said something: so what goes to stdout and stderr is held until
// the inputs are read.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_TOOLS_LTOLINKER_H
#define SPACER_PLUGIN_TOOLS_LTOLINKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
}

namespace spacer {

/// Cases 1 and 2: does not return if \p argv asks for it. Remembers \p argv, which
/// ends with a null pointer and must live on.
void handOverIfAsked(int argc, char **argv);

/// Replaces the process with ld.spacer-lto, with the arguments that
/// handOverIfAsked() got; what was held is dropped. \p why names the file or
/// argument, for the error if ld.spacer-lto cannot be started.
[[noreturn]] void handOver(llvm::StringRef why);

/// Streams that hold what is written to them until releaseOutput() or the end
/// of the process by exitLld(), in the order in which it was written.
llvm::raw_ostream &heldOut();
llvm::raw_ostream &heldErr();
void releaseOutput();

} // namespace spacer

#endif
