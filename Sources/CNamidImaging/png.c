#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct failure {
  cimg_status status;
  char *message;
  size_t capacity;
} failure;

typedef struct source {
  const uint8_t *data;
  size_t count;
  size_t at;
} source;

static void leave(png_structp png, png_const_charp text) {
  failure *f = png_get_error_ptr(png);
  cimg_say(f->message, f->capacity, text);
  png_longjmp(png, 1);
}

// libpng warns about metadata (colour profiles, text), never about pixels that it could not read.
static void ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void take(png_structp png, png_bytep into, size_t length) {
  source *s = png_get_io_ptr(png);
  if (length > s->count - s->at) {
    ((failure *)png_get_error_ptr(png))->status = CIMG_TRUNCATED;
    png_error(png, "the file ends before the image does");
  }
  memcpy(into, s->data + s->at, length);
  s->at += length;
}

// Lays pixels of four values over a colour, each in its own place: the result is three quarters as long.
static int compose(uint8_t *bytes, size_t pixels, const uint8_t *background) {
  int is_transparent = 0;
  for (size_t i = 0; i < pixels; i++) {
    unsigned alpha = bytes[4 * i + 3];
    is_transparent |= alpha != 255;
    for (int c = 0; c < 3; c++)
      bytes[3 * i + c] =
          (uint8_t)((bytes[4 * i + c] * alpha + background[c] * (255 - alpha) + 127) / 255);
  }
  return is_transparent;
}

cimg_status cimg_decode_png(const uint8_t *data, size_t count, const uint8_t *background,
                            cimg_pixels *out, char *message, size_t capacity) {
  failure f = {CIMG_CORRUPT, message, capacity};
  source input = {data, count, 0};
  *out = (cimg_pixels){0};

  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &f, leave, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    cimg_say(message, capacity, "libpng could not start");
    return CIMG_NO_MEMORY;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(out->bytes);
    out->bytes = NULL;
    return f.status;
  }

  png_set_user_limits(png, CIMG_MAX_SIDE, CIMG_MAX_SIDE);
  png_set_read_fn(png, &input, take);
  png_read_info(png, info);
  png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  if (!cimg_fits(height, width, message, capacity)) {
    png_destroy_read_struct(&png, &info, NULL);
    return CIMG_TOO_LARGE;
  }
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  out->is_deep = png_get_bit_depth(png, info) == 16;
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t channels = png_get_channels(png, info), stride = (size_t)width * channels;
  if ((channels != 3 && channels != 4) || png_get_rowbytes(png, info) != stride)
    png_error(png, "unknown pixel layout");

  out->height = (int32_t)height;
  out->width = (int32_t)width;
  out->bytes = malloc(stride * height);
  if (!out->bytes) {
    f.status = CIMG_NO_MEMORY;
    png_error(png, "out of memory");
  }
  for (int pass = 0; pass < passes; pass++)
    for (png_uint_32 row = 0; row < height; row++)
      png_read_row(png, out->bytes + stride * row, NULL);
  png_read_end(png, NULL);
  if (channels == 4)
    out->is_transparent = compose(out->bytes, (size_t)width * height, background);
  png_destroy_read_struct(&png, &info, NULL);
  return CIMG_OK;
}

typedef struct sink {
  cimg_bytes *out;
  size_t room;
} sink;

static void put(png_structp png, png_bytep from, size_t length) {
  sink *s = png_get_io_ptr(png);
  if (length > s->room - s->out->count) {
    size_t room = s->room * 2 + length;
    uint8_t *bytes = realloc(s->out->bytes, room);
    if (!bytes) {
      ((failure *)png_get_error_ptr(png))->status = CIMG_NO_MEMORY;
      png_error(png, "out of memory");
    }
    s->out->bytes = bytes;
    s->room = room;
  }
  memcpy(s->out->bytes + s->out->count, from, length);
  s->out->count += length;
}

static void flush(png_structp png) { (void)png; }

cimg_status cimg_encode_png(const uint8_t *pixels, int32_t height, int32_t width,
                            int32_t channels, cimg_bytes *out, char *message, size_t capacity) {
  failure f = {CIMG_CORRUPT, message, capacity};
  sink output = {out, 0};
  out->bytes = NULL;
  out->count = 0;
  if (height < 0 || width < 0 ||
      !cimg_fits((uint64_t)height, (uint64_t)width, message, capacity))
    return CIMG_TOO_LARGE;
  if (channels != 1 && channels != 3) {
    cimg_say(message, capacity, "an image has 1 or 3 channels");
    return CIMG_CORRUPT;
  }

  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &f, leave, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    cimg_say(message, capacity, "libpng could not start");
    return CIMG_NO_MEMORY;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    free(out->bytes);
    out->bytes = NULL;
    out->count = 0;
    return f.status;
  }
  png_set_write_fn(png, &output, put, flush);
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (int32_t row = 0; row < height; row++)
    png_write_row(png, pixels + (size_t)row * (size_t)width * (size_t)channels);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return CIMG_OK;
}
