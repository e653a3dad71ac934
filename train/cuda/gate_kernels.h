// Kernels of SwiGLU, and of values that change their type (train/backend.h).
#pragma once

#include "train/cuda/both.h"

namespace train::cuda {

MUSTER_BOTH float sigmoid(float x) { return 1.0F / (1.0F + ::expf(-x)); }

// Some columns of a row for each block: row = index / blocks, then kColumns of them.
template <typename Value>
struct SwigluForward : NoShared {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = kThreads * kWidth<Value>;
  struct Args {
    Value* out;
    const Value* gate_up;
    int F;
    int blocks;  // A row's.
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    const int64_t n = block.index() / args.blocks;
    const int first = block.index() % args.blocks * kColumns;
    block.step([&](int t) {
      const int f = first + t * W;
      if (f >= args.F) return;
      const Value* const from = args.gate_up + n * 2 * args.F + f;
      float gate[W], up[W];
      load(gate, from, args.F - f, args.together);
      load(up, from + args.F, args.F - f, args.together);
      MUSTER_UNROLL
      for (int j = 0; j < W; ++j) up[j] *= gate[j] * sigmoid(gate[j]);
      store(args.out + n * args.F + f, up, args.F - f, args.together);
    });
  }
};

// silu'(g) = s + g * s * (1 - s),  s = sigmoid(g).  Blocks as above.
template <typename Value>
struct SwigluBackward : NoShared {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = kThreads * kWidth<Value>;
  struct Args {
    Value* d_gate_up;
    const Value* d_out;
    const Value* gate_up;
    int F;
    int blocks;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    const int64_t n = block.index() / args.blocks;
    const int first = block.index() % args.blocks * kColumns;
    block.step([&](int t) {
      const int f = first + t * W;
      if (f >= args.F) return;
      const int left = args.F - f;
      const int64_t at = n * 2 * args.F + f;
      float gate[W], up[W], given[W];
      load(gate, args.gate_up + at, left, args.together);
      load(up, args.gate_up + at + args.F, left, args.together);
      load(given, args.d_out + n * args.F + f, left, args.together);
      MUSTER_UNROLL
      for (int j = 0; j < W; ++j) {
        const float s = sigmoid(gate[j]);
        const float silu = gate[j] * s;
        gate[j] = given[j] * up[j] * (s + silu * (1.0F - s));
        up[j] = given[j] * silu;
      }
      store(args.d_gate_up + at, gate, left, args.together);
      store(args.d_gate_up + at + args.F, up, left, args.together);
    });
  }
};

// out = x, rounded or widened: kRun values a block.
template <typename To, typename From>
struct Convert : NoShared {
  static constexpr int kThreads = 256;
  static constexpr int kTimes = 4;
  static constexpr int kRun = kThreads * 8 * kTimes;
  struct Args {
    To* out;
    const From* x;
    int64_t size;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    const int64_t first = int64_t{block.index()} * kRun;
    block.step([&](int t) {
      MUSTER_UNROLL
      for (int k = 0; k < kTimes; ++k) {
        const int64_t i = first + (k * kThreads + t) * 8;
        const int64_t left = args.size - i;
        if (left <= 0) return;
        float x[8];
        load(x, args.x + i, left, args.together && left >= 8);
        store(args.out + i, x, left, args.together && left >= 8);
      }
    });
  }
};

}  // namespace train::cuda
