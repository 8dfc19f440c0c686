// What the shim knows of CUDA devices without a header of CUDA: libtorch's interfaces that name no kind of device, and
// the driver's own functions, opened by name.
#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "internal.hpp"

namespace {

const at::CUDAHooksInterface &hooks() { return at::detail::getCUDAHooks(); }

/// A library that is open for as long as this value lives.
class Library {
 public:
  explicit Library(const char *name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  /// Calls a function that returns 0 when all is well; false when it is missing or does not.
  template <typename... Arguments>
  bool call(const char *function, Arguments... arguments) const {
    void *const found = handle_ == nullptr ? nullptr : dlsym(handle_, function);
    return found != nullptr && reinterpret_cast<int (*)(Arguments...)>(found)(arguments...) == 0;
  }

 private:
  void *handle_;
};

template <size_t capacity>
void write(char (&field)[capacity], const std::string &text) {
  std::snprintf(field, capacity, "%s", text.c_str());
}

/// 13020 is 13.2: CUDA's numbers have three digits for the minor version and one that is always 0.
std::string cuda_version(long number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// 91900 is 9.19.0; before cudnn 9 the major version stood for thousands.
std::string dnn_version(long number) {
  const long unit = number >= 90000 ? 10000 : 1000;
  return std::to_string(number / unit) + "." + std::to_string(number % unit / 100) + "." +
         std::to_string(number % 100);
}

/// Such as "580.159.04 (CUDA 13.0)": what the driver calls itself, and the newest CUDA that it serves.
std::string driver_version(const Library &driver) {
  const Library management("libnvidia-ml.so.1");
  char name[80] = "";
  if (management.call("nvmlInit_v2")) {
    management.call("nvmlSystemGetDriverVersion", static_cast<char *>(name),
                    static_cast<unsigned>(sizeof(name)));
    management.call("nvmlShutdown");
  }
  int number = 0;
  driver.call("cuDriverGetVersion", &number);
  const std::string cuda = "CUDA " + cuda_version(number);
  return *name == '\0' ? cuda : std::string(name) + " (" + cuda + ")";
}

int32_t device_count() { return at::hasCUDA() ? hooks().deviceCount() : 0; }

/// The index as libtorch writes it, of a device that is there.
c10::DeviceIndex checked(int16_t index) {
  TORCH_CHECK(index >= 0 && index < device_count(), "there is no device cuda:", index, "; ",
              device_count(), " can be used");
  return static_cast<c10::DeviceIndex>(index);
}

ct_status device_facts(int16_t index, ct_device_facts *out) noexcept try {
  checked(index);
  // The driver numbers the devices as libtorch does: both leave out what CUDA_VISIBLE_DEVICES does.
  const Library driver("libcuda.so.1");
  int device = 0;
  TORCH_CHECK(driver.call("cuInit", 0U) && driver.call("cuDeviceGet", &device, static_cast<int>(index)),
              "CUDA's driver does not answer for cuda:", index);
  ct_device_facts facts{};
  driver.call("cuDeviceGetName", static_cast<char *>(facts.name), static_cast<int>(sizeof(facts.name)),
              device);
  size_t bytes = 0;
  driver.call("cuDeviceTotalMem_v2", &bytes, device);
  facts.memory_bytes = static_cast<int64_t>(bytes);
  // CUdevice_attribute: how many multiprocessors, and the two numbers of the compute capability.
  driver.call("cuDeviceGetAttribute", &facts.processors, 16, device);
  driver.call("cuDeviceGetAttribute", &facts.major, 75, device);
  driver.call("cuDeviceGetAttribute", &facts.minor, 76, device);
  write(facts.driver, driver_version(driver));
  if (hooks().hasCUDART()) write(facts.runtime, cuda_version(hooks().versionCUDART()));
  if (hooks().hasCuDNN()) write(facts.dnn, dnn_version(hooks().versionRuntimeCuDNN()));
  *out = facts;
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

/// libtorch's allocator of CUDA memory, which knows no device before the first use.
c10::DeviceAllocator &allocator() {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  return *c10::getDeviceAllocator(c10::DeviceType::CUDA);
}

ct_status memory(int16_t index, ct_device_memory *out) noexcept try {
  const c10::DeviceIndex device = checked(index);
  const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto [free, total] = allocator().getMemoryInfo(device);
  const auto stats = allocator().getDeviceStats(device);
  *out = ct_device_memory{
      static_cast<int64_t>(free),          static_cast<int64_t>(total),
      stats.allocated_bytes[all].current, stats.reserved_bytes[all].current,
      stats.allocated_bytes[all].peak,
  };
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status reset_peak_memory(int16_t index) noexcept try {
  const c10::DeviceIndex device = checked(index);
  allocator().resetPeakStats(device);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

/// Of all devices: the allocator knows no release of one.
ct_status release_cached_memory(int16_t) noexcept try {
  if (device_count() > 0) allocator().emptyCache();
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status synchronize(int16_t index) noexcept try {
  hooks().deviceSynchronize(checked(index));
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

constexpr ct_accelerator kTable{
    CTORCH_ACCELERATOR_VERSION,
    static_cast<int8_t>(c10::DeviceType::CUDA),
    &device_count,
    &device_facts,
    &memory,
    &reset_peak_memory,
    &release_cached_memory,
    &synchronize,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

const ct_accelerator ctorch::cuda_without_graphs = kTable;
