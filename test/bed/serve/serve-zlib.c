// Compresses: each line from the console is appended to a text that is
// prepared; the answer has both sizes, the checksum, and whether it came back.
#include "serve.h"

#include <zlib.h>

enum { textBytes = 600000 };
static unsigned char text[textBytes + 1024], packed[textBytes + 8192],
    back[textBytes + 1024];

// Both streams live from before the first line on, as a server's would.
static z_stream packer, unpacker;

static int pack(Bytef *from, uLong bytes) {
  packer.next_in = from;
  packer.avail_in = (uInt)bytes;
  packer.next_out = packed;
  packer.avail_out = sizeof packed;
  return deflateReset(&packer) == Z_OK &&
         deflate(&packer, Z_FINISH) == Z_STREAM_END;
}

static int unpack(void) {
  unpacker.next_in = packed;
  unpacker.avail_in = (uInt)packer.total_out;
  unpacker.next_out = back;
  unpacker.avail_out = sizeof back;
  return inflateReset(&unpacker) == Z_OK &&
         inflate(&unpacker, Z_FINISH) == Z_STREAM_END;
}

int main(void) {
  unsigned random = 7;
  for (size_t i = 0; i < textBytes; ++i) {
    random = random * 1103515245 + 12345;
    text[i] = (unsigned char)("etaoin shrdlu\n"[(random >> 16) % 14]);
  }
  if (deflateInit(&packer, 6) != Z_OK || inflateInit(&unpacker) != Z_OK)
    return 1;
  char line[1024];
  while (serveLine(line, sizeof line)) {
    // The last part of the text only, so that an answer takes no second.
    uLong from = textBytes - 20000, bytes = 20000 + strlen(line);
    memcpy(text + textBytes, line, strlen(line));
    int done = pack(text + from, bytes) && unpack() &&
               unpacker.total_out == bytes && !memcmp(text + from, back, bytes);
    printf("%lu to %lu bytes, crc %08lx, %s\n", bytes, packer.total_out,
           crc32(0, text + from, (uInt)bytes), done ? "same" : "DIFFERENT");
  }
  return 0;
}
