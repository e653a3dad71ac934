// What an optimiser of a range of parameters reserves (train/adamw.h, train/muon.h,
// train/newton_schulz.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "compress/layout.h"
#include "train/optimiser.h"

namespace train {

// In values of fp32.
struct OptimiserSizes {
  uint64_t moments = 0;
  uint64_t room = 0;     // Of those whose home is the host, for a step.
  uint64_t work = 0;     // What a step works in, and keeps.
  uint64_t factors = 0;  // Of both factors of its largest Backend::product, each to the next 128.

  // Two optimisers side by side, which take turns in one room, and whose products are one
  // backend's.
  OptimiserSizes& operator+=(const OptimiserSizes& other);
};

OptimiserSizes optimiser_sizes(const compress::Layout& layout, std::string_view optimiser,
                               ParameterRange range);

}  // namespace train
