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
  void reportMemoryUsage(void *, int64_t bytes, size_t, size_t, c10::Device) override {
    const std::lock_guard<std::mutex> guard(mutex_);
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
  ct_memory sums_{};
};

struct Session {
  std::shared_ptr<Watch> watch = std::make_shared<Watch>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, watch};
};

thread_local std::optional<Session> session;

}  // namespace

ct_status ct_memory_watch_begin(void) noexcept try {
  TORCH_CHECK(!session, "memory is being watched already");
  session.emplace();
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
