//===- LineTables.cpp - line numbers out of the code ----------------------===//
//
// `assert`, `__LINE__` in logging macros: a line inserted at the top of a file
// changes a constant in every function below it that may fail, and so pages
// that nobody edited. Such a constant goes into a table of its function's, an
// object of its own with a place of its own; code loads it. The edit then
// changes tables, which the linker keeps together, and no code.
//
// Which constants are line numbers? The frontend tells which numbers __LINE__
// became in this file. A constant argument of a call is taken for one if it is
// such a number and the call does not return or is cold, or if all constants
// that reach this argument of this callee (with the same strings beside it: a
// format tells its calls apart) are such numbers. Without a frontend only calls
// that do not return or are cold count, and numbers from 16 on. A wrong guess
// costs a load, never a wrong value.
//
// Blocks that differ in the line alone were merged before, into one call and a
// phi of constants. The phi then chooses the index in the table instead.
//
// The table is `externally_initialized`, or the constant would be folded back.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "TagFormat.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/Local.h"
#include <unordered_map>

using namespace llvm;

namespace spacer {
namespace {

constexpr uint64_t smallestGuess = 16;
constexpr unsigned maxLeaves = 256;

/// One argument of one call: constants that reach it.
struct Site {
  CallBase *call;
  unsigned argument;
  bool endsBadly; ///< the call does not return, or is cold
  size_t key;
  SmallVector<uint64_t, 2> values;
};

class LineTables {
public:
  LineTables(Module &m, const SourceLines &l, PassReport &r)
      : module(m), lines(l), report(r) {}
  void run();

private:
  bool mayBeLine(uint64_t v) const {
    return lines.known ? lines.numbers.contains(v) : v >= smallestGuess;
  }
  void findSites(Function &f);
  void spare(Function &f, ArrayRef<const Site *> sites);
  Value *indexOf(Value *v, DenseMap<Value *, Value *> &done,
                 std::vector<uint32_t> &table);

