//===- ManifestFuzz.cpp - any bytes as a manifest -------------------------===//

#include "Fuzz.h"
#include "ManifestReader.h"
#include <algorithm>
#include <cstddef>

using namespace spacer;

namespace {

void look(std::span<const uint8_t> bytes) {
  auto m = Manifest::read(bytes, "m");
  if (!m) {
    FUZZ_EXPECT(m.error().sysErrno == EBADMSG);
    FUZZ_EXPECT(m.error().context.find('\n') == std::string::npos);
    return;
  }
  for (const ManifestPage &p : m->pages)
    FUZZ_EXPECT(m->pageAt(p.address) == &p);
  size_t letters = 0;
  for (const ManifestUnit &u : m->units)
    letters += strlen(m->text(u.library)) + strlen(m->text(u.name));
  for (const ManifestSlot &s : m->slots)
    letters += strlen(m->text(s.library)) + strlen(m->text(s.name));
  FUZZ_EXPECT(letters + 1 > letters);
}

/// As they are, and with the checksum made right: else no input gets past it.
int fuzzManifest(const uint8_t *data, size_t size) {
  look({data, size});
  ManifestHeader h;
  if (size < sizeof h)
    return 0;
  std::memcpy(&h, data, sizeof h);
  std::vector<uint8_t> bytes(data, data + size);
  auto *sum = bytes.data() + offsetof(ManifestHeader, checksum);
  std::memset(sum, 0, 16);
  Digest d =
      digestOf({bytes.data(), size_t(std::min<uint64_t>(h.totalBytes, size))});
  std::memcpy(sum, d.bytes.data(), 16);
  look(bytes);
  return 0;
}

const test::FuzzTarget target("manifest", fuzzManifest);

} // namespace
