#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>

#include <cstring>

#include "internal.hpp"

void ct_tensor_release(ct_tensor_ref tensor) noexcept { delete tensor; }

ct_status ct_tensor_describe(ct_tensor_ref tensor, ct_description *out) noexcept try {
  const at::Tensor &value = tensor->value;
  TORCH_CHECK(value.defined(), "the tensor is undefined");
  *out = ct_description{
      static_cast<int32_t>(value.dim()),
      static_cast<int8_t>(value.scalar_type()),
      ctorch::device_code(value.device().type()),
      static_cast<int16_t>(value.device().index()),
      value.requires_grad(),
      value.is_leaf(),
      value.numel(),
      value.sizes().data(),
      value.strides().data(),
  };
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tensor_from_bytes(const void *bytes, size_t byte_count, const int64_t *sizes,
                               int32_t dimensions, int8_t dtype, ct_tensor_ref *out) noexcept try {
  ctorch::load_accelerator();
  const at::IntArrayRef shape(sizes, static_cast<size_t>(dimensions));
  at::Tensor value = at::empty(shape, at::TensorOptions(static_cast<at::ScalarType>(dtype)));
  TORCH_CHECK(value.nbytes() == byte_count, "a tensor of shape ", shape, " has ", value.nbytes(),
              " bytes, not ", byte_count);
  if (byte_count > 0) std::memcpy(value.mutable_data_ptr(), bytes, byte_count);
  *out = ctorch::box(std::move(value));
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tensor_from_number(ct_value number, ct_tensor_ref *out) noexcept try {
  ctorch::load_accelerator();
  at::Tensor value;
  switch (number.tag) {
    case CT_INTEGER: value = at::scalar_tensor(number.integer, at::kLong); break;
    case CT_REAL: value = at::scalar_tensor(number.real, at::kDouble); break;
    case CT_BOOLEAN: value = at::scalar_tensor(number.integer != 0, at::kBool); break;
    default: TORCH_CHECK(false, "a value with the tag ", number.tag, " is no number");
  }
  value.unsafeGetTensorImpl()->set_wrapped_number(true);
  *out = ctorch::box(std::move(value));
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tensor_copy_bytes(ct_tensor_ref tensor, void *bytes, size_t byte_count) noexcept try {
  const at::Tensor value = tensor->value.detach().cpu().contiguous();
  TORCH_CHECK(value.nbytes() == byte_count, "a tensor of shape ", value.sizes(), " has ",
              value.nbytes(), " bytes, not ", byte_count);
  if (byte_count > 0) std::memcpy(bytes, value.const_data_ptr(), byte_count);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}
