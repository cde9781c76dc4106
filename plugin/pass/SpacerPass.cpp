//===- SpacerPass.cpp - what runs when ------------------------------------===//
//
//   compile    last of the optimiser's passes: every step
//   pre-link   the same place, on the way to bitcode: only who is who, because
//              link-time optimisation would undo the rest
//   link       full: borders first, then all else and the borders' end last;
//              thin: foreign imports dropped, every step last
//
// The order of the steps matters little; the table of lines must come before
// tags, which name it, and before sections are named, for functions with a
// section of the programmer's keep their constants.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/WithColor.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"

using namespace llvm;

namespace spacer {
namespace {

/// One step as a pass of its own.
template <void (*step)(Module &)>
class StepPass : public PassInfoMixin<StepPass<step>> {
public:
  PreservedAnalyses run(Module &m, ModuleAnalysisManager &) {
    step(m);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; }
};
using RaiseBordersPass = StepPass<raiseBorders>;
using DropForeignImportsPass = StepPass<dropForeignImports>;

} // namespace

StringRef attributeOf(const GlobalObject &g, StringRef name) {
  if (auto *f = dyn_cast<Function>(&g))
    return f->getFnAttribute(name).getValueAsString();
  return cast<GlobalVariable>(g).getAttribute(name).getValueAsString();
}

bool hasAttribute(const GlobalObject &g, StringRef name) {
  if (auto *f = dyn_cast<Function>(&g))
    return f->hasFnAttribute(name);
  return cast<GlobalVariable>(g).hasAttribute(name);
}

void setAttribute(GlobalObject &g, StringRef name, StringRef value) {
  if (auto *f = dyn_cast<Function>(&g))
    f->addFnAttr(name, value);
  else
    cast<GlobalVariable>(g).addAttribute(name, value);
}

PreservedAnalyses SpacerPass::run(Module &m, ModuleAnalysisManager &mam) {
  Triple triple(m.getTargetTriple());
  if (m.getNamedGlobal("spacer.tags") || triple.getArch() != Triple::x86_64 ||
      !triple.isOSBinFormatELF() || m.getDataLayout().getPointerSize() != 8)
    return PreservedAnalyses::all(); // loaded twice, or not ours to change
  bool isPrepared = m.getNamedMetadata(preparedMetadata) != nullptr;
  Phase phase = isAtLink || isPrepared ? Phase::Link
                : isPreLink(m)         ? Phase::PreLink
                                       : Phase::Compile;
  PassReport report;
  report.module = m.getSourceFileName();
  report.library = options.library;
  report.phase = phase == Phase::Compile   ? "compile"
                 : phase == Phase::PreLink ? "pre-link"
                                           : "link";
  if (phase == Phase::Link)
    lowerBorders(m, report);
  // What is dead now would live on in tags and tables.
  GlobalDCEPass().run(m, mam);
  if (phase == Phase::PreLink) {
    prepareForLinkTime(m, options, *lines, report);
  } else {
    SourceLines noted;
    if (phase == Phase::Link)
      noted = linesOf(m);
    if (options.units)
      tieConstants(m, report);
    if (options.imageGot)
      redirectImageData(m, options, report);
    if (options.frequencies) {
      auto &fam =
          mam.getResult<FunctionAnalysisManagerModuleProxy>(m).getManager();
      addCallFrequencies(m, fam, report);
    }
    if (options.lines)
      makeLineTables(m, phase == Phase::Link ? noted : *lines, report);
    if (options.units && phase == Phase::Compile)
      splitUnits(m, /*onlyLocals=*/lines->inFrontend, report);
    if (options.tags)
      addTags(m, options, report);
  }
  if (!options.report.empty())
    if (Error e = report.write(options.report))
      m.getContext().emitError(toString(std::move(e)));
  return PreservedAnalyses::none();
}

void registerPasses(PassBuilder &builder, const PassOptions &options,
                    std::shared_ptr<const SourceLines> lines) {
  builder.registerOptimizerLastEPCallback(
      [=](ModulePassManager &manager, OptimizationLevel) {
        manager.addPass(SpacerPass(options, lines, false));
      });
  builder.registerFullLinkTimeOptimizationEarlyEPCallback(
      [](ModulePassManager &manager, OptimizationLevel) {
        manager.addPass(RaiseBordersPass());
      });
  builder.registerFullLinkTimeOptimizationLastEPCallback(
      [=](ModulePassManager &manager, OptimizationLevel) {
        manager.addPass(SpacerPass(options, lines, true));
      });
  builder.registerPipelineEarlySimplificationEPCallback(
      [](ModulePassManager &manager, OptimizationLevel) {
        manager.addPass(DropForeignImportsPass());
      });
  // opt -passes='spacer<lib=musl@1.2.3;no-units>', and the steps of LTO.
  builder.registerPipelineParsingCallback(
      [=](StringRef name, ModulePassManager &manager,
          ArrayRef<PassBuilder::PipelineElement>) {
        if (name == "spacer-raise-borders") {
          manager.addPass(RaiseBordersPass());
          return true;
        }
        if (name == "spacer-drop-imports") {
          manager.addPass(DropForeignImportsPass());
          return true;
        }
        if (!name.consume_front("spacer") ||
            (!name.empty() &&
             !(name.consume_front("<") && name.consume_back(">"))))
          return false;
        PassOptions own = options;
        SmallVector<StringRef, 4> arguments;
        name.split(arguments, ';', -1, false);
        for (StringRef a : arguments)
          if (Error e = own.add(a)) {
            WithColor::error() << toString(std::move(e)) << '\n';
            return false;
          }
        if (own.help)
          outs() << passHelp;
        manager.addPass(SpacerPass(own, lines, false));
        return true;
      });
}

} // namespace spacer
