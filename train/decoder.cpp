#include "train/decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/check.h"
#include "train/cpu/pool.h"
#include "train/decoder/kernels.h"
#include "train/rope.h"

namespace train {
namespace {

// Below so many products waking a thread costs more than it helps.
constexpr int64_t kProductsShared = 1 << 17;
constexpr int kRowsAtOnce = 64;

struct LayerWeights {
  const float* qkv = nullptr;  // Queries, keys and values one after the other: one matrix.
  const float* output = nullptr;
  const float* gate_up = nullptr;
  const float* down = nullptr;
  const float* attention_norm = nullptr;
  const float* mlp_norm = nullptr;
};

// In the order of `parameter_layout`.
struct Weights {
  const float* embeddings = nullptr;
  std::vector<LayerWeights> layers;
  const float* norm = nullptr;
  const float* vocabulary = nullptr;

  Weights(const common::ModelParams& model, std::span<const float> theta) {
    const size_t C = model.dim;
    const size_t kv_width = C / model.heads * model.kv_heads;
    const size_t F = model.hidden;
    const auto take = [&theta](size_t size) {
      CHECK(theta.size() >= size);
      const float* at = theta.data();
      theta = theta.subspan(size);
      return at;
    };
    embeddings = take(model.vocabulary * C);
    for (uint32_t layer = 0; layer < model.layers; ++layer) {
      LayerWeights at;
      at.qkv = take((C + 2 * kv_width) * C);
      at.output = take(C * C);
      at.gate_up = take(2 * F * C);
      at.down = take(C * F);
      at.attention_norm = take(C);
      at.mlp_norm = take(C);
      layers.push_back(at);
    }
    norm = take(C);
    vocabulary = model.tied_embeddings ? embeddings : take(model.vocabulary * C);
    CHECK(theta.empty());
  }
};

size_t size_of(int64_t size) { return static_cast<size_t>(size); }

}  // namespace

struct Decoder::Impl {
  Impl(const common::ModelParams& model, std::span<const float> theta, uint32_t positions,
       int threads);

  // The next N <= kBlock tokens; leaves the residual stream in x.
  void block(std::span<const uint32_t> tokens);
  void layer(const LayerWeights& weights, float* keys, float* values, int N);
  // Turns queries and keys, and keeps keys and values.
  void keep(float* keys, float* values, int N);
  void attend(const float* keys, const float* values, int N);
  void products(float* out, const float* in, const float* weight, int N, int from, int to);
  void norm(float* out, const float* weight, int N);
  void add(int N);
  template <typename Task>
  void share(int count, int64_t work, const Task& task);

  common::ModelParams params;
  Weights weights;
  int C, F, H, K, D;
  int row;       // H queries, K keys, K values: (H + 2 K) D
  int kv_width;  // K D
  uint32_t positions_max;
  uint32_t position = 0;
  float epsilon;
  RopeTable rope;
  cpu::Pool pool;
  std::vector<float> keys_, values_;  // (layers, positions_max, kv_width)
  std::vector<float> x, normed, qkv, inner, wide, hidden, logits;  // (kBlock, ...)
  std::vector<float> scratch;                                      // (threads, positions_max)
};

Decoder::Impl::Impl(const common::ModelParams& model, std::span<const float> theta,
                    uint32_t positions, int threads)
    : params(model),
      weights(model, theta),
      C(static_cast<int>(model.dim)),
      F(static_cast<int>(model.hidden)),
      H(static_cast<int>(model.heads)),
      K(static_cast<int>(model.kv_heads)),
      D(C / H),
      row((H + 2 * K) * D),
      kv_width(K * D),
      positions_max(positions),
      epsilon(static_cast<float>(model.norm_epsilon)),
      rope(rope_table(model, positions)),
      pool(threads) {
  CHECK(positions > 0 && threads > 0);
  constexpr int64_t kRows = decoder::kBlock;
  keys_.resize(size_t{model.layers} * positions * size_of(kv_width));
  values_.resize(keys_.size());
  x.resize(size_of(kRows * C));
  normed.resize(x.size());
  inner.resize(x.size());
  qkv.resize(size_of(kRows * row));
  wide.resize(size_of(kRows * 2 * F));
  hidden.resize(size_of(kRows * F));
  logits.resize(model.vocabulary);
  scratch.resize(size_of(threads) * positions);
}

template <typename Task>
void Decoder::Impl::share(int count, int64_t work, const Task& task) {
  if (work >= kProductsShared && pool.threads() > 1) {
    pool.each(count, task);
  } else {
    for (int i = 0; i < count; ++i) task(i, 0);
  }
}

void Decoder::Impl::products(float* out, const float* in, const float* weight, int N, int from,
                             int to) {
  const int parts = (to + kRowsAtOnce - 1) / kRowsAtOnce;
  share(parts, int64_t{N} * from * to, [=](int part, int /*worker*/) {
    const int first = part * kRowsAtOnce;
    decoder::products(out, in, weight, N, from, to, first, std::min(to, first + kRowsAtOnce));
  });
}

void Decoder::Impl::norm(float* out, const float* weight, int N) {
  for (int64_t n = 0; n < N; ++n) {
    decoder::rmsnorm(out + n * C, x.data() + n * C, weight, C, epsilon);
  }
}

void Decoder::Impl::add(int N) {
  for (size_t i = 0; i < size_of(int64_t{N} * C); ++i) x[i] += inner[i];
}

void Decoder::Impl::keep(float* keys, float* values, int N) {
  const int half = D / 2;
  for (int64_t n = 0; n < N; ++n) {
    const size_t at = position + size_of(n);
    const float* cosine = rope.cosine.data() + at * rope.half;
    const float* sine = rope.sine.data() + at * rope.half;
    float* const line = qkv.data() + n * row;
    for (int head = 0; head < H + K; ++head) {
      float* const a = line + head * D;
      for (int i = 0; i < half; ++i) {
        const float first = a[i];
        const float second = a[i + half];
        a[i] = first * cosine[i] - second * sine[i];
        a[i + half] = second * cosine[i] + first * sine[i];
      }
    }
    const float* const key = line + C;
    std::copy(key, key + kv_width, keys + at * size_of(kv_width));
    std::copy(key + kv_width, key + 2 * kv_width, values + at * size_of(kv_width));
  }
}

void Decoder::Impl::attend(const float* keys, const float* values, int N) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(D));
  const int64_t work = int64_t{2} * N * C * (int64_t{position} + N);
  share(N * H, work, [&, scale](int i, int worker) {
    const int n = i / H;
    const int head = i % H;
    const int first = head / (H / K) * D;
    decoder::attend(normed.data() + int64_t{n} * C + head * D,
                    qkv.data() + int64_t{n} * row + head * D, keys + first, values + first,
                    static_cast<int>(position) + n + 1, size_of(kv_width), D, scale,
                    scratch.data() + size_of(worker) * positions_max);
  });
}

