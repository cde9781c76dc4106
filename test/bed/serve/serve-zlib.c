// Compresses: each line from the console is appended to a text that is
// prepared; the answer has both sizes, the checksum, and whether it came back.
#include "serve.h"

#include <zlib.h>

enum { textBytes = 600000 };
static unsigned char text[textBytes + 1024], packed[textBytes + 8192],
    back[textBytes + 1024];

int main(void) {
  unsigned random = 7;
  for (size_t i = 0; i < textBytes; ++i) {
    random = random * 1103515245 + 12345;
    text[i] = (unsigned char)("etaoin shrdlu\n"[(random >> 16) % 14]);
  }
  char line[1024];
  while (serveLine(line, sizeof line)) {
    // The last part of the text only, so that an answer takes no second.
    uLong from = textBytes - 20000, bytes = 20000 + strlen(line);
    memcpy(text + textBytes, line, strlen(line));
    uLongf small = sizeof packed, large = sizeof back;
    compress2(packed, &small, text + from, bytes, 6);
    int result = uncompress(back, &large, packed, small);
    printf("%lu to %lu bytes, crc %08lx, %s\n", bytes, small,
           crc32(0, text + from, (uInt)bytes),
           !result && large == bytes && !memcmp(text + from, back, bytes)
               ? "same"
               : "DIFFERENT");
  }
  return 0;
}
