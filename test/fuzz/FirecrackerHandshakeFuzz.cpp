//===- FirecrackerHandshakeFuzz.cpp - any bytes as a VMM's message --------===//

#include "FirecrackerProtocol.h"
#include "Fuzz.h"
#include <algorithm>

using namespace spacer;

namespace {

int fuzzHandshake(const uint8_t *data, size_t size) {
  for (uint64_t snapshot : {uint64_t(4) << 20, uint64_t(128) << 20}) {
    auto regions = parseFirecrackerRegions(
        {reinterpret_cast<const char *>(data), size}, snapshot);
    if (!regions) {
      FUZZ_EXPECT(regions.error().context.find('\n') == std::string::npos);
      continue;
    }
    uint64_t sum = 0;
    for (const Region &r : *regions)
      sum += r.bytes;
    FUZZ_EXPECT(sum == snapshot);
  }
  // In pieces.
  FirecrackerReceiver receiver;
  for (size_t i = 0; i < size; i += 7) {
    auto more = receiver.take({data + i, std::min<size_t>(7, size - i)}, {});
    if (!more || *more == FirecrackerReceiver::Progress::Whole)
      break;
  }
  return 0;
}

const test::FuzzTarget target("firecracker-handshake", fuzzHandshake);

} // namespace
