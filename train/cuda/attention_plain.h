// Attention without tensor cores: in fp32, and for heads that are wider than the other kernels
// take. A block for one query, or one key; for checking and for odd models, not for speed.
#pragma once

#include "train/cuda/attention.h"

namespace train::cuda {

inline constexpr int kPlainWidthMax = 1024;  // Of a head.

struct PlainBlock {
  static constexpr int kThreads = 128;  // And as many keys, or queries, at once.

  template <typename Args>
  static size_t shared_bytes(const Args& args) {
    return (4 * static_cast<size_t>(args.shape.D) + 2 * kThreads) * sizeof(float);
  }

 protected:
  struct Shared {
    float *first, *second;          // (D)  What all are multiplied by,
    float *sums, *more;             // (D)  and summed to.
    float *weights, *more_weights;  // (kThreads)
  };
  MUSTER_BOTH static Shared cut(uint8_t* shared, int D) {
    float* const at = reinterpret_cast<float*>(shared);
    return {at, at + D, at + 2 * D, at + 3 * D, at + 4 * D, at + 4 * D + kThreads};
  }
  template <typename Value>
  MUSTER_BOTH static float dot(const float* a, const Value* b, int D) {
    float sum = 0;
    for (int i = 0; i < D; ++i) sum += a[i] * wide(b[i]);
    return sum;
  }
  // sums[i] += the sum over j of weights[j] * rows[first + j][i]
  template <typename Value>
  MUSTER_BOTH static void add(int t, float* sums, const float* weights,
                              const HeadRows<const Value>& rows, int first, int count) {
    for (int i = t; i < rows.D; i += kThreads) {
      float sum = sums[i];
      for (int j = 0; j < count; ++j) sum += weights[j] * wide(rows.row(first + j)[i]);
      sums[i] = sum;
    }
  }
};

// Which of a row's values a block of this kind is for: (B, heads, T).
struct PlainPlace {
  int b, head, t;

  MUSTER_BOTH PlainPlace(int index, int heads, int T)
      : b(index / T / heads), head(index / T % heads), t(index % T) {}
};

template <typename Value>
struct PlainForward : PlainBlock {
  using Args = AttentionArgsOf<Value>;

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    const AttentionShape& shape = args.shape;
    const Shared room = cut(shared, shape.D);
    const PlainPlace at(block.index(), shape.H, shape.T);
    const int kv = shape.H + at.head / args.group();
    const Value* const q = head_of(args.qkv, args, args.row(), at.b, at.head).row(at.t);
    const auto keys = head_of(args.qkv, args, args.row(), at.b, kv);
    const auto values = head_of(args.qkv, args, args.row(), at.b, kv + shape.K);
    block.each([&](int t) {
      for (int i = t; i < shape.D; i += kThreads) {
        room.first[i] = wide(q[i]) * args.scale;
        room.sums[i] = 0;
      }
    });
    float top = kFarBelow;
    float all = 0;
    Local<Block, float> scores;
    const int64_t n = int64_t{at.b} * shape.T + at.t;
    for (int key = static_cast<int>(args.document_start[n]); key <= at.t; key += kThreads) {
      const int count = least(kThreads, at.t + 1 - key);
      const float highest = block.most([&](int t) {
        scores[t] = t < count ? dot(room.first, keys.row(key + t), shape.D) : kFarBelow;
        return scores[t];
      });
      const float before = ::expf(top - larger(top, highest));
      top = larger(top, highest);
      all = all * before + block.sum([&](int t) {
        room.weights[t] = t < count ? ::expf(scores[t] - top) : 0.0F;
        return t < count ? room.weights[t] + nothing_of(scores[t]) : 0.0F;
      });
      block.each([&](int t) {
        for (int i = t; i < shape.D; i += kThreads) room.sums[i] *= before;
        add(t, room.sums, room.weights, values, key, count);
      });
    }
    block.step([&](int t) {
      Value* const out = head_of(args.out, args, args.head_row(), at.b, at.head).row(at.t);
      for (int i = t; i < shape.D; i += kThreads) out[i] = narrow<Value>(room.sums[i] / all);
      if (t == 0) args.lse_out[n * shape.H + at.head] = top + ::logf(all);
    });
  }
};

