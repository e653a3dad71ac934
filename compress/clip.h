// How much of each contributor counts: compress/aggregate.h says why.
#pragma once

#include <span>
#include <vector>

#include "common/window.h"

namespace compress {

// min(1, m / n_p) of each norm of one tensor, in fp64.  `norms` in ascending uid.
std::vector<double> clip_factors_of(std::span<const double> norms, double norm_floor);

// Indices of `uids` in ascending uid: the order of every sum.  They are distinct (CHECK).
std::vector<size_t> order_by_uid(std::span<const common::Uid> uids);

}  // namespace compress
