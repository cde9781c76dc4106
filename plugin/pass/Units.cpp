//===- Units.cpp - a section for each function and object -----------------===//
//
// The linker shares sections, so each function and object needs one. Through
// the frontend the pass just turns -ffunction-sections and -fdata-sections on,
// and names those of static functions and objects, so that no other file has
// the like; where it is loaded without (opt, -fpass-plugin), it names all.
// What linkers merge by content (strings, constants of 4 to 32 bytes) stays in
// the sections where they do.
//
// Private constants are numbered in the order of the file (`switch.table.f.3`,
// `__const.main.x.12`), so their sections would change names with an edit of
// another function. Those that one function uses are named after it.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace spacer {

// Whether the object goes into a mergeable section (TargetLoweringObjectFile::
// getKindForGlobal).
static bool isMergeable(const GlobalVariable &g) {
  if (!g.isConstant() || !g.hasGlobalUnnamedAddr())
    return false;
  const Constant *c = g.getInitializer();
  if (c->needsRelocation())
    return false;
  if (auto *array = dyn_cast<ArrayType>(c->getType()))
    if (auto *element = dyn_cast<IntegerType>(array->getElementType())) {
      unsigned bits = element->getBitWidth();
      auto *data = dyn_cast<ConstantDataSequential>(c);
      if ((bits == 8 && data && data->isCString()) ||
          isa<ConstantAggregateZero>(c))
        return true;
      if ((bits == 16 || bits == 32) && data && data->getNumElements() &&
          data->getElementAsInteger(data->getNumElements() - 1) == 0)
        return true;
    }
  uint64_t size = g.getDataLayout().getTypeAllocSize(c->getType());
  return size == 4 || size == 8 || size == 16 || size == 32;
}

// Nothing that has a place already, and nothing that is not of an ordinary
// kind.
static bool mayMove(const GlobalObject &g) {
  return !g.isDeclaration() && !g.hasSection() && !g.hasComdat() &&
         !g.hasAvailableExternallyLinkage() && !g.hasCommonLinkage() &&
         !g.isThreadLocal() && !g.getName().starts_with("llvm.") && g.hasName();
}

// In attributes, not as GlobalObject::getSection().
bool hasImplicitSection(const GlobalObject &g) {
  if (auto *f = dyn_cast<Function>(&g))
    return f->hasFnAttribute("implicit-section-name");
  return cast<GlobalVariable>(g).hasImplicitSection();
}

static StringRef prefixFor(const GlobalVariable &g) {
  const Constant *c = g.getInitializer();
  if (g.isConstant()) {
    bool isPositionIndependent =
        g.getParent()->getPICLevel() != PICLevel::NotPIC;
    return isPositionIndependent && c->needsDynamicRelocation()
               ? ".data.rel.ro."
               : ".rodata.";
  }
  return c->isNullValue() ? ".bss." : ".data.";
}

std::string sectionFor(const GlobalObject &g, StringRef prefix) {
  std::string name = (prefix + sourceName(g)).str();
  if (g.hasLocalLinkage())
    name +=
        ("." + sys::path::filename(g.getParent()->getSourceFileName())).str();
  return name;
}

void splitUnits(Module &m, bool onlyLocals, PassReport &report) {
  // In the medium and large models the backend decides by size what is far away
  // (.lbss, .ltext, ...), but not for what has a section.
  std::optional<CodeModel::Model> model = m.getCodeModel();
  bool isNear =
      !model || (*model != CodeModel::Medium && *model != CodeModel::Large);
  for (GlobalObject &g : m.global_objects()) {
    auto *v = dyn_cast<GlobalVariable>(&g);
    if (!mayMove(g) || hasImplicitSection(g) || (v && isMergeable(*v)))
      continue;
    if (isNear && (g.hasLocalLinkage() || !onlyLocals))
      g.setSection(sectionFor(g, v ? prefixFor(*v) : ".text."));
    else if (!onlyLocals)
      continue;
    report.units.push_back(sourceName(g).str());
  }
}

// The functions that use v, through constants too.
static void findUsers(const Value *v,
                      SmallSetVector<const Function *, 2> &found,
                      bool &others) {
  for (const User *u : v->users()) {
    if (auto *i = dyn_cast<Instruction>(u))
      found.insert(i->getFunction());
    else if (isa<ConstantExpr>(u))
      findUsers(u, found, others);
    else
      others = true;
  }
}

static StringRef withoutNumber(StringRef name) {
  auto [stem, tail] = name.rsplit('.');
  bool numbered = stem.size() != name.size() && !tail.empty() &&
                  llvm::all_of(tail, isDigit);
  return numbered ? stem : name;
}

void tieConstants(Module &m, PassReport &report) {
  struct Tied {
    GlobalVariable *data;
    std::string name;
    StringRef owner;
  };
  std::vector<Tied> tied;
  for (GlobalVariable &g : m.globals()) {
    if (!g.hasPrivateLinkage() || !g.isConstant() || g.isDeclaration() ||
        isMergeable(g) || g.hasSection())
      continue;
    SmallSetVector<const Function *, 2> users;
    bool others = false;
    findUsers(&g, users, others);
    if (others || users.size() != 1 || !users[0]->hasName())
      continue;
    StringRef base = withoutNumber(g.getName()), owner = sourceName(*users[0]);
    bool named =
        base.ends_with(owner) || base.contains(("." + owner + ".").str());
    tied.push_back(
        {&g, named ? base.str() : (base + "." + owner).str(), owner});
  }
  // First out of the way: a name may be another's old one.
  for (Tied &t : tied)
    t.data->setName("");
  // Namesakes of one function are numbered in order; LLVM would count on from
  // the last number that it gave in this file.
  for (Tied &t : tied) {
    std::string name = t.name;
    for (unsigned n = 1; m.getNamedValue(name); ++n)
      name = t.name + "." + std::to_string(n);
    t.data->setName(name);
    report.tied.push_back({name, t.owner.str()});
  }
}

} // namespace spacer
