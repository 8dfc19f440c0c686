#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "internal.hpp"

namespace {

std::vector<at::Tensor> unbox(const ct_tensor_ref *tensors, int32_t count) {
  std::vector<at::Tensor> values;
  values.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    values.push_back(tensors[i] == nullptr ? at::Tensor() : tensors[i]->value);
  }
  return values;
}

}  // namespace

ct_status ct_tensor_set_requires_grad(ct_tensor_ref tensor, bool value) noexcept try {
  tensor->value.set_requires_grad(value);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tensor_grad(ct_tensor_ref tensor, ct_tensor_ref *out) noexcept try {
  const at::Tensor &grad = tensor->value.grad();
  *out = grad.defined() ? ctorch::box(grad) : nullptr;
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tensor_set_grad(ct_tensor_ref tensor, ct_tensor_ref grad_or_null) noexcept try {
  tensor->value.mutable_grad() = grad_or_null == nullptr ? at::Tensor() : grad_or_null->value;
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_backward(ct_tensor_ref loss, bool retain_graph) noexcept try {
  torch::autograd::backward({loss->value}, {}, retain_graph);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_grad(const ct_tensor_ref *outputs, int32_t output_count,
                  const ct_tensor_ref *output_grads, const ct_tensor_ref *inputs,
                  int32_t input_count, bool retain_graph, bool create_graph,
                  ct_tensor_ref *out) noexcept try {
  const auto seeds = output_grads == nullptr ? std::vector<at::Tensor>()
                                             : unbox(output_grads, output_count);
  const auto grads =
      torch::autograd::grad(unbox(outputs, output_count), unbox(inputs, input_count), seeds,
                            retain_graph, create_graph, /*allow_unused=*/true);
  for (int32_t i = 0; i < input_count; ++i) {
    out[i] = grads[i].defined() ? ctorch::box(grads[i]) : nullptr;
  }
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_grad_mode_exchange(bool enabled, bool *previous) noexcept try {
  *previous = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_autocast_read(int8_t device_type, ct_autocast *out) noexcept try {
  const at::DeviceType device = ctorch::device_type(device_type);
  *out = ct_autocast{at::autocast::is_autocast_enabled(device),
                     static_cast<int8_t>(at::autocast::get_autocast_dtype(device))};
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_autocast_exchange(int8_t device_type, ct_autocast value,
                               ct_autocast *previous) noexcept try {
  const ct_status status = ct_autocast_read(device_type, previous);
  if (status != CT_OK) return status;
  const at::DeviceType device = ctorch::device_type(device_type);
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(value.dtype));
  at::autocast::set_autocast_enabled(device, value.enabled);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_autocast_clear_cache(void) noexcept try {
  at::autocast::clear_cache();
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}
