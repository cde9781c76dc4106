//===- RequestFuzz.cpp - requests to spacerd, and its answers -------------===//
//
// Any bytes are a request or get one line of error; a request that was taken
// comes back from encode() the same. The same bytes as an answer and as a
// working set must be as harmless.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"
#include "Protocol.h"

using namespace spacer;

int fuzzRequest(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto request = parseRequest(text);
  if (request) {
    auto again = parseRequest(encode(*request));
    FUZZ_EXPECT(again && encode(*again) == encode(*request));
    if (auto *attach = std::get_if<AttachRequest>(&*request)) {
      auto ranges = attach->ranges;
      (void)checkRanges(ranges, 1 << 20);
      FUZZ_EXPECT(validName(attach->object) && validName(attach->name));
    }
    if (auto *open = std::get_if<OpenRequest>(&*request))
      FUZZ_EXPECT(validName(open->object) && open->mappings > 0);
  } else {
    FUZZ_EXPECT(request.error().sysErrno > 0);
    FUZZ_EXPECT(request.error().context.find('\n') == std::string::npos);
  }
  if (auto answer = parseAnswer(text); !answer)
    FUZZ_EXPECT(answer.error().sysErrno > 0);
  return 0;
}

static test::FuzzTarget target("request", fuzzRequest);
