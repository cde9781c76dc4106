//===- FuzzMain.cpp - libFuzzer's entry: the one target linked in ---------===//

#include "Fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const auto entry = spacer::test::fuzzTargets().begin()->second;
  return entry(data, size);
}
