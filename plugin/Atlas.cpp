//===- Atlas.cpp - the ledger that all images of a fleet link against -----===//
//
// How a link uses the file:
//  1. open() takes a transaction at once and keeps it: BEGIN IMMEDIATE in Grow
//     mode, so that links that may allocate take turns, a read transaction in
//     Frozen mode. No statement after that makes a locking system call.
//  2. Look-ups go by primary key and are remembered, hits and misses alike.
//     Nothing is ever loaded whole but the six regions and the library names,
//     so a look-up costs the same in an old atlas as in a young one, but for
//     one more level of a B-tree.
//  3. Additions stay in memory. Not even the schema of a new file is written
//     before commit(): until then the file is empty, and a killed link leaves
//     it so. An empty file counts as new.
//  4. commit() writes in key order and ends the transaction.
//
// A link that created the file and does not commit unlinks it, under the write
// lock, so nobody can have written to it. Another link that waited for that
// lock then holds a file without a name: it notices and opens again.
//
//===----------------------------------------------------------------------===//

#include "Atlas.h"
#include "Sqlite.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <deque>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace spacer {

static constexpr uint32_t applicationId = 0x53504341; // "SPCA"
static constexpr uint32_t atlasVersion = 1;
static constexpr uint64_t smallestWindow = 64 * pageBytes;
/// 16 MiB to 128 MiB: above a kernel at 1 MiB, inside the small code model.
static constexpr Window defaultWindow{0x1000000, 112 << 20};

