// A C interface to libtorch: one boxed operator call, and the few things that the dispatcher cannot do.
//
// Every function returns a status; results come through the last parameters. After a status other than
// CT_OK, ct_last_error() has one line of text, valid on this thread until the next failing call.
// A ct_tensor that comes out is owned by the caller and released with ct_tensor_release.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_NOEXCEPT noexcept
extern "C" {
#else
#define CT_NOEXCEPT
#endif
#define CT_API __attribute__((visibility("default")))

typedef struct ct_tensor *ct_tensor_ref;
typedef const struct ct_operator *ct_operator_ref;

typedef enum {
  CT_OK = 0,
  CT_ERROR_TORCH = 1,
  CT_ERROR_OUT_OF_MEMORY = 2,
  CT_ERROR_STANDARD = 3,
  CT_ERROR_UNKNOWN = 4,
} ct_status;

CT_API const char *ct_last_error(void) CT_NOEXCEPT;

// ---------------------------------------------------------------- Operators

typedef enum {
  CT_NONE = 0,
  CT_TENSOR,           // pointer: ct_tensor_ref
  CT_INTEGER,          // integer (also dtype and memory format)
  CT_REAL,             // real
  CT_BOOLEAN,          // integer, 0 or 1
  CT_STRING,           // pointer: NUL-terminated UTF-8
  CT_DEVICE,           // integer: device type, count: device index
  CT_INTEGERS,         // pointer: count × int64_t
  CT_REALS,            // pointer: count × double
  CT_BOOLEANS,         // pointer: count × bool
  CT_TENSORS,          // pointer: count × ct_tensor_ref
  CT_OPTIONAL_TENSORS, // pointer: count × ct_tensor_ref, NULL for none
  CT_OMITTED,          // the schema's default
} ct_tag;

typedef struct {
  int32_t tag;
  int32_t count;
  int64_t integer;
  double real;
  const void *pointer;
} ct_value;

CT_API ct_status ct_operator_find(const char *name, const char *overload,
                                  ct_operator_ref *out) CT_NOEXCEPT;
// The operator's schema, as torch prints it; released with ct_free.
CT_API ct_status ct_operator_schema(ct_operator_ref op, char **out) CT_NOEXCEPT;
// Arguments in schema order; what is missing at the end takes the schema's default.
// Lists of tensors come out as a CT_TENSORS value whose array is released with ct_free.
CT_API ct_status ct_operator_call(ct_operator_ref op, const ct_value *arguments, int32_t count,
                                  ct_value *results, int32_t capacity,
                                  int32_t *result_count) CT_NOEXCEPT;
CT_API void ct_free(void *memory) CT_NOEXCEPT;

// ------------------------------------------------------------------ Tensors

typedef struct {
  int32_t dimensions;
  int8_t dtype;
  int8_t device_type;
  int16_t device_index;
  bool requires_grad;
  bool is_leaf;
  int64_t element_count;
  const int64_t *sizes;   // borrowed from the tensor
  const int64_t *strides; // borrowed from the tensor
} ct_description;

CT_API void ct_tensor_release(ct_tensor_ref tensor) CT_NOEXCEPT;
CT_API ct_status ct_tensor_describe(ct_tensor_ref tensor, ct_description *out) CT_NOEXCEPT;
// A CPU tensor with a copy of `bytes`, row-major.
CT_API ct_status ct_tensor_from_bytes(const void *bytes, size_t byte_count, const int64_t *sizes,
                                      int32_t dimensions, int8_t dtype,
                                      ct_tensor_ref *out) CT_NOEXCEPT;
// A CPU tensor of rank 0 that stands for a number, an integer, real or boolean value: unlike other tensors it
// does not change the element type of what it is added to.
CT_API ct_status ct_tensor_from_number(ct_value number, ct_tensor_ref *out) CT_NOEXCEPT;
// Copies the elements in row-major order into `bytes`, which must have room for exactly all of them.
CT_API ct_status ct_tensor_copy_bytes(ct_tensor_ref tensor, void *bytes,
                                      size_t byte_count) CT_NOEXCEPT;

// ----------------------------------------------------------------- Autograd

CT_API ct_status ct_tensor_set_requires_grad(ct_tensor_ref tensor, bool value) CT_NOEXCEPT;
// NULL when there is no gradient.
CT_API ct_status ct_tensor_grad(ct_tensor_ref tensor, ct_tensor_ref *out) CT_NOEXCEPT;
CT_API ct_status ct_tensor_set_grad(ct_tensor_ref tensor, ct_tensor_ref grad_or_null) CT_NOEXCEPT;
CT_API ct_status ct_backward(ct_tensor_ref loss, bool retain_graph) CT_NOEXCEPT;
// Gradients of `outputs` with respect to `inputs`; a NULL entry where an input is not used.
// `output_grads` may be NULL (ones) or has an entry per output.
CT_API ct_status ct_grad(const ct_tensor_ref *outputs, int32_t output_count,
                         const ct_tensor_ref *output_grads, const ct_tensor_ref *inputs,
                         int32_t input_count, bool retain_graph, bool create_graph,
                         ct_tensor_ref *out) CT_NOEXCEPT;
CT_API ct_status ct_grad_mode_exchange(bool enabled, bool *previous) CT_NOEXCEPT;

typedef struct {
  bool enabled;
  int8_t dtype;
} ct_autocast;

// The autocast state of a device type on this thread.
CT_API ct_status ct_autocast_read(int8_t device_type, ct_autocast *out) CT_NOEXCEPT;
// Sets the autocast state of a device type on this thread and says what it was.
CT_API ct_status ct_autocast_exchange(int8_t device_type, ct_autocast value,
                                      ct_autocast *previous) CT_NOEXCEPT;
// Forgets the low-precision copies of the weights that autocast keeps.
CT_API ct_status ct_autocast_clear_cache(void) CT_NOEXCEPT;

// -------------------------------------------------------------- TorchScript

typedef struct ct_script *ct_script_ref;

// The names of all operators that TorchScript's code can call, one a line; released with ct_free.
CT_API ct_status ct_script_known_operators(char **out) CT_NOEXCEPT;
// Loads an archive that torch.jit.save wrote onto a device; `float32` converts its weights and constants to that type.
//
// Loading compiles the archive's code. It runs: methods named __setstate__, the values of default arguments and of
// constants of classes, and operators whose arguments are constant. It trusts the pickles' sizes. So the caller has to
// check the code and the pickles before. Every attribute has its declared type afterwards.
CT_API ct_status ct_script_load(const void *bytes, size_t count, int8_t device_type,
                                int16_t device_index, bool float32,
                                ct_script_ref *out) CT_NOEXCEPT;
// The operators in all methods and functions of the archive, one a line; released with ct_free.
CT_API ct_status ct_script_operators(ct_script_ref script, char **out) CT_NOEXCEPT;
// What loading changed, one a line: devices named by the code, which are now the wanted one, and operators that were
// fixed to training, which now follow the mode. Both are released with ct_free.
CT_API ct_status ct_script_changes(ct_script_ref script, char **devices,
                                   char **training) CT_NOEXCEPT;
// Parameters and other tensors of the module, which the returned handles share; the name is borrowed.
CT_API int32_t ct_script_tensor_count(ct_script_ref script) CT_NOEXCEPT;
CT_API ct_status ct_script_tensor(ct_script_ref script, int32_t index, const char **name,
                                  bool *is_parameter, ct_tensor_ref *out) CT_NOEXCEPT;
CT_API ct_status ct_script_set_training(ct_script_ref script, bool value) CT_NOEXCEPT;
// Runs forward on one tensor: all tensors of the output as a CT_TENSORS value, and their places in it, one a line.
// The arrays are released with ct_free.
CT_API ct_status ct_script_forward(ct_script_ref script, ct_tensor_ref input, ct_value *tensors,
                                   char **places) CT_NOEXCEPT;
CT_API void ct_script_release(ct_script_ref script) CT_NOEXCEPT;

// ------------------------------------------------------------------ Context

typedef struct {
  const char *torch_version; // what the shim was compiled against
  const char *cpu_capability;
  int32_t threads;
  int32_t interop_threads;
  int32_t cuda_devices;
  uint64_t loaded_version; // of the library at run time: major, minor, patch in the top 3 bytes; 0 if unknown
  const char *loaded_file; // the file of libtorch_cpu that is loaded; empty if unknown
  bool deterministic;      // see ct_set_deterministic
  bool benchmark;          // see ct_benchmark_exchange
  bool tf32;               // see ct_tf32_exchange
} ct_environment;

CT_API ct_status ct_environment_read(ct_environment *out) CT_NOEXCEPT;
CT_API ct_status ct_set_threads(int32_t count) CT_NOEXCEPT;
// Deterministic kernels only. Names the workspace that cuBLAS needs for it in the environment, unless one is named
// there: cuBLAS obeys if this is set before its first product.
CT_API ct_status ct_set_deterministic(bool value) CT_NOEXCEPT;
// Whether cudnn tries several kernels for each new shape and keeps the fastest; says what it was.
CT_API ct_status ct_benchmark_exchange(bool value, bool *previous) CT_NOEXCEPT;
// Whether CUDA's float32 products and convolutions may use TF32 (10 bits of mantissa); says what it was.
CT_API ct_status ct_tf32_exchange(bool value, bool *previous) CT_NOEXCEPT;

// ------------------------------------------------------------- Accelerators
//
// `cuda` is the device type that an accelerator's library names, CUDA's own without one. The libraries are opened by
// the first call that finds an operator, makes a tensor or asks for the environment.

typedef struct {
  char name[128];
  char driver[64];  // version of the driver
  char runtime[64]; // version of the runtime library
  char dnn[64];     // version of cudnn
  int64_t memory_bytes;
  int32_t major;    // compute capability
  int32_t minor;
  int32_t processors;
} ct_device_facts;

typedef struct {
  int64_t free_bytes;      // of the device
  int64_t total_bytes;     // of the device
  int64_t allocated_bytes; // in tensors of this process
  int64_t reserved_bytes;  // held by libtorch's allocator
  int64_t peak_bytes;      // the most that allocated_bytes has been
} ct_device_memory;

typedef struct ct_graph *ct_graph_ref;

// Where the accelerator's functions come from: a path, empty when there are none.
CT_API const char *ct_accelerator_file(void) CT_NOEXCEPT;
CT_API ct_status ct_device_facts_read(int16_t index, ct_device_facts *out) CT_NOEXCEPT;
CT_API ct_status ct_device_memory_read(int16_t index, ct_device_memory *out) CT_NOEXCEPT;
CT_API ct_status ct_device_reset_peak_memory(int16_t index) CT_NOEXCEPT;
CT_API ct_status ct_device_release_cached_memory(int16_t index) CT_NOEXCEPT;
CT_API ct_status ct_synchronize(int8_t device_type, int16_t device_index) CT_NOEXCEPT;
// Work between begin and end is recorded and not done; replay does it, with the same memory.
CT_API bool ct_graphs_available(void) CT_NOEXCEPT;
CT_API ct_status ct_graph_begin(int16_t index, ct_graph_ref *out) CT_NOEXCEPT;
CT_API ct_status ct_graph_end(ct_graph_ref graph) CT_NOEXCEPT;
CT_API ct_status ct_graph_replay(ct_graph_ref graph) CT_NOEXCEPT;
CT_API void ct_graph_release(ct_graph_ref graph) CT_NOEXCEPT;

typedef struct {
  int64_t allocations;
  int64_t live_bytes; // allocated and not freed since the beginning; negative when more was freed
  int64_t peak_bytes; // the most that live_bytes has been
} ct_memory;

// Watches what libtorch allocates for this thread between two calls. With a limit other than 0, calls of operators that
// would need more bytes of the host's memory at a time fail.
CT_API ct_status ct_memory_watch_begin(int64_t limit) CT_NOEXCEPT;
CT_API ct_status ct_memory_watch_end(ct_memory *out) CT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
