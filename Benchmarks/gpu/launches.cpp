// Counts the kernels and copies of any CUDA program and adds up their time, without changing the program:
//
//   c++ -std=c++17 -O2 -shared -fPIC launches.cpp -I CUDA/include -L CUDA/lib -l:libcupti.so.13 -o liblaunches.so
//   CUDA_INJECTION64_PATH=$PWD/liblaunches.so LAUNCHES=FILE PROGRAM
//
// The driver loads the library named by CUDA_INJECTION64_PATH and calls InitializeInjection. At the end of the program FILE has
// one line per name: calls, milliseconds, bytes, name, separated by tabs. Kernels within CUDA graphs count one by one.

#include <cupti.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace {

struct Total {
  uint64_t calls = 0, nanoseconds = 0, bytes = 0;
};

// Never destroyed: CUPTI's own thread may hand over records while the process ends.
std::mutex &guard = *new std::mutex;
std::map<std::string, Total> &totals = *new std::map<std::string, Total>;

void add(const char *name, uint64_t begin, uint64_t end, uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(guard);
  Total &total = totals[name];
  total.calls += 1;
  total.nanoseconds += end - begin;
  total.bytes += bytes;
}

const char *copy_name(uint8_t kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD: return "[copy host to device]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH: return "[copy device to host]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD: return "[copy device to device]";
    default: return "[copy]";
  }
}

void CUPTIAPI give_buffer(uint8_t **buffer, size_t *size, size_t *most_records) {
  *size = size_t{8} << 20;
  *buffer = static_cast<uint8_t *>(std::aligned_alloc(64, *size));
  if (*buffer == nullptr) *size = 0;
  *most_records = 0;
}

void CUPTIAPI take_buffer(CUcontext, uint32_t, uint8_t *buffer, size_t, size_t valid) {
  CUpti_Activity *record = nullptr;
  while (valid > 0 && cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
    if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
      const auto *kernel = reinterpret_cast<const CUpti_ActivityKernel10 *>(record);
      add(kernel->name, kernel->start, kernel->end, 0);
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMCPY) {
      const auto *copy = reinterpret_cast<const CUpti_ActivityMemcpy6 *>(record);
      add(copy_name(copy->copyKind), copy->start, copy->end, copy->bytes);
    }
  }
  std::free(buffer);
}

void write_totals() {
  cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  const char *path = std::getenv("LAUNCHES");
  std::FILE *file = path != nullptr ? std::fopen(path, "w") : nullptr;
  if (file == nullptr) return;
  const std::lock_guard<std::mutex> lock(guard);
  for (const auto &[name, total] : totals)
    std::fprintf(file, "%llu\t%.6f\t%llu\t%s\n", static_cast<unsigned long long>(total.calls),
                 static_cast<double>(total.nanoseconds) / 1e6,
                 static_cast<unsigned long long>(total.bytes), name.c_str());
  std::fclose(file);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int InitializeInjection(void) {
  if (cuptiActivityRegisterCallbacks(give_buffer, take_buffer) != CUPTI_SUCCESS ||
      cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) != CUPTI_SUCCESS ||
      cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMCPY) != CUPTI_SUCCESS) {
    std::fprintf(stderr, "launches: CUPTI does not record here\n");
    return 0;
  }
  std::atexit(write_totals);
  return 1;
}
