//===- GuestMemory.cpp - another process's guest memory, from outside -----===//
//
// Problem: count and read a guest's pages without a word to its VMM, and
// without making it larger: a page that is read through /proc/PID/mem is
// brought in, so pages that are certainly zero are not read.
//
// Idea: PAGEMAP_SCAN tells for each page whether it is there and whether it
// belongs to a file. In a private mapping, what is there and belongs to none is
// the process's own; the zero page belongs to nobody.
//
// Cost: about 10 ns a page to count; the speed of memory to read.
// Source: Linux Documentation/admin-guide/mm/pagemap.rst.
//
//===----------------------------------------------------------------------===//

#include "GuestMemory.h"
#include "Files.h"
#include "Kernel.h"
#include <algorithm>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace spacer {
namespace fs = std::filesystem;

namespace {

std::string procFile(int pid, const char *name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

} // namespace

Result<std::vector<ProcessMapping>> parseMappings(std::string_view text,
                                                  const std::string &file) {
  std::vector<ProcessMapping> all;
  while (!text.empty()) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    unsigned long long start, end, inode;
    char mode[5], device[32];
    if (std::sscanf(line.c_str(), "%llx-%llx %4s %*x %31s %llu", &start, &end,
                    mode, device, &inode) != 5 ||
        start >= end)
      return Error{EBADMSG, file + ": not understood: " + line};
    all.push_back({{start}, {end}, mode[3] == 's', inode, device});
  }
  return all;
}

Result<std::vector<ProcessMapping>> readMappings(int pid) {
  std::string file = procFile(pid, "maps");
  auto text = readFile(file, 64 << 20);
  if (!text)
    return text.takeError();
  return parseMappings(*text, file);
}

namespace {

struct Range {
  HostAddr start, end;
  uint64_t pages() const { return (end - start) / pageBytes; }
};

enum class Wanted {
  Own,     ///< there (or swapped out), no file's, not the zero page
  Swapped, ///< swapped out
};

/// Calls \p found for each stretch, by rising address.
template <class Found>
Result<void> scanPages(int pagemap, Range range, Wanted wanted, Found found) {
  page_region regions[256];
  pm_scan_arg arg{};
  arg.size = sizeof arg;
  arg.end = range.end.value;
  arg.vec = reinterpret_cast<uint64_t>(regions);
  arg.vec_len = std::size(regions);
  if (wanted == Wanted::Own) {
    arg.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO;
    arg.category_mask = PAGE_IS_PRESENT | PAGE_IS_FILE | PAGE_IS_PFNZERO;
  } else {
    arg.category_mask = PAGE_IS_SWAPPED;
  }
  arg.return_mask = PAGE_IS_PRESENT;
  for (arg.start = range.start.value; arg.start < range.end.value;
       arg.start = arg.walk_end) {
    int n = ioctl(pagemap, PAGEMAP_SCAN, &arg);
    if (n < 0)
      return systemError("PAGEMAP_SCAN");
    for (int i = 0; i < n; ++i)
      found(Range{{regions[i].start}, {regions[i].end}});
    if (arg.walk_end <= arg.start)
      break;
  }
  return {};
}

Result<uint64_t> countPages(int pagemap, Range range, Wanted wanted) {
  uint64_t pages = 0;
  auto done =
      scanPages(pagemap, range, wanted, [&](Range r) { pages += r.pages(); });
  if (!done)
    return done.takeError();
  return pages;
}

/// Own pages may have been swapped out; both, in order.
Result<std::vector<Range>> ownRanges(int pagemap, Range range) {
  std::vector<Range> all;
  for (Wanted w : {Wanted::Own, Wanted::Swapped})
    if (auto done =
            scanPages(pagemap, range, w, [&](Range r) { all.push_back(r); });
        !done)
      return done.takeError();
  std::sort(all.begin(), all.end(),
            [](Range a, Range b) { return a.start < b.start; });
  return all;
}

/// The descriptor of \p pid that is file \p mapping, opened anew.
Result<UniqueFd> openMappedFile(int pid, const ProcessMapping &mapping) {
  std::error_code failed;
  for (const auto &entry :
       fs::directory_iterator(procFile(pid, "fd"), failed)) {
    UniqueFd fd(open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat st;
    char device[32];
    if (!fd || fstat(fd.get(), &st) || st.st_ino != mapping.inode)
      continue;
    std::snprintf(device, sizeof device, "%02x:%02x", major(st.st_dev),
                  minor(st.st_dev));
    if (mapping.device == device)
      return fd;
  }
  return Error{ENOENT, procFile(pid, "fd") + ": none is guest memory (inode " +
                           std::to_string(mapping.inode) + ")"};
}

/// The parts of mappings inside \p block.
std::vector<ProcessMapping> inside(const std::vector<ProcessMapping> &all,
                                   const GuestBlock &block) {
  std::vector<ProcessMapping> parts;
  HostAddr end = block.start + block.bytes;
  for (ProcessMapping m : all) {
    m.start = std::max(m.start, block.start);
    m.end = std::min(m.end, end);
    if (m.start < m.end)
      parts.push_back(m);
  }
  return parts;
}

} // namespace

Result<GuestUsage> guestUsage(const ProcessId &process,
                              const std::vector<GuestBlock> &blocks) {
  auto mappings = readMappings(process.pid);
  if (!mappings)
    return mappings.takeError();
  std::string file = procFile(process.pid, "pagemap");
  UniqueFd pagemap(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!pagemap)
    return systemError(file);
  GuestUsage usage;
  for (const GuestBlock &block : blocks)
    for (const ProcessMapping &m : inside(*mappings, block)) {
      if (m.shared) { // a memfd of its own: all that it has
        auto fd = openMappedFile(process.pid, m);
        struct stat st;
        if (!fd)
          return fd.takeError();
        if (fstat(fd->get(), &st))
          return systemError(file);
        usage.ownPages += uint64_t(st.st_blocks) * 512 / pageBytes;
        continue;
      }
      Range range{m.start, m.end};
      auto own = countPages(pagemap.get(), range, Wanted::Own);
      auto swapped = countPages(pagemap.get(), range, Wanted::Swapped);
      if (!own || !swapped)
        return own ? swapped.takeError() : own.takeError();
      usage.ownPages += *own + *swapped;
      if (m.inode)
        usage.sharedPages += range.pages() - *own - *swapped;
    }
  return usage;
}

namespace {

class ProcessMemory final : public PageSource {
public:
  ObjectKind kind() const override { return ObjectKind::Snapshot; }
  uint64_t guestPages() const override { return total; }
  uint64_t bytesToRead() const override { return toRead; }

