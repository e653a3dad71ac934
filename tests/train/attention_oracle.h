// The gradient of attention in plain loops and fp64, and documents for it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/philox.h"
#include "tests/train/oracle.h"
#include "train/backend.h"

namespace train::oracle {

using Starts = std::vector<uint32_t>;

inline size_t size_of(int size) { return static_cast<size_t>(size); }

// d (sum of d_out * attention(qkv)) / d qkv of one head of one position, added to d_qkv.
inline void attend_back(Values& d_qkv, const Values& qkv, const Values& d_out,
                        const AttentionShape& shape, int b, int t, int head, int start) {
  const int kv = head / (shape.H / shape.K);
  const auto at = [&](int s, int column) {
    return size_of((b * shape.T + s) * shape.row() + column);
  };
  const int query = head * shape.D;
  const int key = (shape.H + kv) * shape.D;
  const int value = (shape.H + shape.K + kv) * shape.D;
  Values p;
  Values d_p;
  double sum = 0;
  for (int s = start; s <= t; ++s) {
    double score = 0;
    double d = 0;
    for (int i = 0; i < shape.D; ++i) {
      score += qkv[at(t, query + i)] * qkv[at(s, key + i)];
      d += d_out[size_of(((b * shape.T + t) * shape.H + head) * shape.D + i)] *
           qkv[at(s, value + i)];
    }
    p.push_back(std::exp(score / std::sqrt(shape.D)));
    d_p.push_back(d);
    sum += p.back();
  }
  double dot = 0;
  for (size_t s = 0; s < p.size(); ++s) {
    p[s] /= sum;
    dot += p[s] * d_p[s];
  }
  for (int s = start; s <= t; ++s) {
    const double weight = p[size_of(s - start)];
    const double d_score = weight * (d_p[size_of(s - start)] - dot) / std::sqrt(shape.D);
    for (int i = 0; i < shape.D; ++i) {
      d_qkv[at(t, query + i)] += d_score * qkv[at(s, key + i)];
      d_qkv[at(s, key + i)] += d_score * qkv[at(t, query + i)];
      d_qkv[at(s, value + i)] +=
          weight * d_out[size_of(((b * shape.T + t) * shape.H + head) * shape.D + i)];
    }
  }
}

inline Values attention_gradient(const Values& qkv, const Values& d_out, const Starts& start,
                                 const AttentionShape& shape) {
  Values d_qkv(qkv.size());
  for (int n = 0; n < shape.positions(); ++n) {
    for (int head = 0; head < shape.H; ++head) {
      attend_back(d_qkv, qkv, d_out, shape, n / shape.T, n % shape.T, head,
                  static_cast<int>(start[size_of(n)]));
    }
  }
  return d_qkv;
}

// Documents of random lengths, one now and then. With `longest` of T: often a single one.
inline Starts documents(common::Philox& random, const AttentionShape& shape, int longest) {
  Starts start;
  for (int b = 0; b < shape.B; ++b) {
    int t = 0;
    while (t < shape.T) {
      const auto length =
          random.below(4) == 0 ? 1 : 1 + random.below(static_cast<uint32_t>(longest));
      const int end = std::min<int>(shape.T, t + static_cast<int>(length));
      for (const int begin = t; t < end; ++t) start.push_back(static_cast<uint32_t>(begin));
    }
  }
  return start;
}

inline Starts one_document(const AttentionShape& shape) {
  return Starts(size_of(shape.positions()), 0);
}

}  // namespace train::oracle
