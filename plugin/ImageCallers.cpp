//===- ImageCallers.cpp - shared code that calls into the image -----------===//
//
// A slot that leads into the image itself (a private unit, a function that the
// application defines) has another content in every image, and so has its page:
// 4 KiB for what is often three slots of a C library's start-up code. Where the
// callers are small it is cheaper to leave them to the image as well: it has
// private code pages anyway.
//
// But then they are private units with slots of their own, whose callers come
// next. So the set grows along slots and content references until it is closed,
// or until it is no longer small or meets data (a table of functions needs the
// slot whatever the callers do). Then nothing is changed.
//
//===----------------------------------------------------------------------===//

#include "ImageCallers.h"
#include "Atlas.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace spacer {

namespace {

constexpr uint64_t mostBytes = pageBytes / 2;

/// Lists of numbers, by number; filled in two rounds, the first of which
/// counts.
class Lists {
public:
  explicit Lists(size_t lists) : ends(lists + 1) {}
  void count(uint32_t list) { ++ends[list]; }
  void allot() {
    uint32_t sum = 0;
    for (uint32_t &end : ends)
      end = std::exchange(sum, sum + end);
    members.resize(sum);
  }
  void add(uint32_t list, uint32_t member) { members[ends[list]++] = member; }
  ArrayRef<uint32_t> operator[](uint32_t list) const {
    uint32_t begin = list ? ends[list - 1] : 0;
    return ArrayRef(members).slice(begin, ends[list] - begin);
  }

private:
  std::vector<uint32_t> ends; ///< where the next member goes
  std::vector<uint32_t> members;
};

class CallerSet {
public:
  explicit CallerSet(Model &m)
      : model(m), slotCallers(m.slots.size()), unitSlots(m.units.size()),
        bound(m.units.size()), isMember(m.units.size()) {}
  uint64_t run();

private:
  bool varies(const Slot &slot) const;
  bool mayBeSmall();
  template <class Fn> void eachEdge(Fn fn);
  void index();
  bool addCallersOf(uint32_t slot);
  bool add(uint32_t unit);

  Model &model;
  Lists slotCallers; ///< units, by slot
  Lists unitSlots;   ///< slots that lead to a unit
  Lists bound;       ///< units bound by content
  std::vector<uint32_t> members, pending;
  std::vector<bool> isMember;
  uint64_t bytes = 0;
};

} // namespace

bool CallerSet::varies(const Slot &slot) const {
  return slot.kind != SlotKind::Got &&
         (slot.unit == noUnit || model.units[slot.unit].isPrivate);
}

// In most links the callers of what varies are too many, or there are none:
// then nothing else need be known.
bool CallerSet::mayBeSmall() {
  uint64_t callers = 0;
  bool any = false;
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    const Unit &unit = model.units[u];
    if (unit.isPrivate || llvm::none_of(unit.refs, [&](const Ref &r) {
          return r.binding == Binding::Slot && varies(model.slots[r.target]);
        }))
      continue;
    any = true;
    callers += unit.bytes;
    if (unit.kind != UnitKind::Text || callers > mostBytes)
      return false;
  }
  return any;
}

template <class Fn> void CallerSet::eachEdge(Fn fn) {
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    if (model.units[u].isPrivate)
      continue;
    for (const Ref &r : model.units[u].refs) {
      if (r.binding == Binding::Slot)
        fn(slotCallers, r.target, u);
      else if (r.binding == Binding::Unit && !model.units[r.target].named)
        fn(bound, r.target, u);
    }
  }
  for (uint32_t s = 0; s != model.slots.size(); ++s)
    if (model.slots[s].unit != noUnit && model.slots[s].kind != SlotKind::Got)
      fn(unitSlots, model.slots[s].unit, s);
}

void CallerSet::index() {
  eachEdge([](Lists &l, uint32_t list, uint32_t) { l.count(list); });
  for (Lists *l : {&slotCallers, &unitSlots, &bound})
    l->allot();
  eachEdge([](Lists &l, uint32_t list, uint32_t m) { l.add(list, m); });
}

bool CallerSet::add(uint32_t u) {
  if (isMember[u])
    return true;
  const Unit &unit = model.units[u];
  bytes += unit.bytes;
  if (unit.kind != UnitKind::Text || bytes > mostBytes)
    return false;
  isMember[u] = true;
  members.push_back(u);
  pending.push_back(u);
  return true;
}

bool CallerSet::addCallersOf(uint32_t slot) {
  return llvm::all_of(slotCallers[slot], [&](uint32_t u) { return add(u); });
}

uint64_t CallerSet::run() {
  if (!mayBeSmall())
    return 0;
  index();
  for (uint32_t s = 0; s != model.slots.size(); ++s)
    if (varies(model.slots[s]) && !addCallersOf(s))
      return 0;
  while (!pending.empty()) {
    uint32_t u = pending.back();
    pending.pop_back();
    for (uint32_t s : unitSlots[u])
      if (!addCallersOf(s))
        return 0;
    for (uint32_t by : bound[u])
      if (!add(by))
        return 0;
  }
  for (uint32_t u : members) {
    model.units[u].isPrivate = true;
    model.units[u].reason = "calls into the image; smaller than a door page";
  }
  return bytes;
}

uint64_t keepImageCallersPrivate(Model &model) {
  return CallerSet(model).run();
}

} // namespace spacer
