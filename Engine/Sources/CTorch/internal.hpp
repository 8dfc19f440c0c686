// What the shim's files share: the tensor box and the one exception translator.
#pragma once

#include <ATen/core/Tensor.h>

#include "ctorch.h"

#ifdef __GLIBCXX__
static_assert(_GLIBCXX_USE_CXX11_ABI == 1, "libtorch 2.7 or later (CXX11 ABI) is needed");
#endif

struct ct_tensor {
  at::Tensor value;
};

namespace ctorch {

/// Turns the exception in flight into a status and a message. Call only inside `catch (...)`.
ct_status translate_current_exception() noexcept;

inline ct_tensor_ref box(at::Tensor value) { return new ct_tensor{std::move(value)}; }

}  // namespace ctorch
