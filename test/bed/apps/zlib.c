// zlib: checksums, every compression level, streams in small steps, gzip
// framing, a preset dictionary, and damaged input.
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { inputBytes = 120000 };
static unsigned char input[inputBytes], packed[inputBytes + 1024],
    output[inputBytes];

// Text with long and short repeats, then bytes that do not compress.
static void makeInput(void) {
  static const char *const words[] = {"page ",  "slot ",  "atlas ",
                                      "delta ", "door\n", "extent "};
  unsigned random = 7;
  size_t at = 0;
  while (at < inputBytes - 20000) {
    random = random * 1103515245 + 12345;
    const char *word = words[(random >> 16) % 6];
    for (; *word && at < inputBytes; ++word)
      input[at++] = (unsigned char)*word;
  }
  for (; at < inputBytes; ++at) {
    random = random * 1103515245 + 12345;
    input[at] = (unsigned char)(random >> 16);
  }
}

static unsigned level(int level, int quiet) {
  uLongf bytes = sizeof packed, back = sizeof output;
  int deflated = compress2(packed, &bytes, input, inputBytes, level);
  int inflated = uncompress(output, &back, packed, bytes);
  if (!quiet)
    printf("level %d: %d %lu bytes, %d %s\n", level, deflated, bytes, inflated,
           back == inputBytes && !memcmp(input, output, back) ? "same"
                                                              : "DIFFERENT");
  return (unsigned)bytes;
}

// Input and output in windows of a few bytes, as a network would deliver them.
static size_t stream(int windowBits, int strategy, size_t step) {
  z_stream to = {0};
  if (deflateInit2(&to, 6, Z_DEFLATED, windowBits, 8, strategy) != Z_OK)
    return 0;
  to.next_in = input;
  to.next_out = packed;
  int result = Z_OK;
  while (result == Z_OK) {
    size_t left = inputBytes - to.total_in;
    to.avail_in = (uInt)(left < step ? left : step);
    to.avail_out = (uInt)step + 16;
    result = deflate(&to, left <= step ? Z_FINISH : Z_NO_FLUSH);
  }
  size_t bytes = to.total_out;
  deflateEnd(&to);

  z_stream from = {0};
  if (result != Z_STREAM_END || inflateInit2(&from, windowBits) != Z_OK)
    return 0;
  from.next_in = packed;
  from.next_out = output;
  for (result = Z_OK; result == Z_OK;) {
    size_t left = bytes - from.total_in;
    from.avail_in = (uInt)(left < step ? left : step);
    from.avail_out = (uInt)(inputBytes - from.total_out);
    result = inflate(&from, Z_NO_FLUSH);
  }
  int same = result == Z_STREAM_END && from.total_out == inputBytes &&
             !memcmp(input, output, inputBytes);
  inflateEnd(&from);
  return same ? bytes : 0;
}

static void dictionary(void) {
  static const Bytef words[] = "page slot atlas delta door extent";
  z_stream to = {0};
  deflateInit(&to, 9);
  deflateSetDictionary(&to, words, sizeof words - 1);
  to.next_in = input;
  to.avail_in = 64;
  to.next_out = packed;
  to.avail_out = sizeof packed;
  deflate(&to, Z_FINISH);
  size_t bytes = to.total_out;
  deflateEnd(&to);

  z_stream from = {0};
  inflateInit(&from);
  from.next_in = packed;
  from.avail_in = (uInt)bytes;
  from.next_out = output;
  from.avail_out = sizeof output;
  int asked = inflate(&from, Z_FINISH);
  int given = inflateSetDictionary(&from, words, sizeof words - 1);
  int done = inflate(&from, Z_FINISH);
  printf("dictionary: %zu bytes, %d %d %d, %.16s\n", bytes, asked, given, done,
         (char *)output);
  inflateEnd(&from);
}

static void damaged(void) {
  uLongf bytes = sizeof packed;
  compress(packed, &bytes, input, 5000);
  static const size_t places[] = {0, 2, 10, 500};
  for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
    unsigned char kept = packed[places[i]];
    packed[places[i]] ^= 0x55;
    z_stream from = {.next_in = packed,
                     .avail_in = (uInt)bytes,
                     .next_out = output,
                     .avail_out = sizeof output};
    inflateInit(&from);
    int result = inflate(&from, Z_FINISH);
    printf("damage at %zu: %d %s\n", places[i], result,
           from.msg ? from.msg : "-");
    inflateEnd(&from);
    packed[places[i]] = kept;
  }
}

static void gzipFile(void) {
  gzFile file = gzopen("bed.gz", "wb6");
  if (!file) {
    puts("gzopen failed");
    return;
  }
  for (int i = 0; i < 500; ++i)
    gzprintf(file, "line %d of the file\n", i);
  gzclose(file);
  file = gzopen("bed.gz", "rb");
  int lines = 0;
  char line[64], last[64] = "";
  while (file && gzgets(file, line, sizeof line)) {
    ++lines;
    strcpy(last, line);
  }
  printf("gzip file: %d lines, last %s", lines, last);
  gzclose(file);
  remove("bed.gz");
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  makeInput();
  printf("zlib %s, crc %08lx, adler %08lx, combined %08lx\n", zlibVersion(),
         crc32(0, input, inputBytes), adler32(1, input, inputBytes),
         crc32_combine(crc32(0, input, 1000),
                       crc32(0, input + 1000, inputBytes - 1000),
                       inputBytes - 1000));
  unsigned first = 0;
  for (int round = 0; round < repeats; ++round) {
    unsigned hash = BED_HASH_START;
    for (int i = 0; i <= 9; ++i) {
      unsigned bytes = level(i, round);
      hash = bedHash(hash, &bytes, sizeof bytes);
    }
    if (round && hash != first)
      return puts("another result"), 1;
    first = hash;
  }
  printf("raw %zu, zlib %zu, gzip %zu\n", stream(-15, Z_DEFAULT_STRATEGY, 333),
         stream(15, Z_FILTERED, 4096), stream(31, Z_DEFAULT_STRATEGY, 17));
  printf("huffman %zu, rle %zu, fixed %zu\n", stream(15, Z_HUFFMAN_ONLY, 1000),
         stream(9, Z_RLE, 1000), stream(15, Z_FIXED, 1000));
  dictionary();
  damaged();
  gzipFile();
  return 0;
}
