// A LLaMA in plain loops and fp64: slow, obvious, and forward only. Gradients come from
// differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/hparams.h"
#include "common/philox.h"
#include "train/backend.h"
#include "train/batch.h"

namespace train::oracle {

using Values = std::vector<double>;

inline Values random_values(common::Philox& random, size_t size, double scale = 1.0) {
  Values values(size);
  // Through fp32, so that both sides begin with the same numbers.
  for (double& value : values) value = static_cast<float>(scale * random.normal());
  return values;
}

inline std::vector<float> narrow(const Values& values) {
  std::vector<float> out;
  for (const double value : values) out.push_back(static_cast<float>(value));
  return out;
}

inline Values embedding(const std::vector<uint32_t>& token, const Values& table, int C) {
  Values out;
  for (const uint32_t id : token) {
    for (int c = 0; c < C; ++c)
      out.push_back(table[id * static_cast<size_t>(C) + static_cast<size_t>(c)]);
  }
  return out;
}

inline Values rmsnorm(const Values& x, const Values& weight, double epsilon) {
  const size_t C = weight.size();
  Values out(x.size());
  for (size_t first = 0; first < x.size(); first += C) {
    double squares = 0;
    for (size_t c = 0; c < C; ++c) squares += x[first + c] * x[first + c];
    const double rms = std::sqrt(squares / static_cast<double>(C) + epsilon);
    for (size_t c = 0; c < C; ++c) out[first + c] = x[first + c] / rms * weight[c];
  }
  return out;
}

inline Values linear(const Values& x, const Values& weight, size_t C) {
  const size_t N = x.size() / C;
  const size_t O = weight.size() / C;
  Values out(N * O);
  for (size_t n = 0; n < N; ++n) {
    for (size_t o = 0; o < O; ++o) {
      for (size_t c = 0; c < C; ++c) out[n * O + o] += x[n * C + c] * weight[o * C + c];
    }
  }
  return out;
}

// Queries and keys turned: pair (i, i + D/2) of position t by t * base^(-2i/D).
inline Values rope(Values qkv, const AttentionShape& shape, double base) {
  const int half = shape.D / 2;
  for (int n = 0; n < shape.positions(); ++n) {
    for (int head = 0; head < shape.H + shape.K; ++head) {
      for (int i = 0; i < half; ++i) {
        const double angle = (n % shape.T) * std::pow(base, -2.0 * i / shape.D);
        double& a = qkv[static_cast<size_t>(n * shape.row() + head * shape.D + i)];
        double& b = qkv[static_cast<size_t>(n * shape.row() + head * shape.D + i + half)];
        const double turned = a * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + a * std::sin(angle);
        a = turned;
      }
    }
  }
  return qkv;
}

// One head of one position.
inline void attend(Values& out, const Values& qkv, const AttentionShape& shape, int b, int t,
                   int head, int start) {
  const auto at = [&](int s, int column) {
    return qkv[static_cast<size_t>((b * shape.T + s) * shape.row() + column)];
  };
  const int kv = head / (shape.H / shape.K);
  const int key = (shape.H + kv) * shape.D;
  const int value = (shape.H + shape.K + kv) * shape.D;
  Values power;
  double sum = 0;
  for (int s = start; s <= t; ++s) {
    double dot = 0;
    for (int i = 0; i < shape.D; ++i) dot += at(t, head * shape.D + i) * at(s, key + i);
    power.push_back(std::exp(dot / std::sqrt(shape.D)));
    sum += power.back();
  }
  for (int s = start; s <= t; ++s) {
    for (int i = 0; i < shape.D; ++i) {
      out[static_cast<size_t>(((b * shape.T + t) * shape.H + head) * shape.D + i)] +=
          power[static_cast<size_t>(s - start)] / sum * at(s, value + i);
    }
  }
}

inline Values attention(const Values& qkv, const std::vector<uint32_t>& document_start,
                        const AttentionShape& shape) {
  Values out(static_cast<size_t>(shape.positions() * shape.H * shape.D));
  for (int b = 0; b < shape.B; ++b) {
    for (int t = 0; t < shape.T; ++t) {
      const int start = static_cast<int>(document_start[static_cast<size_t>(b * shape.T + t)]);
      for (int head = 0; head < shape.H; ++head) attend(out, qkv, shape, b, t, head, start);
    }
  }
  return out;
}

inline Values swiglu(const Values& gate_up, size_t F) {
  Values out;
  for (size_t first = 0; first < gate_up.size(); first += 2 * F) {
    for (size_t f = 0; f < F; ++f) {
      const double gate = gate_up[first + f];
      out.push_back(gate / (1.0 + std::exp(-gate)) * gate_up[first + F + f]);
    }
  }
  return out;
}

// -log softmax(x weight^T)[target]; 0 without a target.
inline Values vocabulary_losses(const Values& x, const Values& weight,
                                const std::vector<uint32_t>& target, size_t C) {
  const Values logits = linear(x, weight, C);
  const size_t V = weight.size() / C;
  Values losses;
  for (size_t n = 0; n < target.size(); ++n) {
    double sum = 0;
    for (size_t v = 0; v < V; ++v) sum += std::exp(logits[n * V + v]);
    losses.push_back(target[n] == kNoTarget ? 0.0 : std::log(sum) - logits[n * V + target[n]]);
  }
  return losses;
}

inline Values add(Values a, const Values& b) {
  std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::plus<>());
  return a;
}

