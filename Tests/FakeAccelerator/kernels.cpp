// Every operator that has a CPU kernel, on device memory.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <cstring>
#include <set>
#include <string>

#include "counts.hpp"
#include "graph.hpp"
#include "lending.hpp"
#include "memory.hpp"
#include "operators.hpp"

namespace {

using c10::IValue;
using c10::OperatorHandle;
using torch::jit::Stack;

void call_on_host(const OperatorHandle &op, Stack &stack) {
  const fake::OnHost guard;
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
}

std::vector<at::Tensor> tensors_in(c10::ArrayRef<IValue> values) {
  std::vector<at::Tensor> tensors;
  for (const IValue &value : values) {
    fake::for_each_tensor(value, [&](const at::Tensor &tensor) { tensors.push_back(tensor); });
  }
  return tensors;
}

/// Does an operator's recorded work again, and puts the results where they were the first time.
void replay(const OperatorHandle &op, const Stack &arguments,
            const std::vector<at::Tensor> &recorded) {
  Stack stack = arguments;
  call_on_host(op, stack);
  const std::vector<at::Tensor> results = tensors_in(stack);
  for (size_t i = 0; i < recorded.size(); ++i) {
    const c10::Storage &from = results.at(i).storage();
    const c10::Storage &to = recorded[i].storage();
    if (from.data() == to.data() || to.nbytes() == 0) continue;
    TORCH_CHECK(from.nbytes() == to.nbytes(), op.schema().name(),
                " gave a result of another size when it was replayed");
    std::memcpy(to.mutable_data(), from.data(), to.nbytes());
  }
}

void count_call(const fake::Operator &op, bool waits) {
  using fake::Counts;
  fake::count(op.name, op.is_view ? &Counts::views : &Counts::kernels);
  if (waits) fake::count(op.name, &Counts::data_dependent);
  if (op.answers) {
    fake::count(op.name, &Counts::downloads);
    fake::count(op.name, &Counts::download_bytes);
  }
}

/// The kernel of all operators: the CPU's, on CPU tensors that share the device tensors' memory.
void run(const OperatorHandle &handle, Stack *stack) {
  const fake::Operator &op = fake::operator_of(handle);
  const auto arguments = torch::jit::last(*stack, op.arguments);
  const c10::DeviceIndex index = fake::survey(op, arguments);
  const bool waits = op.sizes_by_values || fake::has_mask(op, arguments);
  if (waits) fake::refuse_during_capture(index, op.name, "has a size that depends on values");
  if (op.answers) fake::refuse_during_capture(index, op.name, "answers to the host");

  fake::Graph *const graph = fake::capture(index);
  if (graph != nullptr) {
    graph->require_valid(op.name);
    for (const at::Tensor &tensor : tensors_in(arguments)) {
      if (tensor.is_privateuseone()) graph->keep(tensor.storage());
    }
  }
  fake::Lending lending(index, graph != nullptr);
  Stack host;
  host.reserve(op.arguments);
  for (const IValue &argument : arguments) host.push_back(lending.lend(argument));
  const Stack recorded = graph != nullptr ? host : Stack();
  call_on_host(handle, host);
  lending.settle();
  count_call(op, waits);

  torch::jit::drop(*stack, op.arguments);
  for (const IValue &result : host) stack->push_back(lending.take(result));
  if (graph == nullptr || op.is_view) return;
  for (const at::Tensor &tensor : tensors_in(torch::jit::last(*stack, op.returns))) {
    graph->keep(tensor.storage());
  }
  graph->record([handle, recorded, results = tensors_in(host)] {
    replay(handle, recorded, results);
  });
}

/// Operators in by_hand.cpp, and what would tie a device tensor to another storage behind its back.
const std::set<std::string> by_hand = {
    "aten::empty.memory_format",
    "aten::empty_strided",
    "aten::as_strided",
    "aten::view",
    "aten::_reshape_alias",
    "aten::unfold",
    "aten::resize_",
    "aten::_local_scalar_dense",
    "aten::set_",
    "aten::set_.source_Storage",
    "aten::set_.source_Storage_storage_offset",
    "aten::set_.source_Tensor"};

/// Operators without a CPU kernel of their own that are one kernel on CUDA: they must not come apart.
bool is_whole(const std::string &name) {
  return name == "aten::convolution" || name == "aten::convolution_backward" ||
         name.rfind("aten::_foreach_", 0) == 0;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  c10::Dispatcher &dispatcher = c10::Dispatcher::singleton();
  for (const c10::OperatorName &operator_name : dispatcher.getAllOpNames()) {
    const std::string name = c10::toString(operator_name);
    if (name.rfind("aten::", 0) != 0 || by_hand.count(name) != 0) continue;
    const auto handle = dispatcher.findOp(operator_name);
    if (handle && (handle->hasKernelForDispatchKey(c10::DispatchKey::CPU) || is_whole(name))) {
      library.impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&run>());
    }
  }
}
