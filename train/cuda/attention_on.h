// Attention on a machine: which kernels for which heads.
//
// All of them take AttentionArgs and are chosen here, in two functions: a kernel for wgmma, or
// cuDNN's graph, is one more choice.
#pragma once

#include <cmath>

#include "common/check.h"
#include "train/cuda/attention_backward.h"
#include "train/cuda/attention_backward_keys.h"
#include "train/cuda/attention_forward.h"
#include "train/cuda/attention_plain.h"
#include "train/cuda/room.h"

namespace train::cuda {

template <class Machine, typename Value>
class AttentionOn {
 public:
  using Args = AttentionArgsOf<Value>;

  explicit AttentionOn(Machine& machine) : machine_(machine), delta_(machine) {}

  void forward(Value* out, float* lse, const Value* qkv, const uint32_t* document_start,
               const AttentionShape& shape) {
    Args args = args_of(qkv, document_start, shape);
    args.out = out;
    args.lse_out = lse;
    args.together = args.together && aligned(qkv, out);
    if constexpr (kOnTensorCores) {
      if (shape.D <= 32) return forward_tiles<32>(args);
      if (shape.D <= 64) return forward_tiles<64>(args);
      if (shape.D <= 128) return forward_tiles<128>(args);
    }
    launch_plain<PlainForward<Value>>(args, shape.H);
  }

  void backward(Value* d_qkv, const Value* d_out, const Value* out, const float* lse,
                const Value* qkv, const uint32_t* document_start, const AttentionShape& shape) {
    Args args = args_of(qkv, document_start, shape);
    args.out = d_qkv;
    args.d_out = d_out;
    args.lse = lse;
    args.together = args.together && aligned(qkv, d_out);
    args.delta = delta(d_out, out, shape);
    if constexpr (kOnTensorCores) {
      if (shape.D <= 32) return backward_tiles<32>(args);
      if (shape.D <= 64) return backward_tiles<64>(args);
      if (shape.D <= 128) return backward_tiles<128>(args);
    }
    launch_plain<PlainBackwardQueries<Value>>(args, shape.H);
    launch_plain<PlainBackwardKeys<Value>>(args, shape.K);
  }

 private:
  static constexpr bool kOnTensorCores = std::is_same_v<Value, Bf16>;

  static Args args_of(const Value* qkv, const uint32_t* document_start,
                      const AttentionShape& shape) {
    Args args{};
    args.shape = shape;
    args.document_start = document_start;
    args.qkv = qkv;
    args.scale = 1.0F / std::sqrt(static_cast<float>(shape.D));
    args.together = shape.D % 8 == 0;
    return args;
  }

  const float* delta(const Value* d_out, const Value* out, const AttentionShape& shape) {
    using Kernel = AttentionDelta<Value>;
    const int64_t heads = int64_t{shape.positions()} * shape.H;
    float* const delta = delta_.template of<float>(static_cast<size_t>(heads));
    machine_.template launch<Kernel>(
        (heads + Kernel::kHeads - 1) / Kernel::kHeads,
        {.delta = delta, .d_out = d_out, .out = out, .heads = heads, .D = shape.D});
    return delta;
  }

  template <int kD>
  void forward_tiles(const Args& args) {
    using Kernel = AttentionForward<kD>;
    machine_.template launch<Kernel>(Kernel::blocks(args.shape), args);
  }
  template <int kD>
  void backward_tiles(const Args& args) {
    using Queries = AttentionBackwardQueries<kD>;
    using Keys = AttentionBackwardKeys<kD>;
    machine_.template launch<Queries>(Queries::blocks(args.shape), args);
    machine_.template launch<Keys>(Keys::blocks(args.shape), args);
  }
  template <class Kernel>
  void launch_plain(const Args& args, int heads) {
    CHECK_MSG(args.shape.D <= kPlainWidthMax, "heads of more than 1,024 values");
    machine_.template launch<Kernel>(int64_t{args.shape.positions()} * heads, args);
  }

  Machine& machine_;
  Room<Machine> delta_;
};

}  // namespace train::cuda
