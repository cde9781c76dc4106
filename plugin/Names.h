//===- Names.h - qualified names of local symbols and units ---------------===//
//
// A place or a slot outlives versions only if its name does. Globals have one;
// for statics a name is put together from the source file and the symbol, with
// what compilers number left out: `buf.1234` and `foo.isra.3` become `buf` and
// `foo.isra`, and their numbers only order namesakes.
//
// An object merged by `ld -r` carries one STT_FILE symbol for each source file,
// and `objcopy --keep-global-symbols` puts what it makes local after the last
// of them. So symbols of the last file of several go without the file name.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_NAMES_H
#define SPACER_PLUGIN_NAMES_H

#include "Model.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"

namespace spacer {

/// The name without trailing `.<digits>` parts.
llvm::StringRef withoutNumbers(llvm::StringRef name);
/// The digits that withoutNumbers() drops, as a number that orders namesakes
/// as the compiler numbered them; 0 if there are none.
uint64_t numericSuffix(llvm::StringRef name);

/// The file part of names while one object's symbols are walked in order.
class FileNames {
public:
  void addFile(llvm::StringRef name) { files.push_back(name.str()); }
  /// The walk has come to the next STT_FILE symbol.
  void enterFile() { ++current; }
  std::string qualify(llvm::StringRef symbol) const;

private:
  std::vector<std::string> files;
  size_t current = 0; ///< 1-based; 0 before the first
};

/// Collects names of one link and makes them unique within their library, by
/// number and content, never by order of input.
class NameTable {
public:
  /// \p symbol is any key; \p content and then \p neighbour, a global symbol of
  /// the same file, break ties between namesakes.
  void add(const void *symbol, uint32_t library, std::string name,
           uint64_t number, llvm::ArrayRef<uint8_t> content,
           llvm::StringRef neighbour = "");
  /// Offers a name for \p unit: the symbol at the lowest offset wins, then
  /// strong before weak before local, then by spelling. \p local is the key
  /// given to add() if \p name is empty.
  void propose(uint32_t unit, uint64_t offset, unsigned binding,
               std::string name, const void *local);
  void settle();
  /// The unique name of a symbol given to add(), or "".
  llvm::StringRef nameOf(const void *symbol) const;
  /// Sets Unit::name and Unit::named.
  void nameUnits(Model &model) const;

private:
  struct Entry {
    const void *symbol;
    uint32_t library;
    std::string name;
    uint64_t number;
    llvm::ArrayRef<uint8_t> content;
    llvm::StringRef neighbour;
  };
  struct Proposal {
    uint64_t offset;
    unsigned rank;
    std::string name;
    const void *local;
  };
  std::vector<Entry> entries;
  llvm::DenseMap<const void *, uint32_t> bySymbol;
  llvm::DenseMap<uint32_t, Proposal> proposals;
};

} // namespace spacer

#endif
