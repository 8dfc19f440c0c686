// Operators that are not a CPU kernel's work: new tensors, views, copies between host and device.
#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_local_scalar_dense.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "counts.hpp"
#include "graph.hpp"
#include "lending.hpp"
#include "memory.hpp"

namespace {

using at::IntArrayRef;
using at::Tensor;
using fake::Counts;

constexpr c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

c10::Device device_or_current(std::optional<c10::Device> device) {
  return device && device->has_index() ? *device
                                       : c10::Device(fake::device_type, fake::current_device());
}

// ------------------------------------------------------------- New tensors

Tensor empty(IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
             std::optional<at::Device> device, std::optional<bool>,
             std::optional<at::MemoryFormat> format) {
  const c10::DeviceGuard guard(device_or_current(device));
  return at::detail::empty_generic(size, fake::allocator(), keys, at::dtype_or_default(dtype),
                                   format);
}

Tensor empty_strided(IntArrayRef size, IntArrayRef stride, std::optional<at::ScalarType> dtype,
                     std::optional<at::Layout>, std::optional<at::Device> device,
                     std::optional<bool>) {
  const c10::DeviceGuard guard(device_or_current(device));
  return at::detail::empty_strided_generic(size, stride, fake::allocator(), keys,
                                           at::dtype_or_default(dtype));
}

// ------------------------------------------------------------------- Views

Tensor as_strided(const Tensor &self, IntArrayRef size, IntArrayRef stride,
                  std::optional<int64_t> offset) {
  fake::count("as_strided", &Counts::views);
  return at::native::as_strided_tensorimpl(self, size, stride, offset);
}

Tensor view(const Tensor &self, IntArrayRef size) {
  fake::count("view", &Counts::views);
  return at::native::view(self, size);
}

Tensor reshape_alias(const Tensor &self, IntArrayRef size, IntArrayRef stride) {
  fake::count("_reshape_alias", &Counts::views);
  return at::native::_reshape_alias(self, size, stride);
}

Tensor unfold(const Tensor &self, int64_t dimension, int64_t size, int64_t step) {
  fake::count("unfold", &Counts::views);
  return at::native::unfold(self, dimension, size, step);
}

const Tensor &resize_(const Tensor &self, IntArrayRef size,
                      std::optional<at::MemoryFormat> format) {
  if (self.sizes() == size && !format) return self;
  c10::TensorImpl *const impl = self.unsafeGetTensorImpl();
  impl->set_sizes_contiguous(size);
  if (format) impl->empty_tensor_restride(*format);
  const size_t bytes = at::detail::computeStorageNbytes(
      self.sizes(), self.strides(), self.dtype().itemsize(),
      static_cast<size_t>(self.storage_offset()));
  if (bytes > self.storage().nbytes()) fake::resize_storage(self.storage(), bytes);
  return self;
}

Tensor &set_storage(Tensor &self, at::Storage source, int64_t offset, IntArrayRef size,
                    IntArrayRef stride) {
  c10::TensorImpl *const impl = self.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(source));
  impl->set_storage_offset(offset);
  if (stride.data() == nullptr) {
    impl->set_sizes_contiguous(size);
  } else {
    impl->set_sizes_and_strides(size, stride, offset);
  }
  return self;
}

Tensor &set_tensor(Tensor &self, const Tensor &source) {
  return set_storage(self, source.storage(), source.storage_offset(), source.sizes(),
                     source.strides());
}

// ------------------------------------------------------------------ Copies

/// Copies elements through CPU tensors that share the memory; part of the graph that is captured.
void copy_on_device(const Tensor &from, const Tensor &to) {
  const auto index = static_cast<c10::DeviceIndex>(to.get_device());
  fake::Graph *const graph = fake::capture(index);
  if (graph != nullptr) {
    graph->require_valid("copy_");
    graph->keep(from.storage());
    graph->keep(to.storage());
  }
  fake::Lending lending(index, false);
  const auto copy = [source = lending.lend(from), target = lending.lend(to)] {
    target.copy_(source);
  };
  const fake::OnHost guard;
  copy();
  if (graph != nullptr) graph->record(copy);
}

/// libtorch's `copy_` where one side is on a device. Between host and device CUDA changes the dtype on
/// the host, so what crosses is of the device's dtype.
Tensor copy_from(const Tensor &from, const Tensor &to, bool) {
  if (to.numel() == 0) return to;
  const Tensor &on_device = to.is_privateuseone() ? to : from;
  const auto bytes = static_cast<int64_t>(on_device.itemsize()) * to.numel();
  const auto index = static_cast<c10::DeviceIndex>(on_device.get_device());
  if (from.is_cpu()) {
    fake::refuse_during_capture(index, "copy_", "uploads");
    fake::count("copy_", &Counts::uploads);
    fake::count("copy_", &Counts::upload_bytes, bytes);
  } else if (to.is_cpu()) {
    fake::refuse_during_capture(index, "copy_", "downloads");
    fake::count("copy_", &Counts::downloads);
    fake::count("copy_", &Counts::download_bytes, bytes);
  } else {
    fake::count("copy_", &Counts::kernels);
    if (from.scalar_type() != to.scalar_type()) fake::count("copy_", &Counts::casts);
  }
  copy_on_device(from, to);
  return to;
}

Tensor copy_from_and_resize(const Tensor &from, const Tensor &to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar_dense(const Tensor &self) {
  const auto index = static_cast<c10::DeviceIndex>(self.get_device());
  fake::refuse_during_capture(index, "_local_scalar_dense", "answers to the host");
  fake::count("_local_scalar_dense", &Counts::downloads);
  fake::count("_local_scalar_dense", &Counts::download_bytes,
              static_cast<int64_t>(self.itemsize()));
  fake::Lending lending(index, false);
  const Tensor host = lending.lend(self);
  const fake::OnHost guard;
  return at::_local_scalar_dense(host);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("as_strided", TORCH_FN(as_strided));
  library.impl("view", TORCH_FN(view));
  library.impl("_reshape_alias", TORCH_FN(reshape_alias));
  library.impl("unfold", TORCH_FN(unfold));
  library.impl("resize_", TORCH_FN(resize_));
  library.impl("set_.source_Storage_storage_offset", TORCH_FN(set_storage));
  library.impl("set_.source_Tensor", TORCH_FN(set_tensor));
  library.impl("_copy_from", TORCH_FN(copy_from));
  library.impl("_copy_from_and_resize", TORCH_FN(copy_from_and_resize));
  library.impl("_local_scalar_dense", TORCH_FN(local_scalar_dense));
}
