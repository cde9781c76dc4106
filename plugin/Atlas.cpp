//===- Atlas.cpp - the ledger that all images of a fleet link against -----===//
//
// What an atlas costs a link is page faults and statements, so both are kept
// few, and independent of how many images the file has seen:
//  1. Units, places and slots lie in the file in the order in which links added
//     them: library after library, as links place them. A link that asks for
//     one row will ask for those around it. So the second hit in a block of
//     rows reads the whole block, and most look-ups are then answered from
//     memory. A row that a later version replaced is read in vain, in old
//     blocks few of whose rows live on not even that.
//  2. Answers are remembered, misses too.
//  3. Better than 1 is a pack (AtlasPack.h), where the file has them and a link
//     needs a good part of what is in them.
//  4. Nothing else is loaded whole but the regions' parts, the library names and
//     the places that have moved (14 of 3,055 objects in five Unikraft images).
//  5. Additions stay in memory until commit().
//
// AtlasFile.cpp has the file, its schema and its locks.
//
//===----------------------------------------------------------------------===//

#include "Atlas.h"
#include "AtlasFile.h"
#include "AtlasPack.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include <algorithm>
#include <deque>

using namespace llvm;

namespace spacer {

StringRef regionName(Region r) {
  static constexpr StringLiteral names[] = {"door", "text", "rodata",
                                            "got",  "data", "bss"};
  return names[unsigned(r)];
}

//===----------------------------------------------------------------------===//
// Rows as statements give them; the key comes first, the id last
//===----------------------------------------------------------------------===//

#define UNIT_ROWS                                                              \
  "SELECT identity, kind, address, bytes, library, name, id FROM unit "
#define UNIT_BRIEF                                                             \
  "SELECT identity, kind, address, bytes, library, '', id FROM unit "
#define PLACE_ROWS                                                             \
  "SELECT key, generation, kind, address, capacity, align, library, name, "    \
  "id FROM place "
#define SLOT_ROWS                                                              \
  "SELECT key, kind, address, bytes, library, name, id FROM slot "

#define SLOT_BRIEF                                                             \
  "SELECT key, kind, address, bytes, library, '', id FROM slot "

static UnitRow readUnit(const Statement &s) {
  return {s.hash(0), UnitKind(s.u32(1)), s.u64(2),
          s.u64(3),  s.u32(4),           s.text(5).str()};
}

static PlaceRow readPlace(const Statement &s) {
  return {s.hash(0), s.u32(1), UnitKind(s.u32(2)), s.u64(3),
          s.u64(4),  s.u64(5), s.u32(6),           s.text(7).str()};
}

static SlotRow readSlot(const Statement &s) {
  return {s.hash(0),          SlotKind(s.u32(1)), s.u64(2),
          uint16_t(s.u32(3)), s.u32(4),           s.text(5).str()};
}

/// Columns variant, hash, content.
static PageVariant readVariant(const Statement &s) {
  return {s.u32(0), s.hash(1), s.blob(2).vec()};
}

//===----------------------------------------------------------------------===//
// What a link remembers
//===----------------------------------------------------------------------===//

namespace {

/// All generations of a place.
using PlaceList = std::vector<PlaceRow>;

/// Answers by key; \p Entry is what a key stands for.
template <class Entry> struct Table {
  /// 64 rows are one or two pages of the file and take some 20 us to read, as
  /// long as ten single look-ups.
  static constexpr unsigned blockShift = 6;
  static constexpr unsigned hitsWanted = 4, mostAhead = 8;
  static constexpr unsigned wasRead = ~0u / 2;

  DenseMap<Hash128, const Entry *> known; ///< null: not in the file
  std::deque<Entry> entries;              ///< pointers to them stay good
  std::vector<const Entry *> added;
  DenseMap<uint64_t, unsigned> hits; ///< per block of rows
  Statement byKey, byBlock;
  bool isWhole = false; ///< all rows of the file are in `known`

  /// How many blocks to read now that a row of \p block was hit: some once the
  /// block has been hit a few times or follows one that was read, and the more
  /// the longer the run before it.
  unsigned blocksToRead(uint64_t block) {
    auto read = [&](uint64_t b) { return hits.lookup(b) >= wasRead; };
    unsigned n = 0;
    while (n < mostAhead && n < block && read(block - n - 1))
      ++n;
    if (!n && ++hits[block] >= hitsWanted)
      n = 1;
    for (unsigned i = 0; i != n; ++i)
      hits[block + i] = wasRead;
    return n;
  }
  /// All rows of the file.
  template <class Row, class Key>
  void takeWhole(const std::vector<Row> &rows, Key key) {
    known.reserve(known.size() + rows.size() + rows.size() / 8);
    for (const Row &row : rows) {
      const Entry *&entry = known[key(row)];
      if (!entry)
        entry = &entries.emplace_back(unpack(row));
    }
    isWhole = true;
  }
  const Entry *keep(const Hash128 &key, Entry e) {
    entries.push_back(std::move(e));
    return known[key] = &entries.back();
  }
};

/// The end of the last of some rows that begins in [begin, end), or begin.
struct LastEnd {
  uint64_t begin, end;
  uint64_t at = begin;
  void take(uint64_t address, uint64_t bytes) {
    if (address >= begin && address < end)
      at = std::max(at, address + bytes);
  }
};

/// The variants of one page. Added ones have the numbers that follow.
struct PageEntry {
  uint32_t committed = 0;
  bool counted = false, loaded = false;
  bool more = false;            ///< the file has more than `all`
  std::vector<PageVariant> all; ///< if loaded: the oldest, then the added ones
  std::vector<PageVariant> added;
};

} // namespace

struct Atlas::Impl {
  explicit Impl(std::unique_ptr<AtlasFile> file) : file(std::move(file)) {}
  ~Impl() { consumeError(std::move(pending)); }

