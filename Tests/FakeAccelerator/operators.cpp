#include "operators.hpp"

#include <ATen/core/enum_tag.h>

#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>

#include "counts.hpp"
#include "graph.hpp"
#include "lending.hpp"
#include "memory.hpp"

namespace {

/// Operators that are not marked as pointwise and read a CPU tensor of rank 0 as a number.
const std::set<std::string> read_scalars = {"where", "masked_fill", "masked_fill_", "fill",
                                            "fill_"};

/// Operators that upload indices from the CPU.
const std::set<std::string> upload_indices = {"index", "_unsafe_index", "index_put", "index_put_",
                                              "_index_put_impl_", "_unsafe_index_put"};

fake::Operator read(const c10::OperatorHandle &handle) {
  const c10::FunctionSchema &schema = handle.schema();
  fake::Operator op{};
  op.name = schema.name().substr(schema.name().rfind(':') + 1);
  op.arguments = schema.arguments().size();
  op.returns = schema.returns().size();
  op.takes_scalars = handle.hasTag(at::Tag::pointwise) || read_scalars.count(op.name) != 0;
  op.answers = handle.hasTag(at::Tag::data_dependent_output);
  op.indices = -1;
  if (upload_indices.count(op.name) != 0) {
    op.indices = schema.argumentIndexWithName("indices").value_or(-1);
  }
  op.sizes_by_values = handle.hasTag(at::Tag::dynamic_output_shape) && op.indices < 0;
  for (const c10::Argument &result : schema.returns()) {
    const c10::AliasInfo *const alias = result.alias_info();
    op.is_view = op.is_view || (alias != nullptr && !alias->isWrite());
  }
  return op;
}

}  // namespace

const fake::Operator &fake::operator_of(const c10::OperatorHandle &handle) {
  static std::shared_mutex mutex;
  static auto *const known = new std::unordered_map<const c10::FunctionSchema *, Operator>;
  const c10::FunctionSchema *const key = &handle.schema();
  {
    const std::shared_lock<std::shared_mutex> guard(mutex);
    const auto found = known->find(key);
    if (found != known->end()) return found->second;
  }
  const std::lock_guard<std::shared_mutex> guard(mutex);
  return known->try_emplace(key, read(handle)).first->second;
}

c10::DeviceIndex fake::survey(const Operator &op, c10::ArrayRef<c10::IValue> arguments) {
  c10::DeviceIndex index = -1;
  for (const c10::IValue &argument : arguments) {
    if (argument.isDevice() && argument.toDevice().has_index()) {
      index = argument.toDevice().index();
    }
    for_each_tensor(argument, [&](const at::Tensor &tensor) {
      if (!tensor.is_privateuseone()) return;
      TORCH_CHECK(index < 0 || index == tensor.get_device(), op.name,
                  " got tensors of fake:", int(index), " and fake:", int(tensor.get_device()));
      index = static_cast<c10::DeviceIndex>(tensor.get_device());
    });
  }
  if (index < 0) index = current_device();
  for (size_t i = 0; i < arguments.size(); ++i) {
    for_each_tensor(arguments[i], [&](const at::Tensor &tensor) {
      if (tensor.is_privateuseone()) return;
      const bool is_index = static_cast<int>(i) == op.indices;
      const bool is_index_value = op.indices >= 0 && tensor.dim() == 0;
      if (is_index || is_index_value) {
        refuse_during_capture(index, op.name, "uploads indices");
        count(op.name, &Counts::uploads);
        count(op.name, &Counts::upload_bytes, static_cast<int64_t>(tensor.nbytes()));
        return;
      }
      TORCH_CHECK(op.takes_scalars && tensor.dim() == 0, op.name,
                  " got a tensor of the CPU (argument ", i, ", shape ", tensor.sizes(),
                  ") beside tensors of fake:", int(index));
    });
  }
  return index;
}

bool fake::has_mask(const Operator &op, c10::ArrayRef<c10::IValue> arguments) {
  bool found = false;
  if (op.indices < 0) return found;
  for_each_tensor(arguments[static_cast<size_t>(op.indices)], [&](const at::Tensor &tensor) {
    found = found || tensor.scalar_type() == at::kBool || tensor.scalar_type() == at::kByte;
  });
  return found;
}
