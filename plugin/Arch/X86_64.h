//===- X86_64.h - relocations and slot encodings --------------------------===//
//
// Source: System V ABI, AMD64 supplement 1.0, table 4.9 "Relocation Types".
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_ARCH_X86_64_H
#define SPACER_PLUGIN_ARCH_X86_64_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace spacer::x86_64 {

/// What the linker computes for a relocation type.
enum class RelClass : uint8_t {
  None,    ///< nothing
  Abs,     ///< S + A
  PcRel,   ///< S + A - P
  Plt,     ///< L + A - P: a call or jump, in a static link S + A - P
  Got,     ///< G + GOT + A - P: the address of a GOT entry
  Size,    ///< Z + A
  Tls,     ///< anything relative to a thread's storage
  Unknown, ///< the link goes on, the unit stays private
};

RelClass classify(uint32_t type);
/// Bytes that the linker writes for \p type; 0 for none and for unknown ones.
unsigned fieldBytes(uint32_t type);
/// Whether the field at \p offset is the displacement of `call`, `jmp` or `jcc`.
bool isBranch(llvm::ArrayRef<uint8_t> code, uint64_t offset);

/// Whether \p code may have data in it that must be aligned: an SSE or AVX
/// operand, or an address taken by `lea`, that is relative to the instruction
/// (mod 00, r/m 101), lies in \p code, and was resolved by the assembler, so
/// that \p isRelocated does not hold for its displacement's offset. May find
/// more than there is. Source: Intel SDM, volume 2, 2.1.5, 2.2.1.6, 2.3.5.
bool mayHoldAlignedData(llvm::ArrayRef<uint8_t> code,
                        llvm::function_ref<bool(uint64_t)> isRelocated);

inline constexpr unsigned slotBytes = 8;
inline constexpr unsigned ibtSlotBytes = 16;
inline constexpr unsigned jumpBytes = 5;

/// Writes a slot of \p bytes at address \p at that jumps to \p target: `jmp
/// rel32`, after `endbr64` in a slot of 16, padded with int3. Returns false if
/// the distance does not fit in 32 bits; the slot is then untouched.
bool writeSlot(uint8_t *slot, unsigned bytes, uint64_t at, uint64_t target);

} // namespace spacer::x86_64

#endif
