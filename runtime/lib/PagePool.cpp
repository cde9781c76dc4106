//===- PagePool.cpp - opening a pool, and its answers ---------------------===//
//
// A reader pays for three files and one small transaction: the digests are
// mapped, not read, and the table from digests to pages is built only by a
// writer that adds. Whatever read() gives has passed its digest; a page that
// another process moved between the page file and a frame meanwhile is looked
// for once more in the catalog before it counts as damaged.
//
//===----------------------------------------------------------------------===//

#include "PoolState.h"
#include <algorithm>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

namespace spacer {
namespace {

constexpr uint64_t catalogVersion = 1;
constexpr char schema[] = R"(
CREATE TABLE pool(one INTEGER PRIMARY KEY CHECK(one = 1),
  pages INTEGER NOT NULL,    -- committed
  coldEnd INTEGER NOT NULL); -- bytes of the file cold that were ever in use
INSERT INTO pool VALUES(1, 0, 0);
CREATE TABLE object(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL, created INTEGER NOT NULL, map BLOB NOT NULL);
CREATE TABLE attribute(object INTEGER NOT NULL, key TEXT NOT NULL,
  value TEXT NOT NULL, PRIMARY KEY(object, key)) WITHOUT ROWID;
CREATE TABLE frame(chunk INTEGER PRIMARY KEY, offset INTEGER NOT NULL,
  bytes INTEGER NOT NULL, mask INTEGER NOT NULL);
PRAGMA user_version = 1;
)";
constexpr mode_t fileMode = 0600, folderMode = 0700;

Result<UniqueFd> openFile(const std::string &path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, fileMode));
  if (!fd)
    return systemError(path);
  return fd;
}

Result<UniqueFd> lockWriter(const std::string &path) {
  Result<UniqueFd> fd = openFile(path, O_RDWR | O_CREAT);
  if (!fd)
    return fd;
  using namespace std::chrono;
  auto giveUp = steady_clock::now() + seconds(10);
  while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return systemError(path);
    if (steady_clock::now() > giveUp)
      return Error{EBUSY, path + ": another process is writing to this pool"};
    std::this_thread::sleep_for(milliseconds(20));
  }
  return fd;
}

/// Folders that are new are synced into their parents.
Result<void> makeFolder(const std::filesystem::path &path) {
  if (::mkdir(path.c_str(), folderMode) != 0) {
    if (errno == ENOENT && path.has_parent_path() &&
        path.parent_path() != path) {
      if (auto done = makeFolder(path.parent_path()); !done)
        return done;
      if (::mkdir(path.c_str(), folderMode) == 0 || errno == EEXIST)
        return {};
    }
    if (errno != EEXIST)
      return systemError(path.string());
  }
  return {};
}

void syncFolder(const std::filesystem::path &path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd)
    ::fsync(fd.get());
}

} // namespace