// A row of page is a little over 4096 bytes. With pages of 4096 bytes SQLite
// keeps 489 of them in the B-tree and the rest in one overflow page: 11% waste.
// With 8192 one row fits and a half stays empty; larger ones waste less but
// make every small delta rewrite more, since keys are spread evenly.
static constexpr char schema[] = R"(
PRAGMA application_id = 0x53504341;
PRAGMA user_version = 1;
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE region(kind INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  base INTEGER NOT NULL, bytes INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;
CREATE TABLE library(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE extent(base INTEGER PRIMARY KEY, region INTEGER NOT NULL,
  bytes INTEGER NOT NULL, library INTEGER NOT NULL) STRICT;
CREATE TABLE unit(identity BLOB PRIMARY KEY CHECK(length(identity) = 16),
  kind INTEGER NOT NULL, address INTEGER NOT NULL, bytes INTEGER NOT NULL,
  library INTEGER NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE place(key BLOB CHECK(length(key) = 16), generation INTEGER,
  kind INTEGER NOT NULL, address INTEGER NOT NULL, capacity INTEGER NOT NULL,
  align INTEGER NOT NULL, library INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY(key, generation)) STRICT, WITHOUT ROWID;
CREATE TABLE slot(key BLOB PRIMARY KEY CHECK(length(key) = 16),
  kind INTEGER NOT NULL, address INTEGER NOT NULL, bytes INTEGER NOT NULL,
  library INTEGER NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE page(address INTEGER, variant INTEGER,
  hash BLOB NOT NULL CHECK(length(hash) = 16),
  content BLOB NOT NULL CHECK(length(content) = 4096),
  PRIMARY KEY(address, variant)) STRICT, WITHOUT ROWID;
)";

StringRef regionName(Region r) {
  static constexpr StringLiteral names[] = {"door", "text", "rodata",
                                            "got",  "data", "bss"};
  return names[unsigned(r)];
}

namespace {

enum class OpenStep { Done, Retry };

/// Rows of one table by key: what was read, what was added, what is absent.
template <class Row> struct Cache {
  DenseMap<Hash128, const Row *> byKey; ///< null: known to be absent
  std::deque<Row> rows;                 ///< addresses stay
  std::vector<const Row *> added;

  const Row *keep(const Hash128 &key, Row row) {
    rows.push_back(std::move(row));
    return byKey[key] = &rows.back();
  }
};

/// The variants of one page; added ones are in the file's numbering already.
struct PageCache {
  uint32_t count = 0; ///< committed and added
  bool countKnown = false, loaded = false;
  std::vector<PageVariant> all; ///< if loaded: every variant
  std::vector<PageVariant> added;
};

std::string describeWindow(const Window &w) {
  return formatv("{0:x}:{1:x}", w.base, w.bytes);
}

Error checkWindow(StringRef path, const Window &w) {
  auto bad = [&](const char *why) {
    return createStringError("%s: window %s %s", path.str().c_str(),
                             describeWindow(w).c_str(), why);
  };
  if (w.base % pageBytes || w.bytes % pageBytes)
    return bad("is not page-aligned, expected multiples of 0x1000");
  if (w.bytes < smallestWindow)
    return bad("is smaller than the least one, 64 pages (0x40000)");
  if (w.base == 0)
    return bad("begins at 0, expected an address that no null pointer has");
  if (w.base + w.bytes < w.base)
    return bad("wraps around the end of the address space");
  if (int64_t(w.base) >= 0 && int64_t(w.base + w.bytes - 1) < 0)
    return bad("crosses 0x8000000000000000");
  return Error::success();
}

/// Divides the window: 2, 12, 6, 1 and 4 parts of 32, and the rest for bss.
void divideWindow(const Window &w, RegionState (&regions)[regionCount]) {
  static constexpr uint64_t parts[] = {2, 12, 6, 1, 4};
  uint64_t at = w.base, end = w.base + w.bytes;
  for (unsigned i = 0; i != regionCount; ++i) {
    uint64_t bytes = i < std::size(parts)
                         ? w.bytes / pageBytes * parts[i] / 32 * pageBytes
                         : end - at;
    regions[i] = {{at, bytes}, at};
    at += bytes;
  }
}

Hash128 deriveId(uint32_t machine, const Window &w) {
  HashBuilder b;
  return b.u64(atlasVersion).u64(machine).u64(w.base).u64(w.bytes).finish();
}

} // namespace

/// The connection and everything that is remembered.
struct Atlas::Impl {
  explicit Impl(Atlas &atlas) : atlas(atlas) {}
  ~Impl() { close(); }

  Atlas &atlas;
  sqlite3 *db = nullptr;
  bool created = false;             ///< open() made the file
  bool fresh = false;               ///< no schema yet: every look-up misses
  bool inTransaction = false;       ///< holding the lock that open() took
  Error pending = Error::success(); ///< the first row that could not be read

  Statement unitById, placesByKey, slotByKey, extentsIn;
  Statement variantCount, variantsOf, variantsByHash;
  Cache<UnitRow> units;
  Cache<SlotRow> slots;
  DenseMap<Hash128, std::vector<PlaceRow> *> places;
  std::deque<std::vector<PlaceRow>> placeLists;
  std::deque<PlaceRow> newPlaces;
  DenseMap<uint64_t, PageCache> pages;
  std::deque<PageVariant> foundVariants;
  std::vector<ExtentRow> newExtents;
  StringMap<uint32_t> libraryIds;
  uint32_t committedLibraries = 0;
  uint64_t committedNext[regionCount] = {};

  Expected<OpenStep> openOnce(std::optional<Window> window, uint32_t machine);
  Error connect();
  Error begin();
  Error checkHeader();
  Error loadMeta(std::optional<Window> window, uint32_t machine);
  Error loadRegions();
  Error loadLibraries();
  Error write();
  void abandon();
  void close();

  int exec(const char *sql) {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  }
  Error prepare(Statement &s, StringRef sql) {
    if (int rc = s.prepare(db, sql))
      return fail(rc, "cannot read");
    return Error::success();
  }
  Error fail(int rc, const char *doing);
  /// Remembers the first failure of a function that has no way to report it.
  void note(Error e) {
    if (pending)
      consumeError(std::move(e));
    else
      pending = std::move(e);
  }
  /// For statements that are prepared on first use; false after a failure.
  bool ready(Statement &s, StringRef sql) {
    if (fresh)
      return false;
    if (!s)
      if (Error e = prepare(s, sql)) {
        note(std::move(e));
        return false;
      }
    return true;
  }
  /// Calls \p fn for each row of \p s, which is bound, and resets it.
  template <class Fn> bool rows(Statement &s, Fn fn) {
    int rc;
    while ((rc = s.step()) == SQLITE_ROW)
      fn();
    s.reset();
    if (rc != SQLITE_DONE)
      note(fail(rc, "cannot read"));
    return rc == SQLITE_DONE;
  }
  template <class Fn> Error each(StringRef sql, Fn fn);
  template <class Fn>
  void prefetch(const char *sql, std::vector<Hash128> keys, Fn onRow);
  PageCache &page(uint64_t address);
};

//===----------------------------------------------------------------------===//
// Rows as the statements below give them
//===----------------------------------------------------------------------===//

#define UNIT_ROWS                                                              \
  "SELECT identity, kind, address, bytes, library, name FROM unit "
#define PLACE_ROWS                                                             \
  "SELECT key, generation, kind, address, capacity, align, library, name "     \
  "FROM place "
#define SLOT_ROWS "SELECT key, kind, address, bytes, library, name FROM slot "

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
// Opening
//===----------------------------------------------------------------------===//

Error Atlas::Impl::fail(int rc, const char *doing) {
  const char *path = atlas.filePath.c_str();
  switch (rc & 0xff) {
  case SQLITE_BUSY:
    return createStringError("%s: locked by another link for %u s", path,
                             lockSeconds);
  case SQLITE_FULL:
    return createStringError(
        "%s: no space left on the device, nothing was added", path);
  case SQLITE_NOTADB:
    return createStringError("%s: not an SQLite file, expected an atlas", path);
  case SQLITE_CORRUPT: {
    struct stat st;
    uint64_t found = ::stat(path, &st) ? 0 : uint64_t(st.st_size), said = 0;
    uint8_t head[32] = {};
    if (int fd = ::open(path, O_RDONLY | O_CLOEXEC); fd >= 0) {
      if (::pread(fd, head, sizeof head, 0) == sizeof head) {
        uint64_t grain = head[16] << 8 | head[17];
        said = (grain == 1 ? 65536 : grain) * (uint32_t(head[28]) << 24 |
                                               head[29] << 16 | head[30] << 8 |
                                               head[31]);
      }
      ::close(fd);
    }
    if (found < said)
      return createStringError(
          "%s: truncated: %llu bytes, its header says %llu", path,
          (unsigned long long)found, (unsigned long long)said);
    return createStringError("%s: damaged: %s", path, sqlite3_errmsg(db));
  }
  case SQLITE_READONLY:
    return createStringError("%s: read-only, expected a file and a directory "
                             "that can be written (or frozen mode)",
                             path);
  default:
    return createStringError("%s: %s: %s", path, doing,
                             db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
  }
}

/// Opens the connection; in Grow mode creates the file if it is absent.
Error Atlas::Impl::connect() {
  const std::string &path = atlas.filePath;
  bool grow = atlas.openMode == AtlasMode::Grow;
  auto failWith = [&](const char *what) {
    return createStringError("%s: %s: %s", path.c_str(), what, strerror(errno));
  };
  if (grow) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    created = fd >= 0;
    if (created)
      ::close(fd);
    else if (errno != EEXIST)
      return failWith("cannot create the atlas");
  }
  struct stat st;
  if (::stat(path.c_str(), &st))
    return failWith("cannot open the atlas");
  if (!S_ISREG(st.st_mode))
    return createStringError("%s: not a regular file, expected an atlas",
                             path.c_str());
  if (::access(path.c_str(), R_OK))
    return failWith("cannot read the atlas");
  if (grow && ::access(path.c_str(), W_OK))
    return failWith("cannot write the atlas (frozen mode only reads it)");
  size_t slash = path.rfind('/');
  std::string dir =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (grow && ::access(dir.c_str(), W_OK))
    return failWith("cannot write the atlas's directory (frozen mode only "
                    "reads it)");
  // SQLite gives some names a meaning of their own: ":memory:", "file:...".
  std::string name = path.front() == '/' ? path : "./" + path;
  int flags = grow ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (int rc = sqlite3_open_v2(
          name.c_str(), &db,
          flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr))
    return fail(rc, "cannot open the atlas");
  sqlite3_busy_timeout(db, int(lockSeconds) * 1000);
  exec("PRAGMA page_size=4096; PRAGMA cache_size=-65536; "
       "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=1073741824;");
  return Error::success();
}

/// Takes the transaction. A killed link may have left a journal that only a
/// connection with write access can roll back.
Error Atlas::Impl::begin() {
  bool grow = atlas.openMode == AtlasMode::Grow;
  static constexpr char beginRead[] =
      "BEGIN; SELECT count(*) FROM sqlite_schema";
  int rc = exec(grow ? "BEGIN IMMEDIATE" : beginRead);
  if (rc == SQLITE_READONLY_ROLLBACK) {
    exec("ROLLBACK");
    sqlite3 *writer = nullptr;
    if (sqlite3_open_v2(sqlite3_db_filename(db, "main"), &writer,
                        SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
      sqlite3_busy_timeout(writer, int(lockSeconds) * 1000);
      sqlite3_exec(writer, "SELECT count(*) FROM sqlite_schema", nullptr,
                   nullptr, nullptr);
    }
    sqlite3_close(writer);
    rc = exec(beginRead);
    if (rc == SQLITE_READONLY_ROLLBACK)
      return createStringError(
          "%s: a killed link left %s-journal, which a link that may write must "
          "roll back first",
          atlas.filePath.c_str(), atlas.filePath.c_str());
  }
  if (rc)
    return fail(rc, "cannot lock the atlas");
  inTransaction = true;
  return Error::success();
}

/// Decides whether the file is new, an atlas, or something else.
Error Atlas::Impl::checkHeader() {
  const char *path = atlas.filePath.c_str();
  auto pragma = [&](StringRef sql, uint32_t &value) -> Error {
    Statement s;
    if (Error e = prepare(s, sql))
      return e;
    int rc = s.step();
    if (rc != SQLITE_ROW)
      return fail(rc, "cannot read");
    value = s.u32(0);
    return Error::success();
  };
  uint32_t application = 0, version = 0;
  // SQLite itself counts a page here: BEGIN IMMEDIATE made one in memory.
  sqlite3_file *file = nullptr;
  sqlite3_int64 fileBytes = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (int rc = file->pMethods->xFileSize(file, &fileBytes))
    return fail(rc, "cannot read");
  fresh = fileBytes == 0;
  if (fresh && atlas.openMode == AtlasMode::Frozen)
    return createStringError("%s: empty, expected an atlas that a link has "
                             "committed",
                             path);
  if (fresh)
    return Error::success();
  if (Error e = pragma("PRAGMA application_id", application))
    return e;
  if (application != applicationId)
    return createStringError("%s: SQLite file with application id 0x%08x, "
                             "expected an atlas (0x%08x)",
                             path, application, applicationId);
  if (Error e = pragma("PRAGMA user_version", version))
    return e;
  if (version != atlasVersion)
    return createStringError(
        "%s: atlas format %u, expected %u%s", path, version, atlasVersion,
        version > atlasVersion ? " (made by a newer tool)" : "");
  return Error::success();
}

Error Atlas::Impl::loadMeta(std::optional<Window> window, uint32_t machine) {
  const char *path = atlas.filePath.c_str();
  unsigned seen = 0;
  if (Error e = each("SELECT name, value FROM meta", [&](const Statement &s) {
        StringRef name = s.text(0);
        if (name == "machine")
          atlas.elfMachine = s.u32(1), seen |= 1;
        else if (name == "window_base")
          atlas.wholeWindow.base = s.u64(1), seen |= 2;
        else if (name == "window_bytes")
          atlas.wholeWindow.bytes = s.u64(1), seen |= 4;
        else if (name == "id")
          atlas.atlasId = s.hash(1), seen |= 8;
      }))
    return e;
  if (seen != 15)
    return createStringError("%s: damaged: meta lacks machine, window or id",
                             path);
  if (Error e = checkWindow(path, atlas.wholeWindow))
    return e;
  if (machine && machine != atlas.elfMachine)
    return createStringError("%s: made for ELF machine %u, expected %u", path,
                             atlas.elfMachine, machine);
  if (window && (window->base != atlas.wholeWindow.base ||
                 window->bytes != atlas.wholeWindow.bytes))
    return createStringError("%s: its window is %s, asked for %s", path,
                             describeWindow(atlas.wholeWindow).c_str(),
                             describeWindow(*window).c_str());
  return Error::success();
}

/// The recorded division must be the one that the window implies.
Error Atlas::Impl::loadRegions() {
  divideWindow(atlas.wholeWindow, atlas.regions);
  unsigned good = 0;
  if (Error e = each("SELECT kind, base, bytes, next FROM region ORDER BY kind",
                     [&](const Statement &s) {
                       if (s.u64(0) >= regionCount)
                         return;
                       RegionState &r = atlas.regions[s.u64(0)];
                       uint64_t used = s.u64(3) - r.range.base;
                       if (s.u64(1) != r.range.base ||
                           s.u64(2) != r.range.bytes || used > r.range.bytes ||
                           used % pageBytes)
                         return;
                       committedNext[s.u64(0)] = r.next = s.u64(3);
                       ++good;
                     }))
    return e;
  if (good != regionCount)
    return createStringError("%s: damaged: %u regions fit the window, "
                             "expected %u",
                             atlas.filePath.c_str(), good, regionCount);
  return Error::success();
}

Error Atlas::Impl::loadLibraries() {
  if (!fresh)
    if (Error e = each("SELECT id, name FROM library ORDER BY id",
                       [&](const Statement &s) {
                         if (s.u64(0) == atlas.libraryNames.size())
                           atlas.libraryNames.push_back(s.text(1).str());
                       }))
      return e;
  committedLibraries = uint32_t(atlas.libraryNames.size());
  if (!committedLibraries)
    atlas.libraryNames.push_back("");
  for (uint32_t i = 0; i != atlas.libraryNames.size(); ++i)
    libraryIds[atlas.libraryNames[i]] = i;
  return Error::success();
}

Expected<OpenStep> Atlas::Impl::openOnce(std::optional<Window> window,
                                         uint32_t machine) {
  if (Error e = connect())
    return e;
  if (Error e = begin())
    return e;
  // The link that created this file has failed and taken its name away while
  // this one waited.
  int moved = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved)
    return OpenStep::Retry;
  if (Error e = checkHeader())
    return e;
  if (fresh) {
    atlas.elfMachine = machine ? machine : 62;
    atlas.wholeWindow = window.value_or(defaultWindow);
    if (Error e = checkWindow(atlas.filePath, atlas.wholeWindow))
      return e;
    divideWindow(atlas.wholeWindow, atlas.regions);
    atlas.atlasId = deriveId(atlas.elfMachine, atlas.wholeWindow);
  } else {
    if (Error e = loadMeta(window, machine))
      return e;
    if (Error e = loadRegions())
      return e;
  }
  if (Error e = loadLibraries())
    return e;
  return OpenStep::Done;
}

Expected<std::unique_ptr<Atlas>> Atlas::open(StringRef path, AtlasMode mode,
                                             std::optional<Window> window,
                                             uint32_t machine) {
  if (path.empty())
    return createStringError("the atlas has no file name");
  for (;;) {
    std::unique_ptr<Atlas> atlas(new Atlas);
    atlas->filePath = path.str();
    atlas->openMode = mode;
    atlas->impl = std::make_unique<Impl>(*atlas);
    Expected<OpenStep> step = atlas->impl->openOnce(window, machine);
    if (!step)
      return step.takeError();
    if (*step == OpenStep::Done)
      return std::move(atlas);
    atlas->impl->created = false;
  }
}

/// Gives up the transaction; a file that this link created loses its name while
/// the lock is still held.
void Atlas::Impl::abandon() {
  if (!inTransaction)
    return;
  inTransaction = false;
  int moved = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (created && fresh && !moved)
    ::unlink(atlas.filePath.c_str());
  if (!sqlite3_get_autocommit(db))
    exec("ROLLBACK");
}

void Atlas::Impl::close() {
  abandon();
  consumeError(std::move(pending));
  for (Statement *s : {&unitById, &placesByKey, &slotByKey, &extentsIn,
                       &variantCount, &variantsOf, &variantsByHash})
    *s = Statement();
  sqlite3_close_v2(db);
  db = nullptr;
}

Atlas::~Atlas() = default;

//===----------------------------------------------------------------------===//
// Look-ups
//===----------------------------------------------------------------------===//

const UnitRow *Atlas::findUnit(const Hash128 &identity) {
  auto [it, isNew] = impl->units.byKey.try_emplace(identity, nullptr);
  if (!isNew || !impl->ready(impl->unitById, UNIT_ROWS "WHERE identity = ?"))
    return it->second;
  impl->unitById.bindAll(identity);
  const UnitRow *row = nullptr;
  impl->rows(impl->unitById, [&] {
    row = impl->units.keep(identity, readUnit(impl->unitById));
  });
  return row;
}

const SlotRow *Atlas::findSlot(const Hash128 &key) {
  auto [it, isNew] = impl->slots.byKey.try_emplace(key, nullptr);
  if (!isNew || !impl->ready(impl->slotByKey, SLOT_ROWS "WHERE key = ?"))
    return it->second;
  impl->slotByKey.bindAll(key);
  const SlotRow *row = nullptr;
  impl->rows(impl->slotByKey,
             [&] { row = impl->slots.keep(key, readSlot(impl->slotByKey)); });
  return row;
}

ArrayRef<PlaceRow> Atlas::findPlaces(const Hash128 &key) {
  auto [it, isNew] = impl->places.try_emplace(key, nullptr);
  if (isNew && impl->ready(impl->placesByKey,
                           PLACE_ROWS "WHERE key = ? ORDER BY generation")) {
    impl->placesByKey.bindAll(key);
    std::vector<PlaceRow> list;
    impl->rows(impl->placesByKey,
               [&] { list.push_back(readPlace(impl->placesByKey)); });
    if (!list.empty())
      it->second = &impl->placeLists.emplace_back(std::move(list));
  }
  return it->second ? ArrayRef<PlaceRow>(*it->second) : ArrayRef<PlaceRow>();
}

/// Reads the rows of all \p keys that \p sql (ending in "IN (") selects, some
/// at a time: one run of a statement for many rows costs half of one for each.
template <class Fn>
void Atlas::Impl::prefetch(const char *sql, std::vector<Hash128> keys,
                           Fn onRow) {
  static constexpr size_t atOnce = 256;
  if (fresh || keys.empty())
    return;
  llvm::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::string text = sql;
  size_t width = std::min(atOnce, keys.size());
  for (size_t i = 0; i != width; ++i)
    text += i ? ",?" : "?";
  Statement s;
  if (Error e = prepare(s, text + ")"))
    return note(std::move(e));
  for (size_t from = 0; from < keys.size(); from += width) {
    for (size_t i = 0; i != width; ++i)
      s.bind(int(i + 1), keys[std::min(from + i, keys.size() - 1)]);
    if (!rows(s, [&] { onRow(s); }))
      return;
  }
}

/// The keys that the cache knows nothing of yet; they count as absent until
/// their row is seen.
template <class Map>
static std::vector<Hash128> takeUnknown(Map &known, ArrayRef<Hash128> keys) {
  std::vector<Hash128> unknown;
  known.reserve(known.size() + keys.size());
  for (const Hash128 &k : keys)
    if (known.try_emplace(k, nullptr).second)
      unknown.push_back(k);
  return unknown;
}

void Atlas::prefetchUnits(ArrayRef<Hash128> identities) {
  impl->prefetch(
      UNIT_ROWS "WHERE identity IN (",
      takeUnknown(impl->units.byKey, identities),
      [&](const Statement &s) { impl->units.keep(s.hash(0), readUnit(s)); });
}

void Atlas::prefetchSlots(ArrayRef<Hash128> keys) {
  impl->prefetch(
      SLOT_ROWS "WHERE key IN (", takeUnknown(impl->slots.byKey, keys),
      [&](const Statement &s) { impl->slots.keep(s.hash(0), readSlot(s)); });
}

void Atlas::prefetchPlaces(ArrayRef<Hash128> keys) {
  impl->prefetch(PLACE_ROWS "WHERE key IN (", takeUnknown(impl->places, keys),
                 [&](const Statement &s) {
                   auto *&list = impl->places[s.hash(0)];
                   if (!list)
                     list = &impl->placeLists.emplace_back();
                   list->push_back(readPlace(s));
                 });
}

PageCache &Atlas::Impl::page(uint64_t address) {
  PageCache &p = pages[address];
  if (std::exchange(p.countKnown, true))
    return p;
  if (ready(variantCount, "SELECT count(*) FROM page WHERE address = ?")) {
    variantCount.bindAll(address);
    rows(variantCount, [&] { p.count = variantCount.u32(0); });
  }
  return p;
}

Expected<ArrayRef<PageVariant>> Atlas::pageVariants(uint64_t address) {
  PageCache &p = impl->pages[address];
  if (!p.loaded) {
    if (impl->ready(impl->variantsOf, "SELECT variant, hash, content FROM page "
                                      "WHERE address = ? ORDER BY variant")) {
      impl->variantsOf.bindAll(address);
      impl->rows(impl->variantsOf,
                 [&] { p.all.push_back(readVariant(impl->variantsOf)); });
    }
    if (impl->pending)
      return std::exchange(impl->pending, Error::success());
    p.all.insert(p.all.end(), p.added.begin(), p.added.end());
    p.count = uint32_t(p.all.size());
    p.loaded = p.countKnown = true;
  }
  return ArrayRef<PageVariant>(p.all);
}

Expected<const PageVariant *> Atlas::findVariant(uint64_t address,
                                                 ArrayRef<uint8_t> content) {
  PageCache &p = impl->pages[address];
  for (const std::vector<PageVariant> *list : {&p.all, &p.added})
    for (const PageVariant &v : *list)
      if (ArrayRef<uint8_t>(v.content) == content)
        return &v;
  if (p.loaded)
    return nullptr;
  const PageVariant *found = nullptr;
  if (impl->ready(impl->variantsByHash,
                  "SELECT variant, hash, content FROM page "
                  "WHERE address = ? AND hash = ? ORDER BY variant")) {
    impl->variantsByHash.bindAll(address, hashBytes(content));
    impl->rows(impl->variantsByHash, [&] {
      if (!found && impl->variantsByHash.blob(2) == content)
        found = &impl->foundVariants.emplace_back(
            readVariant(impl->variantsByHash));
    });
  }
  if (impl->pending)
    return std::exchange(impl->pending, Error::success());
  return found;
}

std::vector<ExtentRow> Atlas::extents(Region r, uint64_t begin, uint64_t end) {
  std::vector<ExtentRow> out;
  if (begin < end &&
      impl->ready(impl->extentsIn,
                  "SELECT base, bytes, library FROM extent WHERE region = ?1 "
                  "AND base < ?3 AND base >= ifnull((SELECT max(base) FROM "
                  "extent WHERE base <= ?2), ?2) ORDER BY base")) {
    Statement &s = impl->extentsIn;
    s.bindAll(uint64_t(r), begin, end);
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
  std::vector<PlaceRow> &list = impl->placeLists.emplace_back(known.vec());
  impl->places[row.key] = &list;
  list.insert(llvm::upper_bound(
                  list, row,
                  [](auto &a, auto &b) { return a.generation < b.generation; }),
              row);
  return impl->newPlaces.emplace_back(std::move(row));
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
  PageCache &p = impl->page(address);
  PageVariant v{p.count++, hashBytes(content), content.vec()};
  p.added.push_back(v);
  p.loaded = false;
  p.all.clear();
  return v.variant;
}

void Atlas::addExtent(const ExtentRow &row) { impl->newExtents.push_back(row); }

Expected<uint64_t> Atlas::allocate(Region r, uint64_t bytes, uint32_t library) {
  RegionState &state = region(r);
  uint64_t left = state.range.base + state.range.bytes - state.next;
  if (bytes > left)
    return createStringError(
        "%s: the window's %s region is full: %llu pages, %llu left, asked for "
        "%llu",
        filePath.c_str(), regionName(r).str().c_str(),
        (unsigned long long)(state.range.bytes / pageBytes),
        (unsigned long long)(left / pageBytes),
        (unsigned long long)(bytes / pageBytes + (bytes % pageBytes != 0)));
  uint64_t base = state.next, whole = alignTo(bytes, pageBytes);
  state.next += whole;
  if (whole)
    addExtent({r, base, whole, library});
  return base;
}

//===----------------------------------------------------------------------===//
// Commit
//===----------------------------------------------------------------------===//

bool Atlas::changed() const {
  const Impl &i = *impl;
  if (i.fresh || !i.units.added.empty() || !i.slots.added.empty() ||
      !i.newPlaces.empty() || !i.newExtents.empty() ||
      libraryNames.size() != i.committedLibraries)
    return true;
  for (unsigned r = 0; r != regionCount; ++r)
    if (regions[r].next != i.committedNext[r])
      return true;
  return any_of(i.pages, [](auto &p) { return !p.second.added.empty(); });
}

namespace {
/// Runs one INSERT for many rows; keeps the first failure.
class Inserter {
public:
  Inserter(sqlite3 *db, StringRef sql) : rc(stmt.prepare(db, sql)) {}
  template <class... Ts> void operator()(const Ts &...vs) {
    if (rc != SQLITE_OK)
      return;
    stmt.bindAll(vs...);
    if (int r = stmt.run(); r != SQLITE_DONE)
      rc = r;
  }
  Statement stmt;
  int rc;
};
} // namespace

/// Writes everything that was added, each table in the order of its key.
Error Atlas::Impl::write() {
  int rc = SQLITE_OK;
  auto fill = [&](StringRef sql, auto fn) {
    if (rc != SQLITE_OK)
      return;
    Inserter insert(db, sql);
    fn(insert);
    rc = insert.rc;
  };
  if (fresh) {
    rc = exec(schema);
    fill("INSERT INTO meta VALUES(?, ?)", [&](Inserter &insert) {
      insert(StringRef("machine"), uint64_t(atlas.elfMachine));
      insert(StringRef("window_base"), atlas.wholeWindow.base);
      insert(StringRef("window_bytes"), atlas.wholeWindow.bytes);
      insert(StringRef("id"), atlas.atlasId);
    });
  }
  fill("INSERT OR REPLACE INTO region VALUES(?, ?, ?, ?, ?)",
       [&](Inserter &insert) {
         for (unsigned r = 0; r != regionCount; ++r) {
           const RegionState &s = atlas.regions[r];
           insert(uint64_t(r), regionName(Region(r)), s.range.base,
                  s.range.bytes, s.next);
         }
       });
  fill("INSERT INTO library VALUES(?, ?)", [&](Inserter &insert) {
    for (uint32_t i = committedLibraries; i < atlas.libraryNames.size(); ++i)
      insert(uint64_t(i), StringRef(atlas.libraryNames[i]));
  });
  fill("INSERT INTO extent VALUES(?, ?, ?, ?)", [&](Inserter &insert) {
    for (const ExtentRow &e : newExtents)
      insert(e.base, uint64_t(e.region), e.bytes, uint64_t(e.library));
  });
  llvm::sort(units.added,
             [](auto *a, auto *b) { return a->identity < b->identity; });
  fill("INSERT INTO unit VALUES(?, ?, ?, ?, ?, ?)", [&](Inserter &insert) {
    for (const UnitRow *u : units.added)
      insert(u->identity, uint64_t(u->kind), u->address, u->bytes,
             uint64_t(u->library), StringRef(u->name));
  });
  std::vector<const PlaceRow *> sorted;
  for (const PlaceRow &p : newPlaces)
    sorted.push_back(&p);
  llvm::sort(sorted, [](auto *a, auto *b) {
    return std::tie(a->key, a->generation) < std::tie(b->key, b->generation);
  });
  fill("INSERT INTO place VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
       [&](Inserter &insert) {
         for (const PlaceRow *p : sorted)
           insert(p->key, uint64_t(p->generation), uint64_t(p->kind),
                  p->address, p->capacity, p->align, uint64_t(p->library),
                  StringRef(p->name));
       });
  llvm::sort(slots.added, [](auto *a, auto *b) { return a->key < b->key; });
  fill("INSERT INTO slot VALUES(?, ?, ?, ?, ?, ?)", [&](Inserter &insert) {
    for (const SlotRow *s : slots.added)
      insert(s->key, uint64_t(s->kind), s->address, uint64_t(s->bytes),
             uint64_t(s->library), StringRef(s->name));
  });
  std::vector<uint64_t> addresses;
  for (auto &[address, p] : pages)
    if (!p.added.empty())
      addresses.push_back(address);
  llvm::sort(addresses);
  fill("INSERT INTO page VALUES(?, ?, ?, ?)", [&](Inserter &insert) {
    for (uint64_t address : addresses)
      for (const PageVariant &v : pages.find(address)->second.added)
        insert(address, uint64_t(v.variant), v.hash,
               ArrayRef<uint8_t>(v.content));
  });
  return rc == SQLITE_OK ? Error::success() : fail(rc, "cannot write");
}

Error Atlas::commit() {
  if (impl->pending) {
    Error e = std::exchange(impl->pending, Error::success());
    impl->abandon();
    return e;
  }
  if (openMode == AtlasMode::Frozen)
    return Error::success();
  if (!impl->inTransaction)
    return createStringError("%s: an atlas commits once", filePath.c_str());
  if (changed())
    if (Error e = impl->write()) {
      impl->abandon();
      return e;
    }
  if (int rc = impl->exec("COMMIT")) {
    Error e = impl->fail(rc, "cannot write");
    impl->abandon();
    return e;
  }
  impl->inTransaction = impl->fresh = false;
  impl->units.added.clear();
  impl->slots.added.clear();
  impl->newPlaces.clear();
  impl->newExtents.clear();
  for (auto &p : impl->pages)
    p.second.added.clear();
  impl->committedLibraries = uint32_t(libraryNames.size());
  for (unsigned r = 0; r != regionCount; ++r)
    impl->committedNext[r] = regions[r].next;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Inspection
//===----------------------------------------------------------------------===//

template <class Fn> Error Atlas::Impl::each(StringRef sql, Fn fn) {
  if (fresh)
    return Error::success();
  Statement s;
  if (Error e = prepare(s, sql))
    return e;
  int rc;
  while ((rc = s.step()) == SQLITE_ROW)
    fn(s);
  return rc == SQLITE_DONE ? Error::success() : fail(rc, "cannot read");
}

Error Atlas::forEachUnit(std::function<void(const UnitRow &)> fn) {
  return impl->each(UNIT_ROWS "ORDER BY identity",
                    [&](const Statement &s) { fn(readUnit(s)); });
}

Error Atlas::forEachPlace(std::function<void(const PlaceRow &)> fn) {
  return impl->each(PLACE_ROWS "ORDER BY key, generation",
                    [&](const Statement &s) { fn(readPlace(s)); });
}

Error Atlas::forEachSlot(std::function<void(const SlotRow &)> fn) {
  return impl->each(SLOT_ROWS "ORDER BY key",
                    [&](const Statement &s) { fn(readSlot(s)); });
}

Error Atlas::forEachPage(
    std::function<void(uint64_t, const PageVariant &)> fn) {
  return impl->each("SELECT variant, hash, content, address FROM page "
                    "ORDER BY address, variant",
                    [&](const Statement &s) { fn(s.u64(3), readVariant(s)); });
}

Expected<AtlasCounts> Atlas::counts() {
  AtlasCounts c;
  if (Error e = impl->each(
          "SELECT (SELECT count(*) FROM unit), (SELECT count(*) FROM place), "
          "(SELECT count(*) FROM slot), (SELECT count(DISTINCT address) FROM "
          "page), (SELECT count(*) FROM page), (SELECT count(*) FROM library "
          "WHERE id > 0), (SELECT count(*) FROM extent)",
          [&](const Statement &s) {
            c = {s.u64(0), s.u64(1), s.u64(2), s.u64(3),
                 s.u64(4), s.u64(5), s.u64(6)};
          }))
    return e;
  return c;
}

Error Atlas::integrityCheck(std::vector<std::string> &problems) {
  return impl->each("PRAGMA integrity_check", [&](const Statement &s) {
    if (s.text(0) != "ok")
      problems.push_back(("SQLite: " + s.text(0)).str());
  });
}

} // namespace spacer
