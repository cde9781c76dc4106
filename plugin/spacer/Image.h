//===- Image.h - an ELF image as it is loaded -----------------------------===//

#ifndef SPACER_TOOL_IMAGE_H
#define SPACER_TOOL_IMAGE_H

#include "ManifestView.h"
#include "llvm/Support/MemoryBuffer.h"
#include <deque>
#include <optional>

namespace spacer {

/// A PT_LOAD.
struct Segment {
  uint64_t address = 0;
  uint64_t fileOffset = 0;
  uint64_t fileBytes = 0;
  uint64_t memBytes = 0;
  uint32_t flags = 0; ///< PF_*

  uint64_t end() const { return address + memBytes; }
};

struct Section {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

/// A page with bytes in the file, as it is in memory: what no segment covers,
/// and what a segment has no file bytes for, is zero.
struct LoadedPage {
  uint64_t address = 0;
  const uint8_t *bytes = nullptr; ///< formatPageBytes
  uint32_t fileBytes = 0;         ///< how many come from the file
  uint32_t flags = 0;             ///< PF_* of all segments on it
  bool isZero = false;            ///< nothing but zeros
};

/// One image. Pages point into it.
class Image {
public:
  /// Reads an executable or shared object of any ELF class and byte order; the
  /// error begins with \p path.
  static llvm::Expected<std::unique_ptr<Image>> read(llvm::StringRef path);

  std::string path;
  std::string format; ///< "ELF64 x86-64"
  uint16_t machine = 0;
  bool movable = false; ///< ET_DYN
  uint64_t entry = 0;
  std::vector<Segment> segments;        ///< by address, not empty ones
  std::vector<Section> sections;        ///< allocated ones, by address
  std::vector<LoadedPage> pages;        ///< by address
  std::optional<ManifestView> manifest; ///< checked, if the image has one

  /// The page at \p address, or null if the file has no bytes for it.
  const LoadedPage *page(uint64_t address) const;
  /// Whether a segment covers some of the page at \p address.
  bool isLoaded(uint64_t address) const;
  /// \p count bytes of memory from \p address, or empty if they are not all on
  /// pages with bytes in the file.
  std::vector<uint8_t> bytesAt(uint64_t address, uint64_t count) const;
  llvm::StringRef sectionAt(uint64_t address) const;

private:
  template <class ELFT> llvm::Error readElf();
  llvm::Error readPages();

  std::unique_ptr<llvm::MemoryBuffer> file;
  std::deque<std::vector<uint8_t>> composed; ///< pages not whole in the file
};

/// The manifest, or a failure that says that \p image lacks one.
const ManifestView &needManifest(const Image &image);

} // namespace spacer

#endif
