//===- DeltaTest.cpp - base + delta is the next version -------------------===//

#include "Delta.h"
#include "DeltaInputs.h"
#include "DeltaObject.h"
#include "DeltaUnits.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>

using namespace llvm;
using namespace llvm::ELF;

using namespace spacer;
namespace fs = std::filesystem;

namespace {

/// A function in a section of its own, perhaps with a call.
struct Function {
  std::string name, body, callee;
};

/// The object that DeltaObject would show for a library of these functions: a
/// small ELF file of the right kind.
std::string objectOf(const std::vector<Function> &functions) {
  Library l;
  l.members.push_back("");
  LibraryChanges all;
  std::vector<std::string> sections;
  for (const Function &f : functions)
    sections.push_back(".text." + f.name);
  auto symbol = [&](StringRef name, uint32_t unit) {
    LibrarySymbol s;
    s.name = name;
    s.unit = unit;
    s.info = STB_GLOBAL << 4 | (unit == LibrarySymbol::noUnit ? 0 : STT_FUNC);
    l.symbols.push_back(s);
    return l.symbols.size() - 1;
  };
  for (size_t i = 0; i != functions.size(); ++i) {
    const Function &f = functions[i];
    LibraryUnit u;
    u.section = sections[i];
    u.type = SHT_PROGBITS;
    u.flags = SHF_ALLOC | SHF_EXECINSTR;
    u.bytes = f.body.size();
    u.content = arrayRefFromStringRef(f.body);
    u.symbols.push_back(symbol(f.name, i));
    if (!f.callee.empty())
      u.relocs.push_back({1, R_X86_64_PLT32,
                          uint32_t(symbol(f.callee, LibrarySymbol::noUnit)),
                          -4});
    l.units.push_back(u);
    all.added.push_back(i);
  }
  std::string file = DeltaObject(l, all).finish("");
  file[file.find(deltaSectionName)] = '_'; // no delta
  return file;
}

MemoryBufferRef ref(StringRef bytes, StringRef name) { return {bytes, name}; }

const std::vector<Function> functions = {
    {"one", std::string(40, '\x90'), ""},
    {"two", std::string(300, '\x91'), "one"},
    {"three", "\xe8....\xc3", "one"}};

std::vector<Function> changed(unsigned version) {
  std::vector<Function> f = functions;
  f[0].body += std::string(version, char(version));
  return f;
}

class DeltaTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/delta-test-XXXXXX";
    dir = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(dir); }
  std::string write(StringRef name, StringRef bytes) {
    std::string path = dir + "/" + name.str();
    cantFail(writeFile(path, bytes));
    return path;
  }
  static std::string delta(StringRef base, StringRef next) {
    return cantFail(makeDelta(ref(base, "lib.o"), ref(next, "lib.o"), "lib"))
        ->getBuffer()
        .str();
  }
  /// What an input becomes beside these deltas, or the error.
  std::string link(StringRef input, const std::vector<std::string> &deltas) {
    SmallVector<const char *> args;
    for (const std::string &d : deltas)
      args.push_back(d.c_str());
    DeltaInputs inputs;
    if (Error e = inputs.scan(args))
      return toString(std::move(e));
    EXPECT_TRUE(args.empty());
    auto used = inputs.replace(ref(input, "old/lib.o"));
    if (!used)
      return toString(used.takeError());
    if (Error e = inputs.finish())
      return toString(std::move(e));
    EXPECT_EQ(used->getBufferIdentifier(), "old/lib.o");
    return used->getBuffer().str();
  }

  std::string dir;
};

TEST_F(DeltaTest, GivesTheNextVersionByteForByte) {
  std::string v0 = objectOf(functions), v1 = objectOf(changed(1));
  std::string file = delta(v0, v1);
  ASSERT_TRUE(isDelta(file));
  EXPECT_FALSE(isDelta(v1));
  Delta d = cantFail(readDelta(ref(file, "d.o")));
  EXPECT_EQ(d.library, "lib");
  ASSERT_EQ(d.states.size(), 1u);
  EXPECT_EQ(d.states[0], uint8_t(DeltaUnitState::Changed));
  EXPECT_EQ(d.sameUnits, 2u);
  auto made = cantFail(applyDelta(ref(v0, "lib.o"), d));
  EXPECT_EQ(made->getBuffer(), v1);
}

