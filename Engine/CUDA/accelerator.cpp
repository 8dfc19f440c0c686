// CUDA graphs for the shim: libCTorchCUDA.so, which Engine/build.sh builds where CUDA's headers are.
//
// Only graphs are here. Facts, memory and waiting need no header of CUDA, so the shim has them itself. Graphs need one:
// libtorch's own way without, at::accelerator::Graph, is not in 2.11, and up to 2.15 nothing of CUDA is behind it.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <map>
#include <memory>
#include <mutex>

#include "../Sources/CTorch/ctorch_accelerator.h"

struct ct_graph {
  explicit ct_graph(c10::DeviceIndex index)
      : device(index), previous(c10::cuda::getCurrentCUDAStream(index)) {}

  c10::DeviceIndex device;
  c10::cuda::CUDAStream previous;  // where the thread worked before the capture
  c10::MempoolId_t pool = at::cuda::graph_pool_handle();
  at::cuda::CUDAGraph graph;
  bool is_open = false;
};

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

ct_status (*translate)() = nullptr;

template <typename Body>
ct_status guarded(const Body &body) noexcept try {
  body();
  return CT_OK;
} catch (...) {
  return translate();
}

/// The stream that captures on a device: one for all graphs, because cuBLAS keeps a workspace for each stream it meets.
c10::cuda::CUDAStream capturing_stream(c10::DeviceIndex device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = streams.find(device);
  if (found != streams.end()) return found->second;
  return streams.emplace(device, c10::cuda::getStreamFromPool(false, device)).first->second;
}

/// Ends what CUDAGraph leaves open when a capture fails: both allocators would go on asking the dead graph whether new
/// memory is its own. An allocator that does not know the pool, or no longer, says so by an exception.
void abandon_pool(const ct_graph &graph) noexcept {
  try {
    allocator::endAllocateToPool(graph.device, graph.pool);
    allocator::releasePool(graph.device, graph.pool);
  } catch (...) {
  }
  try {
    at::HostAllocator *const host = at::getHostAllocator(at::kCUDA);
    host->end_allocate_to_pool(graph.pool);
    host->release_pool(graph.pool);
  } catch (...) {
  }
}

void begin(ct_graph &graph) {
  const c10::cuda::CUDAGuard guard(graph.device);
  // A graph's memory comes from the device anew, so what is cached and free makes room first.
  allocator::emptyCache();
  const c10::cuda::CUDAStream stream = capturing_stream(graph.device);
  c10::Event ready(c10::DeviceType::CUDA);
  ready.record(graph.previous);
  ready.block(stream);
  c10::cuda::setCurrentCUDAStream(stream);
  try {
    // A capture follows its stream, and backward runs on the stream of its forward: what autograd's thread does there
    // is recorded whatever the mode. The mode says who must not call what cannot be recorded, such as cudaMalloc:
    // `global` would fail the capture when any thread did, `thread local` leaves all but this one alone.
    graph.graph.capture_begin(graph.pool, cudaStreamCaptureModeThreadLocal);
  } catch (...) {
    c10::cuda::setCurrentCUDAStream(graph.previous);
    abandon_pool(graph);
    throw;
  }
  graph.is_open = true;
}

void end(ct_graph &graph) {
  TORCH_CHECK(graph.is_open, "the graph's capture has ended already");
  graph.is_open = false;
  const c10::cuda::CUDAGuard guard(graph.device);
  try {
    graph.graph.capture_end();
  } catch (...) {
    c10::cuda::setCurrentCUDAStream(graph.previous);
    abandon_pool(graph);
    throw;
  }
  c10::cuda::setCurrentCUDAStream(graph.previous);
}

ct_status graph_begin(int16_t index, ct_graph_ref *out) {
  return guarded([&] {
    auto graph = std::make_unique<ct_graph>(static_cast<c10::DeviceIndex>(index));
    begin(*graph);
    *out = graph.release();
  });
}

ct_status graph_end(ct_graph_ref graph) {
  return guarded([&] { end(*graph); });
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

constexpr ct_accelerator kGraphs{
    .version = CTORCH_ACCELERATOR_VERSION,
    .device_type = static_cast<int8_t>(c10::DeviceType::CUDA),
    .graph_begin = graph_begin,
    .graph_end = graph_end,
    .graph_replay = graph_replay,
    .graph_release = graph_release,
};

}  // namespace

extern "C" CT_API const ct_accelerator *ctorch_accelerator(ct_status (*translate_exception)()) {
  translate = translate_exception;
  return &kGraphs;
}
