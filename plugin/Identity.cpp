//===- Identity.cpp - what decides a unit's final bytes -------------------===//
//
// Two units may stand at one address in two images if and only if they have the
// same final bytes there. Final bytes are the section's bytes with each
// relocated field filled from the address of its target, so an identity digests
//
//   kind, flags, alignment, size, the bytes with relocated fields zeroed,
//   and for each relocation its offset, type, addend and *binding*,
//
// where the binding is a name wherever the atlas gives that name one address
// for ever: a function's slot, a named object's place. A changed callee or a
// changed table then leaves its referrers alone. Only what has no name (jump
// tables, constants, strings, labels inside functions) is bound by content: its
// own identity, recursively.
//
// Content bindings can form cycles: a function and its jump table. The units
// are condensed into strongly connected components (Tarjan, 1972; iterative
// here because chains of tables can be long), which come out targets first, so
// every identity outside the component is known. A component is digested as a
// whole: starting from each member that is minimal by its local digest, members
// are numbered in depth-first order of their references, and the smallest
// digest of such a walk is the component's. A member's identity is that digest
// with its number. The result depends on neither input order nor file names.
//
// Cost: linear in bytes and references; components have a handful of members.
//
//===----------------------------------------------------------------------===//

#include "Identity.h"
#include "Arch/X86_64.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>

using namespace llvm;

namespace spacer {

Hash128 slotKey(StringRef library, StringRef name, SlotKind kind,
                unsigned slotBytes) {
  // A function keeps one key whether it gets a door or an entry slot.
  bool got = kind == SlotKind::Got;
  return HashBuilder()
      .u8(got ? 'G' : 'F')
      .u8(slotBytes)
      .str(library)
      .str(name)
      .finish();
}

Hash128 placeKey(UnitKind kind, StringRef library, StringRef name) {
  return HashBuilder()
      .u8('P')
      .u8(uint8_t(kind))
      .str(library)
      .str(name)
      .finish();
}

namespace {

class IdentityPass {
public:
  explicit IdentityPass(Model &m) : model(m) {}
  void run();

private:
  bool byContent(const Ref &r) const {
    return r.binding == Binding::Unit && !model.units[r.target].named;
  }
  void localDigest(uint32_t u);
  void settlePrivacy(ArrayRef<uint32_t> members);
  void digestAlone(uint32_t u);
  void findComponents(const std::vector<uint8_t> &hasContentRefs);
  void finishComponent(ArrayRef<uint32_t> members);
  Hash128 walk(uint32_t root, ArrayRef<uint32_t> members,
               DenseMap<uint32_t, uint32_t> &number);
  void addRefs(HashBuilder &h, const Unit &unit,
               function_ref<void(HashBuilder &, const Ref &)> inside);

