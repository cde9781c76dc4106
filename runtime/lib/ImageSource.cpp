//===- ImageSource.cpp - an ELF image as guest memory ---------------------===//
//
// Pages stand where a VMM puts them: at the segments' physical addresses. The
// manifest speaks of virtual addresses. A segment moves from one to the other
// as a whole, so nearly always a physical page is one virtual page, and one
// digest serves both: it is checked against the manifest and goes on to the
// pool. Where it is not (segments moved by different distances meet on a page),
// the virtual page is put together on its own for the check.
//
//   1. headers, manifest; every page that a segment touches has a row, every
//      row of a shared page is touched; rows of pages without bytes in the file
//      are zero pages
//   2. next(): up to 256 neighbouring physical pages, file bytes read into
//      place, zeros around them; digests; check
//
// Private pages may be others than the manifest says: builds write tables into
// finished images and strip sections. Nobody shares by the manifest's digests:
// the pool takes what was read.
//
//===----------------------------------------------------------------------===//

#include "ImageSource.h"
#include "ManifestReader.h"
#include <algorithm>
#include <vector>

namespace spacer {
namespace {

constexpr uint64_t chunkPages = 256;
/// A manifest has 40 bytes a page and some 80 a function: far below.
constexpr uint64_t mostManifestBytes = uint64_t(1) << 30;

std::string hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", (unsigned long long)v);
  return text;
}

uint64_t firstPage(uint64_t address) { return address / pageBytes; }
uint64_t lastPage(uint64_t address, uint64_t bytes) {
  return (address + (bytes - 1)) / pageBytes;
}

class ImageSource final : public PageSource {
public:
  ImageSource(std::unique_ptr<ByteReader> file, std::string name,
              ElfImage image)
      : file(std::move(file)), name(std::move(name)),
        segments(std::move(image.segments)) {
    for (const ElfSegment &s : segments) {
      guest = std::max(guest, lastPage(s.physicalAddress, s.memoryBytes) + 1);
      if (s.fileBytes)
        byVirtual.push_back(&s);
    }
    std::sort(byVirtual.begin(), byVirtual.end(), [](auto *a, auto *b) {
      return a->virtualAddress < b->virtualAddress;
    });
    findStretches();
  }

  Result<void> takeManifest(ElfImage::Range where);

  ObjectKind kind() const override { return ObjectKind::Image; }
  uint64_t guestPages() const override { return guest; }
  uint64_t bytesToRead() const override {
    uint64_t sum = 0;
    for (const Stretch &s : stretches)
      sum += (s.end - s.first) * pageBytes;
    return sum;
  }
  Result<PageChunk> next() override;

private:
  struct Stretch {
    uint64_t first, end; ///< physical pages that hold bytes of the file
  };

  void findStretches();
  Error bad(const std::string &why) const {
    return {EBADMSG, name + ": " + why};
  }
  Result<void> readInto(const ElfSegment &s, uint64_t address,
                        std::span<uint8_t> memory, uint64_t at);
  Result<void> checkPage(uint64_t page, const Digest &physical);
  Result<void> checkRow(uint64_t virtualPage, const Digest *known);
  std::string rowProblem() const;

  std::unique_ptr<ByteReader> file;
  std::string name;
  std::vector<ElfSegment> segments;          ///< by rising physical address
  std::vector<const ElfSegment *> byVirtual; ///< those with file bytes
  std::vector<Stretch> stretches;
  uint64_t guest = 0;
  std::optional<Manifest> manifest;

