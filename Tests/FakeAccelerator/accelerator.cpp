// The table that the shim asks for (ctorch_accelerator.h).
#include "ctorch_accelerator.h"

#include <c10/util/Exception.h>
#include <torch/version.h>

#include <cstdio>
#include <memory>

#include <unistd.h>

#include "graph.hpp"
#include "memory.hpp"

struct ct_graph {
  explicit ct_graph(c10::DeviceIndex index) : graph(index) {}
  fake::Graph graph;
  bool is_open = true;
};

namespace {

ct_status (*translate)() = nullptr;

/// Calls `action` and turns what it throws into a status.
template <typename Action>
ct_status guarded(const Action &action) noexcept try {
  action();
  return CT_OK;
} catch (...) {
  return translate();
}

c10::DeviceIndex checked(int16_t index) {
  TORCH_CHECK(index >= 0 && index < fake::device_count, "there is no device ", index);
  return static_cast<c10::DeviceIndex>(index);
}

int64_t host_bytes() {
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

int64_t total_bytes(c10::DeviceIndex index) {
  const int64_t limit = fake::memory_state(index).limit;
  return limit > 0 ? limit : host_bytes();
}

int32_t device_count() { return fake::device_count; }

ct_status device_facts(int16_t index, ct_device_facts *out) {
  return guarded([&] {
    *out = ct_device_facts{};
    std::snprintf(out->name, sizeof out->name, "fake accelerator %d", int(checked(index)));
    std::snprintf(out->driver, sizeof out->driver, "none");
    std::snprintf(out->runtime, sizeof out->runtime, "libtorch %s", TORCH_VERSION);
    std::snprintf(out->dnn, sizeof out->dnn, "none");
    out->memory_bytes = total_bytes(checked(index));
    out->processors = 1;
  });
}

ct_status memory(int16_t index, ct_device_memory *out) {
  return guarded([&] {
    const fake::MemoryState state = fake::memory_state(checked(index));
    const int64_t total = total_bytes(checked(index));
    *out = ct_device_memory{total - state.live, total, state.live, state.live, state.peak};
  });
}

ct_status reset_peak_memory(int16_t index) {
  return guarded([&] { fake::reset_peak_memory(checked(index)); });
}

ct_status release_cached_memory(int16_t index) {
  return guarded([&] { checked(index); });  // nothing is cached
}

ct_status synchronize(int16_t index) {
  return guarded([&] { fake::wait(checked(index)); });
}

ct_status graph_begin(int16_t index, ct_graph_ref *out) {
  return guarded([&] {
    auto graph = std::make_unique<ct_graph>(checked(index));
    fake::begin_capture(graph->graph);
    *out = graph.release();
  });
}

ct_status graph_end(ct_graph_ref graph) {
  return guarded([&] {
    TORCH_CHECK(graph->is_open, "the graph's capture has ended already");
    graph->is_open = false;
    fake::end_capture();
    graph->graph.end();
  });
}

ct_status graph_replay(ct_graph_ref graph) {
  return guarded([&] {
    TORCH_CHECK(!graph->is_open, "the graph is still being captured");
    graph->graph.replay();
  });
}

void graph_release(ct_graph_ref graph) {
  if (graph == nullptr) return;
  if (graph->is_open) graph_end(graph);
  delete graph;
}

constexpr ct_accelerator table{
    CTORCH_ACCELERATOR_VERSION,
    static_cast<int8_t>(fake::device_type),
    &device_count,
    &device_facts,
    &memory,
    &reset_peak_memory,
    &release_cached_memory,
    &synchronize,
    &graph_begin,
    &graph_end,
    &graph_replay,
    &graph_release,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const ct_accelerator *ctorch_accelerator(
    ct_status (*translate_exception)()) {
  translate = translate_exception;
  return &table;
}