TEST_F(DeltaTest, ShowsChangedUnitsAsAnObject) {
  std::vector<Function> next = functions;
  next[1].body += "more";
  next.push_back({"four", "\xc3", ""});
  next.erase(next.begin() + 2);
  std::string file = delta(objectOf(functions), objectOf(next));
  Library own = cantFail(Library::read(ref(file, "d.o")));
  ASSERT_EQ(own.units.size(), 2u);
  EXPECT_EQ(own.units[0].section, ".text.two");
  EXPECT_EQ(own.units[0].content.size(), next[1].body.size());
  ASSERT_EQ(own.units[0].relocs.size(), 1u);
  const LibrarySymbol &target = own.symbols[own.units[0].relocs[0].symbol];
  EXPECT_EQ(target.name, "one");
  EXPECT_FALSE(target.isDefined());
  EXPECT_EQ(own.units[1].section, ".text.four");
  Delta d = cantFail(readDelta(ref(file, "d.o")));
  ASSERT_EQ(d.tombstones.size(), 1u);
  EXPECT_EQ(d.tombstones[0], "three");
  EXPECT_EQ(d.removedUnits, 1u);
}

TEST_F(DeltaTest, RelocationAloneIsAChange) {
  std::vector<Function> next = functions;
  next[2].callee = "two";
  std::string v0 = objectOf(functions), v1 = objectOf(next);
  LibraryChanges c =
      compareLibraries(cantFail(Library::read(ref(v0, "a"))),
                       cantFail(Library::read(ref(v1, "b"))), "lib.o");
  EXPECT_EQ(c.changed, std::vector<uint32_t>{2});
  EXPECT_TRUE(c.tombstones.empty());
}

TEST_F(DeltaTest, EqualLibrariesHaveAnEmptyDelta) {
  std::string v0 = objectOf(functions), file = delta(v0, v0);
  Delta d = cantFail(readDelta(ref(file, "d.o")));
  EXPECT_TRUE(d.states.empty());
  EXPECT_TRUE(d.tombstones.empty());
  EXPECT_EQ(link(v0, {write("d.o", file)}), v0);
}

TEST_F(DeltaTest, ChainsWorkInAnyOrder) {
  std::string v0 = objectOf(functions), v1 = objectOf(changed(1)),
              v2 = objectOf(changed(2));
  std::string d1 = write("d1.o", delta(v0, v1)),
              d2 = write("d2.o", delta(v1, v2)),
              back = write("back.o", delta(v2, v0));
  EXPECT_EQ(link(v0, {d1, d2}), v2);
  EXPECT_EQ(link(v0, {d2, d1}), v2);
  EXPECT_EQ(link(v0, {d1, d1}), v1);
  EXPECT_EQ(link(v0, {back, d2, d1}), v0) << "each delta once";
}

TEST_F(DeltaTest, TwoDeltasOfOneBaseAreAnError) {
  std::string v0 = objectOf(functions);
  std::string d1 = write("d1.o", delta(v0, objectOf(changed(1)))),
              d2 = write("d2.o", delta(v0, objectOf(changed(2))));
  EXPECT_NE(link(v0, {d1, d2}).find("two deltas of lib against the same base"),
            std::string::npos);
}

TEST_F(DeltaTest, AnotherBaseIsNamedWithItsDigest) {
  std::string v0 = objectOf(functions), v1 = objectOf(changed(1)),
              other = objectOf(changed(7));
  std::string d = write("d.o", delta(v0, v1));
  std::string text = link(other, {d});
  EXPECT_NE(text.find("delta of lib against base " + hashBytes(v0).hex()),
            std::string::npos);
  EXPECT_NE(text.find("old/lib.o is " + hashBytes(other).hex()),
            std::string::npos);
  EXPECT_NE(link(v1, {d}).find("is already what it makes"), std::string::npos);
}

