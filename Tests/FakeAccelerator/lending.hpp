// CPU kernels work on device memory through CPU tensors that share it.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include <vector>

namespace fake {

/// While it lives operators on this thread are the CPU's kernels alone: no autograd, no autocast.
struct OnHost {
  at::AutoDispatchBelowADInplaceOrView no_autograd;
  c10::impl::ExcludeDispatchKeyGuard no_autocast{c10::autocast_dispatch_keyset};
};

/// The CPU tensors that one call of an operator gets for its device tensors, and the way back.
class Lending {
public:
  /// `index`: the device; `frozen`: CPU arguments are copied, as a graph keeps the values it saw.
  Lending(c10::DeviceIndex index, bool frozen) : index_(index), frozen_(frozen) {}

  at::Tensor lend(const at::Tensor &tensor);
  c10::IValue lend(const c10::IValue &value);

  /// Gives the device tensors the shapes and the memory that the kernel gave to their CPU tensors.
  void settle();

  /// A device tensor for a result: the argument, a view of it, or one with the result's memory.
  at::Tensor take(const at::Tensor &result);
  c10::IValue take(const c10::IValue &value);

private:
  struct Pair {
    at::Tensor device;
    at::Tensor host;
  };
  struct Memory {
    c10::Storage device;
    c10::Storage host;
    const void *data;
  };

  Memory &host_memory(const c10::Storage &device);

  c10::DeviceIndex index_;
  bool frozen_;
  std::vector<Pair> tensors_;
  std::vector<Memory> memory_;
};

/// Calls `visit` with every defined tensor in a value.
template <typename Visit>
void for_each_tensor(const c10::IValue &value, const Visit &visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue &element : value.toListRef()) for_each_tensor(element, visit);
  } else if (value.isTensorList()) {
    for (const at::Tensor &tensor : value.toTensorVector()) {
      if (tensor.defined()) visit(tensor);
    }
  }
}

}  // namespace fake
