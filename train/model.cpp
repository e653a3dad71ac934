#include "train/model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/check.h"
#include "train/backend.h"
#include "train/buffer.h"

namespace train {
namespace {

// Where a layer's parameters lie. Queries, keys and values stand one after the other and are one
// matrix; so are gate and up.
struct LayerOffsets {
  uint64_t qkv, output, gate_up, down, attention_norm, mlp_norm;
};

// In the order of `parameter_layout`.
struct Offsets {
  uint64_t embeddings = 0;
  std::vector<LayerOffsets> layers;
  uint64_t norm = 0;
  uint64_t vocabulary = 0;  // The embeddings once more, where they are tied.
  uint64_t count = 0;

  explicit Offsets(const common::ModelParams& params) {
    const uint64_t C = params.dim;
    const uint64_t kv_width = C / params.heads * params.kv_heads;
    embeddings = take(params.vocabulary * C);
    for (uint32_t layer = 0; layer < params.layers; ++layer) {
      LayerOffsets at{};
      at.qkv = take((C + 2 * kv_width) * C);
      at.output = take(C * C);
      at.gate_up = take(2 * params.hidden * C);
      at.down = take(C * params.hidden);
      at.attention_norm = take(C);
      at.mlp_norm = take(C);
      layers.push_back(at);
    }
    norm = take(C);
    vocabulary = params.tied_embeddings ? embeddings : take(params.vocabulary * C);
  }

 private:
  uint64_t take(uint64_t size) { return std::exchange(count, count + size); }
};

// What the backward pass needs of one layer. N positions.
struct Activations {
  Buffer<float> attention_in;  // (N, C)  the residual stream,
  Buffer<float> normed1;       // (N, C)  and normalised
  Buffer<float> rstd1;         // (N)
  Buffer<float> qkv;           // (N, row)  turned by RoPE
  Buffer<float> lse;           // (N, H)
  Buffer<float> heads;         // (N, C)  what the heads found
  Buffer<float> mlp_in;        // (N, C)  the residual stream,
  Buffer<float> normed2;       // (N, C)  and normalised
  Buffer<float> rstd2;         // (N)
  Buffer<float> gate_up;       // (N, 2F)
  Buffer<float> hidden;        // (N, F)

  explicit Activations(Backend& backend)
      : attention_in(backend),
        normed1(backend),
        rstd1(backend),
        qkv(backend),
        lse(backend),
        heads(backend),
        mlp_in(backend),
        normed2(backend),
        rstd2(backend),
        gate_up(backend),
        hidden(backend) {}

  void reserve(size_t N, size_t C, size_t row, size_t H, size_t F) {
    for (Buffer<float>* buffer : {&attention_in, &normed1, &heads, &mlp_in, &normed2}) {
      buffer->reserve(N * C);
    }
    rstd1.reserve(N);
    rstd2.reserve(N);
    qkv.reserve(N * row);
    lse.reserve(N * H);
    gate_up.reserve(N * 2 * F);
    hidden.reserve(N * F);
  }
};

// Some of a batch's sequences, worked through together.
struct Micro {
  AttentionShape shape;
  size_t first_position;

  int N() const { return shape.positions(); }
  size_t size() const { return static_cast<size_t>(N()); }
};

}  // namespace

struct Model::Impl {
  Impl(const common::ModelParams& model, Backend& machine);

  std::vector<Micro> micros(const Batch& batch) const;
  // Memory for it; for a backward pass (`learns`) every layer's activations are kept.
  void prepare(const Batch& batch, const Micro& micro, bool learns);
  void upload(const Batch& batch, const Micro& micro);
  // Leaves the stream after the last layer in `last_`, normalised in `last_normed_`.
  void forward(const float* theta, const Micro& micro, bool learns);
  void forward_layer(const float* theta, const LayerOffsets& at, Activations& kept, float* out,
                     const Micro& micro);
  void backward(const float* theta, float* gradient, const Micro& micro);
  void backward_layer(const float* theta, float* gradient, const LayerOffsets& at,
                      Activations& kept, const Micro& micro);
  // Fills position_losses_; with `gradient`, also the gradient of  scale * their sum.
  void run(const float* theta, float* gradient, float scale, const Batch& batch,
           const Micro& micro);
  const float* on_machine(std::span<const float> theta);

