// Devices beside the CPU: the libraries that serve them, and what libtorch's operators do not offer of them.
#include <ATen/Context.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ctorch_accelerator.h"
#include "internal.hpp"

namespace {

/// The functions of an accelerator's library, and where they come from.
struct Accelerator {
  const ct_accelerator *functions = nullptr;
  std::string library;

  Accelerator() {
    // The CUDA half of libtorch where it is installed, so that one binary serves both wheels.
    dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
    const char *named = std::getenv("CTORCH_ACCELERATOR");
    if (named != nullptr && *named != '\0') {
      load(named);
      if (functions == nullptr) {
        const char *reason = dlerror();
        std::fprintf(stderr, "CTORCH_ACCELERATOR=%s cannot be used: %s\n", named,
                     reason != nullptr ? reason : "it is made for another version");
      }
    } else if (at::globalContext().hasCUDA()) {
      load(beside_this_library("libCTorchCUDA.so"));
    }
  }

  void load(const std::string &path) {
    void *const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (handle == nullptr) return;
    const auto function =
        reinterpret_cast<ct_accelerator_function>(dlsym(handle, "ctorch_accelerator"));
    const ct_accelerator *const found = function == nullptr ? nullptr : function(ctorch::fail);
    if (found == nullptr || found->version != CTORCH_ACCELERATOR_VERSION) return;
    functions = found;
    library = path;
  }

  static std::string beside_this_library(const std::string &name) {
    Dl_info info;
    if (dladdr(reinterpret_cast<const void *>(&ct_accelerator_library), &info) == 0) return name;
    const std::string path(info.dli_fname);
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
  }
};

const Accelerator &accelerator() {
  static const Accelerator loaded;
  return loaded;
}

ct_status missing(const char *what) {
  const std::string text =
      std::string(what) + " needs libCTorchCUDA.so beside the shim, which Engine/build.sh makes";
  return ctorch::fail(CT_ERROR_TORCH, text.c_str());
}

bool is_cuda(at::DeviceType type) { return type == at::DeviceType::CUDA; }

}  // namespace

void ctorch::load_accelerator() { accelerator(); }

at::DeviceType ctorch::device_type(int8_t type) {
  const auto kind = static_cast<at::DeviceType>(type);
  const ct_accelerator *const functions = accelerator().functions;
  return is_cuda(kind) && functions != nullptr ? static_cast<at::DeviceType>(functions->device_type)
                                               : kind;
}

int8_t ctorch::device_code(at::DeviceType type) {
  const ct_accelerator *const functions = accelerator().functions;
  return static_cast<int8_t>(
      functions != nullptr && static_cast<int8_t>(type) == functions->device_type
          ? at::DeviceType::CUDA
          : type);
}

int32_t ctorch::device_count() {
  if (accelerator().functions != nullptr) return accelerator().functions->device_count();
  return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

const char *ct_accelerator_library(void) noexcept { return accelerator().library.c_str(); }

ct_status ct_device_facts_read(int16_t index, ct_device_facts *out) noexcept try {
  *out = ct_device_facts{};
  const ct_accelerator *const functions = accelerator().functions;
  return functions == nullptr ? missing("what a device is") : functions->device_facts(index, out);
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_device_memory_read(int16_t index, ct_device_memory *out) noexcept try {
  *out = ct_device_memory{};
  const ct_accelerator *const functions = accelerator().functions;
  return functions == nullptr ? missing("a device's memory") : functions->memory(index, out);
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_device_reset_peak_memory(int16_t index) noexcept try {
  const ct_accelerator *const functions = accelerator().functions;
  return functions == nullptr ? missing("a device's memory") : functions->reset_peak_memory(index);
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_device_release_cached_memory(int16_t index) noexcept try {
  const ct_accelerator *const functions = accelerator().functions;
  return functions == nullptr ? CT_OK : functions->release_cached_memory(index);
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_synchronize(int8_t device_type, int16_t device_index) noexcept try {
  if (!is_cuda(static_cast<at::DeviceType>(device_type))) return CT_OK;
  const ct_accelerator *const functions = accelerator().functions;
  if (functions != nullptr) return functions->synchronize(device_index);
  at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(device_index));
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

bool ct_graphs_available(void) noexcept { return accelerator().functions != nullptr; }

ct_status ct_graph_begin(int16_t index, ct_graph_ref *out) noexcept try {
  const ct_accelerator *const functions = accelerator().functions;
  return functions == nullptr ? missing("a graph") : functions->graph_begin(index, out);
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_graph_end(ct_graph_ref graph) noexcept {
  return accelerator().functions->graph_end(graph);
}

ct_status ct_graph_replay(ct_graph_ref graph) noexcept {
  return accelerator().functions->graph_replay(graph);
}

void ct_graph_release(ct_graph_ref graph) noexcept { accelerator().functions->graph_release(graph); }
