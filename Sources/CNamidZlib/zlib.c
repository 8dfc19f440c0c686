#include "CNamidZlib.h"

#include <limits.h>

#include <zlib.h>

// zlib counts in unsigned int; archives may be longer.
static unsigned piece(size_t count) { return count < UINT_MAX ? (unsigned)count : UINT_MAX; }

int namid_inflate_raw(const void *bytes, size_t count, void *output, size_t room) {
  z_stream z = {0};
  if (inflateInit2(&z, -15) != Z_OK) return 0;  // 15: largest window; negative: no header
  size_t read = 0, written = 0;
  if (!output) room = 0;
  uint8_t spare;  // zlib wants a place to write to also where nothing is left to write
  int code = Z_OK;
  while (code == Z_OK) {
    unsigned given = piece(count - read), space = piece(room - written);
    z.next_in = (Bytef *)bytes + read;
    z.avail_in = given;
    z.next_out = space ? (Bytef *)output + written : &spare;
    z.avail_out = space ? space : 1;
    code = inflate(&z, Z_NO_FLUSH);
    read += given - z.avail_in;
    unsigned made = (space ? space : 1) - z.avail_out;
    if (!space && made) break;
    written += made;
  }
  inflateEnd(&z);
  return code == Z_STREAM_END && read == count && written == room;
}

uint32_t namid_crc32(uint32_t before, const void *bytes, size_t count) {
  return (uint32_t)crc32_z(before, bytes, count);
}