  size_t stretch = 0;    ///< the next to give
  uint64_t position = 0; ///< page in it, or before it
  size_t segmentAt = 0;  ///< the first that may reach position
  std::vector<uint8_t> buffer;
  std::vector<Digest> digests;
};

void ImageSource::findStretches() {
  for (const ElfSegment &s : segments) {
    if (!s.fileBytes)
      continue;
    Stretch n{firstPage(s.physicalAddress),
              lastPage(s.physicalAddress, s.fileBytes) + 1};
    if (!stretches.empty() && n.first <= stretches.back().end)
      stretches.back().end = std::max(stretches.back().end, n.end);
    else
      stretches.push_back(n);
  }
}

bool mayChange(const ManifestPage &row) {
  return row.pageClass == PageClass::Private ||
         row.pageClass == PageClass::Zero;
}

// Rows and segments are both in order: one walk.
std::string ImageSource::rowProblem() const {
  std::vector<std::pair<uint64_t, uint64_t>> touched; // virtual pages
  for (const ElfSegment &s : segments)
    touched.emplace_back(firstPage(s.virtualAddress),
                         lastPage(s.virtualAddress, s.memoryBytes));
  std::sort(touched.begin(), touched.end());
  const auto &rows = manifest->pages;
  size_t row = 0;
  uint64_t next = 0; // page that must still come, at least
  auto skipTo = [&](uint64_t address) {
    while (row != rows.size() && rows[row].address < address &&
           mayChange(rows[row]))
      ++row;
  };
  for (auto [first, last] : touched) {
    skipTo(std::max(first, next) * pageBytes);
    for (uint64_t p = std::max(first, next); p <= last; ++p, ++row)
      if (row == rows.size() || rows[row].address != p * pageBytes)
        return row == rows.size() || rows[row].address > p * pageBytes
                   ? "no row for page " + hex(p * pageBytes)
                   : "row for page " + hex(rows[row].address) +
                         ", which no segment touches";
    next = std::max(next, last + 1);
  }
  skipTo(UINT64_MAX);
  if (row != rows.size())
    return "row for page " + hex(rows[row].address) +
           ", which no segment touches";
  return {};
}

Result<void> ImageSource::takeManifest(ElfImage::Range where) {
  std::string title = name + ": " + manifestSectionName;
  if (where.bytes > mostManifestBytes)
    return Error{EBADMSG, title + ": " + std::to_string(where.bytes) +
                              " bytes, the most is " +
                              std::to_string(mostManifestBytes)};
  std::vector<uint8_t> bytes(where.bytes);
  if (auto done = file->read(where.offset, bytes); !done)
    return done;
  auto read = Manifest::read(bytes, title);
  if (!read)
    return read.takeError();
  manifest = std::move(*read);
  if (std::string why = rowProblem(); !why.empty())
    return Error{EBADMSG, title + ": " + why};
  // Pages with bytes in the file are checked when they are read.
  static const Digest zero = digestOf(std::vector<uint8_t>(pageBytes));
  size_t s = 0;
  for (const ManifestPage &row : manifest->pages) {
    while (s < byVirtual.size() &&
           lastPage(byVirtual[s]->virtualAddress, byVirtual[s]->fileBytes) <
               row.address / pageBytes)
      ++s;
    bool inFile =
        s < byVirtual.size() &&
        firstPage(byVirtual[s]->virtualAddress) <= row.address / pageBytes;
    if (!inFile && !(row.flags & PageUnhashed) &&
        row.pageClass != PageClass::Private && digestIn(row) != zero)
      return Error{EBADMSG, title + ": page " + hex(row.address) +
                                " is zero, its digest is " +
                                digestIn(row).hex()};
  }
  return {};
}

/// The segment's file bytes in [at, at + memory) of an address space in which
/// it starts at \p address.
Result<void> ImageSource::readInto(const ElfSegment &s, uint64_t address,
                                   std::span<uint8_t> memory, uint64_t at) {
  uint64_t from = std::max(address, at);
  uint64_t last =
      std::min(address + (s.fileBytes - 1), at + (memory.size() - 1));
  if (from > last)
    return {};
  return file->read(s.fileOffset + (from - address),
                    memory.subspan(from - at, last - from + 1));
}

Result<void> ImageSource::checkRow(uint64_t page, const Digest *known) {
  const ManifestPage *row = manifest->pageAt(page * pageBytes);
  if (!row)
    return bad("page " + hex(page * pageBytes) + " has no row");
  if (row->flags & PageUnhashed || row->pageClass == PageClass::Private)
    return {};
  Digest found;
  if (known) {
    found = *known;
  } else {
    std::vector<uint8_t> memory(pageBytes);
    for (const ElfSegment *s : byVirtual)
      if (auto done = readInto(*s, s->virtualAddress, memory, page * pageBytes);
          !done)
        return done;
    found = digestOf(memory);
  }
  if (found != digestIn(*row))
    return bad("page " + hex(page * pageBytes) + " has digest " + found.hex() +
               ", its manifest says " + digestIn(*row).hex());
  return {};
}

// Which segments put bytes on this physical page, and is it one virtual page?
Result<void> ImageSource::checkPage(uint64_t page, const Digest &physical) {
  uint64_t start = page * pageBytes, end = start + (pageBytes - 1);
  std::vector<const ElfSegment *> here;
  for (size_t i = segmentAt; i < segments.size(); ++i) {
    const ElfSegment &s = segments[i];
    if (s.physicalAddress > end)
      break;
    if (s.fileBytes && s.physicalAddress + (s.fileBytes - 1) >= start)
      here.push_back(&s);
  }
  if (here.empty()) // between two stretches' ends: zeros, checked at first
    return {};
  uint64_t moved = here[0]->virtualAddress - here[0]->physicalAddress;
  bool one = pageAligned(moved);
  for (const ElfSegment *s : here)
    one &= s->virtualAddress - s->physicalAddress == moved;
  if (one) {
    // The same segments, and no others, on the virtual page?
    uint64_t virtualStart = start + moved, virtualEnd = end + moved;
    auto s =
        std::lower_bound(byVirtual.begin(), byVirtual.end(), virtualStart,
                         [](const ElfSegment *a, uint64_t v) {
                           return a->virtualAddress + (a->fileBytes - 1) < v;
                         });
    size_t there = 0;
    for (; s != byVirtual.end() && (*s)->virtualAddress <= virtualEnd; ++s) {
      ++there;
      one &= (*s)->virtualAddress - (*s)->physicalAddress == moved;
    }
    one &= there == here.size();
    if (one)
      return checkRow(virtualStart / pageBytes, &physical);
  }
  for (const ElfSegment *s : here) {
    uint64_t from = std::max(s->physicalAddress, start) - s->physicalAddress;
    uint64_t last = std::min(s->physicalAddress + (s->fileBytes - 1), end) -
                    s->physicalAddress;
    for (uint64_t p = (s->virtualAddress + from) / pageBytes;
         p <= (s->virtualAddress + last) / pageBytes; ++p)
      if (auto done = checkRow(p, nullptr); !done)
        return done;
  }
  return {};
}

Result<PageChunk> ImageSource::next() {
  if (stretch == stretches.size()) {
    if (auto same = file->checkUnchanged(); !same)
      return same.takeError();
    return PageChunk{{guest}, {}, {}};
  }
  const Stretch &now = stretches[stretch];
  uint64_t first = std::max(position, now.first);
  uint64_t pages = std::min(chunkPages, now.end - first);
  uint64_t start = first * pageBytes;
  buffer.assign(pages * pageBytes, 0);
  while (segmentAt < segments.size() &&
         lastPage(segments[segmentAt].physicalAddress,
                  segments[segmentAt].memoryBytes) < first)
    ++segmentAt;
  for (size_t i = segmentAt;
       i < segments.size() &&
       segments[i].physicalAddress < start + buffer.size();
       ++i)
    if (segments[i].fileBytes)
      if (auto done =
              readInto(segments[i], segments[i].physicalAddress, buffer, start);
          !done)
        return done.takeError();
  digests.resize(pages);
  for (uint64_t p = 0; p < pages; ++p) {
    digests[p] = digestOf({buffer.data() + p * pageBytes, pageBytes});
    if (manifest)
      if (auto done = checkPage(first + p, digests[p]); !done)
        return done.takeError();
  }
  position = first + pages;
  if (position == now.end)
    ++stretch;
  return PageChunk{{first}, buffer, digests};
}

} // namespace

Result<std::unique_ptr<PageSource>> openImage(std::unique_ptr<ByteReader> file,
                                              const std::string &name) {
  auto image = ElfImage::read(*file, name);
  if (!image)
    return image.takeError();
  auto manifest = image->manifest;
  auto source =
      std::make_unique<ImageSource>(std::move(file), name, std::move(*image));
  if (manifest)
    if (auto done = source->takeManifest(*manifest); !done)
      return done.takeError();
  return std::unique_ptr<PageSource>(std::move(source));
}

Result<std::unique_ptr<PageSource>> openImage(const std::string &path) {
  auto file = openBytes(path);
  if (!file)
    return file.takeError();
  return openImage(std::move(*file), path);
}

} // namespace spacer
