// Stands in for train/cuda/card_ranks.cpp in a build without CUDA or NCCL.
#include "train/card_ranks.h"

namespace train {

common::Result<std::unique_ptr<Ranks>> make_card_ranks(std::span<Backend* const>,
                                                       common::milliseconds) {
  return common::Error{common::Code::kUnavailable,
                       "several cards train together by NCCL, which this program was built "
                       "without; build it where nvcc and nccl.h are, or train on one card a "
                       "process"};
}

}  // namespace train
