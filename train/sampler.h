// Which token comes next: the likeliest, or one drawn by its probability.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/philox.h"

namespace train {

struct SamplingParams {
  double temperature = 1;  // Logits are divided by it; 0 is the likeliest, always.
  uint32_t top_k = 0;      // Only the k likeliest; 0 is all.
  // Then only the likeliest that together reach so much probability (Holtzman et al. 2020,
  // arXiv:1904.09751); 1 is all.
  double top_p = 1;
  uint64_t seed = 0;
};

class Sampler {
 public:
  // Pre: temperature >= 0, 0 < top_p <= 1.
  explicit Sampler(const SamplingParams& params);

  // A token below logits.size(). Equal logits: the lower token is the likelier. The same seed and
  // logits give the same tokens.  Pre: logits are finite, at least one.
  uint32_t next(std::span<const float> logits);

 private:
  SamplingParams params_;
  common::Philox random_;
  std::vector<uint32_t> order_;  // Tokens that may be drawn,
  std::vector<double> weight_;   //   and their weights.
};

}  // namespace train
