//===- PageImage.cpp - the bytes of shared pages --------------------------===//
//
// After lld has written the output, each shared page holds the bytes of this
// link's live units and nothing else. The page must be whole: an image that
// calls only half of a page's functions still maps the same page as an image
// that calls the other half. So for each page, with the live ranges as a mask:
//
//  - a recorded content that agrees under the mask is copied over the page;
//  - otherwise the recorded content with most agreeing ranges is the base, the
//    masked bytes are laid over it, and the result is a new content (doors and
//    data whose targets or values differ in this image, patched entries);
//    Only the oldest contents are looked at, so the cost does not grow with the
//    fleet; a newer one is found again because it is made again;
//  - a page never seen gets int3 (code) or zero around its live bytes.
//
// Every byte compared here was computed by lld from this link's own inputs, so
// agreement is also the check that the atlas and the link mean the same.
//
// Most pages are as the link that made them left them: all of their units are
// live, and what is between them is still what a new page gets. So pages are
// first filled like new ones and digested, in parallel, for the manifest wants
// that digest anyway. Where it is that of the oldest content, which is the
// first to be tried, the page is finished, and the atlas's bytes are not read.
// The digest decides nothing about this image's bytes, which are its own: only
// whether the page is one of those that the atlas knows, and who maps pages by
// that compares their bytes.
//
//===----------------------------------------------------------------------===//

#include "PageImage.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>

using namespace llvm;

namespace spacer {

namespace {

/// A live range clipped to one page.
struct Piece {
  uint32_t begin, end;
  bool isPatch;
};

class PageFinisher {
public:
  PageFinisher(Atlas &a, ArrayRef<LiveRange> l)
      : atlas(a), live(l), frozen(a.mode() == AtlasMode::Frozen) {}
  Error finish(const RunBytes &run);
  FinishedPages result;

private:
  void fillGaps(const RunBytes &run);
  void digest(const RunBytes &run);
  Error finishPage(Region region, uint64_t address, uint8_t *page);
  void collectPieces(uint64_t address);
  Error mismatch(uint64_t address, const Piece &p) const;

