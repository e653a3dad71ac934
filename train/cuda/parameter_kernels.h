// Kernels on parameters, gradients and moments: runs of fp32 (train/backend.h).
#pragma once

#include "train/backend.h"
#include "train/cuda/both.h"

namespace train::cuda {

// What a block works through, of values of any type.
inline constexpr int kRunThreads = 256;
inline constexpr int kRunTimes = 16;
inline constexpr int64_t kRun = int64_t{kRunThreads} * 4 * kRunTimes;

inline int64_t runs_of(uint64_t size) { return (static_cast<int64_t>(size) + kRun - 1) / kRun; }

// f(i, left, together) for every four values of block and thread.
template <typename F>
MUSTER_BOTH void each_four(int block, int t, int64_t size, bool together, const F& f) {
  for (int k = 0; k < kRunTimes; ++k) {
    const int64_t i = block * kRun + (int64_t{k} * kRunThreads + t) * 4;
    if (i >= size) return;
    f(i, size - i, together && size - i >= 4);
  }
}

// sums (runs) = of squares of each run, in fp64.
struct SquareSums : NoShared {
  static constexpr int kThreads = kRunThreads;
  struct Args {
    double* sums;
    const float* values;
    int64_t size;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    const double all = block.sum([&](int t) {
      double sum = 0;
      each_four(block.index(), t, args.size, args.together,
                [&](int64_t i, int64_t left, bool together) {
                  float x[4];
                  load(x, args.values + i, left, together);
                  MUSTER_UNROLL
                  for (int j = 0; j < 4; ++j) sum += double{x[j]} * x[j];
                });
      return sum;
    });
    block.step([&](int t) {
      if (t == 0) args.sums[block.index()] = all;
    });
  }
};

// out = sum of `sums`. One block.
struct SumOfSums : NoShared {
  static constexpr int kThreads = 1024;
  struct Args {
    double* out;
    const double* sums;
    int64_t count;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    const double all = block.sum([&](int t) {
      double sum = 0;
      for (int64_t i = t; i < args.count; i += kThreads) sum += args.sums[i];
      return sum;
    });
    block.step([&](int t) {
      if (t == 0) *args.out = all;
    });
  }
};

// Sets `found` if a value is NaN or infinite; whoever does so writes the same.
template <typename Value>
struct FindNotFinite : NoShared {
  static constexpr int kThreads = kRunThreads;
  struct Args {
    uint32_t* found;
    const Value* values;
    int64_t size;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    block.step([&](int t) {
      float none = 0;
      each_four(block.index(), t, args.size, args.together,
                [&](int64_t i, int64_t left, bool together) {
                  float x[4];
                  load(x, args.values + i, left, together);
                  MUSTER_UNROLL
                  for (int j = 0; j < 4; ++j) none += nothing_of(x[j]);
                });
      if (none != 0) *args.found = 1;
    });
  }
};

struct Combine : NoShared {
  static constexpr int kThreads = kRunThreads;
  struct Args {
    float* out;
    float a;
    const float* x;
    float b;
    const float* y;
    int64_t size;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    block.step([&](int t) {
      each_four(block.index(), t, args.size, args.together,
                [&](int64_t i, int64_t left, bool together) {
                  float x[4], y[4];
                  load(x, args.x + i, left, together);
                  load(y, args.y + i, left, together);
                  MUSTER_UNROLL
                  for (int j = 0; j < 4; ++j)
                    x[j] = sum(product(args.a, x[j]), product(args.b, y[j]));
                  store(args.out + i, x, left, together);
                });
    });
  }
};

// Operation by operation as on the CPU, so that it gives the same bits.
struct Adamw : NoShared {
  static constexpr int kThreads = kRunThreads;
  struct Args {
    float* theta;
    float* m;
    float* v;
    const float* gradient;
    int64_t size;
    AdamwStep step;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    block.step([&](int t) {
      each_four(block.index(), t, args.size, args.together,
                [&](int64_t i, int64_t left, bool together) { four(args, i, left, together); });
    });
  }

 private:
  MUSTER_BOTH static void four(const Args& args, int64_t i, int64_t left, bool together) {
    float theta[4], m[4], v[4], gradient[4];
    load(theta, args.theta + i, left, together);
    load(m, args.m + i, left, together);
    load(v, args.v + i, left, together);
    load(gradient, args.gradient + i, left, together);
    const AdamwStep& step = args.step;
    MUSTER_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float g = product(gradient[j], step.gradient_scale);
      m[j] = sum(product(step.beta1, m[j]), product(step.one_less_beta1, g));
      v[j] = sum(product(step.beta2, v[j]), product(step.one_less_beta2, product(g, g)));
      const float below = sum(product(root(v[j]), step.v_correction), step.epsilon);
      const float move = quotient(product(m[j], step.rate), below);
      theta[j] = sum(product(theta[j], step.keep), -move);
    }
    store(args.theta + i, theta, left, together);
    store(args.m + i, m, left, together);
    store(args.v + i, v, left, together);
  }
};

}  // namespace train::cuda
