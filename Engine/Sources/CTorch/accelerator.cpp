// Devices beside the CPU: the libraries that serve them, and what libtorch's operators do not offer of them.
#include <ATen/Context.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "internal.hpp"

namespace {

/// `given`, or `own` where it is NULL.
template <typename Function>
void prefer(Function &own, Function given) {
  if (given != nullptr) own = given;
}

/// The functions of an accelerator, and the library that they come from.
struct Accelerator {
  ct_accelerator functions = ctorch::cuda_without_graphs;
  std::string file;

  Accelerator() {
    // The CUDA half of libtorch where it is installed, so that one binary serves both wheels.
    dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
    const char *named = std::getenv("CTORCH_ACCELERATOR");
    if (named != nullptr && *named != '\0') {
      if (load(named)) return;
      const char *reason = dlerror();
      std::fprintf(stderr, "CTORCH_ACCELERATOR=%s cannot be used: %s\n", named,
                   reason != nullptr ? reason : "it is made for another version");
    } else if (at::globalContext().hasCUDA()) {
      load(beside_this_library("libCTorchCUDA.so"));
    }
  }

  bool load(const std::string &path) {
    void *const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (handle == nullptr) return false;
    const auto function =
        reinterpret_cast<ct_accelerator_function>(dlsym(handle, "ctorch_accelerator"));
    const ct_accelerator *const found = function == nullptr ? nullptr : function(ctorch::translate_current_exception);
    if (found == nullptr || found->version != CTORCH_ACCELERATOR_VERSION) return false;
    functions.device_type = found->device_type;
    prefer(functions.device_count, found->device_count);
    prefer(functions.device_facts, found->device_facts);
    prefer(functions.memory, found->memory);
    prefer(functions.reset_peak_memory, found->reset_peak_memory);
    prefer(functions.release_cached_memory, found->release_cached_memory);
    prefer(functions.synchronize, found->synchronize);
    prefer(functions.graph_begin, found->graph_begin);
    prefer(functions.graph_end, found->graph_end);
    prefer(functions.graph_replay, found->graph_replay);
    prefer(functions.graph_release, found->graph_release);
    file = path;
    return true;
  }

  static std::string beside_this_library(const std::string &name) {
    Dl_info info;
    if (dladdr(reinterpret_cast<const void *>(&ct_accelerator_file), &info) == 0) return name;
    const std::string path(info.dli_fname);
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
  }
};

const Accelerator &accelerator() {
  static const Accelerator loaded;
  return loaded;
}

const ct_accelerator &functions() { return accelerator().functions; }

}  // namespace

void ctorch::load_accelerator() { accelerator(); }

at::DeviceType ctorch::device_type(int8_t type) {
  return static_cast<at::DeviceType>(type == static_cast<int8_t>(at::DeviceType::CUDA)
                                         ? functions().device_type
                                         : type);
}

int8_t ctorch::device_code(at::DeviceType type) {
  const auto code = static_cast<int8_t>(type);
  return code == functions().device_type ? static_cast<int8_t>(at::DeviceType::CUDA) : code;
}

int32_t ctorch::device_count() { return functions().device_count(); }

const char *ct_accelerator_file(void) noexcept { return accelerator().file.c_str(); }

ct_status ct_device_facts_read(int16_t index, ct_device_facts *out) noexcept {
  return functions().device_facts(index, out);
}

ct_status ct_device_memory_read(int16_t index, ct_device_memory *out) noexcept {
  return functions().memory(index, out);
}

ct_status ct_device_reset_peak_memory(int16_t index) noexcept {
  return functions().reset_peak_memory(index);
}

ct_status ct_device_release_cached_memory(int16_t index) noexcept {
  return functions().release_cached_memory(index);
}

ct_status ct_synchronize(int8_t device_type, int16_t device_index) noexcept {
  const bool is_cuda = device_type == static_cast<int8_t>(at::DeviceType::CUDA);
  return is_cuda ? functions().synchronize(device_index) : CT_OK;
}

bool ct_graphs_available(void) noexcept { return functions().graph_begin != nullptr; }

ct_status ct_graph_begin(int16_t index, ct_graph_ref *out) noexcept {
  if (ct_graphs_available()) return functions().graph_begin(index, out);
  return ctorch::fail(CT_ERROR_TORCH,
                      "a graph needs libCTorchCUDA.so beside the shim, which Engine/build.sh makes");
}

ct_status ct_graph_end(ct_graph_ref graph) noexcept { return functions().graph_end(graph); }

ct_status ct_graph_replay(ct_graph_ref graph) noexcept { return functions().graph_replay(graph); }

void ct_graph_release(ct_graph_ref graph) noexcept { functions().graph_release(graph); }
