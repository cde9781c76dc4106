//===- AtlasFile.cpp - the atlas as an SQLite file ------------------------===//
//
// The transaction is taken when the file is opened and kept until the link
// ends: BEGIN IMMEDIATE in Grow mode, so that links that may allocate take
// turns, a read transaction in Frozen mode. No look-up after that makes a
// locking system call, and nothing is written before commit(), not even the
// schema of a new file: a killed link leaves an empty file, which counts as
// new, or, if it was killed while it committed, a journal that the next one
// rolls back.
//
// A link that created the file and does not commit unlinks it under the write
// lock, so nobody can have written to it. Another link that waited for that
// lock then holds a file without a name; it notices and opens again. It must
// notice before SQLite does: SQLite would use a journal by the old name, which
// may be that of a third link's new file. So a file loses its name only under a
// lock on its directory, and is opened, and its transaction begun, under the
// same lock.
//
//===----------------------------------------------------------------------===//

#include "AtlasFile.h"
#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace llvm;

namespace spacer {

static constexpr uint32_t applicationId = 0x53504341; // "SPCA"
/// Files of format 2 have no packs (AtlasPack.h) and get none.
static constexpr uint32_t oldestVersion = 2, atlasVersion = 3;
/// Of what identities and keys mean: part of the atlas's id.
static constexpr uint32_t contentVersion = 2;
static constexpr uint64_t smallestWindow = 64 * pageBytes;
/// 16 MiB to 128 MiB: above a kernel at 1 MiB, inside the small code model.
static constexpr Window defaultWindow{0x1000000, 112 << 20};

// Units, places and slots are stored in the order in which links added them
// (id), because a link that needs one needs its neighbours: see Atlas.cpp.
//
// A row of page is a little over 4096 bytes. With pages of 4096 bytes SQLite
// keeps 489 of them in the B-tree and the rest in one overflow page: 11% waste.
// With 8192 one row fits and half of each page stays empty.
static constexpr char schema[] = R"(
PRAGMA application_id = 0x53504341;
PRAGMA user_version = 3;
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE part(base INTEGER PRIMARY KEY, region INTEGER NOT NULL,
  bytes INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;
CREATE TABLE library(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE extent(base INTEGER PRIMARY KEY, region INTEGER NOT NULL,
  bytes INTEGER NOT NULL, library INTEGER NOT NULL) STRICT;
CREATE TABLE unit(id INTEGER PRIMARY KEY,
  identity BLOB NOT NULL UNIQUE CHECK(length(identity) = 16),
  kind INTEGER NOT NULL, address INTEGER NOT NULL, bytes INTEGER NOT NULL,
  library INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE TABLE place(id INTEGER PRIMARY KEY,
  key BLOB NOT NULL CHECK(length(key) = 16), generation INTEGER NOT NULL,
  kind INTEGER NOT NULL, address INTEGER NOT NULL, capacity INTEGER NOT NULL,
  align INTEGER NOT NULL, library INTEGER NOT NULL, name TEXT NOT NULL,
  UNIQUE(key, generation)) STRICT;
CREATE INDEX place_moved ON place(key, generation) WHERE generation > 0;
CREATE TABLE slot(id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE CHECK(length(key) = 16),
  kind INTEGER NOT NULL, address INTEGER NOT NULL, bytes INTEGER NOT NULL,
  library INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE INDEX slot_address ON slot(address);
CREATE TABLE page(address INTEGER, variant INTEGER,
  hash BLOB NOT NULL CHECK(length(hash) = 16),
  content BLOB NOT NULL CHECK(length(content) = 4096),
  PRIMARY KEY(address, variant)) STRICT, WITHOUT ROWID;
CREATE TABLE pack(id INTEGER PRIMARY KEY, units BLOB NOT NULL,
  slots BLOB NOT NULL, pages BLOB NOT NULL,
  digest BLOB NOT NULL CHECK(length(digest) = 16)) STRICT;
)";

//===----------------------------------------------------------------------===//
// The window
//===----------------------------------------------------------------------===//

std::string describeWindow(const Window &w) {
  return formatv("{0:x}:{1:x}", w.base, w.bytes);
}

static Error checkWindow(StringRef path, const Window &w) {
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
  // SQLite orders addresses as signed numbers.
  if (int64_t(w.base) >= 0 && int64_t(w.base + w.bytes - 1) < 0)
    return bad("crosses 0x8000000000000000");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// A damaged file: says so, and by how much it is too short if it is.
static Error damaged(const char *path, const char *what) {
  uint8_t head[32] = {};
  uint64_t found = 0, said = 0;
  if (int fd = ::open(path, O_RDONLY | O_CLOEXEC); fd >= 0) {
    struct stat st;
    if (!::fstat(fd, &st) && ::pread(fd, head, sizeof head, 0) == sizeof head) {
      uint64_t grain = head[16] << 8 | head[17];
      found = uint64_t(st.st_size);
      said = (grain == 1 ? 65536 : grain) * (uint32_t(head[28]) << 24 |
                                             head[29] << 16 | head[30] << 8 |
                                             head[31]);
    }
    ::close(fd);
  }
  if (found < said)
    return createStringError("%s: truncated: %llu bytes, its header says %llu",
                             path, (unsigned long long)found,
                             (unsigned long long)said);
  return createStringError("%s: damaged: %s", path, what);
}

Error AtlasFile::fail(int rc, const char *doing) {
  // One line: a message may quote the schema.
  std::string why = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  why.resize(std::min(why.find('\n'), why.size()));
  switch (rc & 0xff) {
  case SQLITE_BUSY:
    return createStringError("%s: locked by another link for %u s",
                             path.c_str(), Atlas::lockSeconds);
  case SQLITE_FULL:
    return createStringError(
        "%s: no space left on the device, nothing was added", path.c_str());
  case SQLITE_NOTADB:
    return createStringError("%s: not an SQLite file, expected an atlas",
                             path.c_str());
  case SQLITE_CORRUPT:
    return damaged(path.c_str(), why.c_str());
  case SQLITE_ERROR: // an atlas by its header, but a table is not there
    return createStringError("%s: damaged: %s", path.c_str(), why.c_str());
  case SQLITE_READONLY:
    return createStringError("%s: read-only, expected a file and a directory "
                             "that can be written (or frozen mode)",
                             path.c_str());
  default:
    return createStringError("%s: %s: %s", path.c_str(), doing, why.c_str());
  }
}

Error AtlasFile::systemError(const char *what) {
  return createStringError("%s: %s: %s", path.c_str(), what, strerror(errno));
}

Error AtlasFile::prepare(Statement &s, StringRef sql) {
  if (int rc = s.prepare(db, sql))
    return fail(rc, "cannot read");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

std::string AtlasFile::directory() const {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// SQLite would quietly open a file read-only; and it needs the directory for
/// its journal, when it is too late to tell the user.
Error AtlasFile::checkAccess() {
  bool grow = mode == AtlasMode::Grow;
  struct stat st;
  if (::stat(path.c_str(), &st))
    return systemError("cannot open the atlas");
  if (!S_ISREG(st.st_mode))
    return createStringError("%s: not a regular file, expected an atlas",
                             path.c_str());
  if (::access(path.c_str(), R_OK))
    return systemError("cannot read the atlas");
  if (grow && ::access(path.c_str(), W_OK))
    return systemError("cannot write the atlas (frozen mode only reads it)");
  if (grow && ::access(directory().c_str(), W_OK))
    return systemError(
        "cannot write the atlas's directory (frozen mode only reads it)");
  return Error::success();
}

namespace {
/// Holds flock(2) on a directory, if the file system can do that.
class DirectoryLock {
public:
  DirectoryLock(const std::string &dir, int how)
      : fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        held(fd >= 0 && ::flock(fd, how) == 0) {}
  ~DirectoryLock() {
    if (fd >= 0)
      ::close(fd);
  }
  explicit operator bool() const { return held; }

private:
  int fd;
  bool held;
};
} // namespace

// Under the directory's lock, so that the file has its name until it is open:
// SQLite reads it for some pragmas and would take the journal of a new file of
// that name for its own.
Error AtlasFile::connect() {
  bool grow = mode == AtlasMode::Grow;
  std::optional<DirectoryLock> guard;
  if (grow) {
    guard.emplace(directory(), LOCK_SH);
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST)
      return systemError("cannot create the atlas");
    created = fd >= 0;
    if (created)
      ::close(fd);
  }
  if (Error e = checkAccess())
    return e;
  // SQLite gives some names a meaning of their own: ":memory:", "file:...".
  std::string name = path.front() == '/' ? path : "./" + path;
  int access = grow ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (int rc = sqlite3_open_v2(
          name.c_str(), &db,
          access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr))
    return fail(rc, "cannot open the atlas");
  sqlite3_busy_timeout(db, int(Atlas::lockSeconds) * 1000);
  // Not mapped: a map saves nothing over the few reads that a link makes, and a
  // file that somebody cuts short would kill the link.
  exec("PRAGMA page_size=4096; PRAGMA cache_size=-65536; "
       "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;");
  return Error::success();
}

static constexpr char beginRead[] = "BEGIN; SELECT count(*) FROM sqlite_schema";

/// A link that was killed while it committed left a journal, and only a
/// connection with write access can roll it back.
Error AtlasFile::rollBackForKilled() {
  exec("ROLLBACK");
  sqlite3 *writer = nullptr;
  if (sqlite3_open_v2(sqlite3_db_filename(db, "main"), &writer,
                      SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    sqlite3_busy_timeout(writer, int(Atlas::lockSeconds) * 1000);
    sqlite3_exec(writer, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr,
                 nullptr);
  }
  sqlite3_close(writer);
  int rc = exec(beginRead);
  if (rc == SQLITE_READONLY_ROLLBACK)
    return createStringError("%s: a killed link left %s-journal, which a link "
                             "that may write must roll back first",
                             path.c_str(), path.c_str());
  return rc ? fail(rc, "cannot lock the atlas") : Error::success();
}

/// Tries BEGIN IMMEDIATE until another link lets go of the atlas. SQLite's own
/// waiting would keep the directory locked.
int AtlasFile::beginWriting() {
  using namespace std::chrono;
  auto end = steady_clock::now() + seconds(Atlas::lockSeconds);
  for (unsigned waitMs = 1;; waitMs = std::min(2 * waitMs, 32u)) {
    int rc = SQLITE_BUSY;
    {
      DirectoryLock guard(directory(), LOCK_SH);
      if (lostName())
        return rc;
      sqlite3_busy_timeout(db, 0);
      rc = exec("BEGIN IMMEDIATE");
      sqlite3_busy_timeout(db, int(Atlas::lockSeconds) * 1000);
    }
    if ((rc & 0xff) != SQLITE_BUSY || steady_clock::now() >= end)
      return rc;
    std::this_thread::sleep_for(milliseconds(waitMs));
  }
}

Error AtlasFile::begin() {
  int rc = mode == AtlasMode::Grow ? beginWriting() : exec(beginRead);
  if (rc == SQLITE_READONLY_ROLLBACK) {
    if (Error e = rollBackForKilled())
      return e;
  } else if (rc) {
    return fail(rc, "cannot lock the atlas");
  }
  locked = true;
  return Error::success();
}

bool AtlasFile::lostName() {
  int moved = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved;
}

Expected<std::unique_ptr<AtlasFile>> AtlasFile::open(StringRef path,
                                                     AtlasMode mode) {
  if (path.empty())
    return createStringError("the atlas has no file name");
  for (;;) {
    std::unique_ptr<AtlasFile> file(new AtlasFile(path, mode));
    if (Error e = file->connect())
      return std::move(e);
    Error begun = file->begin();
    if (file->lostName()) { // whoever created it has taken it away meanwhile
      consumeError(std::move(begun));
      continue;
    }
    if (begun)
      return std::move(begun);
    if (Error e = file->checkHeader())
      return std::move(e);
    return std::move(file);
  }
}

/// Decides whether the file is new, an atlas, or something else.
Error AtlasFile::checkHeader() {
  // By the file's size: BEGIN IMMEDIATE has made a first page in memory.
  sqlite3_file *handle = nullptr;
  sqlite3_int64 fileBytes = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
                       static_cast<void *>(&handle));
  if (int rc = handle->pMethods->xFileSize(handle, &fileBytes))
    return fail(rc, "cannot read");
  fresh = fileBytes == 0;
  if (fresh && mode == AtlasMode::Frozen)
    return createStringError(
        "%s: empty, expected an atlas that a link has committed", path.c_str());
  uint32_t application = 0, version = 0;
  if (Error e = each("PRAGMA application_id",
                     [&](Statement &s) { application = s.u32(0); }))
    return e;
  if (Error e = each("PRAGMA user_version",
                     [&](Statement &s) { version = s.u32(0); }))
    return e;
  if (!fresh && application != applicationId)
    return createStringError("%s: SQLite file with application id 0x%08x, "
                             "expected an atlas (0x%08x)",
                             path.c_str(), application, applicationId);
  if (!fresh && (version < oldestVersion || version > atlasVersion))
    return createStringError(
        "%s: atlas format %u, expected %u%s", path.c_str(), version,
        atlasVersion, version > atlasVersion ? " (made by a newer tool)" : "");
  packs = fresh || version >= 3;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The head
//===----------------------------------------------------------------------===//

Error AtlasFile::readMeta(AtlasHead &head) {
  unsigned seen = 0;
  if (Error e = each("SELECT name, value FROM meta", [&](Statement &s) {
        StringRef name = s.text(0);
        if (name == "machine")
          head.machine = s.u32(1), seen |= 1;
        else if (name == "window_base")
          head.window.base = s.u64(1), seen |= 2;
        else if (name == "window_bytes")
          head.window.bytes = s.u64(1), seen |= 4;
        else if (name == "id")
          head.id = s.hash(1), seen |= 8;
      }))
    return e;
  if (seen != 15)
    return createStringError("%s: damaged: meta lacks machine, window or id",
                             path.c_str());
  return checkWindow(path, head.window);
}

/// Parts must be whole pages of the window and must not overlap.
Error AtlasFile::readRegions(AtlasHead &head) {
  uint64_t at = head.window.base, end = at + head.window.bytes;
  std::optional<uint64_t> bad;
  auto row = [&](Statement &s) {
    uint64_t base = s.u64(0), region = s.u64(1), bytes = s.u64(2);
    uint64_t used = s.u64(3) - base;
    if (bad)
      return;
    if (region >= regionCount || base < at || base > end ||
        bytes > end - base || used > bytes || (base | bytes | used) % pageBytes)
      bad = base;
    else
      head.regions[region].parts.push_back({{base, bytes}, s.u64(3)});
    at = base + bytes;
  };
  if (Error e =
          each("SELECT base, region, bytes, next FROM part ORDER BY base", row))
    return e;
  if (bad)
    return createStringError(
        "%s: damaged: part 0x%llx, expected whole pages of one region, in the "
        "window and behind the part before it",
        path.c_str(), (unsigned long long)*bad);
  return Error::success();
}

Expected<AtlasHead> AtlasFile::readHead(std::optional<Window> window,
                                        uint32_t machine) {
  AtlasHead head;
  if (fresh) {
    head.machine = machine ? machine : 62;
    head.window = window.value_or(defaultWindow);
    if (Error e = checkWindow(path, head.window))
      return std::move(e);
    head.id = HashBuilder()
                  .u64(contentVersion)
                  .u64(head.machine)
                  .u64(head.window.base)
                  .u64(head.window.bytes)
                  .finish();
    head.libraries = {""};
    return head;
  }
  if (Error e = readMeta(head))
    return std::move(e);
  if (machine && machine != head.machine)
    return createStringError("%s: made for ELF machine %u, expected %u",
                             path.c_str(), head.machine, machine);
  if (window &&
      (window->base != head.window.base || window->bytes != head.window.bytes))
    return createStringError("%s: its window is %s, asked for %s", path.c_str(),
                             describeWindow(head.window).c_str(),
                             describeWindow(*window).c_str());
  if (Error e = readRegions(head))
    return std::move(e);
  bool gap = false;
  auto row = [&](Statement &s) {
    gap |= s.u64(0) != head.libraries.size();
    head.libraries.push_back(s.text(1).str());
  };
  if (Error e = each("SELECT id, name FROM library ORDER BY id", row))
    return std::move(e);
  if (gap || head.libraries.empty() || !head.libraries[0].empty())
    return createStringError("%s: damaged: library ids are not 0, 1, 2, ...",
                             path.c_str());
  return head;
}

int AtlasFile::createSchema(const AtlasHead &head) {
  int rc = exec(schema);
  auto insert = [&](StringRef name, const auto &value) {
    Statement s;
    if (rc == SQLITE_OK)
      rc = s.prepare(db, "INSERT INTO meta VALUES(?, ?)");
    if (rc != SQLITE_OK)
      return;
    s.bindAll(name, value);
    if (int r = s.run(); r != SQLITE_DONE)
      rc = r;
  };
  insert("machine", uint64_t(head.machine));
  insert("window_base", head.window.base);
  insert("window_bytes", head.window.bytes);
  insert("id", head.id);
  return rc;
}

//===----------------------------------------------------------------------===//
// The end of the transaction
//===----------------------------------------------------------------------===//

Error AtlasFile::commit() {
  if (int rc = exec("COMMIT")) {
    Error e = fail(rc, "cannot write");
    abandon();
    return e;
  }
  locked = fresh = false;
  return Error::success();
}

void AtlasFile::abandon() {
  if (!locked)
    return;
  locked = false;
  std::optional<DirectoryLock> guard;
  if (created && fresh && guard.emplace(directory(), LOCK_EX) && !lostName())
    ::unlink(path.c_str());
  if (!sqlite3_get_autocommit(db))
    exec("ROLLBACK");
}

AtlasFile::~AtlasFile() {
  abandon();
  sqlite3_close_v2(db);
}

} // namespace spacer
