//===- PlanFuzz.cpp - any bytes as a plan -----------------------------===//

#include "Digest.h"
#include "Fuzz.h"
#include "Plan.h"

using namespace spacer;

namespace {

void decode(std::span<const uint8_t> bytes) {
  auto found = Plan::decode(bytes);
  if (!found) {
    FUZZ_EXPECT(found.error().sysErrno == EBADMSG);
    FUZZ_EXPECT(found.error().context.find('\n') == std::string::npos);
    return;
  }
  auto again = found->encode();
  FUZZ_EXPECT(std::vector<uint8_t>(bytes.begin(), bytes.end()) == again);
}

/// As they are, and with the digest at the end made right.
int fuzzPlan(const uint8_t *data, size_t size) {
  decode({data, size});
  if (size < 16)
    return 0;
  std::vector<uint8_t> bytes(data, data + size);
  Digest d = digestOf({data, size - 16});
  std::memcpy(bytes.data() + size - 16, d.bytes.data(), 16);
  decode(bytes);
  return 0;
}

const test::FuzzTarget target("plan", fuzzPlan);

} // namespace
