//===- SpacerPass.h - the pass and its steps ------------------------------===//
//
// Each step is a function of a module; SpacerPass.cpp says which run when.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_PASS_SPACERPASS_H
#define SPACER_PLUGIN_PASS_SPACERPASS_H

#include "PassOptions.h"
#include "PassReport.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include <memory>
#include <string>

namespace llvm {
class PassBuilder;
} // namespace llvm

namespace spacer {

/// String attributes of functions and variables, from compilation to
/// link-time optimisation.
inline constexpr char libraryAttribute[] = "spacer-lib";
inline constexpr char fileAttribute[] = "spacer-file";
inline constexpr char externalAttribute[] = "spacer-external";
/// Named metadata of a bitcode module that the pass has prepared: the line
/// numbers that its source mentions.
inline constexpr char preparedMetadata[] = "spacer.prepared";

/// What the frontend knows and IR does not: each number that `__LINE__` became.
struct SourceLines {
  bool known = false;
  bool inFrontend = false; ///< which makes sections
  llvm::DenseSet<uint64_t> numbers;
};

/// When a module is seen.
enum class Phase {
  Compile, ///< to an object file
  PreLink, ///< to bitcode, for link-time optimisation
  Link,    ///< at link-time optimisation, last
};

/// The name of \p g in objects, as far as the pass makes names of it: without
/// the mark of a name that the source gave with asm().
inline llvm::StringRef sourceName(const llvm::GlobalValue &g) {
  return llvm::GlobalValue::dropLLVMManglingEscape(g.getName());
}

/// Sanitizers run after the pass and would pad \p g, whose bytes are a format.
inline void leaveOutOfSanitizers(llvm::GlobalVariable &g) {
  llvm::GlobalValue::SanitizerMetadata none;
  none.NoAddress = none.NoHWAddress = true;
  g.setSanitizerMetadata(none);
}

/// An attribute of \p g, whichever kind of object it is; "" if it has none.
llvm::StringRef attributeOf(const llvm::GlobalObject &g, llvm::StringRef name);
bool hasAttribute(const llvm::GlobalObject &g, llvm::StringRef name);
void setAttribute(llvm::GlobalObject &g, llvm::StringRef name,
                  llvm::StringRef value = "");

/// Units.cpp. \p prefix and the name of \p g; `ld -r` joins sections of one
/// name, and static functions of two files may have one, so for what is local
/// the file's name as well.
std::string sectionFor(const llvm::GlobalObject &g, llvm::StringRef prefix);
/// Units.cpp. Whether `#pragma clang section` names its section.
bool hasImplicitSection(const llvm::GlobalObject &g);

//===-- Steps ------------------------------------------------------------===//

/// Units.cpp. Reports each function and object that gets a section of its own,
/// and names it after it; where the backend makes sections (\p onlyLocals) just
/// for local ones. Mergeable constants stay where linkers merge them.
void splitUnits(llvm::Module &m, bool onlyLocals, PassReport &report);

/// Units.cpp. Names private constants after the only function that uses them.
void tieConstants(llvm::Module &m, PassReport &report);

/// ImageData.cpp. Has data and weak functions that the image defines reached
/// through the GOT.
void redirectImageData(llvm::Module &m, const PassOptions &options,
                       PassReport &report);

/// LineTables.cpp. Moves line numbers that only reach calls into a table for
/// each function.
void makeLineTables(llvm::Module &m, const SourceLines &lines,
                    PassReport &report);

/// CallFrequencies.cpp. Adds a call graph profile by static block frequencies,
/// unless the module was compiled with a profile.
void addCallFrequencies(llvm::Module &m, llvm::FunctionAnalysisManager &fam,
                        PassReport &report);

/// Tags.cpp. Adds the section .spacer.tags.
void addTags(llvm::Module &m, const PassOptions &options, PassReport &report);

/// LinkTime.cpp. Marks what comes from \p options' library before its module
/// is joined with others.
void prepareForLinkTime(llvm::Module &m, const PassOptions &options,
                        const SourceLines &lines, PassReport &report);
/// LinkTime.cpp. First at link-time optimisation: hides each library's code
/// from the optimisation of the others.
void raiseBorders(llvm::Module &m);
/// LinkTime.cpp. Last at link-time optimisation: undoes raiseBorders().
void lowerBorders(llvm::Module &m, PassReport &report);
/// LinkTime.cpp. What prepareForLinkTime() noted of the source.
SourceLines linesOf(const llvm::Module &m);
/// LinkTime.cpp. Whether a bitcode file, not an object, will be written.
bool isPreLink(const llvm::Module &m);
/// LinkTime.cpp. Thin link-time optimisation: drops bodies that were imported
/// from other libraries.
void dropForeignImports(llvm::Module &m);

//===-- Passes -----------------------------------------------------------===//

/// The pass itself, as the last of a pipeline.
class SpacerPass : public llvm::PassInfoMixin<SpacerPass> {
public:
  SpacerPass(PassOptions o, std::shared_ptr<const SourceLines> l, bool atLink)
      : options(std::move(o)), lines(std::move(l)), isAtLink(atLink) {}
  llvm::PreservedAnalyses run(llvm::Module &m,
                              llvm::ModuleAnalysisManager &mam);
  static bool isRequired() { return true; }

private:
  PassOptions options;
  std::shared_ptr<const SourceLines> lines;
  bool isAtLink;
};

/// Registers the passes with \p builder, for a pipeline of the compiler or of
/// link-time optimisation, and the name `spacer` for opt.
void registerPasses(llvm::PassBuilder &builder, const PassOptions &options,
                    std::shared_ptr<const SourceLines> lines);

/// Whether clang has the pass from the frontend's plugin, with its arguments;
/// -fpass-plugin= of the same file then adds nothing.
inline bool isInFrontend = false;

/// FrontendPlugin.cpp. Makes `-fplugin-arg-spacer-` known to clang. To be
/// called in a process that has clang's symbols.
void registerFrontendPlugin();

} // namespace spacer

#endif
