#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <vector>

#include "internal.hpp"

struct ct_operator {
  c10::OperatorHandle handle;
  /// For each argument the tags that fit its type, as bits 1 << tag.
  std::vector<uint32_t> tags;
};

namespace {

constexpr uint32_t bit(ct_tag tag) { return uint32_t{1} << tag; }

/// The tags that fit a list of a type; none of an unknown type.
uint32_t list_tags_of(const c10::Type &element) {
  switch (element.kind()) {
    case c10::TypeKind::TensorType: return bit(CT_TENSORS);
    case c10::TypeKind::IntType: return bit(CT_INTEGERS);
    case c10::TypeKind::FloatType: return bit(CT_REALS);
    case c10::TypeKind::BoolType: return bit(CT_BOOLEANS);
    case c10::TypeKind::OptionalType:
      return *element.castRaw<c10::OptionalType>()->getElementType() == *c10::TensorType::get()
                 ? bit(CT_OPTIONAL_TENSORS)
                 : 0;
    default: return 0;
  }
}

/// The tags that fit a type; none of an unknown type.
uint32_t tags_of(const c10::Type &type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return bit(CT_TENSOR);
    case c10::TypeKind::IntType: return bit(CT_INTEGER);
    case c10::TypeKind::FloatType: return bit(CT_REAL);
    case c10::TypeKind::NumberType: return bit(CT_INTEGER) | bit(CT_REAL) | bit(CT_BOOLEAN);
    case c10::TypeKind::BoolType: return bit(CT_BOOLEAN);
    case c10::TypeKind::StringType: return bit(CT_STRING);
    case c10::TypeKind::DeviceObjType: return bit(CT_DEVICE);
    case c10::TypeKind::OptionalType:
      return bit(CT_NONE) | tags_of(*type.castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::ListType:
      return list_tags_of(*type.castRaw<c10::ListType>()->getElementType());
    default: return 0;
  }
}

template <typename Element, typename Source>
c10::List<Element> list_of(const ct_value &value) {
  c10::List<Element> list;
  list.reserve(value.count);
  const auto *elements = static_cast<const Source *>(value.pointer);
  for (int32_t i = 0; i < value.count; ++i) list.push_back(static_cast<Element>(elements[i]));
  return list;
}

c10::List<at::Tensor> tensors_of(const ct_value &value) {
  c10::List<at::Tensor> list;
  list.reserve(value.count);
  const auto *elements = static_cast<const ct_tensor_ref *>(value.pointer);
  for (int32_t i = 0; i < value.count; ++i) list.push_back(elements[i]->value);
  return list;
}

c10::List<std::optional<at::Tensor>> optional_tensors_of(const ct_value &value) {
  c10::List<std::optional<at::Tensor>> list;
  list.reserve(value.count);
  const auto *elements = static_cast<const ct_tensor_ref *>(value.pointer);
  for (int32_t i = 0; i < value.count; ++i) {
    list.push_back(elements[i] == nullptr ? std::nullopt
                                          : std::optional<at::Tensor>(elements[i]->value));
  }
  return list;
}

c10::IValue to_ivalue(const ct_value &value) {
  switch (value.tag) {
    case CT_NONE: return {};
    case CT_OMITTED: return {};
    case CT_TENSOR: return static_cast<ct_tensor_ref>(const_cast<void *>(value.pointer))->value;
    case CT_INTEGER: return value.integer;
    case CT_REAL: return value.real;
    case CT_BOOLEAN: return value.integer != 0;
    case CT_STRING: return std::string(static_cast<const char *>(value.pointer));
    case CT_DEVICE:
      return c10::Device(ctorch::device_type(static_cast<int8_t>(value.integer)),
                         static_cast<c10::DeviceIndex>(value.count));
    case CT_INTEGERS: return list_of<int64_t, int64_t>(value);
    case CT_REALS: return list_of<double, double>(value);
    case CT_BOOLEANS: return list_of<bool, bool>(value);
    case CT_TENSORS: return tensors_of(value);
    case CT_OPTIONAL_TENSORS: return optional_tensors_of(value);
    default: TORCH_CHECK(false, "argument with the unknown tag ", value.tag);
  }
}

/// Arguments as the dispatcher takes them: checked, with the schema's defaults at the end.
///
/// The schema's own check builds types to compare them, which takes longer than a small operator; it is asked only where
/// a tag does not fit, for then it knows best what is wrong.
torch::jit::Stack stack_of(const ct_operator &op, const ct_value *arguments, size_t count) {
  const auto &schema = op.handle.schema();
  torch::jit::Stack stack;
  stack.reserve(schema.arguments().size());
  bool fits = count <= op.tags.size();
  const auto push_default = [&](size_t i) {
    const auto &value = schema.arguments()[i].default_value();
    fits = value.has_value();
    if (fits) stack.push_back(*value);
  };
  for (size_t i = 0; i < count; ++i) {
    if (arguments[i].tag == CT_OMITTED && fits) {
      push_default(i);
      continue;
    }
    stack.push_back(to_ivalue(arguments[i]));
    fits = fits && (op.tags[i] & bit(static_cast<ct_tag>(arguments[i].tag))) != 0;
  }
  for (size_t i = count; fits && i < op.tags.size(); ++i) push_default(i);
  if (!fits) schema.checkAndNormalizeInputs(stack, {});
  return stack;
}

ct_value from_ivalue(c10::IValue &&value) {
  if (value.isTensor()) {
    return ct_value{CT_TENSOR, 0, 0, 0, ctorch::box(std::move(value).toTensor())};
  }
  if (value.isTensorList()) return ctorch::tensor_list_value(value.toTensorList());
  if (value.isBool()) return ct_value{CT_BOOLEAN, 0, value.toBool() ? 1 : 0, 0, nullptr};
  if (value.isInt()) return ct_value{CT_INTEGER, 0, value.toInt(), 0, nullptr};
  if (value.isDouble()) return ct_value{CT_REAL, 0, 0, value.toDouble(), nullptr};
  if (value.isNone()) return ct_value{CT_NONE, 0, 0, 0, nullptr};
  TORCH_CHECK(false, "a result of type ", value.tagKind(), " is not supported");
}

}  // namespace

