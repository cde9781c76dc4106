//===- ImageFuzz.cpp - any bytes as an ELF image --------------------------===//

#include "Fuzz.h"
#include "ImageSource.h"
#include "spacer/Format.h"
#include <algorithm>
#include <cstddef>

using namespace spacer;

namespace {

void load(std::span<const uint8_t> bytes) {
  auto source = openImage(std::make_unique<MemoryReader>(bytes), "i");
  if (!source) {
    FUZZ_EXPECT(source.error().sysErrno == ENOEXEC ||
                source.error().sysErrno == EBADMSG);
    FUZZ_EXPECT(source.error().context.find('\n') == std::string::npos);
    return;
  }
  uint64_t next = 0, read = 0;
  while (true) {
    auto c = (*source)->next();
    if (!c || c->bytes.empty())
      break;
    FUZZ_EXPECT(pageAligned(c->bytes.size()) && c->first.value >= next);
    next = c->first.value + c->bytes.size() / pageBytes;
    FUZZ_EXPECT(next <= (*source)->guestPages());
    FUZZ_EXPECT(c->digests.size() * pageBytes == c->bytes.size());
    read += c->bytes.size();
  }
  FUZZ_EXPECT(read <= (*source)->bytesToRead());
}

/// As they are, and with the manifest's checksum made right.
int fuzzImage(const uint8_t *data, size_t size) {
  load({data, size});
  std::vector<uint8_t> bytes(data, data + size);
  MemoryReader memory(bytes);
  auto image = ElfImage::read(memory, "i");
  ManifestHeader h;
  if (!image || !image->manifest || image->manifest->bytes < sizeof h)
    return 0;
  auto [offset, length] = *image->manifest;
  std::memcpy(&h, data + offset, sizeof h);
  auto *sum = bytes.data() + offset + offsetof(ManifestHeader, checksum);
  std::memset(sum, 0, 16);
  Digest d = digestOf({bytes.data() + offset,
                       size_t(std::min<uint64_t>(h.totalBytes, length))});
  std::memcpy(sum, d.bytes.data(), 16);
  load(bytes);
  return 0;
}

const test::FuzzTarget target("image", fuzzImage);

} // namespace
