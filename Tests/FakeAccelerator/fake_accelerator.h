// What a test asks of the fake accelerator: counts, the memory's limit, a table by operator.
// The shim loads the library (CTORCH_ACCELERATOR=…/libFakeAccelerator.so); a test finds these with
// dlsym.
#ifndef FAKE_ACCELERATOR_H
#define FAKE_ACCELERATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#define FAKE_API __attribute__((visibility("default")))

typedef struct {
  int64_t kernels;         // calls of operators that do work on a device, casts and copies included
  int64_t casts;           // of the kernels: copies from one dtype to another
  int64_t views;           // calls of operators that give another shape to the same memory
  int64_t uploads;         // copies from the host
  int64_t upload_bytes;
  int64_t downloads;       // copies to the host, answers such as item() and equal() included
  int64_t download_bytes;
  int64_t data_dependent;  // operators whose result's shape depends on values: CUDA waits for them
  int64_t waits;           // explicit synchronizations
  int64_t allocations;
  int64_t allocated_bytes; // sum over the allocations, not what is live
  int64_t graph_replays;   // the kernels that a replay runs are not counted again
} fake_accelerator_counts_t;

// Sums since the last reset, of all threads and devices.
FAKE_API void fake_accelerator_counts(fake_accelerator_counts_t *out);
// One field by its name ("kernels"), of one operator ("convolution", without overload) or of all.
// -1 for a field that does not exist.
FAKE_API int64_t fake_accelerator_count(const char *field, const char *operator_or_null);
FAKE_API void fake_accelerator_reset(void);
// The table by operator, as much as there is room for; returns its whole length without the NUL.
FAKE_API size_t fake_accelerator_report(char *buffer, size_t size);
// Bytes that each device has; 0 for no limit.
FAKE_API void fake_accelerator_set_limit(int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
