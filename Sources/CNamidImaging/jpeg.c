#include "support.h"

#include <setjmp.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

// A progressive file may repeat scans without end; real ones have about ten.
enum { MAX_SCANS = 200 };

typedef struct failure {
  struct jpeg_error_mgr manager;  // first, so that cinfo->err can be cast back
  jmp_buf jump;
  cimg_status status;
  int is_past_header;
  char *message;
  size_t capacity;
} failure;

static void leave(j_common_ptr cinfo) {
  failure *f = (failure *)cinfo->err;
  char text[JMSG_LENGTH_MAX];
  f->manager.format_message(cinfo, text);
  cimg_say(f->message, f->capacity, text);
  switch (f->manager.msg_code) {
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: f->status = CIMG_TRUNCATED; break;
    case JERR_OUT_OF_MEMORY: f->status = CIMG_NO_MEMORY; break;
    default: f->status = CIMG_CORRUPT; break;
  }
  longjmp(f->jump, 1);
}

// Level -1 is a warning about damaged data: half an image must not pass for a whole one. Stray bytes ahead of the
// pixels cost none of them.
static void on_message(j_common_ptr cinfo, int level) {
  failure *f = (failure *)cinfo->err;
  if (level >= 0) return;
  if (f->manager.msg_code == JWRN_EXTRANEOUS_DATA && !f->is_past_header) return;
  leave(cinfo);
}

static void on_output(j_common_ptr cinfo) { (void)cinfo; }

static void on_progress(j_common_ptr cinfo) {
  if (((j_decompress_ptr)cinfo)->input_scan_number <= MAX_SCANS) return;
  failure *f = (failure *)cinfo->err;
  cimg_say(f->message, f->capacity, "more scans than any real image has");
  f->status = CIMG_TOO_LARGE;
  longjmp(f->jump, 1);
}

cimg_status cimg_decode_jpeg(const uint8_t *data, size_t count, cimg_pixels *out,
                             char *message, size_t capacity) {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
  failure f = {.status = CIMG_CORRUPT, .message = message, .capacity = capacity};
  *out = (cimg_pixels){0};

  cinfo.err = jpeg_std_error(&f.manager);
  f.manager.error_exit = leave;
  f.manager.emit_message = on_message;
  f.manager.output_message = on_output;
  if (setjmp(f.jump)) {
    jpeg_destroy_decompress(&cinfo);
    free(out->bytes);
    out->bytes = NULL;
    return f.status;
  }

  jpeg_create_decompress(&cinfo);
  cinfo.progress = &progress;
  jpeg_mem_src(&cinfo, data, (unsigned long)count);
  jpeg_read_header(&cinfo, TRUE);
  if (!cimg_fits(cinfo.image_height, cinfo.image_width, message, capacity)) {
    jpeg_destroy_decompress(&cinfo);
    return CIMG_TOO_LARGE;
  }
  f.is_past_header = 1;
  if (cinfo.jpeg_color_space == JCS_CMYK || cinfo.jpeg_color_space == JCS_YCCK) {
    cimg_say(message, capacity,
             "a JPEG in CMYK colours, whose meaning depends on a printer; convert it to RGB, as with "
             "ImageMagick's “mogrify -colorspace sRGB FILE”");
    jpeg_destroy_decompress(&cinfo);
    return CIMG_CORRUPT;
  }
  cinfo.out_color_space = JCS_RGB;
  jpeg_start_decompress(&cinfo);

  size_t stride = (size_t)cinfo.output_width * 3;
  out->height = (int32_t)cinfo.output_height;
  out->width = (int32_t)cinfo.output_width;
  out->bytes = malloc(stride * cinfo.output_height);
  if (!out->bytes) {
    cimg_say(message, capacity, "out of memory");
    jpeg_destroy_decompress(&cinfo);
    return CIMG_NO_MEMORY;
  }
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = out->bytes + stride * cinfo.output_scanline;
    jpeg_read_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return CIMG_OK;
}
