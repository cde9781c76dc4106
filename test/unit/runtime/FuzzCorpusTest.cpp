//===- FuzzCorpusTest.cpp - what fuzzers start from and have found --------===//

#include "Fuzz.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <vector>

using namespace spacer::test;

namespace {

// An entry ends the program where a promise does not hold.
TEST(FuzzCorpusTest, everyTargetTakesItsCorpus) {
  EXPECT_GE(fuzzTargets().size(), 4u);
  for (auto &[name, entry] : fuzzTargets()) {
    size_t files = 0;
    for (auto &file : std::filesystem::directory_iterator(
             std::filesystem::path(SPACER_FUZZ_CORPUS) / name)) {
      SCOPED_TRACE(file.path().string());
      std::ifstream in(file.path(), std::ios::binary);
      std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
      auto *data = reinterpret_cast<const uint8_t *>(bytes.data());
      EXPECT_EQ(entry(data, bytes.size()), 0);
      entry(data, bytes.size() / 2); // and cut short
      ++files;
    }
    EXPECT_GT(files, 0u) << name;
  }
}

} // namespace
