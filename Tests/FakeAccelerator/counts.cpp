#include "counts.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

namespace {

using fake::Counts;

struct Field {
  const char *name;
  int64_t Counts::*member;
};

constexpr std::array fields{
    Field{"kernels", &Counts::kernels},
    Field{"casts", &Counts::casts},
    Field{"views", &Counts::views},
    Field{"uploads", &Counts::uploads},
    Field{"upload_bytes", &Counts::upload_bytes},
    Field{"downloads", &Counts::downloads},
    Field{"download_bytes", &Counts::download_bytes},
    Field{"data_dependent", &Counts::data_dependent},
    Field{"waits", &Counts::waits},
    Field{"allocations", &Counts::allocations},
    Field{"allocated_bytes", &Counts::allocated_bytes},
    Field{"graph_replays", &Counts::graph_replays},
};

class Register {
public:
  void add(const std::string &name, int64_t Counts::*field, int64_t amount) {
    const std::lock_guard<std::mutex> guard(mutex_);
    total_.*field += amount;
    by_operator_[name].*field += amount;
  }

  Counts total() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return total_;
  }

  Counts of(const std::string &name) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto found = by_operator_.find(name);
    return found == by_operator_.end() ? Counts{} : found->second;
  }

  void reset() {
    const std::lock_guard<std::mutex> guard(mutex_);
    total_ = {};
    by_operator_.clear();
  }

  /// A line for every operator, most kernels first, with the fields that are not zero anywhere.
  std::string table() {
    const std::lock_guard<std::mutex> guard(mutex_);
    std::vector<std::pair<std::string, Counts>> rows(by_operator_.begin(), by_operator_.end());
    std::stable_sort(rows.begin(), rows.end(), [](const auto &a, const auto &b) {
      return a.second.kernels > b.second.kernels;
    });
    rows.emplace_back("total", total_);
    std::ostringstream text;
    text << std::left << std::setw(width) << "operator" << std::right;
    for (const Field &field : fields) {
      if (total_.*field.member != 0) text << std::setw(16) << field.name;
    }
    text << '\n';
    for (const auto &[name, counts] : rows) {
      text << std::left << std::setw(width) << name << std::right;
      for (const Field &field : fields) {
        if (total_.*field.member != 0) text << std::setw(16) << counts.*field.member;
      }
      text << '\n';
    }
    return text.str();
  }

private:
  static constexpr int width = 40;
  std::mutex mutex_;
  Counts total_{};
  std::map<std::string, Counts> by_operator_;
};

/// Never destroyed: tensors may be freed after main.
Register &counted() {
  static Register *const instance = new Register;
  return *instance;
}

/// Writes the table to the file that FAKE_ACCELERATOR_REPORT names when the process ends.
const struct ReportAtExit {
  ReportAtExit() {
    std::atexit([] {
      const char *path = std::getenv("FAKE_ACCELERATOR_REPORT");
      if (path == nullptr || *path == '\0') return;
      std::ofstream file(path);
      file << counted().table();
      if (!file.flush()) std::fprintf(stderr, "FAKE_ACCELERATOR_REPORT: cannot write %s\n", path);
    });
  }
} report_at_exit;

}  // namespace

void fake::count(const std::string &operator_name, int64_t Counts::*field, int64_t amount) {
  counted().add(operator_name, field, amount);
}

void fake_accelerator_counts(fake_accelerator_counts_t *out) { *out = counted().total(); }

int64_t fake_accelerator_count(const char *field, const char *operator_or_null) {
  for (const Field &known : fields) {
    if (std::strcmp(known.name, field) != 0) continue;
    const Counts counts =
        operator_or_null == nullptr ? counted().total() : counted().of(operator_or_null);
    return counts.*known.member;
  }
  return -1;
}

void fake_accelerator_reset(void) { counted().reset(); }

size_t fake_accelerator_report(char *buffer, size_t size) {
  const std::string text = counted().table();
  if (buffer != nullptr && size > 0) std::snprintf(buffer, size, "%s", text.c_str());
  return text.size();
}
