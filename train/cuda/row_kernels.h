// Kernels on rows of activations: norms, gates, rotations (train/backend.h says what they compute).
//
// Each is bound by the memory it moves: a thread moves 16 bytes at once where rows begin so.
#pragma once

#include "train/cuda/both.h"

namespace train::cuda {

// A block for each row.
template <typename Value>
struct RmsnormForward : NoShared {
  static constexpr int kThreads = 256;
  struct Args {
    Value* out;
    float* rstd;  // (N)
    const Value* x;
    const float* weight;
    int C;
    float epsilon;
    bool together;  // See load.
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    const int64_t first = int64_t{block.index()} * args.C;
    const float squares = block.sum([&](int t) {
      float sum = 0;
      for (int i = t * W; i < args.C; i += kThreads * W) {
        float x[W];
        load(x, args.x + first + i, args.C - i, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) sum += x[j] * x[j];
      }
      return sum;
    });
    const float rstd = 1.0F / ::sqrtf(squares / static_cast<float>(args.C) + args.epsilon);
    block.step([&](int t) {
      if (t == 0) args.rstd[block.index()] = rstd;
      for (int i = t * W; i < args.C; i += kThreads * W) {
        float x[W], weight[W];
        load(x, args.x + first + i, args.C - i, args.together);
        load(weight, args.weight + i, args.C - i, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) x[j] = x[j] * rstd * weight[j];
        store(args.out + first + i, x, args.C - i, args.together);
      }
    });
  }
};

// A block for each kRows rows: it changes their d_x, and leaves its part of d_weight in
// partial (blocks, C), for AddRows.
template <typename Value>
struct RmsnormBackward {
  static constexpr int kThreads = 256;
  static constexpr int kRows = 32;
  static constexpr int kColumnsMax = 24'000;  // A block's sums fit in what every card shares.
  struct Args {
    Value* d_x;
    float* partial;
    const Value* d_out;
    const Value* x;
    const float* weight;
    const float* rstd;
    int N;
    int C;
    bool together;
  };
  static size_t shared_bytes(const Args& args) {
    return static_cast<size_t>(args.C) * sizeof(float);
  }

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    float* const sums = reinterpret_cast<float*>(shared);  // Each column is one thread's.
    block.step([&](int t) { each_column(args, t, [&](int i) { sums[i] = 0; }); });
    const int first = block.index() * kRows;
    const int end = least(args.N, first + kRows);
    for (int n = first; n < end; ++n) row(block, args, sums, n);
    block.step([&](int t) {
      float* const to = args.partial + int64_t{block.index()} * args.C;
      each_column(args, t, [&](int i) { to[i] = sums[i]; });
    });
  }

 private:
  static constexpr int W = kWidth<Value>;

  template <typename F>
  MUSTER_BOTH static void each_column(const Args& args, int t, const F& f) {
    for (int i = t * W; i < args.C; i += kThreads * W) {
      for (int j = i; j < least(i + W, args.C); ++j) f(j);
    }
  }

  template <class Block>
  MUSTER_BOTH static void row(Block& block, const Args& args, float* sums, int n) {
    const int64_t first = int64_t{n} * args.C;
    const float dot = block.sum([&](int t) {
      float sum = 0;
      for (int i = t * W; i < args.C; i += kThreads * W) {
        float x[W], d_out[W], weight[W];
        load(x, args.x + first + i, args.C - i, args.together);
        load(d_out, args.d_out + first + i, args.C - i, args.together);
        load(weight, args.weight + i, args.C - i, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) sum += d_out[j] * weight[j] * x[j];
      }
      return sum;
    });
    const float rstd = args.rstd[n];
    const float along = dot * rstd * rstd / static_cast<float>(args.C);
    block.step([&](int t) {
      for (int i = t * W; i < args.C; i += kThreads * W) {
        float x[W], d_out[W], weight[W], d_x[W];
        load(x, args.x + first + i, args.C - i, args.together);
        load(d_out, args.d_out + first + i, args.C - i, args.together);
        load(weight, args.weight + i, args.C - i, args.together);
        load(d_x, args.d_x + first + i, args.C - i, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) {
          d_x[j] += rstd * (d_out[j] * weight[j] - x[j] * along);
          if (i + j < args.C) sums[i + j] += d_out[j] * (x[j] * rstd);
        }
        store(args.d_x + first + i, d_x, args.C - i, args.together);
      }
    });
  }
};

// out (C) += the sum over rows of partial (rows, C): a block for 32 columns, 8 rows at once, in
// ascending order, and last the 8 in theirs.
struct AddRows {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = 32;
  static constexpr int kGroups = kThreads / kColumns;
  struct Args {
    float* out;
    const float* partial;
    int rows;
    int C;
  };
  static size_t shared_bytes(const Args&) { return kThreads * sizeof(float); }

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    float* const sums = reinterpret_cast<float*>(shared);  // (groups, columns)
    const int first = block.index() * kColumns;
    block.each([&](int t) {
      const int c = first + t % kColumns;
      float sum = 0;
      if (c < args.C) {
        for (int row = t / kColumns; row < args.rows; row += kGroups) {
          sum += args.partial[int64_t{row} * args.C + c];
        }
      }
      sums[t] = sum;
    });
    block.step([&](int t) {
      if (t >= kColumns || first + t >= args.C) return;
      float sum = 0;
      for (int group = 0; group < kGroups; ++group) sum += sums[group * kColumns + t];
      args.out[first + t] += sum;
    });
  }
};

// A block for each position. Source: see Backend::rope.
template <typename Value>
struct Rope : NoShared {
  static constexpr int kThreads = 256;
  struct Args {
    Value* qkv;
    const float* cosine;
    const float* sine;
    int T;
    int heads;  // Of queries and keys.
    int row;
    int half;
    float direction;  // 1, or -1: back.
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    Value* const row = args.qkv + int64_t{block.index()} * args.row;
    const int64_t angle = int64_t{block.index() % args.T} * args.half;
    const int groups = blocks_of(args.half, W);  // Of a head.
    block.step([&](int t) {
      for (int k = t; k < args.heads * groups; k += kThreads) {
        const int i = k % groups * W;
        const int left = args.half - i;
        Value* const first = row + k / groups * 2 * args.half + i;
        float a[W], b[W], cosine[W], sine[W];
        load(a, first, left, args.together);
        load(b, first + args.half, left, args.together);
        load(cosine, args.cosine + angle + i, left, args.together);
        load(sine, args.sine + angle + i, left, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) {
          const float s = sine[j] * args.direction;
          const float turned = a[j] * cosine[j] - b[j] * s;
          b[j] = b[j] * cosine[j] + a[j] * s;
          a[j] = turned;
        }
        store(first, a, left, args.together);
        store(first + args.half, b, left, args.together);
      }
    });
  }
};

}  // namespace train::cuda
