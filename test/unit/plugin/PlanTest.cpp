//===- PlanTest.cpp - one placement for several images --------------------===//

#include "Plan.h"
#include "Placement.h"
#include "PlanPages.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <filesystem>

using namespace llvm;
using namespace spacer;

namespace {

Hash128 id(StringRef s) { return hashBytes(s); }

PlanUnit function(StringRef name, uint64_t bytes, uint64_t align = 16) {
  PlanUnit u;
  u.library = "one";
  u.name = name.str();
  u.identity = id(name);
  u.bytes = bytes;
  u.align = align;
  u.plainFunction = true;
  return u;
}

PlanUnit object(StringRef name, StringRef content, uint64_t bytes,
                UnitKind kind = UnitKind::Rodata, uint64_t align = 8) {
  PlanUnit u;
  u.library = "one";
  u.name = name.str();
  u.key = id(name);
  u.identity = id((name + "=" + content).str());
  u.kind = kind;
  u.bytes = bytes;
  u.align = align;
  u.named = true;
  return u;
}

PlanSlot door(StringRef name, const Hash128 &target, bool hot = false) {
  PlanSlot s;
  s.library = "one";
  s.name = name.str();
  s.key = id(("slot " + name).str());
  s.target = target;
  s.hot = hot;
  s.mayBeEntry = true;
  return s;
}

PlanImage image(StringRef name, std::vector<PlanUnit> units,
                std::vector<PlanSlot> slots = {}) {
  PlanImage i;
  i.name = name.str();
  i.units = std::move(units);
  i.slots = std::move(slots);
  return i;
}

const PlannedUnit *find(const Plan &p, StringRef name) {
  for (auto *list : {&p.units, &p.tls})
    for (const PlannedUnit &u : *list)
      if (u.unit->name == name)
        return &u;
  return nullptr;
}

std::vector<std::string> namesOf(const Plan &p) {
  std::vector<std::string> names;
  for (const PlannedUnit &u : p.units)
    names.push_back(u.unit->name);
  return names;
}

SlotKind kindOf(const Plan &p, StringRef name) {
  for (const PlannedSlot &s : p.slots)
    if (s.slot->name == name)
      return s.kind;
  ADD_FAILURE() << name.str();
  return SlotKind::Got;
}

TEST(PlanTest, WhatAllUseComesFirstAndSetsLieTogether) {
  PlanImage a = image("a", {function("mine", 100), function("all2", 100),
                            function("all1", 100)});
  PlanImage b = image("b", {function("all1", 100), function("all2", 100),
                            function("theirs", 100)});
  std::vector<PlanImage> images = {a, b};
  Plan p = cantFail(makePlan(images));
  std::vector<std::string> names = namesOf(p);
  ASSERT_EQ(names.size(), 4u);
  EXPECT_EQ(names[0], "all1");
  EXPECT_EQ(names[1], "all2");
  EXPECT_EQ(p.bytes[unsigned(Region::Text)], pageBytes);
  EXPECT_EQ(p.groups.size(), 3u);
  EXPECT_EQ(p.groups[0].images, (std::vector<uint32_t>{0, 1}));
}

TEST(PlanTest, NeitherOrderNorNamesOfImagesDecide) {
  std::vector<PlanImage> images;
  for (unsigned i = 0; i != 4; ++i) {
    PlanImage image;
    image.name = std::to_string(i);
    for (unsigned f = 0; f != 40; ++f)
      if ((f * 7 + i * 3) % 5 < 3)
        image.units.push_back(function("f" + std::to_string(f), 30 + f * 13));
    images.push_back(std::move(image));
  }
  Plan first = cantFail(makePlan(images));
  std::vector<PlanImage> other = {images[2], images[0], images[3], images[1]};
  for (PlanImage &i : other) {
    i.name = "x" + i.name;
    std::reverse(i.units.begin(), i.units.end());
  }
  Plan second = cantFail(makePlan(other));
  ASSERT_EQ(first.units.size(), second.units.size());
  for (size_t i = 0; i != first.units.size(); ++i) {
    EXPECT_EQ(first.units[i].unit->name, second.units[i].unit->name);
    EXPECT_EQ(first.units[i].offset, second.units[i].offset);
  }
}

TEST(PlanTest, PlainFunctionsThatAreNotHotStandCloser) {
  PlanUnit fancy = function("c", 5), wide = function("d", 5, 32);
  fancy.plainFunction = false;
  PlanUnit taken = function("t", 5);
  taken.taken = true;
  std::vector<PlanImage> images = {
      image("a",
            {function("a", 5), function("b", 5), fancy, wide, function("e", 5),
             taken, function("warm", 5)},
            {door("e", id("e"), /*hot=*/true),
             door("warm", id("warm"), /*hot=*/true)})};
  images[0].slots[0].measuredHot = true;
  Plan p = cantFail(makePlan(images));
  for (const PlannedUnit &u : p.units) {
    bool loose = u.unit->name == "a" || u.unit->name == "b";
    bool seen = u.unit->name == "t" || u.unit->name == "warm";
    uint64_t align = loose ? 2 : seen ? 8 : u.unit->align;
    EXPECT_EQ(u.offset % align, 0u) << u.unit->name;
    EXPECT_LE(u.align, align) << u.unit->name;
    EXPECT_EQ(u.offset % u.align, 0u) << u.unit->name;
  }
  EXPECT_GE(p.loosened, 1u);
  p = cantFail(makePlan(images, {16}));
  for (const PlannedUnit &u : p.units)
    EXPECT_EQ(u.offset % u.unit->align, 0u) << u.unit->name;
  EXPECT_EQ(p.loosened, 0u);
}

TEST(PlanTest, WhatHasATurnLiesFirst) {
  std::vector<PlanImage> images = {
      image("a",
            {function("late", 100), function("second", 100),
             function("one.c:first", 100), function("alone", 100),
             function("wide", 100, 4096), object("table", "t", 8)},
            {door("late", id("late")), door("second", id("second")),
             door("alone", id("alone"))}),
      image("b", {function("late", 100), function("second", 100),
                  function("one.c:first", 100), object("table", "t", 8),
                  object("early", "e", 4, UnitKind::Rodata, 4)})};
  PlanOptions options;
  options.functionAlign = 16;
  options.turns = {{"alone", 0}, {"first", 1}, {"second", 2}, {"early", 3}};
  Plan p = cantFail(makePlan(images, options));
  // What all use is first among those, too; without a name there is no turn.
  auto at = [&](const char *name) { return find(p, name)->offset; };
  EXPECT_EQ(at("one.c:first"), 0u);
  EXPECT_EQ(at("second"), 112u);
  EXPECT_EQ(at("alone"), 224u);
  EXPECT_EQ(at("wide"), 4096u);
  EXPECT_EQ(at("late"), 4208u); // not into a page that b does not need
  EXPECT_EQ(at("early"), 0u);
  EXPECT_EQ(at("table"), 8u);
  EXPECT_EQ(p.inTurn, 4u);
  EXPECT_EQ(p.inTurnBytes, 304u);
  std::vector<std::string> doors;
  for (const PlannedSlot &s : p.slots)
    doors.push_back(s.slot->name);
  EXPECT_EQ(doors, (std::vector<std::string>{"alone", "second", "late"}));
}

TEST(PlanTest, SmallUnitsFillWhatLargeAlignmentsLeave) {
  std::vector<PlanImage> images = {
      image("a", {function("page1", 1000, 4096), function("page2", 1000, 4096),
                  function("big", 3000), function("small", 90)})};
  Plan p = cantFail(makePlan(images));
  EXPECT_EQ(p.bytes[unsigned(Region::Text)], 2 * pageBytes);
  EXPECT_GE(find(p, "big")->offset, 1000u);
  EXPECT_LT(find(p, "big")->offset, pageBytes);
  uint64_t end = 0;
  for (const PlannedUnit &u : p.units) {
    EXPECT_GE(u.offset, end);
    end = u.offset + u.capacity;
  }
}

TEST(PlanTest, ObjectsWhoseContentVariesStandBehindTheOthers) {
  std::vector<PlanImage> images = {
      image("a", {object("config", "1", 8), object("table", "t", 8000),
                  object("late", "l", 8)}),
      image("b", {object("config", "2", 8), object("table", "t", 8000)})};
  Plan p = cantFail(makePlan(images));
  EXPECT_EQ(namesOf(p).back(), "config");
  EXPECT_TRUE(find(p, "config")->varies);
  EXPECT_FALSE(find(p, "table")->varies);
  EXPECT_EQ(p.varying, 1u);
  // Two pages, the second with two contents; first come as many, for there are
  // no others to spoil. A page more where the object stands before the table.
  EXPECT_EQ(p.rodata.planned, 3u);
}

TEST(PlanTest, PlacesAreAsLargeAsTheLargestObject) {
  std::vector<PlanImage> images = {
      image("a", {object("buffer", "", 100, UnitKind::Bss)}),
      image("b", {object("buffer", "", 1000, UnitKind::Bss, 32)})};
  Plan p = cantFail(makePlan(images));
  ASSERT_EQ(p.units.size(), 1u);
  EXPECT_EQ(p.units[0].capacity, 1500u);
  EXPECT_EQ(p.units[0].align, 32u);
  EXPECT_EQ(p.grown, 1u);
}

TEST(PlanTest, ThreadLocalObjectsThatAllHaveStandNearestToThePointer) {
  std::vector<PlanImage> images = {
      image("a", {object("mine", "", 4, UnitKind::Tls, 4),
                  object("errno", "", 4, UnitKind::Tls, 4)}),
      image("b", {object("errno", "", 4, UnitKind::Tls, 4)})};
  Plan p = cantFail(makePlan(images));
  EXPECT_EQ(find(p, "errno")->offset, 4u);
  EXPECT_EQ(find(p, "mine")->offset, 8u);
  EXPECT_EQ(p.bytes[unsigned(Region::Data)], 0u);
}

TEST(PlanTest, HotFunctionsAreEntriesUnlessTheyDiffer) {
  std::vector<PlanImage> images = {
      image("a", {function("f", 50), function("g1", 50)},
            {door("f", id("f"), true), door("g", id("g1"), true),
             door("main", Hash128())}),
      image("b", {function("f", 50), function("g2", 50)},
            {door("f", id("f")), door("g", id("g2"), true)})};
  Plan p = cantFail(makePlan(images));
  EXPECT_EQ(kindOf(p, "f"), SlotKind::Entry);
  EXPECT_EQ(kindOf(p, "g"), SlotKind::Door);
  EXPECT_EQ(p.unsettled, 1u);
  // The image's own doors have pages of their own, the last ones.
  ASSERT_EQ(p.doors.size(), 2u);
  EXPECT_EQ(p.doors[0].owner, "");
  EXPECT_EQ(p.doors[1].owner, imageDoors);

  // Once the lists say so, the entry is the function's place.
  for (PlanImage &i : images)
    i.slots[0].kind = SlotKind::Entry;
  p = cantFail(makePlan(images));
  EXPECT_EQ(p.unsettled, 0u);
  EXPECT_EQ(p.slots[0].kind, SlotKind::Entry);
  EXPECT_EQ(p.slots[0].offset, find(p, "f")->offset);
}

TEST(PlanTest, FirstComeLeavesAPageForEachLink) {
  std::vector<PlanImage> images = {image("a", {function("f", 2000)}),
                                   image("b", {function("g", 2000)})};
  Plan p = cantFail(makePlan(images));
  EXPECT_EQ(p.text.firstCome, 2u);
  EXPECT_EQ(p.text.planned, 1u);
  EXPECT_EQ(p.text.ideal, 1u);
}

TEST(PlanTest, ImagesOfTwoWindowsAreAnError) {
  std::vector<PlanImage> images = {image("a", {}), image("b", {})};
  images[0].window = Window{0x1000000, 0x7000000};
  images[1].window = Window{0x2000000, 0x7000000};
  Expected<Plan> p = makePlan(images);
  ASSERT_FALSE(bool(p));
  EXPECT_EQ(toString(p.takeError()), "b: another window than a; give all links "
                                     "the same --spacer-window, or the plan "
                                     "--window");
}

TEST(UnitListTest, WhatIsWrittenIsRead) {
  PlanImage a =
      image("a \"quoted\"", {function("f", 10), object("o\xff", "1", 8)},
            {door("f", id("f"), true), door("main", Hash128())});
  a.window = Window{0x1000000, 0x7000000};
  a.units[1].unstable = a.units[0].isPrivate = true;
  a.units[1].address = uint64_t(-16); // thread-local ones are negative
  std::string text;
  raw_string_ostream os(text);
  writeUnitList(a, os);
  std::vector<PlanImage> read = cantFail(readUnitList(text, "list"));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].name, a.name);
  EXPECT_EQ(read[0].window->bytes, a.window->bytes);
  ASSERT_EQ(read[0].units.size(), 2u);
  EXPECT_TRUE(read[0].units[0].isPrivate);
  EXPECT_TRUE(read[0].units[0].plainFunction);
  EXPECT_EQ(read[0].units[1].key, a.units[1].key);
  EXPECT_EQ(read[0].units[1].identity, a.units[1].identity);
  EXPECT_TRUE(read[0].units[1].named && read[0].units[1].unstable);
  EXPECT_EQ(read[0].units[1].address, a.units[1].address);
  ASSERT_EQ(read[0].slots.size(), 2u);
  EXPECT_TRUE(read[0].slots[0].hot && read[0].slots[0].mayBeEntry);
  EXPECT_TRUE(read[0].slots[1].target.isZero());
}

