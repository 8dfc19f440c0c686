#include "lending.hpp"

#include <ATen/ops/clone.h>
#include <c10/core/CPUAllocator.h>

#include "memory.hpp"
#include "graph.hpp"

namespace {

/// A number from the program takes part in type promotion as a number, not as a tensor.
void keep_number(const at::Tensor &from, const at::Tensor &to) {
  if (from.unsafeGetTensorImpl()->is_wrapped_number()) {
    to.unsafeGetTensorImpl()->set_wrapped_number(true);
  }
}

at::Tensor tensor_over(const c10::Storage &storage, c10::DispatchKey key, const at::Tensor &like) {
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(storage), c10::DispatchKeySet(key), like.dtype());
  c10::TensorImpl *const impl = tensor.unsafeGetTensorImpl();
  impl->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
  keep_number(like, tensor);
  return tensor;
}

/// A value in which every tensor is replaced by `change` of it.
template <typename Change>
c10::IValue with_tensors(const c10::IValue &value, const Change &change) {
  if (value.isTensor()) return change(value.toTensor());
  if (value.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor &tensor : value.toTensorVector()) list.push_back(change(tensor));
    return list;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> list;
    for (const std::optional<at::Tensor> &tensor : value.toOptionalTensorVector()) {
      list.push_back(tensor ? std::optional<at::Tensor>(change(*tensor)) : std::nullopt);
    }
    return list;
  }
  return value;
}

}  // namespace

fake::Lending::Memory &fake::Lending::host_memory(const c10::Storage &device) {
  for (Memory &memory : memory_) {
    if (memory.device.unsafeGetStorageImpl() == device.unsafeGetStorageImpl()) return memory;
  }
  void *const data = device.mutable_data();
  c10::Storage host(c10::Storage::use_byte_size_t(), device.nbytes(),
                    c10::DataPtr(data, c10::Device(c10::DeviceType::CPU)), c10::GetCPUAllocator(),
                    /*resizable=*/true);
  return memory_.emplace_back(Memory{device, std::move(host), data});
}

at::Tensor fake::Lending::lend(const at::Tensor &tensor) {
  if (!tensor.defined()) return tensor;
  if (!tensor.is_privateuseone()) {
    if (!frozen_) return tensor;
    at::Tensor copy = tensor.clone();
    keep_number(tensor, copy);
    return copy;
  }
  for (const Pair &pair : tensors_) {
    if (pair.device.is_same(tensor)) return pair.host;
  }
  at::Tensor host =
      tensor_over(host_memory(tensor.storage()).host, c10::DispatchKey::CPU, tensor);
  tensors_.push_back({tensor, host});
  return host;
}

c10::IValue fake::Lending::lend(const c10::IValue &value) {
  if (value.isDevice()) return c10::Device(c10::DeviceType::CPU);
  return with_tensors(value, [this](const at::Tensor &tensor) { return lend(tensor); });
}

void fake::Lending::settle() {
  for (Memory &memory : memory_) {
    if (memory.host.data() == memory.data && memory.host.nbytes() == memory.device.nbytes()) {
      continue;
    }
    c10::StorageImpl *const impl = memory.device.unsafeGetStorageImpl();
    retire(impl->set_data_ptr(adopt(memory.host, index_)));
    impl->set_nbytes(memory.host.nbytes());
  }
  for (const Pair &pair : tensors_) {
    if (pair.host.sizes() == pair.device.sizes() && pair.host.strides() == pair.device.strides() &&
        pair.host.storage_offset() == pair.device.storage_offset()) {
      continue;
    }
    pair.device.unsafeGetTensorImpl()->set_sizes_and_strides(
        pair.host.sizes(), pair.host.strides(), pair.host.storage_offset());
  }
}

at::Tensor fake::Lending::take(const at::Tensor &result) {
  if (!result.defined()) return result;
  for (const Pair &pair : tensors_) {
    if (pair.host.is_same(result)) return pair.device;
  }
  for (const Memory &memory : memory_) {
    if (memory.host.unsafeGetStorageImpl() == result.storage().unsafeGetStorageImpl()) {
      return tensor_over(memory.device, c10::DispatchKey::PrivateUse1, result);
    }
  }
  const c10::Storage &host = result.storage();
  c10::Storage device(c10::Storage::use_byte_size_t(), host.nbytes(), adopt(host, index_),
                      allocator(), /*resizable=*/true);
  memory_.push_back({device, host, host.data()});
  return tensor_over(device, c10::DispatchKey::PrivateUse1, result);
}

c10::IValue fake::Lending::take(const c10::IValue &value) {
  return with_tensors(value, [this](const at::Tensor &tensor) { return take(tensor); });
}
