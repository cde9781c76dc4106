//===- SealedTable.h - a header, rows, and the digest of both -------------===//
//
// The form in which page maps and plans are stored and handed to other
// processes. A Header begins with `char magic[8]`, `uint32_t version` (1) and
// `uint32_t reserved` (0); the member \p rows counts the rows that follow it;
// at the end stands the XXH3-128 of all before. Neither struct has padding.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_SEALEDTABLE_H
#define SPACER_RUNTIME_SEALEDTABLE_H

#include "Digest.h"
#include "Result.h"
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace spacer {

inline constexpr uint32_t sealedTableVersion = 1;
inline constexpr size_t sealBytes = sizeof(Digest);

/// \p header is complete but for its magic and version.
template <class Header, class Row>
std::vector<uint8_t> sealTable(const char (&magic)[8], Header header,
                               const std::vector<Row> &rows) {
  static_assert(std::has_unique_object_representations_v<Row>);
  std::memcpy(header.magic, magic, sizeof magic);
  header.version = sealedTableVersion;
  size_t rowBytes = rows.size() * sizeof(Row);
  std::vector<uint8_t> out(sizeof header + rowBytes + sealBytes);
  std::memcpy(out.data(), &header, sizeof header);
  if (rowBytes)
    std::memcpy(out.data() + sizeof header, rows.data(), rowBytes);
  Digest d = digestOf({out.data(), out.size() - sealBytes});
  std::memcpy(out.data() + out.size() - sealBytes, d.bytes.data(), sealBytes);
  return out;
}

template <class Header, class Row> struct OpenedTable {
  Header header;
  std::vector<Row> rows;
};

/// EBADMSG, "\p what: ...", unless \p bytes are what sealTable() gave. What the
/// rows mean is for the caller to check. \p rowName is for messages: "runs".
template <class Header, class Row>
Result<OpenedTable<Header, Row>>
openTable(const char (&magic)[8], std::span<const uint8_t> bytes,
          uint64_t Header::*rows, const std::string &what,
          const char *rowName) {
  auto bad = [&](const std::string &why) {
    return Error{EBADMSG, what + ": " + why};
  };
  OpenedTable<Header, Row> table;
  Header &h = table.header;
  if (bytes.size() < sizeof h + sealBytes)
    return bad(std::to_string(bytes.size()) + " bytes, the least is " +
               std::to_string(sizeof h + sealBytes));
  std::memcpy(&h, bytes.data(), sizeof h);
  if (std::memcmp(h.magic, magic, sizeof magic) != 0)
    return bad("no " + what);
  if (h.version != sealedTableVersion || h.reserved != 0)
    return bad("version " + std::to_string(h.version) + ", known is 1");
  uint64_t room = bytes.size() - sizeof h - sealBytes;
  if (room % sizeof(Row) != 0 || room / sizeof(Row) != h.*rows)
    return bad(std::to_string(h.*rows) + " " + rowName + " in " +
               std::to_string(room) + " bytes");
  Digest d = digestOf(bytes.first(bytes.size() - sealBytes));
  if (std::memcmp(d.bytes.data(), bytes.data() + bytes.size() - sealBytes,
                  sealBytes) != 0)
    return bad("wrong checksum");
  table.rows.resize(h.*rows);
  if (room)
    std::memcpy(table.rows.data(), bytes.data() + sizeof h, room);
  return table;
}

} // namespace spacer

#endif
