// What an operator's schema and CUDA's kernels say about a call.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <string>

namespace fake {

struct Operator {
  std::string name;       // without aten:: and overload
  size_t arguments;
  size_t returns;
  bool is_view;           // gives another shape to the same memory
  bool takes_scalars;     // CPU tensors of rank 0 may stand beside device tensors
  bool sizes_by_values;   // the shape of the result depends on values
  bool answers;           // the result is a value on the host
  int indices;            // position of the list of indices, which may lie on the CPU; -1 for none
};

const Operator &operator_of(const c10::OperatorHandle &handle);

/// Checks where the tensors are, as CUDA's kernels do, and counts what has to be uploaded; the device's
/// index.
c10::DeviceIndex survey(const Operator &op, c10::ArrayRef<c10::IValue> arguments);

/// Whether the indices have a mask, whose true elements CUDA has to count first.
bool has_mask(const Operator &op, c10::ArrayRef<c10::IValue> arguments);

}  // namespace fake
