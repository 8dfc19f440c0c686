#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "internal.hpp"

namespace {

/// Adds up what libtorch's allocators report.
class Watch final : public c10::MemoryReportingInfoBase {
public:
  explicit Watch(int64_t limit) : limit_(limit) {}
  void reportMemoryUsage(void *, int64_t bytes, size_t, size_t, c10::Device device) override {
    const std::lock_guard<std::mutex> guard(mutex_);
    // The allocator has the memory, but nobody has written to it yet: the pages that are lost here are not real ones.
    TORCH_CHECK(bytes <= 0 || limit_ == 0 || !device.is_cpu() || bytes <= limit_ - sums_.live_bytes,
                bytes, " bytes are beyond the bound of ", limit_, " bytes");
    if (bytes > 0) ++sums_.allocations;
    sums_.live_bytes += bytes;
    sums_.peak_bytes = std::max(sums_.peak_bytes, sums_.live_bytes);
  }
  bool memoryProfilingEnabled() const override { return true; }
  ct_memory sums() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return sums_;
  }

private:
  std::mutex mutex_;
  const int64_t limit_;
  ct_memory sums_{};
};

struct Session {
  explicit Session(int64_t limit) : watch(std::make_shared<Watch>(limit)) {}
  std::shared_ptr<Watch> watch;
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, watch};
};

thread_local std::optional<Session> session;

}  // namespace

ct_status ct_memory_watch_begin(int64_t limit) noexcept try {
  TORCH_CHECK(!session, "memory is being watched already");
  session.emplace(limit);
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}

ct_status ct_memory_watch_end(ct_memory *out) noexcept try {
  TORCH_CHECK(session, "memory is not being watched");
  *out = session->watch->sums();
  session.reset();
  return CT_OK;
} catch (...) {
  return ctorch::translate_current_exception();
}