Result<void> readAll(int fd, std::span<uint8_t> bytes, uint64_t offset,
                     const std::string &name) {
  while (!bytes.empty()) {
    ssize_t n = ::pread(fd, bytes.data(), bytes.size(), off_t(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return systemError(name);
    if (n == 0)
      return Error{ENODATA, name + ": ends at byte " + std::to_string(offset) +
                                ", expected " + std::to_string(bytes.size()) +
                                " more"};
    bytes = bytes.subspan(size_t(n));
    offset += uint64_t(n);
  }
  return {};
}

Result<void> writeAll(int fd, std::span<const uint8_t> bytes, uint64_t offset,
                      const std::string &name) {
  while (!bytes.empty()) {
    ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), off_t(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return systemError(name);
    bytes = bytes.subspan(size_t(n));
    offset += uint64_t(n);
  }
  return {};
}

Result<void> punchHole(int fd, uint64_t offset, uint64_t bytes,
                       const std::string &name) {
  if (bytes && ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           off_t(offset), off_t(bytes)) != 0)
    return systemError(name + ": cannot make a hole");
  return {};
}

Result<void> syncData(int fd, const std::string &name) {
  if (::fdatasync(fd) != 0)
    return systemError(name + ": sync");
  return {};
}

//===-- opening -----------------------------------------------------------===//

PagePool::PagePool(std::unique_ptr<State> state) : state(std::move(state)) {}
PagePool::~PagePool() = default;

Result<std::unique_ptr<PagePool>>
PagePool::open(const std::filesystem::path &directory, std::string_view domain,
               Access access) {
  if (auto good = checkName(domain, "domain name"); !good)
    return good.takeError();
  auto state = std::make_unique<State>();
  state->folder = directory / domain;
  state->domain = domain;
  state->writer = access == Access::Write;
  if (state->writer) {
    if (auto made = makeFolder(state->folder); !made)
      return made.takeError();
    auto lock = lockWriter(state->file("catalog.lock"));
    if (!lock)
      return lock.takeError();
    state->lock = std::move(*lock);
  }
  if (auto opened = state->openFiles(); !opened)
    return opened.takeError();
  return std::unique_ptr<PagePool>(new PagePool(std::move(state)));
}

// The catalog is made last: a folder with a catalog has all files.
Result<void> PagePool::State::openFiles() {
  struct stat st;
  std::string path = file("catalog.db");
  bool fresh = ::stat(path.c_str(), &st) != 0 || st.st_size == 0;
  if (fresh && !writer) {
    if (errno == EACCES)
      return systemError(path);
    return Error{ENOENT, folder.string() + ": no page pool"};
  }
  int flags = writer ? O_RDWR | (fresh ? O_CREAT : 0) : O_RDONLY;
  struct {
    const char *name;
    UniqueFd *fd;
  } files[] = {{"pages", &pages}, {"digests", &digestFile}, {"cold", &cold}};
  for (auto &f : files) {
    auto fd = openFile(file(f.name), flags);
    if (!fd) {
      Error e = fd.takeError();
      if (e.sysErrno == ENOENT)
        e.sysErrno = EBADMSG; // the catalog is there, so this one must be
      return e;
    }
    *f.fd = std::move(*fd);
  }
  auto reading = openFile(file("pages"), O_RDONLY);
  if (!reading)
    return reading.takeError();
  pagesRead = std::move(*reading);
  if (writer && ::mkdir(file("leases").c_str(), folderMode) != 0 &&
      errno != EEXIST)
    return systemError(file("leases"));
  if (auto opened = catalog.open(path, writer ? Database::Mode::Write
                                              : Database::Mode::Read);
      !opened)
    return opened;
  if (writer) {
    if (auto done = catalog.exec("PRAGMA synchronous = EXTRA"); !done)
      return done;
    if (auto done = createCatalog(); !done)
      return done;
    if (fresh) {
      syncFolder(folder);
      syncFolder(folder.parent_path());
    }
  }
  return refresh();
}

Result<void> PagePool::State::createCatalog() {
  auto version = catalog.number("PRAGMA user_version");
  if (!version)
    return version.takeError();
  if (*version != 0)
    return {};
  Transaction t(catalog);
  if (auto done = t.begin(); !done)
    return done;
  if (auto done = catalog.exec(schema); !done)
    return done;
  return t.commit();
}

Result<void> PagePool::State::mapDigests(uint64_t wanted) {
  if (wanted <= digestCapacity)
    return {};
  // Room for 256 GiB of pages at first; where address space is short, none.
  uint64_t room = std::max<uint64_t>(wanted * 2, uint64_t(1) << 26);
  for (uint64_t capacity : {room, wanted}) {
    size_t bytes = capacity * sizeof(Digest);
    void *p =
        ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, digestFile.get(), 0);
    if (p == MAP_FAILED)
      continue;
    digestMaps.emplace_back(p, bytes);
    digestCapacity = capacity;
    digests.store(static_cast<const Digest *>(p), std::memory_order_release);
    return {};
  }
  return systemError(file("digests") + ": mmap");
}

