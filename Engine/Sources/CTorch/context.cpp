#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <climits>
#include <cstdlib>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "internal.hpp"

namespace {

/// Measuring is float32, so no TF32 on CUDA. And freed memory stays in the process: tensors come and go by the megabyte, and handing each back to the system
/// costs page faults (12 % of a bfloat16 training step of ResNet-18 on two cores, 30 % in float32).
struct ProcessSettings {
  ProcessSettings() {
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
  }
} const process_settings;

/// The version of the libtorch that is loaded (8 bits each: major, minor, patch, …), 0 if it does not say.
uint64_t loaded_version() {
  using Function = uint64_t (*)();
  const auto function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "aoti_torch_abi_version"));
  return function == nullptr ? 0 : function();
}

/// The file that libtorch's own functions come from, wherever the loader has found it.
std::string loaded_file() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void *>(&at::get_cpu_capability), &info) == 0) return "";
  char resolved[PATH_MAX];
  return realpath(info.dli_fname, resolved) == nullptr ? info.dli_fname : resolved;
}

}  // namespace

ct_status ct_environment_read(ct_environment *out) noexcept try {
  ctorch::load_accelerator();
  static const std::string capability = at::get_cpu_capability();
  static const std::string file = loaded_file();
  *out = ct_environment{
      TORCH_VERSION,
      capability.c_str(),
      at::get_num_threads(),
      static_cast<int32_t>(at::get_num_interop_threads()),
      ctorch::device_count(),
      loaded_version(),
      file.c_str(),
      at::globalContext().deterministicAlgorithms(),
      at::globalContext().benchmarkCuDNN(),
      at::globalContext().allowTF32CuBLAS(),
  };
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_set_threads(int32_t count) noexcept try {
  at::set_num_threads(count);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_set_deterministic(bool value) noexcept try {
  if (value) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setDeterministicAlgorithms(value, /*warn_only=*/false);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_benchmark_exchange(bool value, bool *previous) noexcept try {
  *previous = at::globalContext().benchmarkCuDNN();
  at::globalContext().setBenchmarkCuDNN(value);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_tf32_exchange(bool value, bool *previous) noexcept try {
  *previous = at::globalContext().allowTF32CuBLAS();
  at::globalContext().setAllowTF32CuBLAS(value);
  at::globalContext().setAllowTF32CuDNN(value);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}
