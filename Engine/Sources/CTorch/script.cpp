// TorchScript archives. The caller has checked the archive's code and pickles before it comes here; see the notes at
// ct_script_load in ctorch.h on what loading runs.
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/operator.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "internal.hpp"

namespace jit = torch::jit;

namespace {

/// A tensor in a slot of a module.
struct Slot {
  std::string name;
  c10::intrusive_ptr<c10::ivalue::Object> owner;
  size_t index;
  bool is_parameter;

  at::Tensor tensor() const { return owner->getSlot(index).toTensor(); }
};

}  // namespace

struct ct_script {
  jit::Module module;
  std::vector<Slot> slots;
  std::set<std::string> operators;
  std::set<std::string> devices;
  std::set<std::string> training;
};

namespace {

constexpr int kDeepest = 200;

/// The archive in memory.
class Bytes final : public caffe2::serialize::ReadAdapterInterface {
 public:
  Bytes(const void *bytes, size_t count) : bytes_(static_cast<const char *>(bytes)), count_(count) {}
  size_t size() const override { return count_; }
  size_t read(uint64_t position, void *buffer, size_t count, const char *) const override {
    if (position >= count_) return 0;
    count = std::min(count, count_ - static_cast<size_t>(position));
    std::memcpy(buffer, bytes_ + position, count);
    return count;
  }

 private:
  const char *bytes_;
  size_t count_;
};

/// Turns the exception in flight into a status and one line: the interpreter's messages are traces that end in it.
ct_status translate_script_exception() noexcept try {
  std::string text;
  try {
    throw;
  } catch (const c10::OutOfMemoryError &) {
    return ctorch::translate_current_exception();
  } catch (const c10::Error &error) {
    text = error.what_without_backtrace();
  } catch (const std::exception &error) {
    text = error.what();
  }
  constexpr char mark[] = "RuntimeError: ";
  if (const size_t at = text.rfind(mark); at != std::string::npos) text.erase(0, at + sizeof mark - 1);
  text.erase(0, text.find_first_not_of(" \n"));
  text.erase(std::min(text.find('\n'), text.size()));
  const bool memory = text.find("DefaultCPUAllocator") != std::string::npos ||
                      text.find("out of memory") != std::string::npos;
  return ctorch::fail(memory ? CT_ERROR_OUT_OF_MEMORY : CT_ERROR_TORCH, text.c_str());
} catch (...) {
  return ctorch::translate_current_exception();
}

/// Plain interpretation: without profiling, fusion and differentiable subgraphs the first call computes what all others
/// do, and autograd records the operators as it does for any caller.
struct PlainExecution {
  PlainExecution() {
    jit::getExecutorMode() = true;
    jit::getProfilingMode() = false;
  }
  jit::GraphOptimizerEnabledGuard guard{false};
};

char *copy_of(const std::set<std::string> &lines) {
  std::string text;
  for (const auto &line : lines) text += line + '\n';
  char *copy = strdup(text.c_str());
  if (copy == nullptr) throw std::bad_alloc();
  return copy;
}

/// Compares every attribute with its declared type, which the loader does not do: the interpreter reads attributes of
/// an object by the place that the declared type gives them.
void check_types(const c10::IValue &value, const c10::Type &declared,
                 std::unordered_set<const void *> &seen, int depth) {
  TORCH_CHECK(depth < kDeepest, "its objects are nested more than ", kDeepest, " deep");
  if (value.isObject()) {
    // Objects know their own type; asking for the type of a list would look at its elements.
    const auto object = value.toObject();
    TORCH_CHECK(object->type()->isSubtypeOf(declared), "an object of the type ",
                object->type()->repr_str(), " stands where ", declared.repr_str(), " is declared");
    if (!seen.insert(object.get()).second) return;
    const auto type = object->type();
    TORCH_CHECK(object->slots().size() == type->numAttributes(), "an object of the type ",
                type->repr_str(), " lacks attributes");
    for (size_t i = 0; i < type->numAttributes(); ++i) {
      check_types(object->getSlot(i), *type->getAttribute(i), seen, depth + 1);
    }
    return;
  }
  TORCH_CHECK(value.isNone() ? c10::NoneType::get()->isSubtypeOf(declared)
                             : value.type<c10::Type>()->isSubtypeOf(declared),
              "a value of the type ", value.tagKind(), " stands where ", declared.repr_str(),
              " is declared");
  // An object inside a list or dictionary could be of a type that differs from the list's.
  if (value.isList()) {
    const auto list = value.toList();
    for (size_t i = 0; i < list.size(); ++i) {
      const c10::IValue element = list.get(i);
      check_types(element, *list.elementType(), seen, depth + 1);
    }
  } else if (value.isGenericDict()) {
    const auto dictionary = value.toGenericDict();
    for (const auto &entry : dictionary) {
      check_types(entry.value(), *dictionary.valueType(), seen, depth + 1);
    }
  } else if (value.isTuple()) {
    const auto type = value.toTupleRef().type();
    const auto &elements = value.toTupleRef().elements();
    for (size_t i = 0; i < elements.size(); ++i) {
      check_types(elements[i], *type->elements()[i], seen, depth + 1);
    }
  }
}

/// Collects the tensors of a module in the order of PyTorch's state_dict; a tensor counts once, under its first name.
void collect(const jit::Module &module, const std::string &prefix,
             std::unordered_set<const void *> &seen, std::vector<Slot> &slots, int depth) {
  TORCH_CHECK(depth < kDeepest, "its modules are nested more than ", kDeepest, " deep");
  const auto object = module._ivalue();
  if (!seen.insert(object.get()).second) return;
  const auto type = object->type();
  for (const bool parameters : {true, false}) {
    for (size_t i = 0; i < type->numAttributes(); ++i) {
      if (!object->getSlot(i).isTensor() || type->is_parameter(i) != parameters) continue;
      if (!object->getSlot(i).toTensor().defined()) continue;
      slots.push_back({prefix + type->getAttributeName(i), object, i, parameters});
    }
  }
  for (size_t i = 0; i < type->numAttributes(); ++i) {
    if (!object->getSlot(i).isModule()) continue;
    collect(jit::Module(object->getSlot(i).toModule()), prefix + type->getAttributeName(i) + '.', seen,
            slots, depth + 1);
  }
}

/// Makes one tensor of those that share all their elements: the loader makes a tensor for each name of a tied weight.
std::vector<Slot> tied(const std::vector<Slot> &slots) {
  std::vector<Slot> kept;
  for (const auto &slot : slots) {
    const at::Tensor tensor = slot.tensor();
    bool is_new = true;
    for (const auto &other : kept) {
      const at::Tensor first = other.tensor();
      if (tensor.numel() == 0 || first.storage().data() != tensor.storage().data() ||
          first.storage_offset() != tensor.storage_offset() ||
          first.scalar_type() != tensor.scalar_type() || first.sizes() != tensor.sizes() ||
          first.strides() != tensor.strides()) {
        continue;
      }
      slot.owner->setSlot(slot.index, first);
      is_new = false;
      break;
    }
    if (is_new) kept.push_back(slot);
  }
  return kept;
}

/// Changes of a graph before its first run.
class Preparation {
 public:
  Preparation(ct_script &script, at::Device device, bool float32)
      : script_(script), device_(device), float32_(float32) {}