  Module &module;
  const SourceLines &lines;
  PassReport &report;
  std::vector<Site> sites;
};

} // namespace

// The constants that v may be, if it is always one of some constants.
static bool collectLeaves(Value *v, SmallPtrSetImpl<Value *> &seen,
                          SmallVectorImpl<uint64_t> &leaves) {
  if (auto *c = dyn_cast<ConstantInt>(v)) {
    if (c->getValue().getActiveBits() > 31 || leaves.size() == maxLeaves)
      return false;
    leaves.push_back(c->getZExtValue());
    return true;
  }
  if (!seen.insert(v).second)
    return true;
  if (auto *phi = dyn_cast<PHINode>(v))
    return llvm::all_of(phi->incoming_values(), [&](Value *in) {
      return collectLeaves(in, seen, leaves);
    });
  if (auto *s = dyn_cast<SelectInst>(v))
    return collectLeaves(s->getTrueValue(), seen, leaves) &&
           collectLeaves(s->getFalseValue(), seen, leaves);
  return false;
}

static bool endsBadly(const CallBase &call) {
  return call.doesNotReturn() || call.hasFnAttr(Attribute::Cold) ||
         isa<UnreachableInst>(call.getParent()->getTerminator());
}

// What kind of call this is: the callee, or its type if that is computed, and
// the strings among its arguments.
static size_t keyOf(const CallBase &call, unsigned argument) {
  const Function *callee = call.getCalledFunction();
  hash_code h = hash_combine(callee ? static_cast<const void *>(callee)
                                    : call.getFunctionType(),
                             argument);
  for (const Use &u : call.args())
    if (auto *g = dyn_cast<GlobalVariable>(u.get()->stripPointerCasts()))
      if (g->isConstant())
        h = hash_combine(h, static_cast<const void *>(g));
  return h;
}

void LineTables::findSites(Function &f) {
  for (Instruction &i : instructions(f)) {
    auto *call = dyn_cast<CallBase>(&i);
    if (!call || call->isInlineAsm() || isa<IntrinsicInst>(call))
      continue;
    for (unsigned a = 0; a != call->arg_size(); ++a) {
      Value *v = call->getArgOperand(a);
      if (!v->getType()->isIntegerTy(32) && !v->getType()->isIntegerTy(64))
        continue;
      if (call->paramHasAttr(a, Attribute::ImmArg))
        continue;
      Site site{call, a, endsBadly(*call), keyOf(*call, a), {}};
      SmallPtrSet<Value *, 8> seen;
      if (collectLeaves(v, seen, site.values) && !site.values.empty())
        sites.push_back(std::move(site));
    }
  }
}

// The index that stands for v's constants: an i32 that is constant where v is,
// chosen by phis and selects like v's.
Value *LineTables::indexOf(Value *v, DenseMap<Value *, Value *> &done,
                           std::vector<uint32_t> &table) {
  Type *i32 = Type::getInt32Ty(module.getContext());
  if (auto *c = dyn_cast<ConstantInt>(v)) {
    table.push_back(c->getZExtValue());
    return ConstantInt::get(i32, table.size() - 1);
  }
  if (Value *known = done.lookup(v))
    return known;
  if (auto *phi = dyn_cast<PHINode>(v)) {
    PHINode *index = PHINode::Create(i32, phi->getNumIncomingValues(),
                                     "spacer.line", phi->getIterator());
    done[v] = index;
    // A block that comes in twice brings one value.
    DenseMap<BasicBlock *, Value *> byBlock;
    for (unsigned n = 0; n != phi->getNumIncomingValues(); ++n) {
      Value *&in = byBlock[phi->getIncomingBlock(n)];
      if (!in)
        in = indexOf(phi->getIncomingValue(n), done, table);
      index->addIncoming(in, phi->getIncomingBlock(n));
    }
    return index;
  }
  auto *select = cast<SelectInst>(v);
  Value *a = indexOf(select->getTrueValue(), done, table);
  Value *b = indexOf(select->getFalseValue(), done, table);
  // An argument may be poison, an index may not.
  Value *condition = select->getCondition();
  if (!isGuaranteedNotToBeUndefOrPoison(condition))
    condition =
        new FreezeInst(condition, "spacer.choice", select->getIterator());
  return done[v] = SelectInst::Create(condition, a, b, "spacer.line",
                                      select->getIterator());
}

void LineTables::spare(Function &f, ArrayRef<const Site *> taken) {
  LLVMContext &context = module.getContext();
  Type *i32 = Type::getInt32Ty(context);
  std::vector<uint32_t> table;
  DenseMap<Value *, Value *> done;
  std::vector<Value *> indices;
  indices.reserve(taken.size());
  for (const Site *s : taken)
    indices.push_back(
        indexOf(s->call->getArgOperand(s->argument), done, table));

  auto *g = new GlobalVariable(
      module, ArrayType::get(i32, table.size()), /*isConstant=*/true,
      GlobalValue::InternalLinkage, ConstantDataArray::get(context, table),
      sourceName(f) + ".spacer.lines", nullptr, GlobalValue::NotThreadLocal,
      std::nullopt, /*isExternallyInitialized=*/true);
  g->setAlignment(Align(4));
  g->setSection(sectionFor(f, lineTablePrefix));
  g->setDSOLocal(true);
  leaveOutOfSanitizers(*g);
  for (StringRef name : {libraryAttribute, fileAttribute})
    if (hasAttribute(f, name))
      setAttribute(*g, name, attributeOf(f, name));
  // Where the linker drops the function, it drops the table.
  if (f.hasComdat())
    g->setComdat(f.getComdat());

  SmallVector<WeakTrackingVH, 8> old;
  for (size_t n = 0; n != taken.size(); ++n) {
    CallBase *call = taken[n]->call;
    Value *before = call->getArgOperand(taken[n]->argument);
    IRBuilder<> b(call);
    Value *at =
        b.CreateInBoundsGEP(g->getValueType(), g, {b.getInt32(0), indices[n]});
    LoadInst *line = b.CreateAlignedLoad(i32, at, Align(4), "spacer.line");
    line->setNoSanitizeMetadata();
    call->setArgOperand(taken[n]->argument,
                        b.CreateZExt(line, before->getType()));
    if (isa<Instruction>(before))
      old.push_back(before);
  }
  RecursivelyDeleteTriviallyDeadInstructionsPermissive(old);
  report.spared.push_back({sourceName(f).str(), table.size()});
}

void LineTables::run() {
  // Code in a section of its own may be run where it cannot reach data.
  for (Function &f : module)
    if (!f.isDeclaration() && !f.hasAvailableExternallyLinkage() &&
        f.hasName() && !f.hasOptNone() && !f.hasFnAttribute(Attribute::Naked) &&
        !f.hasSection() && !hasImplicitSection(f))
      findSites(f);

  // By kind of call: is each number that comes here a line number?
  std::unordered_map<size_t, bool> onlyLines;
  if (lines.known)
    for (const Site &s : sites) {
      bool all = llvm::all_of(s.values, [&](uint64_t v) {
        return v >= smallestGuess && lines.numbers.contains(v);
      });
      auto [it, isNew] = onlyLines.try_emplace(s.key, all);
      it->second &= all;
    }
  SmallVector<const Site *, 16> taken;
  for (size_t i = 0; i != sites.size(); ++i) {
    const Site &s = sites[i];
    bool badly = s.endsBadly && llvm::all_of(s.values, [&](uint64_t v) {
                   return mayBeLine(v);
                 });
    if (badly || (lines.known && onlyLines.at(s.key)))
      taken.push_back(&s);
    Function *f = s.call->getFunction();
    bool lastOfFunction =
        i + 1 == sites.size() || sites[i + 1].call->getFunction() != f;
    if (lastOfFunction && !taken.empty()) {
      spare(*f, taken);
      taken.clear();
    }
  }
}

void makeLineTables(Module &m, const SourceLines &lines, PassReport &report) {
  if (lines.known && lines.numbers.empty())
    return;
  LineTables(m, lines, report).run();
}

} // namespace spacer