  common::ModelParams params;
  Backend& backend;
  Offsets offsets;
  int C, F, V, H, K, D;
  float epsilon;

  Buffer<float> theta_;     // Of a machine with memory of its own.
  Buffer<float> gradient_;  // As well.
  Buffer<uint32_t> input_, target_, document_start_;
  Buffer<float> cosine_, sine_;
  uint32_t rope_positions_ = 0;
  std::vector<Activations> layers_;  // One where nothing is kept for a backward pass.
  Buffer<float> last_, last_normed_, last_rstd_, losses_;
  Buffer<float> d_stream_, d_normed_, d_inner_, d_wide_;
  std::vector<float> position_losses_;

 private:
  void prepare_rope(uint32_t T);
};

Model::Impl::Impl(const common::ModelParams& model, Backend& machine)
    : params(model),
      backend(machine),
      offsets(model),
      C(static_cast<int>(model.dim)),
      F(static_cast<int>(model.hidden)),
      V(static_cast<int>(model.vocabulary)),
      H(static_cast<int>(model.heads)),
      K(static_cast<int>(model.kv_heads)),
      D(C / H),
      epsilon(static_cast<float>(model.norm_epsilon)),
      theta_(machine),
      gradient_(machine),
      input_(machine),
      target_(machine),
      document_start_(machine),
      cosine_(machine),
      sine_(machine),
      last_(machine),
      last_normed_(machine),
      last_rstd_(machine),
      losses_(machine),
      d_stream_(machine),
      d_normed_(machine),
      d_inner_(machine),
      d_wide_(machine) {
  CHECK(D * H == C && D % 2 == 0 && K > 0 && H % K == 0 && !offsets.layers.empty());
}

std::vector<Micro> Model::Impl::micros(const Batch& batch) const {
  const size_t size = size_t{batch.B} * batch.T;
  CHECK(size > 0 && batch.input.size() == size && batch.target.size() == size &&
        batch.document_start.size() == size);
  const int T = static_cast<int>(batch.T);
  const uint32_t at_once = static_cast<uint32_t>(std::max(1, backend.positions_at_once() / T));
  std::vector<Micro> all;
  for (uint32_t first = 0; first < batch.B; first += at_once) {
    const int B = static_cast<int>(std::min(at_once, batch.B - first));
    all.push_back({{B, T, H, K, D}, size_t{first} * batch.T});
  }
  return all;
}

void Model::Impl::prepare_rope(uint32_t T) {
  if (T <= rope_positions_) return;
  const size_t half = static_cast<size_t>(D / 2);
  std::vector<float> cosine(T * half);
  std::vector<float> sine(T * half);
  for (uint32_t t = 0; t < T; ++t) {
    for (size_t i = 0; i < half; ++i) {
      const double angle = t * std::pow(params.rope_theta, -2.0 * static_cast<double>(i) / D);
      cosine[t * half + i] = static_cast<float>(std::cos(angle));
      sine[t * half + i] = static_cast<float>(std::sin(angle));
    }
  }
  cosine_.upload(cosine);
  sine_.upload(sine);
  rope_positions_ = T;
}

void Model::Impl::prepare(const Batch& batch, const Micro& micro, bool learns) {
  prepare_rope(batch.T);
  const size_t N = micro.size();
  const size_t width = static_cast<size_t>(C);
  const size_t row = static_cast<size_t>(micro.shape.row());
  const size_t hidden = static_cast<size_t>(F);
  const size_t layers_kept = learns ? offsets.layers.size() : 1;
  while (layers_.size() < layers_kept) layers_.emplace_back(backend);
  for (size_t layer = 0; layer < layers_kept; ++layer) {
    layers_[layer].reserve(N, width, row, static_cast<size_t>(H), hidden);
  }
  last_.reserve(N * width);
  last_normed_.reserve(N * width);
  last_rstd_.reserve(N);
  losses_.reserve(N);
  if (!learns) return;
  d_stream_.reserve(N * width);
  d_normed_.reserve(N * width);
  d_inner_.reserve(N * std::max(width, hidden));
  d_wide_.reserve(N * std::max(row, 2 * hidden));
}

void Model::Impl::upload(const Batch& batch, const Micro& micro) {
  const size_t from = micro.first_position;
  const auto part = [&](const std::vector<uint32_t>& all) {
    return std::span<const uint32_t>(all).subspan(from, micro.size());
  };
  const uint32_t vocabulary = params.vocabulary;
  CHECK(std::ranges::all_of(part(batch.input), [=](uint32_t id) { return id < vocabulary; }));
  CHECK(std::ranges::all_of(part(batch.target),
                            [=](uint32_t id) { return id < vocabulary || id == kNoTarget; }));
  input_.upload(part(batch.input));
  target_.upload(part(batch.target));
  document_start_.upload(part(batch.document_start));
}

void Model::Impl::forward_layer(const float* theta, const LayerOffsets& at, Activations& kept,
                                float* out, const Micro& micro) {
  const AttentionShape& shape = micro.shape;
  const int N = micro.N();
  backend.rmsnorm_forward(kept.normed1.data(), kept.rstd1.data(), kept.attention_in.data(),
                          theta + at.attention_norm, N, C, epsilon);
  backend.linear_forward(kept.qkv.data(), nullptr, kept.normed1.data(), theta + at.qkv, N, C,
                         shape.row());
  backend.rope(kept.qkv.data(), cosine_.data(), sine_.data(), shape, false);
  backend.attention_forward(kept.heads.data(), kept.lse.data(), kept.qkv.data(),
                            document_start_.data(), shape);
  backend.linear_forward(kept.mlp_in.data(), kept.attention_in.data(), kept.heads.data(),
                         theta + at.output, N, C, C);
  backend.rmsnorm_forward(kept.normed2.data(), kept.rstd2.data(), kept.mlp_in.data(),
                          theta + at.mlp_norm, N, C, epsilon);
  backend.linear_forward(kept.gate_up.data(), nullptr, kept.normed2.data(), theta + at.gate_up, N,
                         C, 2 * F);
  backend.swiglu_forward(kept.hidden.data(), kept.gate_up.data(), N, F);
  backend.linear_forward(out, kept.mlp_in.data(), kept.hidden.data(), theta + at.down, N, F, C);
}

void Model::Impl::forward(const float* theta, const Micro& micro, bool learns) {
  const size_t depth = offsets.layers.size();
  backend.embedding_forward(layers_[0].attention_in.data(), input_.data(),
                            theta + offsets.embeddings, micro.N(), C);
  for (size_t layer = 0; layer < depth; ++layer) {
    Activations& kept = layers_[learns ? layer : 0];
    Buffer<float>& next = layer + 1 == depth ? last_
                          : learns           ? layers_[layer + 1].attention_in
                                             : kept.attention_in;
    forward_layer(theta, offsets.layers[layer], kept, next.data(), micro);
  }
  backend.rmsnorm_forward(last_normed_.data(), last_rstd_.data(), last_.data(),
                          theta + offsets.norm, micro.N(), C, epsilon);
}

void Model::Impl::backward_layer(const float* theta, float* gradient, const LayerOffsets& at,
                                 Activations& kept, const Micro& micro) {
  const AttentionShape& shape = micro.shape;
  const int N = micro.N();
  float* stream = d_stream_.data();
  backend.linear_backward(d_inner_.data(), gradient + at.down, stream, kept.hidden.data(),
                          theta + at.down, N, F, C);
  backend.swiglu_backward(d_wide_.data(), d_inner_.data(), kept.gate_up.data(), N, F);
  backend.linear_backward(d_normed_.data(), gradient + at.gate_up, d_wide_.data(),
                          kept.normed2.data(), theta + at.gate_up, N, C, 2 * F);
  backend.rmsnorm_backward(stream, gradient + at.mlp_norm, d_normed_.data(), kept.mlp_in.data(),
                           theta + at.mlp_norm, kept.rstd2.data(), N, C);
  backend.linear_backward(d_inner_.data(), gradient + at.output, stream, kept.heads.data(),
                          theta + at.output, N, C, C);
  backend.attention_backward(d_wide_.data(), d_inner_.data(), kept.heads.data(), kept.lse.data(),
                             kept.qkv.data(), document_start_.data(), shape);
  backend.rope(d_wide_.data(), cosine_.data(), sine_.data(), shape, true);
  backend.linear_backward(d_normed_.data(), gradient + at.qkv, d_wide_.data(), kept.normed1.data(),
                          theta + at.qkv, N, C, shape.row());
  backend.rmsnorm_backward(stream, gradient + at.attention_norm, d_normed_.data(),
                           kept.attention_in.data(), theta + at.attention_norm, kept.rstd1.data(),
                           N, C);
}

void Model::Impl::backward(const float* theta, float* gradient, const Micro& micro) {
  backend.clear(d_stream_.data(), micro.size() * static_cast<size_t>(C) * sizeof(float));
  backend.rmsnorm_backward(d_stream_.data(), gradient + offsets.norm, d_normed_.data(),
                           last_.data(), theta + offsets.norm, last_rstd_.data(), micro.N(), C);
  for (size_t layer = offsets.layers.size(); layer-- > 0;) {
    backward_layer(theta, gradient, offsets.layers[layer], layers_[layer], micro);
  }
  backend.embedding_backward(gradient + offsets.embeddings, d_stream_.data(), input_.data(),
                             micro.N(), C);
}

void Model::Impl::run(const float* theta, float* gradient, float scale, const Batch& batch,
                      const Micro& micro) {
  const bool learns = gradient != nullptr;
  prepare(batch, micro, learns);
  upload(batch, micro);
  forward(theta, micro, learns);
  backend.vocabulary_loss(losses_.data(), learns ? d_normed_.data() : nullptr,
                          learns ? gradient + offsets.vocabulary : nullptr, last_normed_.data(),
                          theta + offsets.vocabulary, target_.data(), micro.N(), C, V, scale);
  if (learns) backward(theta, gradient, micro);
  position_losses_.resize(micro.size());
  losses_.download(position_losses_);
}

const float* Model::Impl::on_machine(std::span<const float> theta) {
  CHECK(theta.size() == offsets.count);
  if (backend.unified_memory()) return theta.data();
  theta_.upload(theta);
  return theta_.data();
}

Model::Model(const common::ModelParams& params, Backend& backend)
    : impl_(std::make_unique<Impl>(params, backend)) {}

Model::~Model() = default;

uint64_t Model::parameter_count() const { return impl_->offsets.count; }

double Model::loss_and_gradient(std::span<const float> theta, const Batch& batch,
                                std::span<float> gradient) {
  CHECK(gradient.size() == impl_->offsets.count);
  const float* on_machine = impl_->on_machine(theta);
  const bool unified = impl_->backend.unified_memory();
  if (!unified) impl_->gradient_.upload(gradient);
  float* sums = unified ? gradient.data() : impl_->gradient_.data();

  const auto targets = static_cast<double>(batch.target.size()) -
                       static_cast<double>(std::ranges::count(batch.target, kNoTarget));
  CHECK_MSG(targets > 0, "a batch without targets");
  double loss = 0;
  for (const Micro& micro : impl_->micros(batch)) {
    impl_->run(on_machine, sums, static_cast<float>(1.0 / targets), batch, micro);
    loss = std::accumulate(impl_->position_losses_.begin(), impl_->position_losses_.end(), loss);
  }
  if (!unified) impl_->gradient_.download(gradient);
  return loss / targets;
}

std::vector<double> Model::losses(std::span<const float> theta, const Batch& batch) {
  const float* on_machine = impl_->on_machine(theta);
  std::vector<double> means;
  for (const Micro& micro : impl_->micros(batch)) {
    impl_->run(on_machine, nullptr, 0, batch, micro);
    for (size_t first = 0; first < micro.size(); first += batch.T) {
      const auto losses = std::span(impl_->position_losses_).subspan(first, batch.T);
      const auto targets = std::span(batch.target).subspan(micro.first_position + first, batch.T);
      const auto count = batch.T - std::ranges::count(targets, kNoTarget);
      CHECK_MSG(count > 0, "a sequence without targets");
      means.push_back(std::accumulate(losses.begin(), losses.end(), 0.0) /
                      static_cast<double>(count));
    }
  }
  return means;
}

}  // namespace train
