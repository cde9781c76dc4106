//===- ElfImage.h - the program headers of an ELF image -------------------===//
//
// No more of ELF than a host needs to place an image in memory: the PT_LOADs,
// and where the manifest is. Everything comes from a file that somebody sent;
// every number is checked before it is used.
//
// Loaders that start images in 32-bit mode (multiboot) take ELF32 alone, so
// builds put such headers around 64-bit code (Unikraft does): machine i386,
// segments at the same physical addresses, offsets that are not page-aligned.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_ELFIMAGE_H
#define SPACER_RUNTIME_ELFIMAGE_H

#include "Result.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace spacer {

/// Bytes at offsets: a file, or a buffer in tests.
class ByteReader {
public:
  virtual ~ByteReader() = default;
  virtual uint64_t size() const = 0;
  /// All of \p out, or an error.
  virtual Result<void> read(uint64_t offset, std::span<uint8_t> out) = 0;
  /// Fails if the bytes are not those any more that they were at first.
  virtual Result<void> checkUnchanged() { return {}; }
};

class MemoryReader final : public ByteReader {
public:
  /// \p bytes must outlive the reader.
  explicit MemoryReader(std::span<const uint8_t> bytes) : bytes(bytes) {}
  uint64_t size() const override { return bytes.size(); }
  Result<void> read(uint64_t offset, std::span<uint8_t> out) override;

private:
  std::span<const uint8_t> bytes;
};

/// A regular file. It is refused if its size or its time of change is another
/// at checkUnchanged().
Result<std::unique_ptr<ByteReader>> openBytes(const std::string &path);

struct ElfSegment {
  uint64_t fileOffset = 0, virtualAddress = 0, physicalAddress = 0;
  uint64_t fileBytes = 0; ///< at most memoryBytes
  uint64_t memoryBytes = 0;
  uint32_t flags = 0; ///< PF_X, PF_W, PF_R
};

struct ElfImage {
  uint16_t machine = 0; ///< of the headers: EM_X86_64, or EM_386 of ELF32
  uint64_t entry = 0;
  /// PT_LOADs that take memory, by rising physical address; neither in virtual
  /// nor in physical memory do two overlap or one pass the end.
  std::vector<ElfSegment> segments;
  struct Range {
    uint64_t offset = 0, bytes = 0;
  };
  std::optional<Range> manifest; ///< in the file

  /// ENOEXEC if the file is no ELF64 executable for x86-64 nor an ELF32 one for
  /// i386; EBADMSG if it is one and its headers make no sense. \p name is for
  /// messages.
  static Result<ElfImage> read(ByteReader &file, const std::string &name);
};

} // namespace spacer

#endif