// Reads theta from the front to the back, in the order of `parameter_layout`.
class Reader {
 public:
  explicit Reader(const Values& theta) : next_(theta.begin()) {}
  Values take(size_t size) {
    const auto first = next_;
    next_ += static_cast<ptrdiff_t>(size);
    return {first, next_};
  }

 private:
  Values::const_iterator next_;
};

inline Values layer(const Values& x, Reader& reader, const common::ModelParams& params,
                    const Batch& batch) {
  const size_t C = params.dim;
  const AttentionShape shape{static_cast<int>(batch.B), static_cast<int>(batch.T),
                             static_cast<int>(params.heads), static_cast<int>(params.kv_heads),
                             static_cast<int>(params.dim / params.heads)};
  const Values qkv_weight = reader.take(static_cast<size_t>(shape.row()) * C);
  const Values output_weight = reader.take(C * C);
  const Values gate_up_weight = reader.take(2 * params.hidden * C);
  const Values down_weight = reader.take(C * params.hidden);
  const Values attention_norm = reader.take(C);
  const Values mlp_norm = reader.take(C);
  const Values qkv = linear(rmsnorm(x, attention_norm, params.norm_epsilon), qkv_weight, C);
  const Values heads = attention(rope(qkv, shape, params.rope_theta), batch.document_start, shape);
  const Values middle = add(x, linear(heads, output_weight, C));
  const Values gate_up = linear(rmsnorm(middle, mlp_norm, params.norm_epsilon), gate_up_weight, C);
  return add(middle, linear(swiglu(gate_up, params.hidden), down_weight, params.hidden));
}

// The mean loss over the batch's targets.
inline double loss(const Values& theta, const common::ModelParams& params, const Batch& batch) {
  Reader reader(theta);
  const Values table = reader.take(size_t{params.vocabulary} * params.dim);
  Values x = embedding(batch.input, table, static_cast<int>(params.dim));
  for (uint32_t i = 0; i < params.layers; ++i) x = layer(x, reader, params, batch);
  x = rmsnorm(x, reader.take(params.dim), params.norm_epsilon);
  const Values head = params.tied_embeddings ? table : reader.take(table.size());
  double sum = 0;
  for (const double one : vocabulary_losses(x, head, batch.target, params.dim)) sum += one;
  const auto without = std::count(batch.target.begin(), batch.target.end(), kNoTarget);
  return sum / static_cast<double>(static_cast<ptrdiff_t>(batch.target.size()) - without);
}

// d f / d x[i] by central differences, an error of about 1e-9 of f.
inline double slope(const std::function<double(const Values&)>& f, Values x, size_t i) {
  constexpr double kStep = 1e-5;
  const double before = x[i];
  x[i] = before + kStep;
  const double above = f(x);
  x[i] = before - kStep;
  return (above - f(x)) / (2 * kStep);
}

// |a - b| / |b|, Euclidean.
template <typename Other>
double distance(const Other& a, const Values& b) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

}  // namespace train::oracle
