#include "graph.hpp"

#include <c10/util/Exception.h>

#include <atomic>
#include <cstring>

#include "counts.hpp"
#include "lending.hpp"
#include "memory.hpp"

namespace {

std::atomic<fake::Graph *> capturing{nullptr};
std::atomic<uint64_t> graphs{0};

}  // namespace

fake::Graph::Graph(c10::DeviceIndex index) : index_(index), number_(++graphs) {}

void fake::Graph::keep(const c10::Storage &storage) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto [entry, is_new] = memory_.try_emplace(storage.unsafeGetStorageImpl());
  if (!is_new) return;
  Memory &memory = entry->second;
  memory.storage = storage;
  memory.data = storage.mutable_data();
  if (capture_of(storage.data_ptr()) == number_) return;
  const auto *const bytes = static_cast<const char *>(storage.data());
  memory.before.assign(bytes, bytes + storage.nbytes());
}

void fake::Graph::keep(c10::DataPtr &&memory) {
  const std::lock_guard<std::mutex> guard(mutex_);
  replaced_.push_back(std::move(memory));
}

void fake::Graph::record(std::function<void()> work) {
  const std::lock_guard<std::mutex> guard(mutex_);
  work_.push_back(std::move(work));
}

void fake::Graph::refuse(const std::string &operator_name, const char *what) {
  const std::string text =
      "operation not permitted when stream is capturing: " + operator_name + " " + what;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (refusal_.empty()) refusal_ = text;
  }
  TORCH_CHECK(false, text);
}

void fake::Graph::require_valid(const std::string &operator_name) const {
  const std::lock_guard<std::mutex> guard(mutex_);
  TORCH_CHECK(refusal_.empty(), operator_name,
              " cannot be recorded after an error during capture (", refusal_, ")");
}

void fake::Graph::end() {
  const std::lock_guard<std::mutex> guard(mutex_);
  constexpr int not_a_number = 0xFF;  // in every byte: NaN in all floating dtypes, -1 in integers
  for (auto &[_, memory] : memory_) {
    const c10::Storage &storage = memory.storage;
    if (capture_of(storage.data_ptr()) == number_ && storage.nbytes() > 0) {
      std::memset(storage.mutable_data(), not_a_number, storage.nbytes());
    }
    if (!memory.before.empty()) {
      std::memcpy(memory.data, memory.before.data(), memory.before.size());
      memory.before = {};
    }
  }
  TORCH_CHECK(refusal_.empty(), "the capture is invalid: ", refusal_);
}

void fake::Graph::replay() const {
  refuse_during_capture(index_, "a replay", "cannot be part of a graph");
  TORCH_CHECK(refusal_.empty(), "an invalid capture cannot be replayed: ", refusal_);
  const OnHost guard;
  for (const auto &work : work_) work();
  count("graph", &Counts::graph_replays);
}

void fake::begin_capture(Graph &graph) {
  Graph *none = nullptr;
  TORCH_CHECK(capturing.compare_exchange_strong(none, &graph),
              "a graph is being captured already");
}

void fake::end_capture() { capturing = nullptr; }

fake::Graph *fake::capture(c10::DeviceIndex index) {
  Graph *const graph = capturing;
  return graph != nullptr && graph->device() == index ? graph : nullptr;
}

uint64_t fake::capture_on(c10::DeviceIndex index) {
  const Graph *const graph = capture(index);
  return graph == nullptr ? 0 : graph->number();
}

void fake::refuse_during_capture(c10::DeviceIndex index, const std::string &operator_name,
                                 const char *what) {
  if (Graph *const graph = capture(index)) graph->refuse(operator_name, what);
}

void fake::wait(c10::DeviceIndex index) {
  refuse_during_capture(index, "synchronize", "waits for the device");
  count("synchronize", &Counts::waits);
}

void fake::retire(c10::DataPtr &&memory) {
  if (Graph *const graph = capture(memory.device().index())) graph->keep(std::move(memory));
  memory.clear();
}
