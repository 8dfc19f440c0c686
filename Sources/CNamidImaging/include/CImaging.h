// Bytes in, pixels out: the few calls into libjpeg, libpng and zlib that reading image sets needs.
//
// Every function returns a cimg_status and never exits, prints or throws. On failure it writes one
// line into `message` (at most `capacity` bytes, always terminated), leaves nothing allocated and
// sets the output's pointer to NULL. On success the output's bytes belong to the caller: cimg_free.
#ifndef CIMAGING_H
#define CIMAGING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cimg_status {
  CIMG_OK = 0,
  CIMG_CORRUPT = 1,    // damaged, or of a kind that is not read here
  CIMG_TRUNCATED = 2,  // the input ends before its content does
  CIMG_TOO_LARGE = 3,  // over the limits below, or over the caller's
  CIMG_NO_MEMORY = 4
} cimg_status;

enum { CIMG_MAX_SIDE = 16384, CIMG_MAX_PIXELS = 64 * 1024 * 1024 };

// Rows from top to bottom, red, green, blue per pixel, no padding: height * width * 3 bytes.
typedef struct cimg_pixels {
  uint8_t *bytes;
  int32_t height;
  int32_t width;
  int32_t is_transparent;  // 1 where a pixel was not opaque
  int32_t is_deep;         // 1 where values of 16 bits became 8
} cimg_pixels;

typedef struct cimg_bytes {
  uint8_t *bytes;
  size_t count;
} cimg_bytes;

// Grayscale becomes RGB. What libjpeg only warns about, such as a premature end, is an error; bytes between the
// markers ahead of the pixels are not.
cimg_status cimg_decode_jpeg(const uint8_t *data, size_t count, cimg_pixels *out,
                             char *message, size_t capacity);

// Palette, grayscale and 16-bit images become 8-bit RGB; what is transparent shows the background's three bytes.
cimg_status cimg_decode_png(const uint8_t *data, size_t count, const uint8_t *background,
                            cimg_pixels *out, char *message, size_t capacity);

// `pixels` holds height * width * channels bytes; channels is 1 (gray) or 3 (RGB).
cimg_status cimg_encode_png(const uint8_t *pixels, int32_t height, int32_t width,
                            int32_t channels, cimg_bytes *out, char *message, size_t capacity);

// Inflates every member of a gzip file. More than `limit` bytes of output is CIMG_TOO_LARGE.
// What came out of a truncated file is kept in `out`: its first bytes may say what is missing.
cimg_status cimg_inflate_gzip(const uint8_t *data, size_t count, size_t limit, cimg_bytes *out,
                              char *message, size_t capacity);

// Inflates a zlib stream (RFC 1950), likewise.
cimg_status cimg_inflate_zlib(const uint8_t *data, size_t count, size_t limit, cimg_bytes *out,
                              char *message, size_t capacity);

void cimg_free(void *bytes);

#ifdef __cplusplus
}
#endif

#endif