void Decoder::Impl::layer(const LayerWeights& at, float* keys, float* values, int N) {
  norm(normed.data(), at.attention_norm, N);
  products(qkv.data(), normed.data(), at.qkv, N, C, row);
  keep(keys, values, N);
  attend(keys, values, N);
  products(inner.data(), normed.data(), at.output, N, C, C);
  add(N);
  norm(normed.data(), at.mlp_norm, N);
  products(wide.data(), normed.data(), at.gate_up, N, C, 2 * F);
  for (int64_t n = 0; n < N; ++n) {
    const float* gate = wide.data() + n * 2 * F;
    decoder::swiglu(hidden.data() + n * F, gate, gate + F, F);
  }
  products(inner.data(), hidden.data(), at.down, N, F, C);
  add(N);
}

void Decoder::Impl::block(std::span<const uint32_t> tokens) {
  const int N = static_cast<int>(tokens.size());
  for (size_t n = 0; n < tokens.size(); ++n) {
    CHECK(tokens[n] < params.vocabulary);
    const float* from = weights.embeddings + size_t{tokens[n]} * size_of(C);
    std::copy(from, from + C, x.data() + n * size_of(C));
  }
  const size_t kept = size_t{positions_max} * size_of(kv_width);
  for (size_t l = 0; l < weights.layers.size(); ++l) {
    layer(weights.layers[l], keys_.data() + l * kept, values_.data() + l * kept, N);
  }
  position += static_cast<uint32_t>(N);
}

Decoder::Decoder(const common::ModelParams& model, std::span<const float> theta,
                 uint32_t positions_max, int threads)
    : impl_(std::make_unique<Impl>(model, theta, positions_max, threads)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

std::span<const float> Decoder::read(std::span<const uint32_t> tokens) {
  Impl& my = *impl_;
  CHECK(!tokens.empty() && tokens.size() <= my.positions_max - my.position);
  size_t last = 0;
  while (!tokens.empty()) {
    const size_t size = std::min<size_t>(tokens.size(), decoder::kBlock);
    my.block(tokens.first(size));
    tokens = tokens.subspan(size);
    last = size - 1;
  }
  float* const end = my.x.data() + last * size_of(my.C);
  decoder::rmsnorm(my.normed.data(), end, my.weights.norm, my.C, my.epsilon);
  my.products(my.logits.data(), my.normed.data(), my.weights.vocabulary, 1, my.C,
              static_cast<int>(my.params.vocabulary));
  return my.logits;
}

uint32_t Decoder::position() const { return impl_->position; }

void Decoder::restart() { impl_->position = 0; }

}  // namespace train
