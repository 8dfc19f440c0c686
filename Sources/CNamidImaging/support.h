// What the decoders share: messages of bounded length and the limits on an image's size.
#ifndef CIMAGING_SUPPORT_H
#define CIMAGING_SUPPORT_H

#include "CImaging.h"

#include <stdio.h>

static inline void cimg_say(char *message, size_t capacity, const char *text) {
  if (message && capacity) snprintf(message, capacity, "%s", text);
}

// Checked before any allocation that depends on what a file claims.
static inline int cimg_fits(uint64_t height, uint64_t width, char *message, size_t capacity) {
  if (height > 0 && width > 0 && height <= CIMG_MAX_SIDE && width <= CIMG_MAX_SIDE &&
      height * width <= CIMG_MAX_PIXELS)
    return 1;
  if (message && capacity)
    snprintf(message, capacity, "%llu x %llu pixels; at most %d on a side and %d in all",
             (unsigned long long)height, (unsigned long long)width, CIMG_MAX_SIDE,
             CIMG_MAX_PIXELS);
  return 0;
}

#endif
