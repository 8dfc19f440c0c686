// Graphs as CUDA has them: work is recorded, and done by replays on the same memory.
//
// An operator has to run while it is recorded, for its results need shapes. What it wrote is undone
// when the capture ends: memory that existed before gets its contents back, memory made meanwhile is
// filled with NaN. All memory of the capture lives as long as the graph.
#pragma once

#include <c10/core/Storage.h>

#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace fake {

class Graph {
public:
  explicit Graph(c10::DeviceIndex index);

  c10::DeviceIndex device() const { return index_; }
  uint64_t number() const { return number_; }

  /// Keeps memory that recorded work uses; to be called before the work writes into it.
  void keep(const c10::Storage &storage);
  void keep(c10::DataPtr &&memory);
  void record(std::function<void()> work);

  /// Throws, and so does everything that is recorded from now on.
  [[noreturn]] void refuse(const std::string &operator_name, const char *what);
  void require_valid(const std::string &operator_name) const;

  /// Undoes what the capture wrote; throws if something was refused.
  void end();
  void replay() const;

private:
  struct Memory {
    c10::Storage storage;
    void *data;
    std::vector<char> before;  // empty for memory made during the capture
  };

  const c10::DeviceIndex index_;
  const uint64_t number_;
  mutable std::mutex mutex_;  // the backward pass runs on threads of its own
  std::unordered_map<const c10::StorageImpl *, Memory> memory_;
  std::vector<c10::DataPtr> replaced_;
  std::vector<std::function<void()>> work_;
  std::string refusal_;
};

/// Starts to record what is done on a device, by any thread.
void begin_capture(Graph &graph);
void end_capture();

/// The graph that records the device's work, nullptr if none does.
Graph *capture(c10::DeviceIndex index);

/// The number of that graph, 0 if none.
uint64_t capture_on(c10::DeviceIndex index);

/// Throws if the device's work is being recorded: what the host has to wait for cannot be.
void refuse_during_capture(c10::DeviceIndex index, const std::string &operator_name,
                           const char *what);

/// A wait for everything on the device.
void wait(c10::DeviceIndex index);

/// Frees memory that a storage gave up, or keeps it for the graph that uses it.
void retire(c10::DataPtr &&memory);

}  // namespace fake