// d_q.
template <typename Value>
struct PlainBackwardQueries : PlainBlock {
  using Args = AttentionArgsOf<Value>;

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    const AttentionShape& shape = args.shape;
    const Shared room = cut(shared, shape.D);
    const PlainPlace at(block.index(), shape.H, shape.T);
    const int kv = shape.H + at.head / args.group();
    const Value* const q = head_of(args.qkv, args, args.row(), at.b, at.head).row(at.t);
    const Value* const d_out = head_of(args.d_out, args, args.head_row(), at.b, at.head).row(at.t);
    const auto keys = head_of(args.qkv, args, args.row(), at.b, kv);
    const auto values = head_of(args.qkv, args, args.row(), at.b, kv + shape.K);
    block.each([&](int t) {
      for (int i = t; i < shape.D; i += kThreads) {
        room.first[i] = wide(q[i]) * args.scale;
        room.second[i] = wide(d_out[i]);
        room.sums[i] = 0;
      }
    });
    const int64_t n = int64_t{at.b} * shape.T + at.t;
    const float lse = args.lse[n * shape.H + at.head];
    const float delta = args.delta[n * shape.H + at.head];
    for (int key = static_cast<int>(args.document_start[n]); key <= at.t; key += kThreads) {
      const int count = least(kThreads, at.t + 1 - key);
      block.each([&](int t) {
        if (t >= count) return;
        const float weight = ::expf(dot(room.first, keys.row(key + t), shape.D) - lse);
        const float d_weight = dot(room.second, values.row(key + t), shape.D);
        room.weights[t] = weight * (d_weight - delta) * args.scale;
      });
      block.each([&](int t) { add(t, room.sums, room.weights, keys, key, count); });
    }
    block.step([&](int t) {
      Value* const out = head_of(args.out, args, args.row(), at.b, at.head).row(at.t);
      for (int i = t; i < shape.D; i += kThreads) out[i] = narrow<Value>(room.sums[i]);
    });
  }
};

// d_k and d_v.
template <typename Value>
struct PlainBackwardKeys : PlainBlock {
  using Args = AttentionArgsOf<Value>;

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    const AttentionShape& shape = args.shape;
    const Shared room = cut(shared, shape.D);
    const PlainPlace at(block.index(), shape.K, shape.T);
    const int kv = shape.H + at.head;
    const Value* const key = head_of(args.qkv, args, args.row(), at.b, kv).row(at.t);
    const Value* const value = head_of(args.qkv, args, args.row(), at.b, kv + shape.K).row(at.t);
    block.each([&](int t) {
      for (int i = t; i < shape.D; i += kThreads) {
        room.first[i] = wide(key[i]) * args.scale;
        room.second[i] = wide(value[i]);
        room.sums[i] = room.more[i] = 0;
      }
    });
    for (int head = at.head * args.group(); head < (at.head + 1) * args.group(); ++head) {
      add_head(block, args, room, at, head);
    }
    block.step([&](int t) {
      Value* const d_k = head_of(args.out, args, args.row(), at.b, kv).row(at.t);
      Value* const d_v = head_of(args.out, args, args.row(), at.b, kv + shape.K).row(at.t);
      for (int i = t; i < shape.D; i += kThreads) {
        d_k[i] = narrow<Value>(room.sums[i]);
        d_v[i] = narrow<Value>(room.more[i]);
      }
    });
  }

 private:
  // Of the queries of a head that see our key, which are at.t and those after it, until a document
  // begins.
  template <class Block>
  MUSTER_BOTH static void add_head(Block& block, const Args& args, const Shared& room,
                                   const PlainPlace& at, int head) {
    const AttentionShape& shape = args.shape;
    const auto queries = head_of(args.qkv, args, args.row(), at.b, head);
    const auto d_outs = head_of(args.d_out, args, args.head_row(), at.b, head);
    const int64_t sequence = int64_t{at.b} * shape.T;
    const auto sees = [&](int query) {
      return static_cast<int>(args.document_start[sequence + query]) <= at.t;
    };
    for (int query = at.t; query < shape.T && sees(query); query += kThreads) {
      const int count = least(kThreads, shape.T - query);
      block.each([&](int t) {
        if (t >= count) return;
        const int64_t n = (sequence + query + t) * shape.H + head;
        const bool seen = sees(query + t);
        const float score = dot(room.first, queries.row(query + t), shape.D);
        const float weight = seen ? ::expf(score - args.lse[n]) : 0.0F;
        const float d_weight = dot(room.second, d_outs.row(query + t), shape.D);
        room.more_weights[t] = weight;
        room.weights[t] = seen ? weight * (d_weight - args.delta[n]) * args.scale : 0.0F;
      });
      block.each([&](int t) {
        add(t, room.sums, room.weights, queries, query, count);
        add(t, room.more, room.more_weights, d_outs, query, count);
      });
    }
  }
};

}  // namespace train::cuda
