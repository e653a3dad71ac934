// The kernel of the loss over the vocabulary, on the logits of some positions.
#pragma once

#include "train/batch.h"
#include "train/cuda/both.h"

namespace train::cuda {

// A block for each position: its loss, and unless d_logits is null its gradient, `scale` times.
// A logit that is not finite gives a loss that is not.
template <typename Value>
struct SoftmaxLoss : NoShared {
  static constexpr int kThreads = 512;
  struct Args {
    float* losses;
    Value* d_logits;      // (N, V)
    const float* logits;  // (N, V)
    const uint32_t* target;
    int V;
    float scale;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    const int n = block.index();
    const uint32_t target = args.target[n];
    const float* const logits = args.logits + int64_t{n} * args.V;
    if (target == kNoTarget) {
      block.step([&](int t) {
        if (t == 0) args.losses[n] = 0;
      });
      differentiate(
          block, args, [](float) { return 0.0F; }, 0, args.V);
      return;
    }
    Local<Block, Sum> parts;
    block.step([&](int t) { parts[t] = sum_of(args, logits, t); });
    const float top = block.most([&](int t) { return parts[t].top; });
    const float all = block.sum([&](int t) { return parts[t].sum * ::expf(parts[t].top - top); });
    block.step([&](int t) {
      if (t == 0) args.losses[n] = top + ::logf(all) - logits[target];
    });
    const float factor = args.scale / all;
    differentiate(
        block, args, [=](float x) { return factor * ::expf(x - top); }, args.scale,
        static_cast<int>(target));
  }

 private:
  static constexpr int W = 4;

  struct Sum {
    float top;
    float sum;  // Of exp(logit - top).
  };

  // Of a thread's share of a row; that of none weighs nothing.
  MUSTER_BOTH static Sum sum_of(const Args& args, const float* logits, int t) {
    Sum so_far{-3.0e38F, 0};
    for (int i = t * W; i < args.V; i += kThreads * W) {
      float x[W];
      load(x, logits + i, args.V - i, args.together);
      float top = so_far.top;
      for (int j = 0; j < W && i + j < args.V; ++j) top = larger(top, x[j]);
      so_far.sum *= ::expf(so_far.top - top);
      for (int j = 0; j < W && i + j < args.V; ++j) {
        so_far.sum += ::expf(x[j] - top) + nothing_of(x[j]);
      }
      so_far.top = top;
    }
    return so_far;
  }

  // d_logits = f(logits), and less at one place.
  template <class Block, typename F>
  MUSTER_BOTH static void differentiate(Block& block, const Args& args, const F& f, float less,
                                        int place) {
    if (args.d_logits == nullptr) return;
    const int64_t first = int64_t{block.index()} * args.V;
    block.step([&](int t) {
      for (int i = t * W; i < args.V; i += kThreads * W) {
        float x[W];
        load(x, args.logits + first + i, args.V - i, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) {
          x[j] = f(x[j]);
          if (i + j == place) x[j] -= less;
        }
        store(args.d_logits + first + i, x, args.V - i, args.together);
      }
    });
  }
};

}  // namespace train::cuda
