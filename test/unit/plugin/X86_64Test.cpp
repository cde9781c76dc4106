//===- X86_64Test.cpp - what encodings mean -------------------------------===//

#include "Arch/X86_64.h"
#include "gtest/gtest.h"
#include <vector>

using namespace llvm;
using namespace spacer;

namespace {

using Bytes = std::vector<uint8_t>;

/// An instruction whose displacement leads to the last byte of \p bytes in all.
Bytes codeOf(Bytes opcode, uint8_t modRm, size_t bytes) {
  Bytes code = std::move(opcode);
  code.push_back(modRm);
  size_t end = code.size() + 4;
  for (uint8_t b :
       {uint8_t(bytes - 1 - end), uint8_t(0), uint8_t(0), uint8_t(0)})
    code.push_back(b);
  code.resize(bytes, 0x90);
  return code;
}

bool holdsData(ArrayRef<uint8_t> code, uint64_t relocated = UINT64_MAX) {
  return x86_64::mayHoldAlignedData(
      code, [=](uint64_t offset) { return offset == relocated; });
}

TEST(X86_64Test, AlignedOperandsInTheCodeItselfAreFound) {
  const std::pair<const char *, Bytes> opcodes[] = {
      {"lea", {0x48, 0x8d}},
      {"movaps", {0x0f, 0x28}},
      {"movdqa", {0x66, 0x44, 0x0f, 0x6f}},
      {"pshufb", {0x66, 0x0f, 0x38, 0x00}},
      {"aeskeygenassist", {0x66, 0x0f, 0x3a, 0xdf}},
      {"cmpxchg16b", {0x48, 0x0f, 0xc7}},
      {"vmovaps, two-byte VEX", {0xc5, 0xf8, 0x28}},
      {"vmovaps, three-byte VEX", {0xc4, 0xc1, 0x78, 0x28}},
      {"vmovdqa64, EVEX", {0x62, 0xf1, 0xfd, 0x48, 0x6f}}};
  for (const auto &[name, opcode] : opcodes) {
    for (uint8_t modRm : {0x05, 0x0d, 0x3d})
      EXPECT_TRUE(holdsData(codeOf(opcode, modRm, 48))) << name;
    Bytes code = codeOf(opcode, 0x05, 48);
    EXPECT_FALSE(holdsData(code, opcode.size() + 1)) << name;
    EXPECT_FALSE(holdsData(codeOf(opcode, 0x45, 48))) << name;
    // Beyond the end, before the beginning, cut off.
    EXPECT_FALSE(holdsData(ArrayRef(code).drop_back())) << name;
    code[opcode.size() + 4] = 0xff;
    EXPECT_FALSE(holdsData(code)) << name;
    EXPECT_FALSE(holdsData(ArrayRef(code).take_front(opcode.size() + 3)));
  }
  EXPECT_FALSE(holdsData({}));
}

TEST(X86_64Test, NumbersAreNotOperands) {
  EXPECT_FALSE(holdsData(codeOf({0x90}, 0x05, 48))); // add $n, %eax
  EXPECT_FALSE(holdsData(codeOf({0x90}, 0x3d, 48))); // cmp $n, %eax
  EXPECT_FALSE(holdsData(codeOf({0x8b}, 0x05, 48))); // mov n(%rip), %eax
}

} // namespace