Result<void> PagePool::State::refresh() {
  uint64_t pageCount, version;
  {
    std::lock_guard hold(catalogMutex);
    auto format = catalog.number("PRAGMA user_version");
    if (!format)
      return format.takeError();
    if (*format == 0)
      return Error{ENOENT, folder.string() + ": no page pool"};
    if (*format != catalogVersion)
      return Error{EBADMSG, file("catalog.db") + ": version " +
                                std::to_string(*format) + ", known is 1"};
    // Changes when another connection commits.
    auto changed = catalog.number("PRAGMA data_version");
    if (!changed)
      return changed.takeError();
    version = *changed;
    auto row = catalog.prepare("SELECT pages, coldEnd FROM pool");
    if (!row)
      return row.takeError();
    auto there = row->next();
    if (!there)
      return there.takeError();
    if (!*there)
      return Error{EBADMSG, file("catalog.db") + ": no page count"};
    pageCount = row->u64(0);
    coldEnd = row->u64(1);
  }
  if (pageCount > PageIndex::mostPages)
    return Error{EBADMSG, file("catalog.db") + ": " +
                              std::to_string(pageCount) + " pages"};
  struct {
    const char *name;
    int fd;
    uint64_t unit;
  } files[] = {{"pages", pages.get(), pageBytes},
               {"digests", digestFile.get(), sizeof(Digest)}};
  for (auto &f : files) {
    struct stat st;
    if (::fstat(f.fd, &st) != 0)
      return systemError(file(f.name));
    if (uint64_t(st.st_size) < pageCount * f.unit)
      return Error{EBADMSG, file(f.name) + ": " + std::to_string(st.st_size) +
                                " bytes, expected at least " +
                                std::to_string(pageCount * f.unit) + " for " +
                                std::to_string(pageCount) + " pages"};
  }
  if (auto mapped = mapDigests(pageCount); !mapped)
    return mapped;
  if (version != framesVersion) {
    if (auto loaded = loadFrames(); !loaded)
      return loaded;
    framesVersion = version;
  }
  count.store(pageCount, std::memory_order_release);
  return {};
}

/// Of a row (chunk, offset, bytes, mask).
static Result<Frame> checkedFrame(const Statement &row,
                                  const std::string &catalog) {
  uint64_t chunk = row.u64(0);
  Frame f{row.u64(1), uint32_t(row.u64(2)), uint32_t(row.u64(3))};
  if (chunk > PageIndex::mostPages || row.u64(2) > 2 * frameRawBytes ||
      f.mask == 0 || row.u64(3) >= (uint64_t(1) << framePages) ||
      f.offset > (uint64_t(1) << 60))
    return Error{EBADMSG, catalog + ": frame of chunk " +
                              std::to_string(chunk) + " makes no sense"};
  return f;
}

Result<void> PagePool::State::loadFrames() {
  auto table = std::make_shared<FrameTable>();
  {
    std::lock_guard hold(catalogMutex);
    auto rows = catalog.prepare("SELECT chunk, offset, bytes, mask FROM frame");
    if (!rows)
      return rows.takeError();
    while (true) {
      auto row = rows->next();
      if (!row)
        return row.takeError();
      if (!*row)
        break;
      auto f = checkedFrame(*rows, file("catalog.db"));
      if (!f)
        return f.takeError();
      table->emplace(rows->u64(0), *f);
    }
  }
  std::lock_guard hold(frameMutex);
  frames = std::move(table);
  return {};
}

//===-- answers -----------------------------------------------------------===//

Result<void> PagePool::State::needWriter() const {
  if (writer)
    return {};
  return Error{EBADF, folder.string() + ": opened for reading only"};
}

const std::string &PagePool::domain() const { return state->domain; }
Result<void> PagePool::refresh() { return state->refresh(); }
uint64_t PagePool::pageCount() const {
  return state->count.load(std::memory_order_acquire);
}
int PagePool::pageFile() const { return state->pagesRead.get(); }

const Digest &PagePool::digest(PoolPage page) const {
  assert(page.value < pageCount());
  return state->digests.load(std::memory_order_acquire)[page.value];
}

bool PagePool::isCold(PoolPage page) const {
  auto frames = state->frameTable();
  auto f = frames->find(page.value / framePages);
  return f != frames->end() && f->second.mask >> page.value % framePages & 1;
}

Error PagePool::State::noObject(std::string_view name) const {
  return {ENOENT, folder.string() + ": no object '" + std::string(name) + "'"};
}