/// Links against a plan's rows, in a folder.
class PlanPagesTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/plan-test-XXXXXX";
    dir = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  std::unique_ptr<Atlas> open(std::string name) {
    return cantFail(Atlas::open(dir + "/" + name, AtlasMode::Grow));
  }
  /// A link of \p image that writes \p fill into each of its units.
  PlannedLink link(const Plan &plan, PlanImage image, uint8_t fill) {
    PlannedLink l;
    l.atlas = open(image.name);
    cantFail(writePlan(plan, *l.atlas));
    std::map<uint64_t, std::vector<uint8_t>> pages;
    for (PlanUnit &u : image.units) {
      if (u.named)
        u.address = l.atlas->findPlaces(u.key).front().address;
      else if (const UnitRow *row = l.atlas->findUnit(u.identity))
        u.address = row->address;
      else
        continue;
      for (uint64_t i = 0; i != u.bytes; ++i) {
        auto &page = pages[alignDown(u.address + i, pageBytes)];
        page.resize(pageBytes, 0xee);
        page[(u.address + i) % pageBytes] = u.named ? fill : 1;
      }
    }
    for (auto &[address, bytes] : pages)
      l.atlas->addPageVariant(address, bytes);
    l.image = std::move(image);
    return l;
  }
  std::string dir;
};