  void prepare(jit::GraphFunction &function) {
    const auto graph = function.graph();
    bool is_training = false;
    prepare(*graph, graph->block(), is_training, 0);
    // A trace made in training mode counts batches at every call.
    for (auto *counter : counters_) {
      if (!is_training || counter->output()->hasUses()) continue;
      script_.training.insert("aten::add_ of num_batches_tracked");
      counter->destroy();
    }
    counters_.clear();
  }

 private:
  void prepare(jit::Graph &graph, jit::Block *block, bool &is_training, int depth) {
    TORCH_CHECK(depth < kDeepest, "its code is nested more than ", kDeepest, " deep");
    for (auto nodes = block->nodes().begin(); nodes != block->nodes().end(); ++nodes) {
      auto *node = *nodes;
      // Words for people change no result.
      if (node->kind() == c10::aten::warn || node->kind() == c10::prim::Print) {
        nodes.destroyCurrent();
        continue;
      }
      script_.operators.insert(node->kind().toQualString());
      if (node->hasAttribute(c10::attr::Subgraph)) script_.operators.insert("prim::subgraph");
      if (node->kind() == c10::prim::SetAttr) {
        script_.operators.insert("prim::SetAttr of " + node->s(c10::attr::name));
      }
      for (auto *inner : node->blocks()) prepare(graph, inner, is_training, depth + 1);
      move(graph, node);
      evaluate(graph, node, is_training);
      if (float32_) convert(graph, node);
      if (node->kind() == c10::aten::add_ && node->input(0)->node()->kind() == c10::prim::GetAttr &&
          node->input(0)->node()->s(c10::attr::name) == "num_batches_tracked") {
        counters_.push_back(node);
      }
    }
  }

  void replace(jit::Graph &graph, jit::Node *node, size_t input, const c10::IValue &value) {
    jit::WithInsertPoint here(node);
    node->replaceInput(input, graph.insertConstant(value));
  }

