//===- CallFrequencies.cpp - which calls are hot, without a profile -------===//
//
// `--spacer-trampolines=auto` gives functions that are called often entry slots
// and all others doors; it takes the call graph profile of the objects, which
// clang writes for code compiled with a profile. For other code this step
// writes one from LLVM's static estimate: a call counts as often as its block
// runs for each run of its function (loops count, branches to errors do not).
// The tags say that it is an estimate (tagEstimated): the linker makes less of
// it than of what was measured.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Metadata.h"
#include <algorithm>

using namespace llvm;

namespace spacer {

/// What one call per run of its function counts.
constexpr double unitWeight = 16;
/// Linkers add weights up.
constexpr double maxWeight = 1ull << 40;

// Whether the backend may make instructions of the call. The profile would then
// be the object's only reference to the function, and pull it into the link.
static bool mayVanish(const CallBase &call, const Function &callee,
                      const TargetTransformInfo &costs) {
  if (!callee.isDeclaration())
    return false;
  StringRef name = callee.getName();
  return !costs.isLoweredToCall(&callee) || name == "mempcpy" ||
         ((name == "memcmp" || name == "bcmp") && call.arg_size() == 3 &&
          isa<ConstantInt>(call.getArgOperand(2)));
}

void addCallFrequencies(Module &m, FunctionAnalysisManager &fam,
                        PassReport &report) {
  if (m.getProfileSummary(false) || m.getModuleFlag("CG Profile"))
    return; // CGProfilePass has the real numbers
  MapVector<std::pair<Function *, Function *>, double> edges;
  for (Function &f : m) {
    if (f.isDeclaration() || f.hasAvailableExternallyLinkage() ||
        !f.hasName() || f.hasFnAttribute(Attribute::Cold) || f.hasOptNone())
      continue;
    auto &costs = fam.getResult<TargetIRAnalysis>(f);
    BlockFrequencyInfo *frequencies = nullptr;
    for (Instruction &i : instructions(f)) {
      auto *call = dyn_cast<CallBase>(&i);
      Function *callee = call ? call->getCalledFunction() : nullptr;
      if (!callee || callee == &f || callee->isIntrinsic() ||
          call->isInlineAsm() || call->hasFnAttr(Attribute::Cold) ||
          call->doesNotReturn() || mayVanish(*call, *callee, costs))
        continue;
      if (!frequencies)
        frequencies = &fam.getResult<BlockFrequencyAnalysis>(f);
      double entry = double(frequencies->getEntryFreq().getFrequency());
      double here =
          double(frequencies->getBlockFreq(call->getParent()).getFrequency());
      if (entry > 0 && here > 0) // else it is never reached
        edges[{&f, callee}] += here / entry;
    }
  }
  LLVMContext &context = m.getContext();
  std::vector<Metadata *> nodes;
  for (auto &[edge, calls] : edges) {
    // A case of a large switch is rare by the estimate, but it is there.
    auto weight = uint64_t(std::clamp(calls * unitWeight + 0.5, 1., maxWeight));
    nodes.push_back(MDNode::get(
        context,
        {ValueAsMetadata::get(edge.first), ValueAsMetadata::get(edge.second),
         ConstantAsMetadata::get(
             ConstantInt::get(Type::getInt64Ty(context), weight))}));
  }
  if (nodes.empty())
    return;
  report.calls = nodes.size();
  m.addModuleFlag(Module::Append, "CG Profile", MDTuple::get(context, nodes));
}

} // namespace spacer
