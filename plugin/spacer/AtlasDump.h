//===- AtlasDump.h - an atlas as lines of JSON ----------------------------===//
//
// The dump is complete and in the file's own order, so that importing it gives
// an atlas with equal rows in equal order, and exporting that gives the same
// dump. One object a line; the first key says what it is:
//
//   {"atlas":1,"machine":62,"window":{"base":"0x1000000","bytes":"0x7000000"},…}
//   {"library":1,"name":"musl"}              ids count from 1
//   {"region":"text","next":"0x…"}
//   {"extent":"0x…","region":"text","bytes":8192,"library":0}
//   {"unit":"<identity>","kind":"text","address":"0x…","bytes":…,…}
//   {"place":"<key>","generation":0,…}
//   {"slot":"<key>","kind":"door",…}
//   {"page":"0x…","variant":0,"content":"<base64>"}
//   {"end":<number of lines before this one>}
//
// A name that is not UTF-8 stands in hexadecimal as "nameHex".
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_TOOL_ATLASDUMP_H
#define SPACER_TOOL_ATLASDUMP_H

#include "Atlas.h"
#include "Command.h"

namespace spacer {

/// Calls \p line for each line of the dump, in order.
void dumpAtlas(Atlas &atlas, llvm::function_ref<void(const Json &)> line);

/// Rebuilds an atlas line by line. \p path must not exist (or be empty).
class AtlasLoader {
public:
  explicit AtlasLoader(std::string path) : path(std::move(path)) {}
  /// Throws Failure with what is wrong, without the dump's name and line.
  void line(llvm::StringRef text);
  /// Throws if the dump has no end, then commits.
  void finish();

private:
  void begin(const Json &j);
  void library(const Json &j);
  void page(const Json &j);
  void row(const std::string &what, const Json &j);

  std::string path;
  std::unique_ptr<Atlas> atlas;
  uint64_t lines = 0;
  bool ended = false;
};

} // namespace spacer

#endif
