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
    // The host's allocator has no error type of its own.
    return std::strstr(last_message, "DefaultCPUAllocator") == nullptr ? CT_ERROR_TORCH
                                                                       : CT_ERROR_OUT_OF_MEMORY;
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
