// Launches of attention's forward pass.
#include "train/cuda/attention_forward.h"
#include "train/cuda/attention_plain.h"
#include "train/cuda/launch.h"

namespace train::cuda {

#define LAUNCHES(...) \
  template void Card::launch<__VA_ARGS__>(int64_t, const typename __VA_ARGS__::Args&)

LAUNCHES(AttentionForward<32>);
LAUNCHES(AttentionForward<64>);
LAUNCHES(AttentionForward<128>);
LAUNCHES(PlainForward<float>);
LAUNCHES(PlainForward<Bf16>);

}  // namespace train::cuda
