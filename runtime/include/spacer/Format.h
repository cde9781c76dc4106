//===- Format.h - the manifest inside an image ----------------------------===//
//
// What ld.spacer leaves for the host: one entry for each page that an image
// asks to be loaded, with its address, its class and the hash of its content,
// then the units and the function slots, so that a reader can say what a page
// holds and what keeps two pages apart.
//
// The section `.spacer.manifest` is not loaded. Its bytes are a ManifestHeader
// and four tables that the header locates; all integers are little-endian, all
// structs are fixed-width and have no padding that is not named. Offsets count
// from the first byte of the section. docs/manifest-format.md has an example.
//
// This header depends on nothing but <cstdint>; plugin/ and runtime/ share it.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_FORMAT_H
#define SPACER_FORMAT_H

#include <cstdint>

namespace spacer {

inline constexpr char manifestSectionName[] = ".spacer.manifest";
inline constexpr uint8_t manifestMagic[8] = {'S', 'P', 'A', 'C',
                                             'E', 'R', 'M', 'F'};
inline constexpr uint32_t manifestVersion = 1;
inline constexpr uint32_t formatPageBytes = 4096;

/// What a page is to the host. Private pages belong to one image; the others
/// stand in the atlas, each at one address for ever.
enum class PageClass : uint32_t {
  Private = 0, ///< the image's own code, data and headers
  Zero = 1,    ///< all bytes zero, no bytes in the file
  Text = 2,
  Rodata = 3,
  Data = 4, ///< initialised and writable: shared until written
  Bss = 5,  ///< places of zero-initialised objects, no bytes in the file
  Door = 6, ///< function slots
  Got = 7,  ///< data slots of position-independent code
};

enum ManifestPageFlags : uint32_t {
  PageExec = 1,  ///< equal to PF_X
  PageWrite = 2, ///< equal to PF_W
  PageRead = 4,  ///< equal to PF_R
  /// The page holds the build ID, which is written after the manifest: its
  /// hash is zero and a reader computes it from the file.
  PageUnhashed = 16,
};

enum class UnitKind : uint32_t {
  Text = 0,
  Rodata = 1,
  Data = 2,
  Bss = 3,
  String = 4,
  Tls = 5,
};

enum ManifestUnitFlags : uint32_t {
  UnitPrivate = 1, ///< not shared by this image
  UnitNamed = 2,   ///< a named object: the place is the name's, not the content's
};

enum class SlotKind : uint16_t { Door = 0, Entry = 1, Got = 2 };

struct ManifestHeader {
  uint8_t magic[8];      ///< manifestMagic
  uint32_t version;      ///< manifestVersion
  uint32_t headerBytes;  ///< sizeof(ManifestHeader)
  uint32_t pageBytes;    ///< formatPageBytes
  uint32_t machine;      ///< ELF e_machine
  uint8_t atlasId[16];   ///< digest of the atlas's format, machine and window
  uint64_t windowBase;   ///< first address of the window
  uint64_t windowBytes;  ///< its size
  uint64_t pagesOffset;  ///< ManifestPage[pageCount], by rising address
  uint64_t unitsOffset;  ///< ManifestUnit[unitCount], by rising address
  uint64_t slotsOffset;  ///< ManifestSlot[slotCount], by rising address
  uint64_t stringsOffset; ///< NUL-terminated names, first byte NUL
  uint32_t pageCount;
  uint32_t unitCount;
  uint32_t slotCount;
  uint32_t stringsBytes;
  uint64_t totalBytes;  ///< of the whole manifest
  uint8_t checksum[16]; ///< XXH3-128 (canonical form) of the manifest, this field zero
};
static_assert(sizeof(ManifestHeader) == 128, "format is fixed");

struct ManifestPage {
  uint64_t address;    ///< guest virtual address, page-aligned
  uint64_t fileOffset; ///< of the page's first byte in the image, or 0 if it has none
  uint8_t hash[16];    ///< XXH3-128 (canonical form) of the 4096 bytes as loaded
  PageClass pageClass;
  uint32_t flags; ///< ManifestPageFlags
};
static_assert(sizeof(ManifestPage) == 40, "format is fixed");

struct ManifestUnit {
  uint8_t identity[16]; ///< design 3.2; zero for private units that have none
  uint64_t address;
  uint64_t bytes;
  UnitKind kind;
  uint32_t flags;   ///< ManifestUnitFlags
  uint32_t library; ///< offset into the strings
  uint32_t name;    ///< offset into the strings; 0 for anonymous data
};
static_assert(sizeof(ManifestUnit) == 48, "format is fixed");

struct ManifestSlot {
  uint64_t address;
  uint64_t target;  ///< where the slot leads in this image; 0 if to nothing
  uint32_t library; ///< offset into the strings: the door's group
  uint32_t name;    ///< offset into the strings
  SlotKind kind;
  uint16_t bytes; ///< width of the slot: 8 or 16
  uint32_t reserved;
};
static_assert(sizeof(ManifestSlot) == 32, "format is fixed");

} // namespace spacer

#endif // SPACER_FORMAT_H
