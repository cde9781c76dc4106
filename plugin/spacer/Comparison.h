//===- Comparison.h - pages that images share, by their bytes -------------===//
//
// Everything is measured on the images' own bytes: a page is shared if two
// images have the same 4096 bytes at the same address. The manifests only say
// what the least number of pages would be, and what is on a page that differs.
// Pages of zeros cost a host nothing and count nowhere.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_TOOL_COMPARISON_H
#define SPACER_TOOL_COMPARISON_H

#include "Image.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <set>

namespace spacer {

/// Two images; with a library, only pages on which it has units.
struct PairCounts {
  unsigned first = 0, second = 0;
  uint64_t pagesFirst = 0, pagesSecond = 0;
  uint64_t common = 0; ///< addresses at which both have a page
  uint64_t equal = 0;  ///< of these, with the same content
};

/// The fewest pages that the same units could fill (design, section 5).
struct Ideal {
  uint64_t textBytes = 0, rodataBytes = 0, dataBytes = 0; ///< distinct units
  uint64_t doorBytes = 0, gotBytes = 0; ///< distinct slots, further targets
  uint64_t privatePages = 0;            ///< of each image and protection
  uint64_t pages() const;
};

/// A function, object or other part of an image that keeps pages apart.
struct Culprit {
  std::string kind, library, name;
  bool alone = false; ///< its pages are in one image only, else they differ
  double pages = 0;   ///< pages that would be shared but for it; pages with
                      ///< several culprits are divided among them by bytes
  std::set<unsigned> images;
};

class Comparison {
public:
  using Images = std::vector<std::unique_ptr<Image>>;
  explicit Comparison(const Images &images);

  uint64_t pagesOf(unsigned image) const { return used[image]; }
  uint64_t distinctPages() const;
  PairCounts pair(unsigned first, unsigned second,
                  llvm::StringRef library) const;
  /// Nothing if an image has no manifest.
  std::optional<Ideal> ideal() const;
  /// What costs most first.
  std::vector<Culprit> culprits() const;

private:
  /// A content at one address, and who has it there.
  struct Content {
    const uint8_t *bytes;
    llvm::SmallVector<unsigned, 4> images;
  };
  using Site = llvm::SmallVector<Content, 2>;

  const Images &images;
  std::vector<uint64_t> used;
  std::map<uint64_t, Site> sites; ///< by address
};

} // namespace spacer

#endif
