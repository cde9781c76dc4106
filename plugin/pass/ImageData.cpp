//===- ImageData.cpp - what the image defines, through the GOT ------------===//
//
// A reference to `_end`, or to a weak symbol that nobody defines, has another
// value in each image, so the code that contains it can be shared by none.
// Loaded from the GOT the value is data: the code has the address of a GOT
// slot, which ld.spacer gives a fixed place. Costs one load where the address
// is taken. What libraries define has a place and stays direct.
//
// Three kinds are known to be the image's: weak undefined symbols, names that
// linkers and linker scripts define, and arrays without a size whose names say
// that they mark a boundary. A list (`image=GLOB`) adds others.
//
// Clang marks such symbols dso_local in code for fixed addresses. Without that
// mark the backend loads addresses with R_X86_64_REX_GOTPCRELX, in every
// relocation model (X86Subtarget::classifyGlobalReference), and calls through
// the GOT where the function is nonlazybind.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace spacer {

// Names that ld, lld and common linker scripts define.
static bool isLinkerName(StringRef name) {
  static const StringSet<> names = {
      "_end",
      "end",
      "__end",
      "_etext",
      "etext",
      "__etext",
      "_edata",
      "edata",
      "__bss_start",
      "__bss_end",
      "_text",
      "_stext",
      "__executable_start",
      "__ehdr_start",
      "_DYNAMIC",
      "_sdata",
      "__data_start",
      "_rodata",
      "_erodata",
      "_init",
      "_fini",
      "__init_array_start",
      "__init_array_end",
      "__fini_array_start",
      "__fini_array_end",
      "__preinit_array_start",
      "__preinit_array_end",
      "__rela_iplt_start",
      "__rela_iplt_end",
  };
  return names.contains(name) || name.starts_with("__start_") ||
         name.starts_with("__stop_");
}

static bool isBoundary(const GlobalVariable &g) {
  auto *array = dyn_cast<ArrayType>(g.getValueType());
  StringRef name = sourceName(g);
  return array && array->getNumElements() == 0 &&
         (name.ends_with("_start") || name.ends_with("_end") ||
          name.ends_with("_begin") || name.ends_with("_stop"));
}

void redirectImageData(Module &m, const PassOptions &options,
                       PassReport &report) {
  bool isPositionIndependent = m.getPICLevel() != PICLevel::NotPIC;
  auto isListed = [&](StringRef name) {
    return llvm::any_of(options.imageData,
                        [&](const GlobPattern &g) { return g.match(name); });
  };
  // In a shared object the GOT's entry for a symbol that is not hidden may come
  // from another; a reference that is hidden must stay so.
  bool isShared = isPositionIndependent && m.getPIELevel() == PIELevel::Default;
  auto redirect = [&](GlobalValue &g) {
    if (isShared && !g.hasDefaultVisibility())
      return false;
    if (!g.hasExternalWeakLinkage())
      g.setVisibility(GlobalValue::DefaultVisibility); // implies dso_local
    g.setDSOLocal(false);
    report.redirected.push_back(sourceName(g).str());
    return true;
  };
  // Start-up code looks at these two before it has relocated its GOT.
  auto isNeededEarly = [&](StringRef name) {
    return isPositionIndependent &&
           (name == "_DYNAMIC" || name == "__ehdr_start");
  };
  for (GlobalVariable &g : m.globals()) {
    StringRef name = sourceName(g);
    if (!g.isDeclaration() || g.isThreadLocal() || g.use_empty() ||
        name.starts_with("llvm.") || isNeededEarly(name))
      continue;
    if (g.hasExternalWeakLinkage() || isLinkerName(name) || isBoundary(g) ||
        isListed(name))
      redirect(g);
  }
  for (Function &f : m) {
    if (!f.isDeclaration() || f.isIntrinsic() || f.use_empty() ||
        !(f.hasExternalWeakLinkage() || isListed(sourceName(f))))
      continue;
    if (redirect(f))
      f.addFnAttr(Attribute::NonLazyBind);
  }
}

} // namespace spacer
