//===- LinkTime.cpp - link-time optimisation, library by library ----------===//
//
// Link-time optimisation joins modules of all libraries into one. Two things
// would then make a library's code depend on the image around it:
//
//   what it knows of others   a callee of another library is inlined, or its
//                             inferred attributes are relied upon; an edit of
//                             that library then changes this one's code
//   who else is there         lld makes local what no other file needs, and
//                             drops what nobody calls; a function with one
//                             caller left is inlined, its arguments become
//                             constants
//
// Against the first, while a module is optimised, calls from one library to
// another go to a declaration that has nothing but the type; the last step puts
// the callee back. Constants of one library are hidden from the others by
// `externally_initialized`. Addresses are left alone: two names for one
// function could be compared.
//
// Against the second, what the source gave external linkage has it again, and
// all functions of a file that is linked at all are kept until the last step
// (llvm.compiler.used), which leaves the unneeded to the linker's garbage
// collection. So a file is optimised as a whole or not at all.
//
// Inside a library optimisation is free.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Metadata.h"
#include "llvm/Support/Path.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"
#include <algorithm>

using namespace llvm;

namespace spacer {

static constexpr char keptAttribute[] = "spacer-kept";
static constexpr char hiddenAttribute[] = "spacer-hidden";
static constexpr char borderAttribute[] = "spacer-border";

bool isPreLink(const Module &m) {
  // What clang and lld put on modules that go to bitcode.
  return (m.getModuleFlag("ThinLTO") || m.getModuleFlag("EnableSplitLTOUnit") ||
          m.getModuleFlag("UnifiedLTO")) &&
         !m.getNamedMetadata(preparedMetadata);
}

void prepareForLinkTime(Module &m, const PassOptions &options,
                        const SourceLines &lines, PassReport &report) {
  StringRef file = sys::path::filename(m.getSourceFileName());
  StringRef library = options.library;
  std::vector<GlobalValue *> kept;
  for (GlobalObject &g : m.global_objects()) {
    if (g.isDeclaration() || g.hasAvailableExternallyLinkage() ||
        g.getName().starts_with("llvm.") || isa<GlobalIFunc>(g))
      continue;
    setAttribute(g, fileAttribute, file);
    if (!library.empty())
      setAttribute(g, libraryAttribute, library);
    if (!g.hasLocalLinkage())
      setAttribute(g, externalAttribute);
    if (isa<Function>(g) && !library.empty() && !g.hasLinkOnceLinkage()) {
      setAttribute(g, keptAttribute);
      kept.push_back(&g);
    }
    ++report.tagged;
  }
  appendToCompilerUsed(m, kept);

  LLVMContext &context = m.getContext();
  NamedMDNode *node = m.getOrInsertNamedMetadata(preparedMetadata);
  std::vector<uint64_t> sorted(lines.numbers.begin(), lines.numbers.end());
  llvm::sort(sorted);
  std::vector<Metadata *> numbers;
  numbers.reserve(sorted.size());
  for (uint64_t n : sorted)
    numbers.push_back(ConstantAsMetadata::get(
        ConstantInt::get(Type::getInt64Ty(context), n)));
  node->addOperand(MDNode::get(context, numbers));
}

SourceLines linesOf(const Module &m) {
  SourceLines found;
  const NamedMDNode *node = m.getNamedMetadata(preparedMetadata);
  if (!node)
    return found;
  found.known = true;
  for (const MDNode *file : node->operands())
    for (const MDOperand &n : file->operands())
      found.numbers.insert(mdconst::extract<ConstantInt>(n)->getZExtValue());
  return found;
}

static StringRef libraryOf(const GlobalObject &g) {
  return attributeOf(g, libraryAttribute);
}

// What a caller of another library may know of f beside its type: what of its
// parameters decides how they are passed (psABI), and that C does not throw.
static AttributeList knownAbroad(const Function &f) {
  static const Attribute::AttrKind passing[] = {
      Attribute::ZExt,       Attribute::SExt,         Attribute::InReg,
      Attribute::ByVal,      Attribute::StructRet,    Attribute::Nest,
      Attribute::Alignment,  Attribute::SwiftSelf,    Attribute::SwiftError,
      Attribute::SwiftAsync, Attribute::Preallocated, Attribute::InAlloca};
  LLVMContext &context = f.getContext();
  AttributeList from = f.getAttributes(), to;
  for (Attribute::AttrKind k : passing) {
    if (from.hasRetAttr(k))
      to = to.addRetAttribute(context, from.getRetAttrs().getAttribute(k));
    for (unsigned a = 0; a != f.arg_size(); ++a)
      if (from.hasParamAttr(a, k))
        to = to.addParamAttribute(context, a, from.getParamAttr(a, k));
  }
  if (f.doesNotThrow())
    to = to.addFnAttribute(context, Attribute::NoUnwind);
  return to;
}

static Function *declarationOf(Function &f) {
  Function *d = Function::Create(
      f.getFunctionType(), GlobalValue::ExternalLinkage, f.getAddressSpace(),
      f.getName() + ".spacer.border", f.getParent());
  d->setCallingConv(f.getCallingConv());
  d->setAttributes(knownAbroad(f));
  d->addFnAttr(borderAttribute);
  return d;
}

void raiseBorders(Module &m) {
  if (!m.getNamedMetadata(preparedMetadata))
    return;
  for (GlobalObject &g : m.global_objects()) {
    if (isa<GlobalIFunc>(g) || !hasAttribute(g, externalAttribute) ||
        g.isDeclaration() || !g.hasInternalLinkage())
      continue;
    g.setLinkage(GlobalValue::ExternalLinkage);
    g.setVisibility(GlobalValue::HiddenVisibility);
    g.setDSOLocal(true);
  }

  MapVector<Function *, std::vector<CallBase *>> crossing;
  DenseSet<GlobalVariable *> hidden; ///< constants that others look at
  for (Function &f : m) {
    StringRef library = libraryOf(f);
    for (Instruction &i : instructions(f)) {
      if (auto *call = dyn_cast<CallBase>(&i))
        if (Function *callee = call->getCalledFunction())
          if (!callee->isDeclaration() && libraryOf(*callee) != library)
            crossing[callee].push_back(call);
      for (const Use &u : i.operands())
        if (auto *g = dyn_cast<GlobalVariable>(u.get()->stripInBoundsOffsets()))
          if (g->isConstant() && g->hasDefinitiveInitializer() &&
              !g->hasLocalLinkage() && libraryOf(*g) != library)
            hidden.insert(g);
    }
  }
  for (auto &[callee, calls] : crossing) {
    Function *d = declarationOf(*callee);
    for (CallBase *call : calls)
      call->setCalledFunction(d);
  }
  for (GlobalVariable *g : hidden) {
    g->setExternallyInitialized(true);
    g->addAttribute(hiddenAttribute);
  }
}

void lowerBorders(Module &m, PassReport &report) {
  for (Function &f : llvm::make_early_inc_range(m)) {
    if (!f.hasFnAttribute(borderAttribute))
      continue;
    StringRef name = f.getName();
    name.consume_back(".spacer.border");
    report.borders.push_back(name.str());
    Function *target = m.getFunction(name);
    if (!target) {
      // A copy that nobody else used; the definition is in another file.
      f.setName(report.borders.back());
      f.removeFnAttr(borderAttribute);
      continue;
    }
    f.replaceAllUsesWith(target);
    f.eraseFromParent();
  }
  for (GlobalVariable &g : m.globals())
    if (g.hasAttribute(hiddenAttribute))
      g.setExternallyInitialized(false);

  // No longer needed for its own sake; what is dead is the linker's to drop.
  removeFromUsedLists(m, [](Constant *c) {
    auto *f = dyn_cast<Function>(c->stripPointerCasts());
    return f && f->hasFnAttribute(keptAttribute);
  });
}

void dropForeignImports(Module &m) {
  if (!m.getNamedMetadata(preparedMetadata))
    return;
  // Thin link-time optimisation: a module is one source file's.
  StringRef own;
  for (const Function &f : m)
    if (!f.isDeclaration() && !f.hasAvailableExternallyLinkage()) {
      own = libraryOf(f);
      break;
    }
  for (Function &f : m)
    if (f.hasAvailableExternallyLinkage() && libraryOf(f) != own) {
      f.deleteBody();
      f.setLinkage(GlobalValue::ExternalLinkage);
      f.setComdat(nullptr);
      f.setAttributes(knownAbroad(f));
    }
  for (GlobalVariable &g : m.globals())
    if (g.hasAvailableExternallyLinkage() && libraryOf(g) != own) {
      g.setInitializer(nullptr);
      g.setLinkage(GlobalValue::ExternalLinkage);
      g.setComdat(nullptr);
    }
}

} // namespace spacer
