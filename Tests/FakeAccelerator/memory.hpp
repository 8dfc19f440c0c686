// Device memory: the host's, charged to a device while it lives.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/Storage.h>

namespace fake {

constexpr c10::DeviceType device_type = c10::DeviceType::PrivateUse1;
constexpr c10::DeviceIndex device_count = 2;

/// The device that new memory without a named device comes from, on this thread.
c10::DeviceIndex current_device();
void set_current_device(c10::DeviceIndex index);

struct MemoryState {
  int64_t live;
  int64_t peak;
  int64_t limit;  // 0 for none
};
MemoryState memory_state(c10::DeviceIndex index);
void reset_peak_memory(c10::DeviceIndex index);

/// Makes a CPU storage's memory a device's; throws c10::OutOfMemoryError beyond the limit.
c10::DataPtr adopt(const c10::Storage &host, c10::DeviceIndex index);

/// New memory of a device.
c10::DataPtr allocate(size_t bytes, c10::DeviceIndex index);

/// The number of the graph during whose capture the memory was made, 0 outside captures.
uint64_t capture_of(const c10::DataPtr &memory);

/// Gives a storage room for more bytes; what it held stays.
void resize_storage(const c10::Storage &storage, size_t bytes);

c10::Allocator *allocator();

}  // namespace fake