  Model &model;
  std::vector<Hash128> local; ///< digest of a unit without its content refs
  std::vector<uint32_t> component;
  uint32_t componentCount = 0;
};

} // namespace

// One buffer a thread: most of the cost of a small digest is its memory.
static HashBuilder &scratch() {
  thread_local HashBuilder builder;
  builder.clear();
  return builder;
}

void IdentityPass::localDigest(uint32_t u) {
  Unit &unit = model.units[u];
  HashBuilder &h = scratch();
  h.u8(uint8_t(unit.kind)).u8(unit.entsize);
  h.fixed({unit.flags, unit.align, unit.bytes});
  if (unit.entrySlot != noSlot)
    h.u8('E').hash(model.slots[unit.entrySlot].key);
  else if (unit.ownAddress || (model.trampolines == Trampolines::None &&
                               unit.kind == UnitKind::Text))
    // The place is the function's address, which no other function has.
    h.u8('A').str(model.libraries[unit.library]).str(unit.name);
  else if (!unit.distinction.isZero())
    h.u8('N').hash(unit.distinction);

  MutableArrayRef<uint8_t> bytes = h.copy(unit.content);
  for (const Ref &r : unit.refs) {
    unsigned width = x86_64::fieldBytes(r.type);
    if (r.offset + width <= bytes.size())
      std::fill_n(bytes.begin() + r.offset, width, 0);
  }
  local[u] = h.finish();
}

void IdentityPass::addRefs(
    HashBuilder &h, const Unit &unit,
    function_ref<void(HashBuilder &, const Ref &)> inside) {
  for (const Ref &r : unit.refs) {
    h.fixed({r.offset, r.type, uint64_t(r.addend), uint64_t(r.residual)});
    switch (r.binding) {
    case Binding::Slot:
    case Binding::Got:
      h.u8(r.binding == Binding::Slot ? 'S' : 'G');
      h.hash(model.slots[r.target].key);
      break;
    case Binding::Value:
      h.u8('V');
      break;
    case Binding::Private:
      h.u8('X');
      break;
    case Binding::Unit: {
      const Unit &t = model.units[r.target];
      if (t.named) {
        h.u8('N').hash(t.place);
        h.u64(t.generation);
      } else {
        inside(h, r);
      }
      break;
    }
    }
  }
}

// Tarjan's algorithm with an explicit stack; calls finishComponent() for each
// component, targets before referrers.
void IdentityPass::findComponents(const std::vector<uint8_t> &hasContentRefs) {
  uint32_t n = model.units.size();
  constexpr uint32_t unseen = UINT32_MAX;
  std::vector<uint32_t> index(n, unseen), low(n), stack;
  std::vector<bool> onStack(n);
  struct Frame {
    uint32_t unit;
    uint32_t next;
  };
  std::vector<Frame> frames;
  uint32_t counter = 0;
  component.assign(n, unseen);

  auto open = [&](uint32_t u) {
    index[u] = low[u] = counter++;
    stack.push_back(u);
    onStack[u] = true;
    frames.push_back({u, 0});
  };
  for (uint32_t root = 0; root != n; ++root) {
    if (index[root] != unseen || !hasContentRefs[root])
      continue;
    open(root);
    while (!frames.empty()) {
      Frame &f = frames.back();
      const Unit &unit = model.units[f.unit];
      if (f.next < unit.refs.size()) {
        const Ref &r = unit.refs[f.next++];
        if (!byContent(r))
          continue;
        uint32_t t = r.target;
        if (!hasContentRefs[t])
          continue; // done: a component of its own
        if (index[t] == unseen)
          open(t);
        else if (onStack[t])
          low[f.unit] = std::min(low[f.unit], index[t]);
        continue;
      }
      uint32_t u = f.unit;
      frames.pop_back();
      if (!frames.empty())
        low[frames.back().unit] = std::min(low[frames.back().unit], low[u]);
      if (low[u] != index[u])
        continue;
      auto first = std::find(stack.begin(), stack.end(), u);
      SmallVector<uint32_t, 4> members(first, stack.end());
      stack.erase(first, stack.end());
      for (uint32_t m : members) {
        onStack[m] = false;
        component[m] = componentCount;
      }
      finishComponent(members);
      ++componentCount;
    }
  }
}

// Digests the component as seen from root and numbers its members on the way.
Hash128 IdentityPass::walk(uint32_t root, ArrayRef<uint32_t> members,
                           DenseMap<uint32_t, uint32_t> &number) {
  HashBuilder h;
  SmallVector<uint32_t, 4> order;
  auto visit = [&](uint32_t u) {
    auto [it, isNew] = number.try_emplace(u, order.size());
    if (isNew)
      order.push_back(u);
    return it->second;
  };
  visit(root);
  for (size_t i = 0; i != order.size(); ++i) {
    const Unit &unit = model.units[order[i]];
    h.hash(local[order[i]]);
    addRefs(h, unit, [&](HashBuilder &b, const Ref &r) {
      if (component[r.target] == component[root])
        b.u8('I').u64(visit(r.target));
      else
        b.u8('C').hash(model.units[r.target].identity);
    });
  }
  return h.finish();
}

// A component of one unit, numbered 0, perhaps bound to itself.
void IdentityPass::digestAlone(uint32_t u) {
  HashBuilder &h = scratch();
  h.hash(local[u]);
  addRefs(h, model.units[u], [&](HashBuilder &b, const Ref &r) {
    if (r.target == u)
      b.u8('I').u64(0);
    else
      b.u8('C').hash(model.units[r.target].identity);
  });
  model.units[u].identity = h.finish();
}

// Private if a reference is, or if it is bound to a private unit outside.
void IdentityPass::settlePrivacy(ArrayRef<uint32_t> members) {
  const char *reason = nullptr;
  for (uint32_t m : members) {
    const Unit &unit = model.units[m];
    if (unit.isPrivate && !reason)
      reason = unit.reason ? unit.reason : "bound to a private unit";
    for (const Ref &r : unit.refs) {
      if (reason)
        break;
      if (r.binding == Binding::Private)
        reason = unit.reason ? unit.reason : "bound to an image's own address";
      else if (r.binding == Binding::Unit && model.units[r.target].isPrivate &&
               !llvm::is_contained(members, r.target))
        reason = "bound to a private unit";
    }
  }
  if (!reason)
    return;
  for (uint32_t m : members) {
    Unit &unit = model.units[m];
    (unit.named ? unit.unstable : unit.isPrivate) = true;
    if (!unit.reason)
      unit.reason = reason;
  }
}

// Units without content references come here in parallel: they read of others
// only what is settled before (whether a named object is private).
void IdentityPass::finishComponent(ArrayRef<uint32_t> members) {
  settlePrivacy(members);
  if (members.size() == 1) {
    digestAlone(members[0]);
    return;
  }

  // A component's digest is that of its smallest walk. Starting points with
  // equal local digests are all tried, so the choice depends on content alone.
  Hash128 smallest = local[members[0]];
  for (uint32_t m : members)
    smallest = std::min(smallest, local[m]);
  Hash128 best;
  DenseMap<uint32_t, uint32_t> bestNumber;
  bool first = true;
  for (uint32_t m : members) {
    if (local[m] != smallest)
      continue;
    DenseMap<uint32_t, uint32_t> number;
    Hash128 digest = walk(m, members, number);
    if (first || digest < best) {
      best = digest;
      bestNumber = std::move(number);
      first = false;
    }
  }
  for (uint32_t m : members)
    model.units[m].identity =
        HashBuilder().hash(best).u64(bestNumber[m]).finish();
}

void IdentityPass::run() {
  local.resize(model.units.size());
  // Most units have no content references, so no component to wait for.
  std::vector<uint8_t> hasContentRefs(model.units.size());
  // A few large tasks: a unit is too little work for one.
  constexpr size_t tasks = 16;
  size_t n = model.units.size();
  parallelFor(0, tasks, [&](size_t t) {
    for (size_t u = n * t / tasks; u != n * (t + 1) / tasks; ++u) {
      localDigest(u);
      hasContentRefs[u] = llvm::any_of(
          model.units[u].refs, [&](const Ref &r) { return byContent(r); });
      if (!hasContentRefs[u])
        finishComponent(uint32_t(u));
    }
  });
  findComponents(hasContentRefs);
}

void computeIdentities(Model &model) { IdentityPass(model).run(); }

} // namespace spacer
