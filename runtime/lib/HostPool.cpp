//===- HostPool.cpp - a domain's pages in memory, once on the host --------===//
//
// The bits stand behind a header page in their own memfd: one 64-bit word for
// 64 pages. A fill takes the lock of a word (64 locks in turn), so two threads
// that want the same page do not read it twice, and sets the bits with a
// release after the bytes. Readers take the bit with an acquire and no lock.
//
// Pages are read straight into the memfd: PagePool::read() checks the digest
// of what it wrote, nobody else can write there, and nobody may look before
// the bit is set. What a kill or a wrong digest leaves behind has no bit.
//
//===----------------------------------------------------------------------===//

#include "HostPool.h"
#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace spacer {
namespace {

constexpr char magic[8] = {'S', 'P', 'A', 'C', 'E', 'R', 'H', 'P'};
constexpr uint64_t wordPages = 64;
/// Pages of a cold frame (PagePool.h).
constexpr uint64_t framePages = 16;
/// 2^34 pages are 64 TiB, half of an address space.
constexpr uint64_t mostPages = uint64_t(1) << 34;

/// A domain's folder can be removed and made anew while its pages are in
/// memory: the same page numbers would then stand for other bytes.
struct PoolFile {
  uint64_t device, inode;
  int64_t bornSeconds, bornNs; ///< an inode's number can come again
  bool operator==(const PoolFile &) const = default;
};

struct BitHeader {
  char magic[8];
  uint64_t version;
  uint64_t capacity;
  uint64_t inode; ///< of the memfd that the bits are about
  PoolFile pool;  ///< whose page numbers they are
};

Result<PoolFile> poolFileOf(const PagePool &pool) {
  struct statx st;
  if (statx(pool.pageFile(), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) !=
      0)
    return systemError("page file of domain " + pool.domain());
  PoolFile f{uint64_t(st.stx_dev_major) << 32 | st.stx_dev_minor, st.stx_ino, 0,
             0};
  if (st.stx_mask & STATX_BTIME) {
    f.bornSeconds = st.stx_btime.tv_sec;
    f.bornNs = st.stx_btime.tv_nsec;
  }
  return f;
}

uint64_t wordsFor(uint64_t pages) {
  return (pages + wordPages - 1) / wordPages;
}

uint64_t bitFileBytes(uint64_t capacity) {
  return pageBytes + pagesFor(wordsFor(capacity) * 8) * pageBytes;
}

Result<UniqueFd> newMemfd(const std::string &name, uint64_t bytes) {
  UniqueFd fd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd)
    return systemError(name + ": memfd_create");
  if (ftruncate(fd.get(), off_t(bytes)) != 0)
    return systemError(name + ": " + std::to_string(bytes) + " bytes");
  return fd;
}

Result<Mapping> mapShared(int fd, uint64_t bytes, const char *what) {
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED)
    return systemError(std::string(what) + ": mmap of " +
                       std::to_string(bytes) + " bytes");
  return Mapping(at, bytes);
}

/// True if \p memory is a writable shared mapping of the file \p inode, from
/// its first byte on.
bool mapsWritable(const Mapping &memory, uint64_t inode) {
  FILE *maps = std::fopen("/proc/self/maps", "re");
  if (!maps)
    return false;
  bool found = false;
  char line[512];
  while (!found && std::fgets(line, sizeof line, maps)) {
    uint64_t from, to, offset, node;
    char rights[5];
    if (std::sscanf(line,
                    "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64,
                    &from, &to, rights, &offset, &node) != 5)
      continue;
    auto start = reinterpret_cast<uintptr_t>(memory.data());
    found = from == start && to >= start + memory.size() && offset == 0 &&
            node == inode && std::string_view(rights) == "rw-s";
  }
  std::fclose(maps);
  return found;
}

} // namespace