  /// Puts the wanted device in the place of one that the code names.
  void move(jit::Graph &graph, jit::Node *node) {
    if (node->kind() == c10::aten::device && node->inputs().size() == 1) {
      if (const auto name = jit::toIValue(node->input(0)); name && name->isString()) {
        note(name->toStringRef());
        replace(graph, node, 0, device_.str());
      }
    }
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      if (node->input(i)->type()->kind() != c10::TypeKind::DeviceObjType) continue;
      if (const auto device = jit::toIValue(node->input(i)); device && device->isDevice()) {
        if (device->toDevice() == device_) continue;
        note(device->toDevice().str());
        replace(graph, node, i, device_);
      }
    }
  }

  void note(const std::string &device) {
    if (at::Device(device).type() != device_.type()) script_.devices.insert(device);
  }

  /// Lets the module's mode decide where a trace has fixed the mode of training.
  void evaluate(jit::Graph &graph, jit::Node *node, bool &is_training) {
    if (node->kind() == c10::aten::scaled_dot_product_attention && node->inputs().size() > 4) {
      const auto rate = jit::toIValue(node->input(4));
      if (!rate || !rate->isDouble() || rate->toDouble() == 0) return;
      script_.training.insert(node->kind().toQualString());
      replace(graph, node, 4, 0.0);
      return;
    }
    const auto *schema = node->maybeSchema();
    if (schema == nullptr) return;
    auto index = schema->argumentIndexWithName("train");
    if (!index) index = schema->argumentIndexWithName("training");
    if (!index || static_cast<size_t>(*index) >= node->inputs().size()) return;
    const auto value = jit::toIValue(node->input(*index));
    if (!value || !value->isBool() || !value->toBool()) return;
    // Batch normalisation that keeps no running statistics always takes those of the batch.
    if (const auto mean = schema->argumentIndexWithName("running_mean")) {
      const auto statistics = jit::toIValue(node->input(*mean));
      if (statistics && statistics->isNone()) return;
    }
    is_training = true;
    script_.training.insert(node->kind().toQualString());
    auto *self = graph.inputs().empty() ? nullptr : graph.inputs()[0];
    const auto type = self == nullptr ? nullptr : self->type()->cast<c10::ClassType>();
    if (type && type->hasAttribute("training") &&
        type->getAttribute("training")->kind() == c10::TypeKind::BoolType) {
      jit::WithInsertPoint here(node);
      node->replaceInput(*index, graph.insertGetAttr(self, "training"));
    } else {
      replace(graph, node, *index, false);
    }
  }

  /// Puts float32 in the place of other floating-point types that the code names, and of its constants.
  void convert(jit::Graph &graph, jit::Node *node) {
    if (node->kind() == c10::prim::Constant && node->hasAttribute(c10::attr::value) &&
        node->kindOf(c10::attr::value) == jit::AttributeKind::t) {
      const auto &tensor = node->t(c10::attr::value);
      if (tensor.is_floating_point() && tensor.scalar_type() != at::kFloat) {
        const auto converted = tensor.to(at::kFloat);
        node->t_(c10::attr::value, converted);
        node->output()->setType(c10::TensorType::create(converted));
      }
    }
    const auto *schema = node->maybeSchema();
    const auto index = schema == nullptr ? std::nullopt : schema->argumentIndexWithName("dtype");
    if (!index || static_cast<size_t>(*index) >= node->inputs().size()) return;
    const auto value = jit::toIValue(node->input(*index));
    if (!value || !value->isInt()) return;
    const auto type = static_cast<at::ScalarType>(value->toInt());
    if (type == at::kDouble || type == at::kHalf || type == at::kBFloat16) {
      replace(graph, node, *index, static_cast<int64_t>(at::kFloat));
    }
  }

  ct_script &script_;
  at::Device device_;
  bool float32_;
  std::vector<jit::Node *> counters_;
};

void to_float32(const Slot &slot) {
  at::Tensor tensor = slot.tensor();
  if (!tensor.is_floating_point() || tensor.scalar_type() == at::kFloat) return;
  tensor.set_data(tensor.detach().to(at::kFloat));
}

