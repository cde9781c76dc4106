//===- Atlas.h - the ledger that all images of a fleet link against -------===//
//
// One SQLite file says which unit identity lives at which address, which
// symbol owns which slot, which name owns which place, and what bytes each
// shared page has. It only grows: an address, once given, keeps its meaning.
//
// A link reads what it needs by key and collects what is new in memory; all of
// it is written in one transaction at commit(). Two links at once take turns
// (the write lock is held from open() in Grow mode), a killed link leaves the
// file as it was, and Frozen mode opens the file read-only.
//
// docs/atlas-format.md describes the tables. Not thread-safe.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_ATLAS_H
#define SPACER_PLUGIN_ATLAS_H

#include "Hash.h"
#include "spacer/Format.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace spacer {

inline constexpr uint64_t pageBytes = formatPageBytes;

/// What pages of the window are for; each region has one protection.
enum class Region : uint32_t { Door, Text, Rodata, Got, Data, Bss };
inline constexpr unsigned regionCount = 6;
llvm::StringRef regionName(Region r);

/// An address range, page-aligned.
struct Window {
  uint64_t base = 0;
  uint64_t bytes = 0;
};

enum class AtlasMode {
  Grow,   ///< read and allocate; creates the file if absent
  Frozen, ///< read only, the file must exist
};

/// Neighbouring pages of one region, given out from the beginning.
struct RegionPart {
  Window range;
  uint64_t next = 0; ///< first address never given out
  uint64_t end() const { return range.base + range.bytes; }
};

/// A region takes parts of the window as it grows, each half as large as all
/// before it: so an atlas with little in it is small, which counts where a
/// guest needs memory up to its last page, and one with much in it has few
/// parts, which counts where each is a segment of its own.
struct RegionState {
  std::vector<RegionPart> parts; ///< by address
  /// The part that holds \p address, given out or not; null if none does.
  const RegionPart *partAt(uint64_t address) const;
  /// Whether all of [\p begin, \p end) lies in one part and was given out.
  bool gave(uint64_t begin, uint64_t end) const;
  uint64_t bytes() const; ///< of all parts
  uint64_t usedBytes() const;
};

struct UnitRow {
  Hash128 identity;
  UnitKind kind = UnitKind::Text;
  uint64_t address = 0;
  uint64_t bytes = 0;
  uint32_t library = 0; ///< index from libraryId()
  std::string name;     ///< for people; empty for anonymous data
};

struct PlaceRow {
  Hash128 key; ///< digest of kind, library and qualified name
  uint32_t generation = 0;
  UnitKind kind = UnitKind::Data;
  uint64_t address = 0;
  uint64_t capacity = 0; ///< bytes the object may grow to
  uint64_t align = 1;
  uint32_t library = 0;
  std::string name;
};

struct SlotRow {
  Hash128 key; ///< digest of library ("" for global symbols) and name
  SlotKind kind = SlotKind::Door;
  uint64_t address = 0;
  uint16_t bytes = 8;
  uint32_t library = 0; ///< the door's group
  std::string name;
};

/// Contents of a page that a link looks at. Pages of doors that lead into the
/// image have one for each image: the hundredth link must not read them all.
inline constexpr unsigned mostVariants = 16;

/// One content that a page has had in some image.
struct PageVariant {
  uint32_t variant = 0;
  Hash128 hash;
  std::vector<uint8_t> content; ///< pageBytes long
};

/// A run of whole pages that one link allocated.
struct ExtentRow {
  Region region = Region::Text;
  uint64_t base = 0;
  uint64_t bytes = 0;
  uint32_t library = 0; ///< owner of a door extent, 0 if several share it
};

struct AtlasCounts {
  uint64_t units = 0, places = 0, slots = 0, pages = 0, variants = 0,
           libraries = 0, extents = 0;
};

struct Pack;

class Atlas {
public:
  /// Opens \p path. \p window is used when the file is created; for an existing
  /// file a window that differs from the recorded one is an error, and so is
  /// another ELF machine (0 takes any). The error text names the file, what was
  /// found and what was expected.
  static llvm::Expected<std::unique_ptr<Atlas>>
  open(llvm::StringRef path, AtlasMode mode,
       std::optional<Window> window = std::nullopt, uint32_t machine = 62);
  ~Atlas();
  Atlas(const Atlas &) = delete;
  Atlas &operator=(const Atlas &) = delete;

  const std::string &path() const { return filePath; }
  AtlasMode mode() const { return openMode; }
  const Window &window() const { return wholeWindow; }
  /// Digest of format, machine and window: equal for equal beginnings.
  const Hash128 &id() const { return atlasId; }
  uint32_t machine() const { return elfMachine; }
  RegionState &region(Region r) { return regions[unsigned(r)]; }
  const RegionState &region(Region r) const { return regions[unsigned(r)]; }
  /// The end of the last part: what lies behind it no region has taken.
  uint64_t partsEnd() const;