namespace {
constexpr char objectColumns[] =
    "SELECT id, name, kind, created, map FROM object ";

Result<PagePool::State::Stored> storedRow(const PagePool::State &state,
                                          const Statement &row) {
  PagePool::State::Stored s;
  s.id = row.u64(0);
  s.info.name = row.text(1);
  s.info.kind = ObjectKind(row.u64(2));
  s.info.created = int64_t(row.u64(3));
  auto bad = [&](const std::string &why) {
    return Error{EBADMSG, state.file("catalog.db") + ": object '" +
                              s.info.name + "': " + why};
  };
  if (row.u64(2) > uint64_t(ObjectKind::File))
    return bad("kind " + std::to_string(row.u64(2)));
  auto map = PageMap::decode(row.blob(4));
  if (!map)
    return bad(map.error().context);
  for (const PageRun &r : map->runs())
    if (r.pool.value + r.pages > state.count)
      return bad("pool page " + std::to_string(r.pool.value + r.pages - 1) +
                 ", there are " + std::to_string(state.count));
  s.map = std::move(*map);
  s.info.guestPages = s.map.guestPages();
  s.info.poolPages = s.map.poolPages();
  return s;
}
} // namespace

Result<PagePool::State::Stored>
PagePool::State::stored(std::string_view name) const {
  auto row = catalog.prepare(std::string(objectColumns) + "WHERE name = ?");
  if (!row)
    return row.takeError();
  row->bind(1, name);
  auto there = row->next();
  if (!there)
    return there.takeError();
  if (!*there)
    return noObject(name);
  return storedRow(*this, *row);
}

Result<std::vector<PagePool::State::Stored>> PagePool::State::stored() const {
  auto rows = catalog.prepare(std::string(objectColumns) + "ORDER BY name");
  if (!rows)
    return rows.takeError();
  std::vector<Stored> all;
  while (true) {
    auto row = rows->next();
    if (!row)
      return row.takeError();
    if (!*row)
      return all;
    auto one = storedRow(*this, *rows);
    if (!one)
      return one.takeError();
    all.push_back(std::move(*one));
  }
}

// Pages of one object only: a sweep over the ends of all objects' intervals.
Result<std::vector<ObjectInfo>> PagePool::objects() const {
  std::vector<ObjectInfo> infos;
  struct End {
    uint64_t page;
    uint32_t object;
    bool opens;
  };
  std::vector<End> ends;
  {
    std::lock_guard hold(state->catalogMutex);
    auto all = state->stored();
    if (!all)
      return all.takeError();
    for (State::Stored &s : *all) {
      PageSet set = PageSet::of(s.map);
      s.info.distinctPages = set.pages();
      for (auto &i : set.intervals()) {
        ends.push_back({i.first, uint32_t(infos.size()), true});
        ends.push_back({i.end, uint32_t(infos.size()), false});
      }
      infos.push_back(std::move(s.info));
    }
  }
  std::sort(ends.begin(), ends.end(),
            [](const End &a, const End &b) { return a.page < b.page; });
  uint64_t users = 0, sum = 0; // sum of the indices of those that use it
  for (size_t i = 0; i < ends.size(); ++i) {
    users += ends[i].opens ? 1 : -1;
    sum += ends[i].opens ? ends[i].object : -uint64_t(ends[i].object);
    if (users == 1 && i + 1 < ends.size())
      infos[sum].ownPages += ends[i + 1].page - ends[i].page;
  }
  if (auto lock = state->lockLeases(false)) // none where none can be made
    if (auto names = state->leased(*lock))
      for (ObjectInfo &o : infos)
        o.leases = uint64_t(std::count(names->begin(), names->end(), o.name));
  return infos;
}

PoolSummary PagePool::summary() const {
  PoolSummary s;
  {
    std::lock_guard hold(state->catalogMutex);
    if (auto n = state->catalog.number("SELECT count(*) FROM object"))
      s.objects = *n;
  }
  s.pages = pageCount();
  for (auto &[chunk, frame] : *state->frameTable())
    s.coldPages += uint64_t(__builtin_popcount(frame.mask));
  for (int fd :
       {state->pages.get(), state->digestFile.get(), state->cold.get()}) {
    struct stat st;
    if (::fstat(fd, &st) == 0)
      s.fileBytes += uint64_t(st.st_blocks) * 512;
  }
  return s;
}

