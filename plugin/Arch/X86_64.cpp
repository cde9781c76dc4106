//===- X86_64.cpp - relocations and slot encodings ------------------------===//

#include "Arch/X86_64.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace llvm;
using namespace llvm::ELF;

namespace spacer::x86_64 {

RelClass classify(uint32_t type) {
  switch (type) {
  case R_X86_64_NONE:
    return RelClass::None;
  case R_X86_64_64:
  case R_X86_64_32:
  case R_X86_64_32S:
  case R_X86_64_16:
  case R_X86_64_8:
    return RelClass::Abs;
  case R_X86_64_PC64:
  case R_X86_64_PC32:
  case R_X86_64_PC16:
  case R_X86_64_PC8:
    return RelClass::PcRel;
  case R_X86_64_PLT32:
    return RelClass::Plt;
  case R_X86_64_GOTPCREL:
  case R_X86_64_GOTPCRELX:
  case R_X86_64_REX_GOTPCRELX:
    return RelClass::Got;
  case R_X86_64_SIZE32:
  case R_X86_64_SIZE64:
    return RelClass::Size;
  case R_X86_64_DTPMOD64:
  case R_X86_64_DTPOFF64:
  case R_X86_64_TPOFF64:
  case R_X86_64_TLSGD:
  case R_X86_64_TLSLD:
  case R_X86_64_DTPOFF32:
  case R_X86_64_GOTTPOFF:
  case R_X86_64_TPOFF32:
  case R_X86_64_GOTPC32_TLSDESC:
  case R_X86_64_TLSDESC_CALL:
  case R_X86_64_TLSDESC:
    return RelClass::Tls;
  default:
    return RelClass::Unknown;
  }
}

unsigned fieldBytes(uint32_t type) {
  switch (type) {
  case R_X86_64_64:
  case R_X86_64_PC64:
  case R_X86_64_SIZE64:
  case R_X86_64_DTPMOD64:
  case R_X86_64_DTPOFF64:
  case R_X86_64_TPOFF64:
  case R_X86_64_GOTOFF64:
  case R_X86_64_GOT64:
  case R_X86_64_GOTPCREL64:
  case R_X86_64_GOTPC64:
  case R_X86_64_PLTOFF64:
    return 8;
  case R_X86_64_16:
  case R_X86_64_PC16:
    return 2;
  case R_X86_64_8:
  case R_X86_64_PC8:
    return 1;
  case R_X86_64_NONE:
  case R_X86_64_TLSDESC_CALL:
    return 0;
  default:
    return 4;
  }
}

bool isBranch(ArrayRef<uint8_t> code, uint64_t offset) {
  if (offset >= 1 && offset <= code.size() &&
      (code[offset - 1] == 0xe8 || code[offset - 1] == 0xe9))
    return true;
  return offset >= 2 && offset <= code.size() && code[offset - 2] == 0x0f &&
         (code[offset - 1] & 0xf0) == 0x80;
}

// Whether what is before the byte at \p modRm may be a prefix and an opcode of
// an instruction that needs an aligned operand, or that makes an address: lea,
// the two-byte map with its extensions 38 and 3a, VEX, EVEX.
static bool mayTakeAligned(ArrayRef<uint8_t> code, size_t modRm) {
  auto before = [&](size_t n) { return n <= modRm ? code[modRm - n] : 0; };
  bool threeByte = before(2) == 0x38 || before(2) == 0x3a;
  return before(1) == 0x8d || before(2) == 0x0f ||
         (threeByte && before(3) == 0x0f) || before(3) == 0xc5 ||
         before(4) == 0xc4 || before(5) == 0x62;
}

bool mayHoldAlignedData(ArrayRef<uint8_t> code,
                        function_ref<bool(uint64_t)> isRelocated) {
  constexpr size_t operandBytes = 5; // ModRM and displacement
  for (size_t i = 0; i + operandBytes <= code.size(); ++i) {
    if ((code[i] & 0xc7) != 0x05 || !mayTakeAligned(code, i))
      continue;
    int32_t displacement = support::endian::read32le(code.data() + i + 1);
    uint64_t target = i + operandBytes + int64_t(displacement);
    if (target < code.size() && !isRelocated(i + 1))
      return true;
  }
  return false;
}

bool writeSlot(uint8_t *slot, unsigned bytes, uint64_t at, uint64_t target) {
  static constexpr uint8_t endbr64[4] = {0xf3, 0x0f, 0x1e, 0xfa};
  unsigned jump = bytes == ibtSlotBytes ? sizeof endbr64 : 0;
  int64_t displacement = int64_t(target - (at + jump + jumpBytes));
  if (!isInt<32>(displacement))
    return false;
  memset(slot, 0xcc, bytes);
  if (jump)
    memcpy(slot, endbr64, sizeof endbr64);
  slot[jump] = 0xe9;
  support::endian::write32le(slot + jump + 1, uint32_t(displacement));
  return true;
}

} // namespace spacer::x86_64
