// The bit-exact island: many updates become one, and the model moves by it.
//
//   n_p    = norm of p's values of the tensor
//   m      = lower median of n_p, at least norm_floor * mean of n_p
//   s_p    = min(1, m / n_p) * weight_p
//   G[j]   = (1 / R) * sum over p, in ascending uid, of s_p * v_p[j]
//   theta  = theta - outer_lr * G        or sign(G), where outer.rule says so (compress/demo.h)
//
// fp32, in this order, every operation rounded on its own; s_p, 1/R in fp64, rounded once to fp32.
// The same bits from any compiler at any optimisation level, scalar or vector, CPU or GPU.
// The floor is there so that a majority of zeros zeroes nobody (W30). Source: protocol section 5.
//
// Time: linear in the values sent and in N. Memory: G; to divide by senders, two bytes for each
// value of the largest tensor.
#pragma once

#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/window.h"
#include "compress/layout.h"
#include "compress/update.h"

namespace compress {

struct Contributor {
  common::Uid uid;
  double weight = 1.0;             // From the manifest, finite (CHECK).
  const Update* update = nullptr;  // Outlives the call.
};

// G (N), all zero for no contributors. `contributors` may come in any order; uids are distinct
// (CHECK). R is the number of contributors; where params.divide is "senders", of those that sent
// coordinate j.
std::vector<float> aggregate(std::span<const Contributor> contributors, const Layout& layout,
                             const common::OuterParams& params);

// theta = theta - learning_rate * G, in place.  theta, G (N)
void outer_step(std::span<float> theta, std::span<const float> G, float learning_rate);

// min(1, m / n_p), rounded to fp32, of each contributor for each tensor: [contributor][tensor], in
// the order of `contributors`. The judge clips by the same. A norm of zero has the factor 1.
std::vector<std::vector<float>> clip_factors(std::span<const Contributor> contributors,
                                             const common::OuterParams& params);

}  // namespace compress