TEST_F(PlanPagesTest, UnitsOfSeveralLinksMakeOnePage) {
  std::vector<PlanImage> images = {
      image("a", {function("f", 64), function("g", 64)}),
      image("b", {function("g", 64), function("h", 64)})};
  Plan plan = cantFail(makePlan(images));
  std::vector<PlannedLink> links;
  for (PlanImage &i : images)
    links.push_back(link(plan, i, 1));
  auto atlas = open("plan");
  cantFail(writePlan(plan, *atlas, findUnused(plan, *links[0].atlas, links)));
  EXPECT_EQ(countUnplanned(*atlas, links), 0u);
  PlanPagesResult r = cantFail(addPlannedPages(*atlas, links));
  EXPECT_EQ(r.pages, 1u);
  EXPECT_EQ(r.contents, 1u);
  uint64_t base = atlas->extents(Region::Text).front().base;
  std::vector<uint8_t> page =
      cantFail(atlas->pageVariants(base)).front().content;
  EXPECT_EQ(std::count(page.begin(), page.end(), 1), 192);
  EXPECT_EQ(std::count(page.begin(), page.end(), 0xcc), int(pageBytes) - 192);
  cantFail(atlas->commit());
  EXPECT_TRUE(cantFail(atlas->check()).empty());
}

