// What the operators did, in all and by operator.
#pragma once

#include <string>

#include "fake_accelerator.h"

namespace fake {

using Counts = fake_accelerator_counts_t;

/// Adds to a field, in all and of the operator.
void count(const std::string &operator_name, int64_t Counts::*field, int64_t amount = 1);

}  // namespace fake