ct_value ctorch::tensor_list_value(const c10::List<at::Tensor> &list) {
  const size_t bytes = sizeof(ct_tensor_ref) * std::max<size_t>(list.size(), 1);
  auto *elements = static_cast<ct_tensor_ref *>(std::malloc(bytes));
  if (elements == nullptr) throw std::bad_alloc();
  for (size_t i = 0; i < list.size(); ++i) elements[i] = ctorch::box(list.get(i));
  return ct_value{CT_TENSORS, static_cast<int32_t>(list.size()), 0, 0, elements};
}

ct_status ct_operator_find(const char *name, const char *overload, ct_operator_ref *out) noexcept
try {
  ctorch::load_accelerator();
  auto op = std::make_unique<ct_operator>(
      ct_operator{c10::Dispatcher::singleton().findSchemaOrThrow(name, overload), {}});
  for (const auto &argument : op->handle.schema().arguments()) {
    op->tags.push_back(tags_of(*argument.type()));
  }
  *out = op.release();
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_operator_schema(ct_operator_ref op, char **out) noexcept try {
  std::ostringstream text;
  text << op->handle.schema();
  *out = strdup(text.str().c_str());
  if (*out == nullptr) throw std::bad_alloc();
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_operator_call(ct_operator_ref op, const ct_value *arguments, int32_t count,
                           ct_value *results, int32_t capacity, int32_t *result_count) noexcept
try {
  torch::jit::Stack stack = stack_of(*op, arguments, static_cast<size_t>(count));
  op->handle.callBoxed(stack);
  TORCH_CHECK(stack.size() <= static_cast<size_t>(capacity), "too many results");
  *result_count = 0;
  for (auto &value : stack) results[(*result_count)++] = from_ivalue(std::move(value));
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

void ct_free(void *memory) noexcept { std::free(memory); }
