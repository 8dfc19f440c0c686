// The two calls into zlib that reading zip archives needs.
#ifndef CNAMID_ZLIB_H
#define CNAMID_ZLIB_H

#include <stddef.h>
#include <stdint.h>

/// Inflates a whole raw deflate stream (RFC 1951) into exactly `room` bytes.
///
/// Returns 1 when the stream ends after exactly `room` bytes and `count` bytes were read, 0 otherwise.
int namid_inflate_raw(const void *bytes, size_t count, void *output, size_t room);

/// The CRC-32 of what was added so far; begin with 0.
uint32_t namid_crc32(uint32_t before, const void *bytes, size_t count);

#endif