  Atlas &atlas;
  ArrayRef<LiveRange> live;
  const bool frozen;
  size_t cursor = 0; ///< first range that may reach the current page
  std::vector<size_t> firstRange; ///< the cursor, by page of the run
  SmallVector<Piece, 64> pieces;
};

} // namespace

// Ranges are sorted by address, so the cursor only moves forward within a run.
// A large object may reach many pages: the cursor stays at it until they pass.
void PageFinisher::collectPieces(uint64_t address) {
  pieces.clear();
  while (cursor < live.size() &&
         live[cursor].address + live[cursor].bytes <= address)
    ++cursor;
  for (size_t i = cursor;
       i < live.size() && live[i].address < address + pageBytes; ++i) {
    uint64_t begin = std::max(live[i].address, address);
    uint64_t end =
        std::min(live[i].address + live[i].bytes, address + pageBytes);
    if (begin < end)
      pieces.push_back({uint32_t(begin - address), uint32_t(end - address),
                        live[i].isPatch});
  }
}

Error PageFinisher::mismatch(uint64_t address, const Piece &p) const {
  return createStringError(
      inconvertibleErrorCode(),
      "%s: bytes 0x%s to 0x%s of a shared text page differ from the atlas; the "
      "page would have two contents (please report this)",
      atlas.path().c_str(), utohexstr(address + p.begin).c_str(),
      utohexstr(address + p.end).c_str());
}

Error PageFinisher::finishPage(Region region, uint64_t address, uint8_t *page) {
  collectPieces(address);
  Expected<ArrayRef<PageVariant>> variants = atlas.pageVariants(address);
  if (!variants)
    return variants.takeError();

  auto agrees = [&](const PageVariant &v, const Piece &p) {
    return !memcmp(v.content.data() + p.begin, page + p.begin, p.end - p.begin);
  };
  // A text page's base must agree on all that is not a patch; its first content
  // does, whatever jumps later ones have.
  auto isSound = [&](const PageVariant &v) {
    return region != Region::Text || llvm::all_of(pieces, [&](const Piece &p) {
             return p.isPatch || agrees(v, p);
           });
  };
  const PageVariant *base = nullptr;
  std::pair<bool, size_t> baseRank;
  for (const PageVariant &v : *variants) {
    size_t n =
        llvm::count_if(pieces, [&](const Piece &p) { return agrees(v, p); });
    if (n == pieces.size()) {
      memcpy(page, v.content.data(), pageBytes);
      return Error::success();
    }
    std::pair<bool, size_t> rank(isSound(v), n);
    if (!base || rank > baseRank) {
      base = &v;
      baseRank = rank;
    }
  }
  if (base && region == Region::Text)
    for (const Piece &p : pieces)
      if (!p.isPatch && !agrees(*base, p))
        return mismatch(address, p);

  std::vector<uint8_t> whole(page, page + pageBytes);
  if (base) {
    whole = base->content;
    for (const Piece &p : pieces)
      memcpy(whole.data() + p.begin, page + p.begin, p.end - p.begin);
    memcpy(page, whole.data(), pageBytes);
  }

  // The same overlay on the same base is what an earlier link of these inputs
  // made, even if its content is not among those looked at.
  Expected<const PageVariant *> known = atlas.findVariant(address, whole);
  if (!known)
    return known.takeError();
  if (*known)
    return Error::success();
  if (frozen) {
    result.privatePages.push_back(address);
    return Error::success();
  }
  atlas.addPageVariant(address, whole);
  ++(base ? result.newVariants : result.newPages);
  return Error::success();
}

static uint8_t fillerOf(Region region) {
  return region == Region::Text || region == Region::Door ? 0xcc : 0;
}

// Makes each page what it would be if nobody had made it before.
void PageFinisher::fillGaps(const RunBytes &run) {
  // Start at the last range that begins before the run: it may reach in.
  cursor = llvm::partition_point(live,
                                 [&](const LiveRange &r) {
                                   return r.address + r.bytes <= run.run.base;
                                 }) -
           live.begin();
  firstRange.clear();
  for (uint64_t off = 0; off != run.run.bytes; off += pageBytes) {
    collectPieces(run.run.base + off);
    firstRange.push_back(cursor);
    uint32_t at = 0;
    auto fillTo = [&](uint32_t end) {
      if (at < end)
        memset(run.bytes + off + at, fillerOf(run.run.region), end - at);
    };
    for (const Piece &p : pieces) {
      fillTo(p.begin);
      at = std::max(at, p.end);
    }
    fillTo(pageBytes);
  }
}

void PageFinisher::digest(const RunBytes &run) {
  size_t first = result.hashes.size(), count = run.run.bytes / pageBytes;
  result.hashes.resize(first + count);
  constexpr size_t pagesATask = 32;
  parallelFor(0, divideCeil(count, pagesATask), [&](size_t task) {
    size_t end = std::min((task + 1) * pagesATask, count);
    for (size_t i = task * pagesATask; i != end; ++i)
      result.hashes[first + i] = {
          run.run.base + i * pageBytes,
          hashBytes(ArrayRef(run.bytes + i * pageBytes, pageBytes))};
  });
}

Error PageFinisher::finish(const RunBytes &run) {
  if (!run.bytes)
    return Error::success();
  fillGaps(run);
  size_t first = result.hashes.size();
  digest(run);
  for (size_t i = 0; i != run.run.bytes / pageBytes; ++i) {
    auto &[address, hash] = result.hashes[first + i];
    if (atlas.oldestHash(address) == hash)
      continue;
    cursor = firstRange[i];
    uint8_t *page = run.bytes + i * pageBytes;
    if (Error e = finishPage(run.run.region, address, page))
      return e;
    hash = hashBytes(ArrayRef(page, pageBytes));
  }
  return Error::success();
}

Expected<FinishedPages> finishPages(Atlas &atlas, ArrayRef<RunBytes> runs,
                                    ArrayRef<LiveRange> live) {
  PageFinisher finisher(atlas, live);
  for (const RunBytes &r : runs)
    if (Error e = finisher.finish(r))
      return std::move(e);
  return std::move(finisher.result);
}

} // namespace spacer
