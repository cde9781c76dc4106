//===- TagFormat.h - what the compiler pass says about a section ----------===//
//
// The section .spacer.tags of an object file (docs/tag-format.md): which
// library each function and object belongs to, and the name it has in the
// source. The pass writes it, ld.spacer reads it; `ld -r` concatenates it and
// any other linker drops it (SHF_EXCLUDE). A section is a sequence of chunks,
// one for each compilation, each of them
//
//   TagChunk, TagEntry[entries], strings; padded to 8 bytes
//
// All numbers are little-endian. This header depends on nothing.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_TAGFORMAT_H
#define SPACER_PLUGIN_TAGFORMAT_H

#include <cstdint>

namespace spacer {

inline constexpr char tagSectionName[] = ".spacer.tags";
/// Line tables stand in sections of this prefix and the function's name; a
/// moved line changes them and nothing else, so the linker keeps them together.
inline constexpr char lineTablePrefix[] = ".rodata.spacer.lines.";
inline constexpr char tagMagic[4] = {'S', 'p', 'T', 'g'};
inline constexpr uint16_t tagVersion = 1;

/// TagChunk::flags: the file holds code of several libraries (link-time
/// optimisation); what has no entry belongs to whoever refers to it.
inline constexpr uint16_t tagMixed = 1;
/// TagChunk::flags: the file's call graph profile is not measured but the
/// pass's estimate, 16 for one call each time the caller runs.
inline constexpr uint16_t tagEstimated = 2;

struct TagChunk {
  char magic[4];
  uint16_t version;
  uint16_t flags;
  uint32_t bytes; ///< of the chunk, with this header; a multiple of 8
  uint32_t entries;
  uint32_t
      library; ///< offset in the chunk of "NAME" or "NAME@VERSION"; 0: none
  uint32_t reserved;
};
static_assert(sizeof(TagChunk) == 24);

struct TagEntry {
  uint64_t symbol; ///< R_X86_64_64 against the function or object
  uint32_t name; ///< offset in the chunk: "FILE:NAME" of what is local; 0: none
  uint32_t library; ///< offset in the chunk; 0: the image itself
};
static_assert(sizeof(TagEntry) == 16);

} // namespace spacer

#endif
