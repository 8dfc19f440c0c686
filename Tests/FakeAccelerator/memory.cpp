#include "memory.hpp"

#include <ATen/Context.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "counts.hpp"
#include "graph.hpp"

namespace {

thread_local c10::DeviceIndex current = 0;

/// "100M" and the like; 0 for what is no number.
int64_t bytes_of(const char *text) {
  if (text == nullptr) return 0;
  char *end = nullptr;
  const double number = std::strtod(text, &end);
  const double unit = *end == 'G' ? 0x1p30 : *end == 'M' ? 0x1p20 : *end == 'K' ? 0x1p10 : 1;
  return static_cast<int64_t>(number * unit);
}

/// What lives on the devices.
class Ledger {
public:
  void charge(c10::DeviceIndex index, int64_t bytes) {
    const std::lock_guard<std::mutex> guard(mutex_);
    Account &account = accounts_.at(static_cast<size_t>(index));
    TORCH_CHECK_WITH(OutOfMemoryError, limit_ == 0 || account.live + bytes <= limit_,
                     "fake accelerator out of memory. Tried to allocate ", bytes, " bytes; ",
                     account.live, " of ", limit_, " are in use on device ", int(index), ".");
    account.live += bytes;
    account.peak = std::max(account.peak, account.live);
  }

  void discharge(c10::DeviceIndex index, int64_t bytes) {
    const std::lock_guard<std::mutex> guard(mutex_);
    accounts_.at(static_cast<size_t>(index)).live -= bytes;
  }

  void set_limit(int64_t bytes) {
    const std::lock_guard<std::mutex> guard(mutex_);
    limit_ = bytes;
  }

  fake::MemoryState state(c10::DeviceIndex index) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const Account &account = accounts_.at(static_cast<size_t>(index));
    return {account.live, account.peak, limit_};
  }

  void reset_peak(c10::DeviceIndex index) {
    const std::lock_guard<std::mutex> guard(mutex_);
    Account &account = accounts_.at(static_cast<size_t>(index));
    account.peak = account.live;
  }

private:
  struct Account {
    int64_t live = 0;
    int64_t peak = 0;
  };
  std::mutex mutex_;
  int64_t limit_ = bytes_of(std::getenv("FAKE_ACCELERATOR_LIMIT"));
  std::array<Account, fake::device_count> accounts_;
};

/// Never destroyed: tensors may be freed after main.
Ledger &ledger() {
  static Ledger *const instance = new Ledger;
  return *instance;
}

/// The owner of a piece of device memory.
struct Block {
  c10::Storage host;
  c10::DeviceIndex index;
  int64_t bytes;
  uint64_t capture;

  static void release(void *context) {
    auto *const block = static_cast<Block *>(context);
    ledger().discharge(block->index, block->bytes);
    delete block;
  }
};

class Allocator final : public c10::Allocator {
public:
  c10::DataPtr allocate(size_t bytes) override { return fake::allocate(bytes, current); }
  void copy_data(void *to, const void *from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

Allocator the_allocator;
const c10::AllocatorRegisterer<fake::device_type> registered(&the_allocator);

}  // namespace

c10::DeviceIndex fake::current_device() { return current; }

void fake::set_current_device(c10::DeviceIndex index) {
  TORCH_CHECK(index >= 0 && index < device_count, "there is no device ", int(index),
              ": the fake accelerator has ", int(device_count));
  current = index;
}

fake::MemoryState fake::memory_state(c10::DeviceIndex index) { return ledger().state(index); }

void fake::reset_peak_memory(c10::DeviceIndex index) { ledger().reset_peak(index); }

c10::DataPtr fake::adopt(const c10::Storage &host, c10::DeviceIndex index) {
  const auto bytes = static_cast<int64_t>(host.nbytes());
  ledger().charge(index, bytes);
  count("memory", &Counts::allocations);
  count("memory", &Counts::allocated_bytes, bytes);
  auto *const block = new Block{host, index, bytes, capture_on(index)};
  return {host.mutable_data(), block, &Block::release, c10::Device(device_type, index)};
}

c10::DataPtr fake::allocate(size_t bytes, c10::DeviceIndex index) {
  return adopt(c10::Storage(c10::Storage::use_byte_size_t(), bytes, c10::GetCPUAllocator(), false),
               index);
}

uint64_t fake::capture_of(const c10::DataPtr &memory) {
  return memory.get_deleter() == &Block::release
             ? static_cast<const Block *>(memory.get_context())->capture
             : 0;
}

void fake::resize_storage(const c10::Storage &storage, size_t bytes) {
  c10::DataPtr larger = allocate(bytes, storage.device().index());
  const size_t held = std::min(bytes, storage.nbytes());
  if (held > 0) std::memcpy(larger.mutable_get(), storage.data(), held);
  c10::StorageImpl *const impl = storage.unsafeGetStorageImpl();
  retire(impl->set_data_ptr(std::move(larger)));
  impl->set_nbytes(bytes);
}

c10::Allocator *fake::allocator() { return &the_allocator; }

void fake_accelerator_set_limit(int64_t bytes) { ledger().set_limit(bytes); }
