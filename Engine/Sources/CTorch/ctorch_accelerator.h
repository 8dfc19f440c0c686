// What a library for an accelerator gives to the shim, beyond libtorch's operators: names, memory, waiting, graphs.
//
// Such a library exports one function, `ctorch_accelerator`. The shim looks for it in the library that the
// environment variable CTORCH_ACCELERATOR names, else in libCTorchCUDA.so beside itself. The shim has these functions
// for CUDA, except for graphs: it takes its own where the library gives NULL.
//
// Functions return CT_OK or a status. They let no exception out: `translate`, which the shim passes in, makes a status of it.
#ifndef CTORCH_ACCELERATOR_H
#define CTORCH_ACCELERATOR_H

#include "include/ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTORCH_ACCELERATOR_VERSION 1

typedef struct {
  int32_t version;     // CTORCH_ACCELERATOR_VERSION
  int8_t device_type;  // of c10::DeviceType: what `cuda` means to the shim
  int32_t (*device_count)(void);
  ct_status (*device_facts)(int16_t index, ct_device_facts *out);
  ct_status (*memory)(int16_t index, ct_device_memory *out);
  ct_status (*reset_peak_memory)(int16_t index);
  ct_status (*release_cached_memory)(int16_t index);
  ct_status (*synchronize)(int16_t index);
  // Work between begin and end is recorded on a stream of its own and not done; replay does it, with the same memory.
  ct_status (*graph_begin)(int16_t index, ct_graph_ref *out);
  ct_status (*graph_end)(ct_graph_ref graph);
  ct_status (*graph_replay)(ct_graph_ref graph);
  void (*graph_release)(ct_graph_ref graph);
} ct_accelerator;

// Exported by the library. `translate` is called inside `catch (...)`: it keeps the exception's text for ct_last_error
// and returns the status that stands for it.
typedef const ct_accelerator *(*ct_accelerator_function)(ct_status (*translate)(void));

#ifdef __cplusplus
}
#endif
#endif