  std::unique_ptr<AtlasFile> file;  // outlives the statements below
  AtlasHead head;                   ///< as it was when the file was opened
  Error pending = Error::success(); ///< the first row that could not be read

  Table<UnitRow> units;
  Table<SlotRow> slots;
  Table<PlaceList> places;
  std::deque<PlaceRow> newPlaces;
  std::optional<DenseMap<Hash128, PlaceList>> movedPlaces;
  Statement extentsIn, slotsIn, unitsIn, tlsPlaces, variantCount, variantsOf,
      variantsByHash;
  DenseMap<uint64_t, PageEntry> pages;
  DenseMap<uint64_t, Hash128> oldestHashes; ///< by page; if expect() was asked
  std::deque<PageVariant> foundVariants;
  std::vector<ExtentRow> newExtents;
  StringMap<uint32_t> libraryIds;

  /// Remembers the first failure of a function that has no way to report it.
  void note(Error e) {
    if (pending)
      consumeError(std::move(e));
    else
      pending = std::move(e);
  }
  Error takePending() { return std::exchange(pending, Error::success()); }

  /// Prepares a statement on first use; false if there is nothing to ask.
  bool ready(Statement &s, const char *sql) {
    if (file->isNew())
      return false;
    if (!s)
      if (Error e = file->prepare(s, sql))
        return note(std::move(e)), false;
    return true;
  }
  /// Calls \p fn for each row of \p s, whose parameters are bound.
  template <class Fn> void rows(Statement &s, Fn fn) {
    int rc;
    while ((rc = s.step()) == SQLITE_ROW)
      fn();
    if (rc != SQLITE_DONE)
      note(file->fail(rc, "cannot read"));
    s.reset();
  }
  /// Of committed rows (address, bytes) that \p sql selects from two bounds.
  LastEnd lastEnd(Statement &s, const char *sql, uint64_t begin, uint64_t end) {
    LastEnd last{begin, end};
    if (ready(s, sql)) {
      s.bindAll(begin, end);
      rows(s, [&] { last.take(s.u64(0), s.u64(1)); });
    }
    return last;
  }
  template <class Entry, class Read>
  const Entry *find(Table<Entry> &table, const Hash128 &key,
                    const char *byKeySql, const char *byBlockSql,
                    unsigned idColumn, Read read);
  void loadMovedPlaces();
  void count(PageEntry &p, uint64_t address);
  int write(const Atlas &atlas);
  void settle(const Atlas &atlas);
};

/// \p byBlockSql selects the rows whose id is in [?1, ?2).
template <class Entry, class Read>
const Entry *Atlas::Impl::find(Table<Entry> &table, const Hash128 &key,
                               const char *byKeySql, const char *byBlockSql,
                               unsigned idColumn, Read read) {
  auto [it, isNew] = table.known.try_emplace(key, nullptr);
  if (!isNew || table.isWhole || !ready(table.byKey, byKeySql))
    return it->second;
  const Entry *found = nullptr;
  uint64_t block = 0;
  table.byKey.bindAll(key);
  rows(table.byKey, [&] {
    found = table.keep(key, read(table.byKey));
    block = table.byKey.u64(idColumn) >> table.blockShift;
  });
  unsigned ahead = found ? table.blocksToRead(block) : 0;
  if (!ahead || !ready(table.byBlock, byBlockSql))
    return found;
  table.byBlock.bindAll(block << table.blockShift, (block + ahead)
                                                       << table.blockShift);
  rows(table.byBlock, [&] {
    const Entry *&entry = table.known[table.byBlock.hash(0)];
    if (!entry)
      entry = &table.entries.emplace_back(read(table.byBlock));
  });
  return found;
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<Atlas>> Atlas::open(StringRef path, AtlasMode mode,
                                             std::optional<Window> window,
                                             uint32_t machine) {
  Expected<std::unique_ptr<AtlasFile>> file = AtlasFile::open(path, mode);
  if (!file)
    return file.takeError();
  Expected<AtlasHead> head = (*file)->readHead(window, machine);
  if (!head)
    return head.takeError();
  std::unique_ptr<Atlas> atlas(new Atlas);
  atlas->impl = std::make_unique<Impl>(std::move(*file));
  atlas->filePath = path.str();
  atlas->openMode = mode;
  atlas->wholeWindow = head->window;
  atlas->atlasId = head->id;
  atlas->elfMachine = head->machine;
  llvm::copy(head->regions, atlas->regions);
  atlas->libraryNames = head->libraries;
  for (uint32_t i = 0; i != head->libraries.size(); ++i)
    atlas->impl->libraryIds[head->libraries[i]] = i;
  atlas->impl->head = std::move(*head);
  return std::move(atlas);
}

Atlas::~Atlas() = default;

//===----------------------------------------------------------------------===//
// Look-ups
//===----------------------------------------------------------------------===//

Expected<bool> Atlas::readPacks(Pack &packs) {
  bool whole = true;
  if (!impl->file->hasPacks())
    return false;
  if (Error e = impl->file->each(
          "SELECT units, slots, pages, digest FROM pack ORDER BY id",
          [&](const Statement &s) {
            whole &= packDigest(s.blob(0), s.blob(1), s.blob(2)) == s.hash(3) &&
                     appendPacked(packs.units, s.blob(0)) &&
                     appendPacked(packs.slots, s.blob(1)) &&
                     appendPacked(packs.pages, s.blob(2));
          }))
    return std::move(e);
  if (!whole)
    return createStringError("%s: damaged: a pack is not as its digest says",
                             filePath.c_str());
  return true;
}

/// Reading a row of a pack in vain costs a fiftieth of asking for one by key.
static constexpr uint64_t mostInVain = 16;

void Atlas::expect(uint64_t units, uint64_t slots) {
  uint64_t rows = 0;
  if (!impl->file->hasPacks() || impl->units.isWhole)
    return;
  if (Error e = impl->file->each(
          "SELECT (SELECT max(id) FROM unit), "
          "(SELECT max(id) FROM slot)",
          [&](const Statement &s) { rows = s.u64(0) + s.u64(1); }))
    return impl->note(std::move(e));
  Pack packs;
  if (rows > mostInVain * (units + slots))
    return;
  if (Expected<bool> read = readPacks(packs); !read)
    return impl->note(read.takeError());
  impl->units.takeWhole(packs.units,
                        [](const PackedUnit &u) { return u.identity; });
  impl->slots.takeWhole(packs.slots, [](const PackedSlot &s) { return s.key; });
  impl->oldestHashes.reserve(packs.pages.size());
  for (const PackedPage &p : packs.pages)
    impl->oldestHashes[p.address] = p.hash;
}

std::optional<Hash128> Atlas::oldestHash(uint64_t address) const {
  auto it = impl->oldestHashes.find(address);
  return it == impl->oldestHashes.end() ? std::nullopt
                                        : std::optional(it->second);
}

const UnitRow *Atlas::findUnit(const Hash128 &identity) {
  return impl->find(impl->units, identity, UNIT_BRIEF "WHERE identity = ?",
                    UNIT_BRIEF "WHERE id >= ? AND id < ?", 6, readUnit);
}

const SlotRow *Atlas::findSlot(const Hash128 &key) {
  return impl->find(impl->slots, key, SLOT_BRIEF "WHERE key = ?",
                    SLOT_BRIEF "WHERE id >= ? AND id < ?", 6, readSlot);
}

/// Later generations are few and stand anywhere in the file.
void Atlas::Impl::loadMovedPlaces() {
  movedPlaces.emplace();
  if (Error e =
          file->each(PLACE_ROWS "WHERE generation > 0 ORDER BY key, generation",
                     [&](const Statement &s) {
                       (*movedPlaces)[s.hash(0)].push_back(readPlace(s));
                     }))
    note(std::move(e));
}

ArrayRef<PlaceRow> Atlas::findPlaces(const Hash128 &key) {
  if (!impl->movedPlaces)
    impl->loadMovedPlaces();
  auto read = [&](const Statement &s) {
    PlaceList list{readPlace(s)};
    auto it = impl->movedPlaces->find(list[0].key);
    if (it != impl->movedPlaces->end())
      list.insert(list.end(), it->second.begin(), it->second.end());
    return list;
  };
  const PlaceList *list = impl->find(
      impl->places, key, PLACE_ROWS "WHERE key = ? AND generation = 0",
      PLACE_ROWS "WHERE id >= ? AND id < ? AND generation = 0", 8, read);
  return list ? ArrayRef<PlaceRow>(*list) : ArrayRef<PlaceRow>();
}

Expected<ArrayRef<PageVariant>> Atlas::pageVariants(uint64_t address) {
  PageEntry &p = impl->pages[address];
  if (p.loaded)
    return ArrayRef<PageVariant>(p.all);
  if (impl->ready(impl->variantsOf, "SELECT variant, hash, content FROM page "
                                    "WHERE address = ? ORDER BY variant "
                                    "LIMIT ?")) {
    impl->variantsOf.bindAll(address, uint64_t(mostVariants));
    impl->rows(impl->variantsOf,
               [&] { p.all.push_back(readVariant(impl->variantsOf)); });
  }
  if (impl->pending)
    return impl->takePending();
  p.more = p.all.size() == mostVariants;
  if (!p.more) {
    p.committed = uint32_t(p.all.size());
    p.counted = true;
  }
  llvm::append_range(p.all, p.added);
  p.loaded = true;
  return ArrayRef<PageVariant>(p.all);
}

Expected<const PageVariant *> Atlas::findVariant(uint64_t address,
                                                 ArrayRef<uint8_t> content) {
  Hash128 hash = hashBytes(content);
  auto same = [&](const PageVariant &v) {
    return v.hash == hash && ArrayRef<uint8_t>(v.content) == content;
  };
  PageEntry &p = impl->pages[address];
  const PageVariant *found = nullptr;
  auto take = [&](const PageVariant &v) {
    if (!found && same(v))
      found = &impl->foundVariants.emplace_back(v);
  };
  for (const PageVariant &v : p.loaded ? p.all : p.added)
    take(v);
  if (found || (p.loaded && !p.more))
    return found;
  if (impl->ready(impl->variantsByHash,
                  "SELECT variant, hash, content FROM page "
                  "WHERE address = ? AND hash = ? ORDER BY variant")) {
    impl->variantsByHash.bindAll(address, hash);
    impl->rows(impl->variantsByHash,
               [&] { take(readVariant(impl->variantsByHash)); });
  }
  if (impl->pending)
    return impl->takePending();
  return found;
}

std::vector<ExtentRow> Atlas::extents(Region r, uint64_t begin, uint64_t end) {
  std::vector<ExtentRow> out;
  if (begin < end &&
      impl->ready(impl->extentsIn,
                  "SELECT base, bytes, library FROM extent WHERE region = ?1 "
                  "AND base <= ?3 AND base >= ifnull((SELECT max(base) FROM "
                  "extent WHERE base <= ?2), ?2) ORDER BY base")) {
    Statement &s = impl->extentsIn;
    s.bindAll(uint64_t(r), begin, end - 1);
    impl->rows(s, [&] {
      if (s.u64(0) + s.u64(1) > begin)
        out.push_back({r, s.u64(0), s.u64(1), s.u32(2)});
    });
  }
  for (const ExtentRow &e : impl->newExtents)
    if (e.region == r && e.base < end && e.base + e.bytes > begin)
      out.push_back(e);
  llvm::sort(out, [](auto &a, auto &b) { return a.base < b.base; });
  return out;
}

uint64_t Atlas::slotsEnd(uint64_t begin, uint64_t end) {
  // Slots do not overlap: the last to begin is the last to end.
  LastEnd last =
      impl->lastEnd(impl->slotsIn,
                    "SELECT address, bytes FROM slot WHERE address >= ? AND "
                    "address < ? ORDER BY address DESC LIMIT 1",
                    begin, end);
  for (const SlotRow *s : impl->slots.added)
    last.take(s->address, s->bytes);
  return last.at;
}

uint64_t Atlas::unitsEnd(uint64_t begin, uint64_t end) {
  LastEnd last = impl->lastEnd(
      impl->unitsIn,
      "SELECT address, bytes FROM (SELECT address, bytes FROM unit UNION ALL "
      "SELECT address, capacity FROM place) WHERE address >= ? AND "
      "address < ? ORDER BY address + bytes DESC LIMIT 1",
      begin, end);
  for (const UnitRow *u : impl->units.added)
    last.take(u->address, u->bytes);
  for (const PlaceRow &p : impl->newPlaces)
    last.take(p.address, p.capacity);
  return last.at;
}

uint64_t Atlas::tlsDepth() {
  uint64_t depth = 0;
  if (impl->ready(impl->tlsPlaces,
                  "SELECT address FROM place WHERE kind = ?")) {
    impl->tlsPlaces.bindAll(uint64_t(UnitKind::Tls));
    impl->rows(impl->tlsPlaces,
               [&] { depth = std::max(depth, -impl->tlsPlaces.u64(0)); });
  }
  for (const PlaceRow &p : impl->newPlaces)
    if (p.kind == UnitKind::Tls)
      depth = std::max(depth, -p.address);
  return depth;
}

uint32_t Atlas::libraryId(StringRef name) {
  auto [it, isNew] =
      impl->libraryIds.try_emplace(name, uint32_t(libraryNames.size()));
  if (isNew)
    libraryNames.push_back(name.str());
  return it->second;
}

//===----------------------------------------------------------------------===//
// Additions
//===----------------------------------------------------------------------===//

const UnitRow &Atlas::addUnit(UnitRow row) {
  if (const UnitRow *known = findUnit(row.identity))
    return *known;
  Hash128 key = row.identity;
  return *impl->units.added.emplace_back(impl->units.keep(key, std::move(row)));
}

const SlotRow &Atlas::addSlot(SlotRow row) {
  if (const SlotRow *known = findSlot(row.key))
    return *known;
  Hash128 key = row.key;
  return *impl->slots.added.emplace_back(impl->slots.keep(key, std::move(row)));
}

const PlaceRow &Atlas::addPlace(PlaceRow row) {
  ArrayRef<PlaceRow> known = findPlaces(row.key);
  for (const PlaceRow &p : known)
    if (p.generation == row.generation)
      return p;
  // A longer list beside the old one, which somebody may hold.
  PlaceList list = known.vec();
  list.push_back(row);
  llvm::sort(list,
             [](auto &a, auto &b) { return a.generation < b.generation; });
  impl->places.keep(row.key, std::move(list));
  return impl->newPlaces.emplace_back(std::move(row));
}

void Atlas::Impl::count(PageEntry &p, uint64_t address) {
  if (std::exchange(p.counted, true) ||
      !ready(variantCount, "SELECT count(*) FROM page WHERE address = ?"))
    return;
  variantCount.bindAll(address);
  rows(variantCount, [&] { p.committed = variantCount.u32(0); });
}

uint32_t Atlas::addPageVariant(uint64_t address, ArrayRef<uint8_t> content) {
  assert(content.size() == pageBytes && address % pageBytes == 0);
  Expected<const PageVariant *> known = findVariant(address, content);
  if (!known) {
    impl->note(known.takeError());
    return 0;
  }
  if (*known)
    return (*known)->variant;
  PageEntry &p = impl->pages[address];
  impl->count(p, address);
  uint32_t number = p.committed + uint32_t(p.added.size());
  p.added.push_back({number, hashBytes(content), content.vec()});
  if (p.loaded)
    p.all.push_back(p.added.back());
  return number;
}

void Atlas::addExtent(const ExtentRow &row) { impl->newExtents.push_back(row); }

const RegionPart *RegionState::partAt(uint64_t address) const {
  auto it = llvm::upper_bound(
      parts, address, [](uint64_t a, auto &p) { return a < p.range.base; });
  if (it == parts.begin() || address >= std::prev(it)->end())
    return nullptr;
  return &*std::prev(it);
}

bool RegionState::gave(uint64_t begin, uint64_t end) const {
  const RegionPart *part = partAt(begin);
  return part && begin <= end && end <= part->next;
}

uint64_t RegionState::bytes() const {
  uint64_t sum = 0;
  for (const RegionPart &p : parts)
    sum += p.range.bytes;
  return sum;
}

uint64_t RegionState::usedBytes() const {
  uint64_t sum = 0;
  for (const RegionPart &p : parts)
    sum += p.next - p.range.base;
  return sum;
}

uint64_t Atlas::partsEnd() const {
  uint64_t end = wholeWindow.base;
  for (const RegionState &s : regions)
    if (!s.parts.empty())
      end = std::max(end, s.parts.back().end());
  return end;
}

/// Parts are multiples of this: 64 KiB, but not much of a small window.
static uint64_t partGrain(const Window &w) {
  uint64_t pages = w.bytes / pageBytes / 512;
  return std::clamp<uint64_t>(pages, 1, 16) * pageBytes;
}

Expected<uint64_t> Atlas::allocate(Region r, uint64_t bytes, uint32_t library) {
  RegionState &state = region(r);
  uint64_t top = partsEnd();
  uint64_t left = wholeWindow.base + wholeWindow.bytes - top;
  auto full = [&] {
    return createStringError(
        "%s: the window %s is full: %llu pages left, asked for %llu of %s",
        filePath.c_str(), describeWindow(wholeWindow).c_str(),
        (unsigned long long)(left / pageBytes),
        (unsigned long long)(bytes / pageBytes + (bytes % pageBytes != 0)),
        regionName(r).str().c_str());
  };
  if (bytes > wholeWindow.bytes)
    return full();
  uint64_t whole = alignTo(bytes, pageBytes);
  auto part = llvm::find_if(state.parts, [&](const RegionPart &p) {
    return p.end() - p.next >= whole;
  });
  if (part == state.parts.end()) {
    bool atTop = !state.parts.empty() && state.parts.back().end() == top;
    uint64_t need = whole;
    if (atTop)
      need -= top - state.parts.back().next;
    if (need > left)
      return full();
    uint64_t more = std::max(need, state.usedBytes() / 2);
    more =
        std::max(need, std::min(alignTo(more, partGrain(wholeWindow)), left));
    if (!atTop)
      state.parts.push_back({{top, 0}, top});
    part = std::prev(state.parts.end());
    part->range.bytes += more;
  }
  uint64_t base = part->next;
  part->next += whole;
  if (whole)
    addExtent({r, base, whole, library});
  return base;
}

//===----------------------------------------------------------------------===//
// Commit
//===----------------------------------------------------------------------===//

bool Atlas::changed() const {
  const Impl &i = *impl;
  if (i.file->isNew() || !i.units.added.empty() || !i.slots.added.empty() ||
      !i.newPlaces.empty() || !i.newExtents.empty() ||
      libraryNames.size() != i.head.libraries.size())
    return true;
  return any_of(i.pages, [](auto &p) { return !p.second.added.empty(); });
}

namespace {
/// Runs INSERT statements one after the other and keeps the first failure.
class Inserter {
public:
  Inserter(sqlite3 *db, int rc) : db(db), rc(rc) {}
  void into(const char *sql) {
    if (rc == SQLITE_OK)
      rc = stmt.prepare(db, sql);
  }
  template <class... Ts> void row(const Ts &...vs) {
    if (rc != SQLITE_OK)
      return;
    stmt.bindAll(vs...);
    if (int r = stmt.run(); r != SQLITE_DONE)
      rc = r;
  }
  int result() const { return rc; }

private:
  sqlite3 *db;
  Statement stmt;
  int rc;
};
} // namespace

/// Rows keep the order of their addition: look-ups rely on it.
int Atlas::Impl::write(const Atlas &atlas) {
  auto num = [](auto v) { return uint64_t(v); };
  Inserter out(file->connection(),
               file->isNew() ? file->createSchema(head) : SQLITE_OK);
  out.into("INSERT OR REPLACE INTO part VALUES(?, ?, ?, ?)");
  for (unsigned r = 0; r != regionCount; ++r)
    for (const RegionPart &p : atlas.regions[r].parts)
      out.row(p.range.base, num(r), p.range.bytes, p.next);
  out.into("INSERT INTO library VALUES(?, ?)");
  for (size_t i = file->isNew() ? 0 : head.libraries.size();
       i < atlas.libraryNames.size(); ++i)
    out.row(num(i), StringRef(atlas.libraryNames[i]));
  out.into("INSERT INTO extent VALUES(?, ?, ?, ?)");
  for (const ExtentRow &e : newExtents)
    out.row(e.base, num(e.region), e.bytes, num(e.library));
  out.into("INSERT INTO unit VALUES(NULL, ?, ?, ?, ?, ?, ?)");
  for (const UnitRow *u : units.added)
    out.row(u->identity, num(u->kind), u->address, u->bytes, num(u->library),
            StringRef(u->name));
  out.into("INSERT INTO place VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const PlaceRow &p : newPlaces)
    out.row(p.key, num(p.generation), num(p.kind), p.address, p.capacity,
            p.align, num(p.library), StringRef(p.name));
  out.into("INSERT INTO slot VALUES(NULL, ?, ?, ?, ?, ?, ?)");
  for (const SlotRow *s : slots.added)
    out.row(s->key, num(s->kind), s->address, num(s->bytes), num(s->library),
            StringRef(s->name));
  std::vector<std::pair<uint64_t, const PageVariant *>> variants;
  for (auto &[address, p] : pages)
    for (const PageVariant &v : p.added)
      variants.push_back({address, &v});
  llvm::sort(variants, [](auto &a, auto &b) {
    return std::tie(a.first, a.second->variant) <
           std::tie(b.first, b.second->variant);
  });
  out.into("INSERT INTO page VALUES(?, ?, ?, ?)");
  for (auto &[address, v] : variants)
    out.row(address, num(v->variant), v->hash, ArrayRef<uint8_t>(v->content));
  if (!file->hasPacks())
    return out.result();
  Pack added;
  for (const UnitRow *u : units.added)
    added.units.push_back(pack(*u));
  for (const SlotRow *s : slots.added)
    added.slots.push_back(pack(*s));
  for (auto &[address, v] : variants)
    if (v->variant == 0)
      added.pages.push_back({address, v->hash});
  out.into("INSERT INTO pack VALUES(NULL, ?, ?, ?, ?)");
  if (!added.empty())
    out.row(packedBytes(added.units), packedBytes(added.slots),
            packedBytes(added.pages),
            packDigest(packedBytes(added.units), packedBytes(added.slots),
                       packedBytes(added.pages)));
  return out.result();
}

/// What was added is in the file now.
void Atlas::Impl::settle(const Atlas &atlas) {
  units.added.clear();
  slots.added.clear();
  newPlaces.clear();
  newExtents.clear();
  for (auto &[address, p] : pages) {
    p.committed += uint32_t(p.added.size());
    p.added.clear();
  }
  llvm::copy(atlas.regions, head.regions);
  head.libraries = atlas.libraryNames;
}

Error Atlas::commit() {
  if (impl->pending) {
    impl->file->abandon();
    return impl->takePending();
  }
  if (openMode == AtlasMode::Frozen)
    return Error::success();
  if (!impl->file->inTransaction())
    return createStringError("%s: an atlas commits once", filePath.c_str());
  if (changed())
    if (int rc = impl->write(*this)) {
      Error e = impl->file->fail(rc, "cannot write");
      impl->file->abandon();
      return e;
    }
  if (Error e = impl->file->commit())
    return e;
  impl->settle(*this);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Inspection
//===----------------------------------------------------------------------===//

Error Atlas::forEachUnit(std::function<void(const UnitRow &)> fn) {
  return impl->file->each(UNIT_ROWS "ORDER BY id",
                          [&](const Statement &s) { fn(readUnit(s)); });
}

Error Atlas::forEachPlace(std::function<void(const PlaceRow &)> fn) {
  return impl->file->each(PLACE_ROWS "ORDER BY id",
                          [&](const Statement &s) { fn(readPlace(s)); });
}

Error Atlas::forEachSlot(std::function<void(const SlotRow &)> fn) {
  return impl->file->each(SLOT_ROWS "ORDER BY id",
                          [&](const Statement &s) { fn(readSlot(s)); });
}

Error Atlas::forEachPage(
    std::function<void(uint64_t, const PageVariant &)> fn) {
  return impl->file->each(
      "SELECT variant, hash, content, address FROM page "
      "ORDER BY address, variant",
      [&](const Statement &s) { fn(s.u64(3), readVariant(s)); });
}

Expected<AtlasCounts> Atlas::counts() {
  AtlasCounts c;
  if (Error e = impl->file->each(
          "SELECT (SELECT count(*) FROM unit), (SELECT count(*) FROM place), "
          "(SELECT count(*) FROM slot), (SELECT count(DISTINCT address) FROM "
          "page), (SELECT count(*) FROM page), (SELECT count(*) FROM library "
          "WHERE id > 0), (SELECT count(*) FROM extent)",
          [&](const Statement &s) {
            c = {s.u64(0), s.u64(1), s.u64(2), s.u64(3),
                 s.u64(4), s.u64(5), s.u64(6)};
          }))
    return std::move(e);
  return c;
}

Error Atlas::integrityCheck(std::vector<std::string> &problems) {
  return impl->file->each("PRAGMA integrity_check", [&](const Statement &s) {
    for (StringRef line : split(s.text(0), '\n'))
      if (line != "ok")
        problems.push_back(("SQLite: " + line).str());
  });
}

} // namespace spacer