Result<PageMap> PagePool::map(std::string_view object) const {
  std::lock_guard hold(state->catalogMutex);
  auto s = state->stored(object);
  if (!s)
    return s.takeError();
  return std::move(s->map);
}

Result<std::string> PagePool::attribute(std::string_view object,
                                        std::string_view key) const {
  std::lock_guard hold(state->catalogMutex);
  auto row = state->catalog.prepare(
      "SELECT (SELECT value FROM attribute WHERE object = o.id AND key = ?2) "
      "FROM object o WHERE name = ?1");
  if (!row)
    return row.takeError();
  auto there = row->bindAll(object, key).next();
  if (!there)
    return there.takeError();
  if (!*there)
    return state->noObject(object);
  return row->text(0);
}

Result<void> PagePool::setAttribute(std::string_view object,
                                    std::string_view key,
                                    std::string_view json) {
  if (auto can = state->needWriter(); !can)
    return can;
  std::lock_guard hold(state->catalogMutex);
  Transaction t(state->catalog);
  if (auto done = t.begin(); !done)
    return done;
  if (auto done = state->catalog.run(
          "INSERT OR REPLACE INTO attribute SELECT id, ?, ? FROM object "
          "WHERE name = ?",
          key, json, object);
      !done)
    return done;
  auto changed = state->catalog.number("SELECT changes()");
  if (!changed)
    return changed.takeError();
  if (*changed == 0)
    return state->noObject(object);
  return t.commit();
}

Result<void> PagePool::remove(std::string_view name) {
  if (auto can = state->needWriter(); !can)
    return can;
  // Whoever leases holds this lock while it looks whether the object is there.
  auto lock = state->lockLeases(true);
  if (!lock)
    return lock.takeError();
  auto leased = state->leased(*lock);
  if (!leased)
    return leased.takeError();
  if (auto n = std::count(leased->begin(), leased->end(), name))
    return Error{EBUSY, state->folder.string() + ": object '" +
                            std::string(name) + "' is in use by " +
                            std::to_string(n) +
                            (n == 1 ? " process" : " processes")};
  std::lock_guard hold(state->catalogMutex);
  Transaction t(state->catalog);
  if (auto done = t.begin(); !done)
    return done;
  if (auto done = state->catalog.run("DELETE FROM attribute WHERE object = "
                                     "(SELECT id FROM object WHERE name = ?)",
                                     name);
      !done)
    return done;
  if (auto done = state->catalog.run("DELETE FROM object WHERE name = ?", name);
      !done)
    return done;
  auto changed = state->catalog.number("SELECT changes()");
  if (!changed)
    return changed.takeError();
  if (*changed == 0)
    return state->noObject(name);
  return t.commit();
}

//===-- reading -----------------------------------------------------------===//

// Between two looks at the catalog that see the same commit, a page stands
// where that commit says: what moves it is written before the commit and
// punched only after the next. So a page that was found nowhere is damaged if
// nobody committed meanwhile, and looked for again if somebody did.
Result<void> PagePool::State::readOne(PoolPage page,
                                      std::span<uint8_t> out) const {
  auto refuse = [&](Error e) {
    std::fill(out.begin(), out.end(), uint8_t(0));
    e.context = file("pages") + ": page " + std::to_string(page.value) + " " +
                e.context;
    return e;
  };
  Error why;
  for (int tries = 0; tries < 100; ++tries) {
    uint64_t before = commitsSeen();
    auto done = tryReadOne(page, out);
    if (done)
      return done;
    why = done.takeError();
    if (commitsSeen() == before)
      break;
  }
  return refuse(std::move(why));
}

uint64_t PagePool::State::commitsSeen() const {
  std::lock_guard hold(catalogMutex);
  auto others = catalog.number("PRAGMA data_version");
  return ownCommits + (others ? *others : 0);
}

/// The frame of \p chunk as the catalog has it now; mask 0: none.
Result<Frame> PagePool::State::frameOnDisk(uint64_t chunk) const {
  std::lock_guard hold(catalogMutex);
  auto row = catalog.prepare(
      "SELECT chunk, offset, bytes, mask FROM frame WHERE chunk = ?");
  if (!row)
    return row.takeError();
  auto there = row->bindAll(chunk).next();
  if (!there)
    return there.takeError();
  if (!*there)
    return Frame{};
  return checkedFrame(*row, file("catalog.db"));
}

