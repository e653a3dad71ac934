// Launches of attention's backward pass.
#include "train/cuda/attention_backward.h"
#include "train/cuda/attention_backward_keys.h"
#include "train/cuda/attention_plain.h"
#include "train/cuda/launch.h"

namespace train::cuda {

#define LAUNCHES(...) \
  template void Card::launch<__VA_ARGS__>(int64_t, const typename __VA_ARGS__::Args&)

LAUNCHES(AttentionDelta<float>);
LAUNCHES(AttentionDelta<Bf16>);
LAUNCHES(AttentionBackwardQueries<32>);
LAUNCHES(AttentionBackwardQueries<64>);
LAUNCHES(AttentionBackwardQueries<128>);
LAUNCHES(AttentionBackwardKeys<32>);
LAUNCHES(AttentionBackwardKeys<64>);
LAUNCHES(AttentionBackwardKeys<128>);
LAUNCHES(PlainBackwardQueries<float>);
LAUNCHES(PlainBackwardQueries<Bf16>);
LAUNCHES(PlainBackwardKeys<float>);
LAUNCHES(PlainBackwardKeys<Bf16>);

}  // namespace train::cuda