Result<std::unique_ptr<HostPool>>
HostPool::create(std::shared_ptr<PagePool> pool, uint64_t capacityPages,
                 bool sealed) {
  std::string name = "spacer-pool-" + pool->domain();
  if (capacityPages == 0 || capacityPages > mostPages)
    return Error{EINVAL, name + ": room for " + std::to_string(capacityPages) +
                             " pages, possible are 1 to " +
                             std::to_string(mostPages)};
  std::unique_ptr<HostPool> made(new HostPool);
  made->source = std::move(pool);
  made->capacity = capacityPages;
  auto poolFile = poolFileOf(*made->source);
  if (!poolFile)
    return poolFile.takeError();
  auto pages = newMemfd(name, capacityPages * pageBytes);
  if (!pages)
    return pages.takeError();
  auto bits = newMemfd(name + "-bits", bitFileBytes(capacityPages));
  if (!bits)
    return bits.takeError();
  auto memory =
      mapShared(pages->get(), capacityPages * pageBytes, name.c_str());
  if (!memory)
    return memory.takeError();
  auto bitMemory =
      mapShared(bits->get(), bitFileBytes(capacityPages), name.c_str());
  if (!bitMemory)
    return bitMemory.takeError();
  struct stat st;
  if (fstat(pages->get(), &st) != 0)
    return systemError(name);
  auto *header = new (bitMemory->data()) BitHeader{};
  std::memcpy(header->magic, magic, sizeof magic);
  header->version = 1;
  header->capacity = capacityPages;
  header->inode = st.st_ino;
  header->pool = *poolFile;
  made->pages = std::move(*pages);
  made->bits = std::move(*bits);
  made->memory = std::move(*memory);
  made->bitMemory = std::move(*bitMemory);
  if (sealed)
    if (auto done = made->seal(); !done)
      return done.takeError();
  return made;
}