Result<void> PagePool::State::tryReadOne(PoolPage page,
                                         std::span<uint8_t> out) const {
  const Digest &wanted = digests.load(std::memory_order_acquire)[page.value];
  if (wanted.isZero())
    return Error{EBADMSG, "was freed"};
  auto hot = readAll(pages.get(), out, offsetOf(page).value, "cannot be read");
  std::string found = hot ? digestOf(out).hex() : "";
  if (hot && digestOf(out) == wanted)
    return {};
  uint64_t chunk = page.value / framePages;
  auto frame = frameOnDisk(chunk);
  if (!frame) { // this is no word about the page
    Error e = frame.takeError();
    return Error{e.sysErrno == EBADMSG ? EIO : e.sysErrno,
                 "cannot be looked for: " + e.context};
  }
  uint32_t bit = uint32_t(1) << page.value % framePages;
  if (frame->mask & bit) {
    std::vector<uint8_t> raw(frameRawBytes);
    if (auto done = thawFrame(chunk, *frame, raw); !done)
      return Error{done.error().sysErrno, "is cold: " + done.error().context};
    size_t at = size_t(__builtin_popcount(frame->mask & (bit - 1)));
    std::copy_n(raw.begin() + ptrdiff_t(at * pageBytes), pageBytes,
                out.begin());
    if (digestOf(out) == wanted)
      return {};
    found = digestOf(out).hex();
  } else if (!hot) {
    return hot;
  }
  return Error{EBADMSG, "has digest " + found + ", expected " + wanted.hex()};
}

Result<void> PagePool::read(PoolPage first, std::span<uint8_t> out) const {
  if (!pageAligned(out.size()))
    return Error{EINVAL, "read of " + std::to_string(out.size()) +
                             " bytes, expected whole pages"};
  uint64_t n = out.size() / pageBytes, all = pageCount();
  if (first.value > all || n > all - first.value)
    return Error{EINVAL, state->file("pages") + ": page " +
                             std::to_string(first.value + n - 1) +
                             ", there are " + std::to_string(all)};
  auto frames = state->frameTable();
  auto frameOf = [&](uint64_t page) -> const Frame * {
    if (frames->empty())
      return nullptr;
    auto f = frames->find(page / framePages);
    return f != frames->end() && f->second.mask >> page % framePages & 1
               ? &f->second
               : nullptr;
  };
  std::vector<uint8_t> raw;
  for (uint64_t i = 0; i < n;) {
    uint64_t page = first.value + i, end = i + 1;
    // A failure here shows as a wrong digest below.
    if (const Frame *f = frameOf(page)) {
      uint64_t chunk = page / framePages;
      raw.resize(frameRawBytes);
      bool whole = bool(state->thawFrame(chunk, *f, raw));
      while (end < n && (first.value + end) / framePages == chunk &&
             frameOf(first.value + end))
        ++end;
      for (uint64_t k = i; k < end && whole; ++k) {
        uint32_t bit = uint32_t(1) << (first.value + k) % framePages;
        size_t at = size_t(__builtin_popcount(f->mask & (bit - 1)));
        std::memcpy(out.data() + k * pageBytes, raw.data() + at * pageBytes,
                    pageBytes);
      }
    } else {
      while (end < n && !frameOf(first.value + end))
        ++end;
      (void)readAll(state->pages.get(),
                    out.subspan(i * pageBytes, (end - i) * pageBytes),
                    page * pageBytes, "");
    }
    i = end;
  }
  std::optional<Error> firstError;
  const Digest *digests = state->digests.load(std::memory_order_acquire);
  for (uint64_t i = 0; i < n; ++i) {
    auto page = out.subspan(i * pageBytes, pageBytes);
    if (digestOf(page) == digests[first.value + i])
      continue;
    if (auto done = state->readOne(first + i, page); !done && !firstError)
      firstError = done.takeError();
  }
  if (firstError)
    return *firstError;
  return {};
}

} // namespace spacer
