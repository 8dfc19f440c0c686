#include <c10/util/Exception.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "internal.hpp"

namespace {

constexpr size_t kMessageCapacity = 4096;
thread_local char last_message[kMessageCapacity] = "";

void remember(const char *text) noexcept {
  std::snprintf(last_message, kMessageCapacity, "%s", text == nullptr ? "unknown error" : text);
}

/// Whether the last message is about memory: only the allocator of CUDA devices has an error type for that.
bool is_about_memory() noexcept {
  for (const char *words : {"DefaultCPUAllocator", "CUDA error: out of memory", "ALLOC_FAILED"}) {
    if (std::strstr(last_message, words) != nullptr) return true;
  }
  return false;
}

}  // namespace

const char *ct_last_error(void) noexcept { return last_message; }

ct_status ctorch::fail(ct_status status, const char *message) noexcept {
  remember(message);
  return status;
}

ct_status ctorch::translate_current_exception() noexcept {
  try {
    throw;
  } catch (const c10::OutOfMemoryError &error) {
    remember(error.what_without_backtrace());
    return CT_ERROR_OUT_OF_MEMORY;
  } catch (const c10::Error &error) {
    remember(error.what_without_backtrace());
    return is_about_memory() ? CT_ERROR_OUT_OF_MEMORY : CT_ERROR_TORCH;
  } catch (const std::bad_alloc &) {
    remember("out of memory");
    return CT_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    remember(error.what());
    return CT_ERROR_STANDARD;
  } catch (...) {
    remember("an exception of unknown type");
    return CT_ERROR_UNKNOWN;
  }
}
