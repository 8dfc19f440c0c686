// What the shim's files share: the tensor box and the one exception translator.
#pragma once

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>

#include "ctorch_accelerator.h"

#ifdef __GLIBCXX__
static_assert(_GLIBCXX_USE_CXX11_ABI == 1, "libtorch 2.7 or later (CXX11 ABI) is needed");
#endif

struct ct_tensor {
  at::Tensor value;
};

namespace ctorch {

/// Turns the exception in flight into a status and a message. Call only inside `catch (...)`.
ct_status translate_current_exception() noexcept;

/// Remembers a message for ct_last_error and returns the status.
ct_status fail(ct_status status, const char *message) noexcept;

/// Opens the libraries of accelerators, once, before anything can need them: libtorch's autograd counts devices when it
/// first walks a graph, and never again.
void load_accelerator();

/// The device type that a caller's code means: `cuda` is the accelerator's own type.
at::DeviceType device_type(int8_t type);

/// The code that a caller knows a device type by.
int8_t device_code(at::DeviceType type);

/// CUDA as the shim itself knows it; NULL for what it cannot do.
extern const ct_accelerator cuda_without_graphs;

/// How many devices of the accelerator can be used.
int32_t device_count();

/// Tensors as a CT_TENSORS value, whose array is released with ct_free.
ct_value tensor_list_value(const c10::List<at::Tensor> &list);

inline ct_tensor_ref box(at::Tensor value) { return new ct_tensor{std::move(value)}; }

}  // namespace ctorch