/// Lists the tensors of an output with their places in it, such as `1` or `aux.0`.
void list(const c10::IValue &value, const std::string &place, int depth,
          std::vector<std::pair<std::string, at::Tensor>> &tensors) {
  TORCH_CHECK(depth < kDeepest, "its output is nested more than ", kDeepest, " deep");
  const auto below = [&](const std::string &name) { return place.empty() ? name : place + '.' + name; };
  if (value.isTensor()) {
    if (value.toTensor().defined()) tensors.emplace_back(place, value.toTensor());
  } else if (value.isTuple()) {
    const auto &elements = value.toTupleRef().elements();
    const auto type = value.toTupleRef().type();
    for (size_t i = 0; i < elements.size(); ++i) {
      const bool named = type->schema() && i < type->schema()->arguments().size();
      list(elements[i], below(named ? type->schema()->arguments()[i].name() : std::to_string(i)),
           depth + 1, tensors);
    }
  } else if (value.isList()) {
    const auto elements = value.toList();
    for (size_t i = 0; i < elements.size(); ++i) {
      const c10::IValue element = elements.get(i);
      list(element, below(std::to_string(i)), depth + 1, tensors);
    }
  } else if (value.isGenericDict()) {
    for (const auto &entry : value.toGenericDict()) {
      const auto &key = entry.key();
      const std::string name = key.isString() ? key.toStringRef()
                               : key.isInt()  ? std::to_string(key.toInt())
                                              : "?";
      list(entry.value(), below(name), depth + 1, tensors);
    }
  }
}

}  // namespace

ct_status ct_script_known_operators(char **out) noexcept try {
  std::set<std::string> names;
  for (const auto &op : jit::getAllOperators()) names.insert(op->schema().name());
  *out = copy_of(names);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_script_load(const void *bytes, size_t count, int8_t device_type, int16_t device_index,
                         bool float32, ct_script_ref *out) noexcept try {
  ctorch::load_accelerator();
  PlainExecution plain;
  const at::Device device(ctorch::device_type(device_type),
                          static_cast<c10::DeviceIndex>(device_index));
  auto script = std::make_unique<ct_script>();
  auto unit = std::make_shared<jit::CompilationUnit>();
  script->module =
      jit::import_ir_module(unit, std::make_unique<Bytes>(bytes, count), device, false);
  std::unordered_set<const void *> seen;
  check_types(script->module._ivalue(), *script->module.type(), seen, 0);
  TORCH_CHECK(script->module.find_method("forward"), "it has no method forward");
  for (auto *function : unit->get_functions()) {
    if (function == nullptr) continue;
    function->ensure_defined();
    Preparation(*script, device, float32).prepare(jit::toGraphFunction(*function));
  }
  seen.clear();
  collect(script->module, "", seen, script->slots, 0);
  script->slots = tied(script->slots);
  for (const auto &slot : script->slots) {
    if (float32) to_float32(slot);
  }
  *out = script.release();
  return CT_OK;
} catch (...) {
  return translate_script_exception();
}

ct_status ct_script_operators(ct_script_ref script, char **out) noexcept try {
  *out = copy_of(script->operators);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_script_changes(ct_script_ref script, char **devices, char **training) noexcept try {
  char *first = copy_of(script->devices);
  try {
    *training = copy_of(script->training);
  } catch (...) {
    std::free(first);
    throw;
  }
  *devices = first;
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

int32_t ct_script_tensor_count(ct_script_ref script) noexcept {
  return static_cast<int32_t>(script->slots.size());
}

ct_status ct_script_tensor(ct_script_ref script, int32_t index, const char **name,
                           bool *is_parameter, ct_tensor_ref *out) noexcept try {
  const Slot &slot = script->slots.at(static_cast<size_t>(index));
  *name = slot.name.c_str();
  *is_parameter = slot.is_parameter;
  *out = ctorch::box(slot.tensor());
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_script_set_training(ct_script_ref script, bool value) noexcept try {
  script->module.train(value);
  return CT_OK;
} catch (...) {
  return translate_script_exception();
}

ct_status ct_script_forward(ct_script_ref script, ct_tensor_ref input, ct_value *tensors,
                            char **places) noexcept try {
  PlainExecution plain;
  std::vector<std::pair<std::string, at::Tensor>> found;
  list(script->module.forward({input->value}), "", 0, found);
  std::string text;
  c10::List<at::Tensor> values;
  for (auto &[place, tensor] : found) {
    std::string line = place;
    std::replace(line.begin(), line.end(), '\n', ' ');
    text += line + '\n';
    values.push_back(std::move(tensor));
  }
  char *copy = strdup(text.c_str());
  if (copy == nullptr) throw std::bad_alloc();
  try {
    *tensors = ctorch::tensor_list_value(values);
  } catch (...) {
    std::free(copy);
    throw;
  }
  *places = copy;
  return CT_OK;
} catch (...) {
  return translate_script_exception();
}

void ct_script_release(ct_script_ref script) noexcept { delete script; }