// No byte of a delta may be lost or changed unnoticed.
TEST_F(DeltaTest, DamageIsFound) {
  std::string v0 = objectOf(functions);
  std::string file = delta(v0, objectOf(changed(3)));
  auto accepts = [&](StringRef bytes) {
    auto d = readDelta(ref(bytes, "d.o"));
    if (!d) {
      consumeError(d.takeError());
      return false;
    }
    return true;
  };
  ASSERT_TRUE(accepts(file));
  for (size_t n = 0; n != file.size(); ++n)
    EXPECT_FALSE(accepts(StringRef(file).take_front(n))) << n << " bytes";
  for (size_t i = 0; i != file.size(); ++i) {
    std::string bad = file;
    bad[i] ^= 1 << i % 8;
    EXPECT_FALSE(accepts(bad)) << "byte " << i;
  }
}

// A right checksum proves nothing: whoever can write the file can compute it.
TEST_F(DeltaTest, LyingHeadersAreRefused) {
  std::string v0 = objectOf(functions);
  std::string good = delta(v0, objectOf(changed(3)));
  size_t at = good.find("SPCRDLTA");
  ASSERT_NE(at, std::string::npos);
  for (size_t field = 8; field != sizeof(DeltaHeader); ++field)
    for (uint8_t value : {0x01, 0x7f, 0x80, 0xff}) {
      std::string bad = good;
      bad[at + field] ^= value;
      size_t sum = at + offsetof(DeltaHeader, checksum);
      Hash128 h = HashBuilder()
                      .hash(hashBytes(StringRef(bad).take_front(sum)))
                      .hash(hashBytes(StringRef(bad).drop_front(sum + 16)))
                      .finish();
      memcpy(bad.data() + sum, h.bytes.data(), 16);
      auto d = readDelta(ref(bad, "d.o"));
      if (!d) {
        consumeError(d.takeError());
        continue;
      }
      auto made = applyDelta(ref(v0, "lib.o"), *d);
      if (made)
        EXPECT_EQ((*made)->getBuffer(), objectOf(changed(3)));
      else
        consumeError(made.takeError());
    }
}

TEST_F(DeltaTest, WhatIsNoLibraryIsRefused) {
  auto d = makeDelta(ref("text", "a.txt"), ref("text", "a.txt"), "a");
  ASSERT_FALSE(d);
  EXPECT_EQ(toString(d.takeError()),
            "a.txt: neither an object file nor an archive of them");
}

TEST_F(DeltaTest, WritesTheDeltaOfTheInputThatReplacedTheBase) {
  std::string v0 = objectOf(functions), v1 = objectOf(changed(1));
  std::string other = objectOf(changed(5));
  std::string base = write("lib.o", v0);
  DeltaInputs inputs;
  cantFail(inputs.replace(ref(v1, "new/lib.o")).takeError());
  cantFail(inputs.replace(ref(other, "app.o")).takeError());
  cantFail(inputs.write(base, dir + "/d.o", {}));
  EXPECT_EQ(link(v0, {dir + "/d.o"}), v1);
  std::string stray = write("stray.o", v0);
  EXPECT_EQ(toString(inputs.write(stray, dir + "/e.o", {})),
            "--spacer-delta-base=" + stray +
                ": no input is named stray.o or is library stray");
}

TEST_F(DeltaTest, TheValueOfAnOptionIsNoInput) {
  std::string v0 = objectOf(functions);
  std::string d = write("d.o", delta(v0, v0));
  SmallVector<const char *> args = {"-o", d.c_str(), "-pie", nullptr};
  DeltaInputs inputs;
  cantFail(inputs.scan(args));
  EXPECT_EQ(args.size(), 4u);
}

} // namespace
