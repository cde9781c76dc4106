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
