//===- Tags.cpp - reads .spacer.tags --------------------------------------===//

#include "Tags.h"
#include "TagFormat.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>

using namespace llvm;

namespace spacer {

namespace {

/// One chunk, checked as it is read.
class ChunkReader {
public:
  ChunkReader(ArrayRef<uint8_t> b, uint64_t at, StringRef w)
      : bytes(b), begin(at), where(w) {}
  Error read(FileTags &tags);
  uint64_t size() const { return chunk.bytes; }

private:
  Error bad(const Twine &why) const {
    return createStringError(where + ": .spacer.tags at offset 0x" +
                             utohexstr(begin) + ": " + why +
                             "; compile the file again, or drop the section "
                             "with objcopy -R .spacer.tags");
  }
  Expected<StringRef> string(uint32_t offset) const;

  ArrayRef<uint8_t> bytes;
  uint64_t begin;
  StringRef where;
  TagChunk chunk{};
};

} // namespace

Expected<StringRef> ChunkReader::string(uint32_t offset) const {
  if (!offset)
    return StringRef();
  uint64_t first =
      sizeof(TagChunk) + uint64_t(chunk.entries) * sizeof(TagEntry);
  const auto *text = reinterpret_cast<const char *>(bytes.data());
  if (offset >= first && offset < chunk.bytes)
    if (const void *end = memchr(text + offset, 0, chunk.bytes - offset))
      return StringRef(text + offset,
                       static_cast<const char *>(end) - (text + offset));
  return bad("a string at 0x" + utohexstr(offset) + ", expected one from 0x" +
             utohexstr(first) + " to 0x" + utohexstr(chunk.bytes));
}

static StringRef withoutVersion(StringRef library) {
  return library.split('@').first;
}

Error ChunkReader::read(FileTags &tags) {
  if (bytes.size() < sizeof chunk)
    return bad(Twine(bytes.size()) + " bytes left, expected a chunk of " +
               Twine(sizeof chunk));
  memcpy(&chunk, bytes.data(), sizeof chunk);
  if (memcmp(chunk.magic, tagMagic, sizeof tagMagic) != 0)
    return bad("no chunk begins here");
  if (chunk.version != tagVersion)
    return bad("version " + Twine(chunk.version) + ", expected " +
               Twine(tagVersion));
  if (chunk.bytes < sizeof chunk || chunk.bytes % 8 ||
      chunk.bytes > bytes.size() ||
      (chunk.bytes - sizeof chunk) / sizeof(TagEntry) < chunk.entries)
    return bad("a chunk of " + Twine(chunk.bytes) + " bytes with " +
               Twine(chunk.entries) + " entries, " + Twine(bytes.size()) +
               " bytes are left");
  bytes = bytes.take_front(chunk.bytes);

  Expected<StringRef> library = string(chunk.library);
  if (!library)
    return library.takeError();
  StringRef name = withoutVersion(*library);
  tags.isEstimated |= (chunk.flags & tagEstimated) != 0;
  if (chunk.flags & tagMixed)
    tags.isMixed = true;
  else if (begin == 0)
    tags.library = name;
  else if (tags.library != name && tags.otherLibrary.empty())
    tags.otherLibrary = name.empty() ? tags.library : name;

  for (uint32_t i = 0; i != chunk.entries; ++i) {
    TagEntry e;
    uint64_t at = sizeof(TagChunk) + i * sizeof(TagEntry);
    memcpy(&e, bytes.data() + at, sizeof e);
    Expected<StringRef> entryName = string(e.name);
    if (!entryName)
      return entryName.takeError();
    Expected<StringRef> entryLibrary = string(e.library);
    if (!entryLibrary)
      return entryLibrary.takeError();
    tags.entries.push_back({begin + at + offsetof(TagEntry, symbol), *entryName,
                            withoutVersion(*entryLibrary)});
  }
  return Error::success();
}

Expected<FileTags> readTags(ArrayRef<uint8_t> content, StringRef where) {
  FileTags tags;
  for (uint64_t at = 0; at != content.size();) {
    ChunkReader reader(content.drop_front(at), at, where);
    if (Error e = reader.read(tags))
      return std::move(e);
    at += reader.size();
  }
  return tags;
}

} // namespace spacer