  /// Says that about so many units and slots will be asked for: where the file
  /// has not many times as many, look-ups are answered from its packs.
  void expect(uint64_t units, uint64_t slots);

  /// How long a link waits for another one before it gives up.
  static inline unsigned lockSeconds = 60;

  // Look-ups see committed rows and rows added by this link. What they return
  // stays valid and unchanged until the atlas is destroyed (for pageVariants:
  // until a variant of that page is added). A row that cannot be read counts as
  // missing and makes commit() fail (in Frozen mode too).
  // Names of units and slots, which nobody needs there, are left empty.
  const UnitRow *findUnit(const Hash128 &identity);
  /// All generations of a place, oldest first.
  llvm::ArrayRef<PlaceRow> findPlaces(const Hash128 &key);
  const SlotRow *findSlot(const Hash128 &key);
  /// The variants of a page, oldest first, at most mostVariants of those in the
  /// file and then those of this link; empty if the page has none yet.
  llvm::Expected<llvm::ArrayRef<PageVariant>> pageVariants(uint64_t address);
  /// The digest of a page's oldest variant, if expect() has read it.
  std::optional<Hash128> oldestHash(uint64_t address) const;
  /// The variant of a page with this content, or null; reads no other content,
  /// so it stays fast for a page that has had many.
  llvm::Expected<const PageVariant *>
  findVariant(uint64_t address, llvm::ArrayRef<uint8_t> content);
  /// Extents of \p r that overlap [begin, end), by address.
  std::vector<ExtentRow> extents(Region r, uint64_t begin, uint64_t end);
  std::vector<ExtentRow> extents(Region r) {
    return extents(r, wholeWindow.base, wholeWindow.base + wholeWindow.bytes);
  }

  /// The end of the last slot in [\p begin, \p end), or \p begin.
  uint64_t slotsEnd(uint64_t begin, uint64_t end);

  /// The end of the last unit or place that begins in [\p begin, \p end), or
  /// \p begin. Reads all rows: for rare questions.
  uint64_t unitsEnd(uint64_t begin, uint64_t end);

  /// The lowest thread-local place, as a distance below the thread pointer: the
  /// places of kind Tls have negative offsets from it for addresses.
  uint64_t tlsDepth();

  /// The id of a library name, allotted on first use. Id 0 is "".
  uint32_t libraryId(llvm::StringRef name);
  llvm::StringRef libraryName(uint32_t id) const { return libraryNames[id]; }

  // Additions, kept in memory until commit(). A key that is there already is
  // not added again: the row that is there comes back.
  const UnitRow &addUnit(UnitRow row);
  const PlaceRow &addPlace(PlaceRow row);
  const SlotRow &addSlot(SlotRow row);
  /// Returns the variant's number; content that the page has had before keeps
  /// its number.
  uint32_t addPageVariant(uint64_t address, llvm::ArrayRef<uint8_t> content);
  void addExtent(const ExtentRow &row);
  /// Takes whole pages, neighbours of each other, from the first part of \p r
  /// that has them, or from a new one, and records an extent; an error names
  /// the window, what is left of it and what was asked.
  llvm::Expected<uint64_t> allocate(Region r, uint64_t bytes,
                                    uint32_t library = 0);

  bool changed() const;
  /// Writes all additions in the transaction opened by open() and ends it: an
  /// atlas commits once. On an error the file is as it was; a file that open()
  /// created is gone.
  llvm::Error commit();

  // For inspection: committed rows, in the order in which they were added
  // (pages by address and variant).
  llvm::Error forEachUnit(std::function<void(const UnitRow &)> fn);
  llvm::Error forEachPlace(std::function<void(const PlaceRow &)> fn);
  llvm::Error forEachSlot(std::function<void(const SlotRow &)> fn);
  llvm::Error
  forEachPage(std::function<void(uint64_t address, const PageVariant &)> fn);
  /// All packs, one after the other. False if the file is of a format that has
  /// none.
  llvm::Expected<bool> readPacks(Pack &packs);
  llvm::Expected<AtlasCounts> counts();
  /// Everything that can be wrong with the file: SQLite's own integrity check,
  /// rows outside their region, overlapping places, page hashes that do not
  /// match the content. One line each; empty if all is well.
  llvm::Expected<std::vector<std::string>> check();

private:
  Atlas() = default;
  llvm::Error integrityCheck(std::vector<std::string> &problems);
  struct Impl;
  std::unique_ptr<Impl> impl;
  std::string filePath;
  AtlasMode openMode = AtlasMode::Frozen;
  Window wholeWindow;
  Hash128 atlasId;
  uint32_t elfMachine = 0;
  RegionState regions[regionCount];
  std::vector<std::string> libraryNames;
};

} // namespace spacer

#endif
