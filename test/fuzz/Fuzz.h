//===- Fuzz.h - one entry for a fuzzer and for the corpus test ------------===//
//
// XFuzz.cpp is a target: a function that takes any bytes and must neither crash
// nor break what the parser promises, and its name. That is all: CMake builds
// fuzz-X of each (SPACER_FUZZ), and runtimeTests runs every file of
// test/fuzz/corpus/NAME/ through it.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_TEST_FUZZ_H
#define SPACER_TEST_FUZZ_H

#include "SealedTable.h"
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace spacer::test {

using FuzzEntry = int (*)(const uint8_t *data, size_t size);

/// By name of the corpus folder.
inline std::map<std::string, FuzzEntry> &fuzzTargets() {
  static std::map<std::string, FuzzEntry> targets;
  return targets;
}

struct FuzzTarget {
  FuzzTarget(const char *name, FuzzEntry entry) {
    fuzzTargets().emplace(name, entry);
  }
};

/// A promise that does not hold ends the program, in every build.
#define FUZZ_EXPECT(condition)                                                 \
  do {                                                                         \
    if (!(condition)) {                                                        \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,    \
                   #condition);                                                \
      std::abort();                                                            \
    }                                                                          \
  } while (0)

/// What PageMap and Plan promise: decode() refuses with EBADMSG and one line, or
/// gives what encode() turns into the same bytes. The bytes are tried as they
/// are, and with the digest at the end made right.
template <class Table> int fuzzSealedTable(const uint8_t *data, size_t size) {
  auto decode = [](std::span<const uint8_t> bytes) {
    auto found = Table::decode(bytes);
    if (!found) {
      FUZZ_EXPECT(found.error().sysErrno == EBADMSG);
      FUZZ_EXPECT(found.error().context.find('\n') == std::string::npos);
      return;
    }
    auto again = found->encode();
    FUZZ_EXPECT(std::vector<uint8_t>(bytes.begin(), bytes.end()) == again);
  };
  decode({data, size});
  if (size < sealBytes)
    return 0;
  std::vector<uint8_t> bytes(data, data + size);
  Digest d = digestOf({data, size - sealBytes});
  std::memcpy(bytes.data() + size - sealBytes, d.bytes.data(), sealBytes);
  decode(bytes);
  return 0;
}

} // namespace spacer::test

#endif