  Result<PageChunk> next() override {
    while (at < parts.size() && parts[at].range.pages() == 0)
      ++at;
    if (at == parts.size())
      return PageChunk{{total}, {}, {}};
    Part &part = parts[at];
    uint64_t bytes =
        std::min<uint64_t>(buffer.size(), part.range.end - part.range.start);
    for (uint64_t done = 0; done < bytes;) {
      ssize_t n = pread(memory.get(), buffer.data() + done, bytes - done,
                        off_t(part.range.start.value + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 &&
          errno == EIO) // the kernel does not wait for userfaultfd here
        return Error{EIO,
                     name + ": guest page " +
                         std::to_string((part.guest + done / pageBytes).value) +
                         " is still lazy: only clones without lazy pages "
                         "(--lazy none) can be read from outside"};
      if (n < 0)
        return systemError(name);
      if (n == 0)
        return Error{EIO, name + ": guest memory ends at guest page " +
                              std::to_string(part.guest.value)};
      done += uint64_t(n);
    }
    GuestPage first = part.guest;
    part.range.start += bytes;
    part.guest += bytes / pageBytes;
    return PageChunk{first, {buffer.data(), bytes}, {}};
  }

  struct Part {
    Range range;
    GuestPage guest;
  };
  UniqueFd memory;
  std::string name;
  std::vector<Part> parts;
  uint64_t total = 0, toRead = 0;

private:
  size_t at = 0;
  std::vector<uint8_t> buffer = std::vector<uint8_t>(1 << 20);
};

} // namespace

Result<std::unique_ptr<PageSource>>
openGuestMemory(const ProcessId &process, const std::vector<GuestBlock> &blocks,
                const std::string &name) {
  auto mappings = readMappings(process.pid);
  if (!mappings)
    return mappings.takeError();
  if (blocks.size() == 1) {
    auto parts = inside(*mappings, blocks[0]);
    if (parts.size() == 1 && parts[0].shared && parts[0].inode) {
      auto fd = openMappedFile(process.pid, parts[0]);
      if (!fd)
        return fd.takeError();
      return openRaw(fd->get(), name, ObjectKind::Snapshot);
    }
  }
  auto source = std::make_unique<ProcessMemory>();
  source->name = name;
  source->memory.reset(
      open(procFile(process.pid, "mem").c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd pagemap(
      open(procFile(process.pid, "pagemap").c_str(), O_RDONLY | O_CLOEXEC));
  if (!source->memory || !pagemap)
    return systemError(procFile(process.pid, "mem"));
  for (const GuestBlock &block : blocks) {
    HostAddr next = block.start;
    for (const ProcessMapping &m : inside(*mappings, block)) {
      if (m.start != next)
        break;
      next = m.end;
      std::vector<Range> ranges{{m.start, m.end}};
      if (!m.inode && block.absentIsZero) {
        auto own = ownRanges(pagemap.get(), ranges[0]);
        if (own) // else read everything: slower, and right
          ranges = std::move(*own);
      }
      for (Range r : ranges) {
        source->parts.push_back(
            {r, block.guest + (r.start - block.start) / pageBytes});
        source->toRead += r.end - r.start;
      }
    }
    if (next != block.start + block.bytes)
      return Error{EFAULT, name + ": guest memory is not mapped at address " +
                               std::to_string(next.value)};
    source->total =
        std::max(source->total, (block.guest + block.bytes / pageBytes).value);
  }
  return Result<std::unique_ptr<PageSource>>(std::move(source));
}

} // namespace spacer
