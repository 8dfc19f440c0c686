// Counts the heap blocks that a thread asks for, in the test process.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

// Whether blocks are counted on this platform.
bool allocation_counter_works(void);
// Blocks that this thread has asked for since it began.
size_t allocation_counter_read(void);

#endif
