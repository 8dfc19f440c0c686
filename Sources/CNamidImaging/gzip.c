#include "support.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

void cimg_free(void *bytes) { free(bytes); }

// zlib counts in unsigned int; files may be longer.
static unsigned piece(size_t count) { return count < UINT_MAX ? (unsigned)count : UINT_MAX; }

static int grow(cimg_bytes *out, size_t *room, size_t limit) {
  size_t wanted = *room ? *room * 2 : 64 * 1024;
  if (wanted < *room || wanted > limit) wanted = limit;
  uint8_t *bytes = realloc(out->bytes, wanted ? wanted : 1);
  if (!bytes) return 0;
  out->bytes = bytes;
  *room = wanted;
  return 1;
}

static cimg_status inflate_members(z_stream *z, const uint8_t *data, size_t count, size_t limit,
                                   cimg_bytes *out, char *message, size_t capacity) {
  size_t at = 0, room = 0;
  // One byte more than allowed tells "exactly the limit" from "over the limit".
  size_t most = limit < SIZE_MAX ? limit + 1 : limit;
  for (;;) {
    if (out->count == room && !grow(out, &room, most)) {
      cimg_say(message, capacity, "out of memory");
      return CIMG_NO_MEMORY;
    }
    unsigned given = piece(count - at), free_space = piece(room - out->count);
    z->next_in = (Bytef *)(data + at);
    z->avail_in = given;
    z->next_out = out->bytes + out->count;
    z->avail_out = free_space;
    int code = inflate(z, Z_NO_FLUSH);
    at += given - z->avail_in;
    out->count += free_space - z->avail_out;

    if (out->count > limit) {
      if (message && capacity) snprintf(message, capacity, "more than %zu bytes inside", limit);
      return CIMG_TOO_LARGE;
    }
    if (code == Z_STREAM_END) {
      if (at == count) return CIMG_OK;
      inflateReset(z);
    } else if (code == Z_MEM_ERROR) {
      cimg_say(message, capacity, "out of memory");
      return CIMG_NO_MEMORY;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      cimg_say(message, capacity, z->msg ? z->msg : "not compressed as it should be");
      return CIMG_CORRUPT;
    } else if (at == count && z->avail_out > 0) {
      if (message && capacity)
        snprintf(message, capacity, "the compressed data ends early, after %zu bytes of content",
                 out->count);
      return CIMG_TRUNCATED;
    }
  }
}

// `window` is zlib's windowBits: 15 for zlib's own streams, 16 more for gzip headers.
static cimg_status inflate_all(int window, const uint8_t *data, size_t count, size_t limit,
                               cimg_bytes *out, char *message, size_t capacity) {
  z_stream z = {0};
  out->bytes = NULL;
  out->count = 0;
  if (inflateInit2(&z, window) != Z_OK) {
    cimg_say(message, capacity, "zlib could not start");
    return CIMG_NO_MEMORY;
  }
  cimg_status status = inflate_members(&z, data, count, limit, out, message, capacity);
  inflateEnd(&z);
  if (status != CIMG_OK && status != CIMG_TRUNCATED) {
    free(out->bytes);
    out->bytes = NULL;
    out->count = 0;
  }
  return status;
}

cimg_status cimg_inflate_gzip(const uint8_t *data, size_t count, size_t limit, cimg_bytes *out,
                              char *message, size_t capacity) {
  return inflate_all(15 + 16, data, count, limit, out, message, capacity);
}

cimg_status cimg_inflate_zlib(const uint8_t *data, size_t count, size_t limit, cimg_bytes *out,
                              char *message, size_t capacity) {
  return inflate_all(15, data, count, limit, out, message, capacity);
}
