//===- TagsTest.cpp - what object files say about their libraries ---------===//

#include "Tags.h"
#include "TagFormat.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace llvm;
using namespace spacer;

namespace {

/// One chunk, put together by hand.
struct Chunk {
  std::string library;
  uint16_t flags = 0;
  std::vector<std::pair<std::string, std::string>> entries; ///< name, library

  std::string bytes() const {
    TagChunk head{};
    memcpy(head.magic, tagMagic, 4);
    head.version = tagVersion;
    head.flags = flags;
    head.entries = entries.size();
    uint32_t base = sizeof head + entries.size() * sizeof(TagEntry);
    std::string text;
    auto add = [&](const std::string &s) -> uint32_t {
      if (s.empty())
        return 0;
      uint32_t at = base + text.size();
      text += s + '\0';
      return at;
    };
    head.library = add(library);
    std::string table;
    for (auto &[name, lib] : entries) {
      TagEntry e{0, add(name), add(lib)};
      table.append(reinterpret_cast<const char *>(&e), sizeof e);
    }
    while ((base + text.size()) % 8)
      text += '\0';
    head.bytes = base + text.size();
    return std::string(reinterpret_cast<const char *>(&head), sizeof head) +
           table + text;
  }
};

Expected<FileTags> read(const std::string &bytes) {
  return readTags(arrayRefFromStringRef(bytes), "file.o");
}

std::string errorOf(const std::string &bytes) {
  Expected<FileTags> tags = read(bytes);
  return tags ? "no error" : toString(tags.takeError());
}

TEST(TagsTest, EmptySectionSaysNothing) {
  FileTags tags = cantFail(read(""));
  EXPECT_EQ(tags.library, "");
  EXPECT_TRUE(tags.entries.empty());
}

TEST(TagsTest, LibraryHasNoVersion) {
  std::string bytes = Chunk{"musl@1.2.3", 0, {{"a.c:f", ""}}}.bytes();
  FileTags tags = cantFail(read(bytes));
  EXPECT_EQ(tags.library, "musl");
  EXPECT_FALSE(tags.isMixed);
  ASSERT_EQ(tags.entries.size(), 1u);
  EXPECT_EQ(tags.entries[0].name, "a.c:f");
  EXPECT_EQ(tags.entries[0].library, "");
  EXPECT_EQ(tags.entries[0].offset, sizeof(TagChunk));
}

TEST(TagsTest, ChunksOfOneLibraryAreOneFile) {
  std::string first = Chunk{"one@1", 0, {{"a.c:f", ""}}}.bytes();
  std::string bytes = first + Chunk{"one@2", 0, {{"b.c:f", ""}}}.bytes();
  FileTags tags = cantFail(read(bytes));
  EXPECT_EQ(tags.library, "one");
  EXPECT_EQ(tags.otherLibrary, "");
  ASSERT_EQ(tags.entries.size(), 2u);
  EXPECT_EQ(tags.entries[1].offset, first.size() + sizeof(TagChunk));
}

TEST(TagsTest, SecondLibraryIsSaid) {
  std::string bytes = Chunk{"one", 0, {}}.bytes() + Chunk{"two", 0, {}}.bytes();
  FileTags tags = cantFail(read(bytes));
  EXPECT_EQ(tags.library, "one");
  EXPECT_EQ(tags.otherLibrary, "two");
}

TEST(TagsTest, LinkTimeOutputNamesALibraryForEach) {
  std::string bytes =
      Chunk{"", tagMixed | tagEstimated, {{"", "one@3"}, {"b.c:f", "two"}}}
          .bytes();
  FileTags tags = cantFail(read(bytes));
  EXPECT_TRUE(tags.isMixed);
  EXPECT_TRUE(tags.isEstimated);
  EXPECT_EQ(tags.library, "");
  EXPECT_EQ(tags.entries[0].library, "one");
  EXPECT_EQ(tags.entries[1].library, "two");
}

// Every prefix of a section, and every byte of it changed, is an error or a
// result, never a read beyond the end (the sanitizers watch).
TEST(TagsTest, DamageIsNamedOrHarmless) {
  std::string bytes = Chunk{"one@1", 0, {{"a.c:f", "two"}}}.bytes();
  for (size_t n = 1; n != bytes.size(); ++n) {
    std::string cut(bytes.data(), n);
    EXPECT_NE(errorOf(cut).find("file.o: .spacer.tags at offset 0x0"),
              std::string::npos)
        << n;
  }
  for (size_t i = 0; i != bytes.size(); ++i)
    for (unsigned value : {0x00, 0x01, 0x7f, 0xff}) {
      std::string changed = bytes;
      changed[i] = char(value);
      consumeError(read(changed).takeError());
    }
}

} // namespace
