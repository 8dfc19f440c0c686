#include "AllocationCounter.h"

#include <stdlib.h>

// A program's own malloc takes the place of the C library's in every library that it loads, so Swift's objects and
// C++'s `new` are counted alike. glibc offers its allocator under a second name for that. Its statistics (mallinfo2)
// know how many bytes are in use and not how many blocks were asked for, and its hooks are gone since 2.34. Aligned
// blocks, which are the elements of tensors, are not counted.
#ifdef __GLIBC__

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static _Thread_local size_t blocks;

void *malloc(size_t size) {
  ++blocks;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  ++blocks;
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  ++blocks;
  return __libc_realloc(block, size);
}

bool allocation_counter_works(void) { return true; }
size_t allocation_counter_read(void) { return blocks; }

#else

bool allocation_counter_works(void) { return false; }
size_t allocation_counter_read(void) { return 0; }

#endif
