// What contributors' values are multiplied by (compress/aggregate.h), for a card.
#pragma once

#include <span>
#include <vector>

#include "common/hparams.h"
#include "compress/cuda_codec.h"

namespace compress::cuda {

// Contributors in ascending uid, which are distinct (CHECK).
std::vector<CudaContributor> in_order(std::span<const CudaContributor> contributors);

// Of each contributor, which are in order, and each tensor: [contributor * tensors + tensor].
std::vector<float> scales_of(std::span<const CudaContributor> contributors, double norm_floor);

// 1 / senders, rounded once, of none to `most` of them; of none and one: 1.
std::vector<float> shares_of(size_t most);

}  // namespace compress::cuda
