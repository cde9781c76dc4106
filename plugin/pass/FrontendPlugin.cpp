//===- FrontendPlugin.cpp - clang's side of the pass ----------------------===//
//
// With -fplugin= clang hands over the arguments, and the pass can see two
// things that IR does not show: which numbers __LINE__ became, and whether
// functions get sections of their own (which it turns on).
//
// The only file that needs clang. Its symbols are made weak after compilation
// (CMakeLists.txt), so that opt and ld.spacer, which have none of clang, can
// load the plugin; registerFrontendPlugin() is called in clang alone.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/Basic/CodeGenOptions.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Frontend/FrontendOptions.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "clang/Lex/MacroInfo.h"
#include "clang/Lex/PPCallbacks.h"
#include "clang/Lex/Preprocessor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace spacer {
namespace {

/// Notes what each __LINE__ becomes, as Preprocessor::ExpandBuiltinMacro
/// computes it.
class LineWatcher final : public clang::PPCallbacks {
public:
  LineWatcher(clang::SourceManager &s, std::shared_ptr<SourceLines> l)
      : sources(s), lines(std::move(l)) {}
  void MacroExpands(const clang::Token &name, const clang::MacroDefinition &,
                    clang::SourceRange range,
                    const clang::MacroArgs *) override {
    const clang::IdentifierInfo *id = name.getIdentifierInfo();
    if (!id || id->getName() != "__LINE__")
      return;
    clang::SourceLocation at =
        sources.getExpansionRange(range.getBegin()).getEnd();
    clang::PresumedLoc where = sources.getPresumedLoc(at);
    if (where.isValid())
      lines->numbers.insert(where.getLine());
  }

private:
  clang::SourceManager &sources;
  std::shared_ptr<SourceLines> lines;
};

class SpacerAction final : public clang::PluginASTAction {
public:
  bool ParseArgs(const clang::CompilerInstance &ci,
                 const std::vector<std::string> &args) override {
    bool good = true;
    for (const std::string &a : args)
      if (Error e = options.add(a)) {
        clang::DiagnosticsEngine &d = ci.getDiagnostics();
        d.Report(d.getCustomDiagID(clang::DiagnosticsEngine::Error, "%0"))
            << toString(std::move(e));
        good = false;
      }
    if (options.help) {
      outs() << passHelp;
      outs().flush();
    }
    return good;
  }

  std::unique_ptr<clang::ASTConsumer>
  CreateASTConsumer(clang::CompilerInstance &ci, StringRef) override {
    auto lines = std::make_shared<SourceLines>();
    lines->inFrontend = true;
    // Preprocessed by another run of the compiler: nothing is left to see.
    lines->known = !ci.getFrontendOpts().Inputs[0].getKind().isPreprocessed();
    if (ci.hasPreprocessor())
      ci.getPreprocessor().addPPCallbacks(
          std::make_unique<LineWatcher>(ci.getSourceManager(), lines));
    isInFrontend = true;
    clang::CodeGenOptions &code = ci.getCodeGenOpts();
    if (options.units) {
      code.FunctionSections = true;
      code.DataSections = true;
      code.UniqueSectionNames = true;
    }
    code.PassBuilderCallbacks.push_back(
        [options = options, lines](PassBuilder &builder) {
          registerPasses(builder, options, lines);
        });
    return std::make_unique<clang::ASTConsumer>();
  }

  ActionType getActionType() override { return AddBeforeMainAction; }

private:
  PassOptions options;
};

} // namespace

void registerFrontendPlugin() {
  static clang::FrontendPluginRegistry::Add<SpacerAction> registered(
      "spacer", "code that images of ld.spacer share better");
}

} // namespace spacer