Result<void> HostPool::seal() {
  constexpr int seals =
      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  int now = fcntl(pages.get(), F_GET_SEALS);
  if (now == seals)
    return {};
  if (fcntl(pages.get(), F_ADD_SEALS, seals) != 0)
    return systemError("pool memory of domain " + source->domain() +
                       ": sealing");
  // The bits belong to the owner alone; only their size must not change.
  fcntl(bits.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  return {};
}

Result<std::unique_ptr<HostPool>>
HostPool::adopt(std::shared_ptr<PagePool> pool, UniqueFd pages, UniqueFd bits,
                Mapping memory) {
  std::string name = "pool memory of domain " + pool->domain();
  struct stat of, bitsOf;
  if (fstat(pages.get(), &of) != 0 || fstat(bits.get(), &bitsOf) != 0)
    return systemError(name);
  uint64_t capacity = memory.size() / pageBytes;
  if (capacity == 0 || uint64_t(of.st_size) != memory.size() ||
      memory.size() % pageBytes != 0)
    return Error{EINVAL, name + ": " + std::to_string(of.st_size) +
                             " bytes, the mapping has " +
                             std::to_string(memory.size())};
  if (uint64_t(bitsOf.st_size) != bitFileBytes(capacity))
    return Error{EINVAL, name + ": " + std::to_string(bitsOf.st_size) +
                             " bytes of bits, expected " +
                             std::to_string(bitFileBytes(capacity))};
  if (!mapsWritable(memory, of.st_ino))
    return Error{EINVAL, name + ": the mapping is none of this memfd"};
  auto bitMemory = mapShared(bits.get(), bitFileBytes(capacity), name.c_str());
  if (!bitMemory)
    return bitMemory.takeError();
  BitHeader header;
  std::memcpy(&header, bitMemory->data(), sizeof header);
  if (std::memcmp(header.magic, magic, sizeof magic) != 0 ||
      header.version != 1 || header.capacity != capacity ||
      header.inode != of.st_ino)
    return Error{EINVAL, name + ": the bits belong to something else"};
  auto poolFile = poolFileOf(*pool);
  if (!poolFile)
    return poolFile.takeError();
  if (!(header.pool == *poolFile))
    return Error{ESTALE, name + ": its pages are of another page file, which "
                                "was removed or replaced"};
  std::unique_ptr<HostPool> made(new HostPool);
  made->source = std::move(pool);
  made->capacity = capacity;
  made->pages = std::move(pages);
  made->bits = std::move(bits);
  made->memory = std::move(memory);
  made->bitMemory = std::move(*bitMemory);
  if (auto done = made->seal(); !done)
    return done.takeError();
  return made;
}

Result<UniqueFd> HostPool::clientFd() const {
  std::string path = "/proc/self/fd/" + std::to_string(pages.get());
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return systemError(path);
  return fd;
}

std::atomic_ref<uint64_t> HostPool::word(uint64_t index) const {
  return std::atomic_ref(
      reinterpret_cast<uint64_t *>(bitMemory.data() + pageBytes)[index]);
}

bool HostPool::present(PoolPage page) const {
  return page.value < capacity &&
         (word(page.value / wordPages).load(std::memory_order_acquire) >>
              page.value % wordPages &
          1);
}

uint64_t HostPool::presentPages() const {
  uint64_t sum = 0;
  // Words beyond the pool's end were never touched: looking would make them.
  uint64_t pages = std::min(capacity, source->pageCount());
  for (uint64_t i = 0; i < wordsFor(pages); ++i)
    sum += uint64_t(std::popcount(word(i).load(std::memory_order_relaxed)));
  return sum;
}

/// Bits [from, to) of a word.
static uint64_t maskOf(uint64_t from, uint64_t to) {
  return (to == wordPages ? ~uint64_t(0) : (uint64_t(1) << to) - 1) &
         ~((uint64_t(1) << from) - 1);
}

PoolPages::Outcome HostPool::fill(PoolPage first, uint64_t count) {
  if (first.value > capacity || count > capacity - first.value)
    return Outcome::Failed;
  Outcome worst = Outcome::Present;
  uint64_t end = first.value + count;
  for (uint64_t p = first.value; p < end;) {
    uint64_t index = p / wordPages;
    uint64_t stop = std::min(end, (index + 1) * wordPages);
    uint64_t wanted = maskOf(p - index * wordPages, stop - index * wordPages);
    if ((word(index).load(std::memory_order_acquire) & wanted) != wanted)
      worst = std::max(worst, fillWord(index, wanted));
    p = stop;
  }
  return worst;
}

/// The pages \p wanted of word \p index, and the rest of their cold frames.
PoolPages::Outcome HostPool::fillWord(uint64_t index, uint64_t wanted) {
  std::lock_guard lock(locks[index % locks.size()]);
  uint64_t base = index * wordPages;
  uint64_t there = word(index).load(std::memory_order_acquire);
  uint64_t missing = wanted & ~there;
  uint64_t known = std::min(capacity, source->pageCount());
  for (uint64_t left = missing; left; left &= left - 1) {
    uint64_t at = uint64_t(std::countr_zero(left));
    if (base + at >= known || !source->isCold({base + at}))
      continue;
    uint64_t frame = at / framePages * framePages;
    uint64_t end = std::min(frame + framePages, known - base);
    for (uint64_t p = frame; p < end; ++p)
      if (source->isCold({base + p}))
        missing |= uint64_t(1) << p & ~there;
  }
  Outcome worst = Outcome::Present;
  for (uint64_t left = missing; left;) {
    uint64_t from = uint64_t(std::countr_zero(left));
    uint64_t run = uint64_t(std::countr_one(left >> from));
    Outcome o = readRun(base + from, run);
    // Only what was asked for decides; a neighbour in the frame does not.
    uint64_t mask = maskOf(from, from + run);
    left &= ~mask;
    if (o != Outcome::Present &&
        (wanted & mask & ~word(index).load(std::memory_order_relaxed)))
      worst = std::max(worst, o);
  }
  return worst;
}

/// Inside one word, under its lock.
PoolPages::Outcome HostPool::readRun(uint64_t first, uint64_t count) {
  auto done = source->read(
      {first}, {memory.data() + first * pageBytes, count * pageBytes});
  if (done) {
    word(first / wordPages)
        .fetch_or(maskOf(first % wordPages, first % wordPages + count),
                  std::memory_order_release);
    return Outcome::Present;
  }
  if (done.error().sysErrno != EBADMSG)
    return Outcome::Failed;
  if (count == 1)
    return Outcome::Corrupt;
  Outcome worst = Outcome::Present;
  for (uint64_t p = first; p < first + count; ++p)
    worst = std::max(worst, readRun(p, 1));
  return worst;
}

} // namespace spacer