TEST_F(PlanPagesTest, APageHasAContentForEachValueOfItsObjects) {
  std::vector<PlanImage> images = {
      image("a", {object("o", "1", 8), object("mine", "x", 8)}),
      image("b", {object("o", "2", 8)}), image("c", {object("o", "1", 8)})};
  Plan plan = cantFail(makePlan(images));
  std::vector<PlannedLink> links;
  links.push_back(link(plan, images[0], 1));
  links.push_back(link(plan, images[1], 2));
  links.push_back(link(plan, images[2], 1));
  auto atlas = open("plan");
  cantFail(writePlan(plan, *atlas));
  PlanPagesResult r = cantFail(addPlannedPages(*atlas, links));
  EXPECT_EQ(r.pages, 1u);
  EXPECT_EQ(r.contents, 2u);
  EXPECT_EQ(plan.rodata.planned, 2u);
}

TEST_F(PlanPagesTest, TextThatDiffersIsAnError) {
  std::vector<PlanImage> images = {image("a", {function("f", 64)}),
                                   image("b", {function("f", 64)})};
  Plan plan = cantFail(makePlan(images));
  std::vector<PlannedLink> links;
  links.push_back(link(plan, images[0], 1));
  PlanImage changed = images[1];
  links.push_back(link(plan, changed, 1));
  uint64_t page = alignDown(links[1].image.units[0].address, pageBytes);
  auto other = open("other");
  cantFail(writePlan(plan, *other));
  other->addPageVariant(page, std::vector<uint8_t>(pageBytes, 7));
  links[1].atlas = std::move(other);
  auto atlas = open("plan");
  cantFail(writePlan(plan, *atlas));
  Expected<PlanPagesResult> r = addPlannedPages(*atlas, links);
  ASSERT_FALSE(bool(r));
  EXPECT_NE(toString(r.takeError()).find("differs from that of another image"),
            std::string::npos);
}

TEST_F(PlanPagesTest, WhatNoLinkHasStaysOut) {
  std::vector<PlanImage> images = {
      image("a", {function("f", 64), function("gone", 64)})};
  Plan plan = cantFail(makePlan(images));
  PlanImage without = images[0];
  without.units.pop_back();
  without.units.push_back(function("new", 64));
  std::vector<PlannedLink> links;
  links.push_back(link(plan, without, 1));
  DenseSet<Hash128> unused = findUnused(plan, *links[0].atlas, links);
  EXPECT_EQ(unused.size(), 1u);
  EXPECT_TRUE(unused.contains(id("gone")));
  EXPECT_EQ(countUnplanned(*links[0].atlas, links), 1u);
}

} // namespace
