#include "train/model.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "common/check.h"
#include "train/buffer.h"
#include "train/checked_backend.h"
#include "train/llama/layer.h"
#include "train/llama/shape.h"
#include "train/llama/weights.h"
#include "train/llama/workspace.h"
#include "train/rope.h"

namespace train {
namespace {

using common::Result;
using llama::Keep;

// Some of a batch's sequences, worked through together.
struct Micro {
  uint32_t first;  // Sequence.
  uint32_t B;
  uint32_t T;

  int N() const { return static_cast<int>(B * T); }
  std::span<const uint32_t> of(const std::vector<uint32_t>& all) const {
    return std::span(all).subspan(size_t{first} * T, size_t{B} * T);
  }
};

// As few as hold at most `positions_at_once` each, but a sequence at least, and of even sizes.
std::vector<Micro> micros(const Batch& batch, int positions_at_once) {
  const size_t size = size_t{batch.B} * batch.T;
  CHECK(size > 0 && batch.input.size() == size && batch.target.size() == size &&
        batch.document_start.size() == size);
  const uint32_t at_once = std::max(1U, static_cast<uint32_t>(positions_at_once) / batch.T);
  const uint32_t count = (batch.B + at_once - 1) / at_once;
  const auto begin = [&](uint32_t i) {
    return static_cast<uint32_t>(uint64_t{batch.B} * i / count);
  };
  std::vector<Micro> all;
  for (uint32_t i = 0; i < count; ++i) all.push_back({begin(i), begin(i + 1) - begin(i), batch.T});
  return all;
}

uint64_t count_targets(std::span<const uint32_t> target) {
  return target.size() - static_cast<uint64_t>(std::ranges::count(target, kNoTarget));
}

Keep kept_for_learning(const ModelOptions& options) {
  return options.recompute ? Keep::kInputs : Keep::kAll;
}

// "model.norm.weight and 2 more are not finite", or nothing.
std::string tensors_not_finite(const common::ModelParams& params, Backend& backend,
                               const float* theta) {
  const compress::Layout layout =
      parameter_layout(params, {.name = "", .tile = compress::kTileMax, .keep = 1});
  std::string first;
  int others = 0;
  for (const compress::Tensor& tensor : layout.tensors()) {
    if (backend.all_finite(theta + tensor.offset, tensor.size())) continue;
    if (first.empty()) {
      first = tensor.name;
    } else {
      ++others;
    }
  }
  if (first.empty()) return "";
  if (others == 0) return first + " is not finite";
  return first + " and " + std::to_string(others) + " more are not finite";
}

}  // namespace

struct Model::Impl {
  Impl(const common::ModelParams& model, Backend& machine, ModelOptions chosen);

  std::vector<Micro> micros_of(const Batch& batch) const;
  // Memory for it, and its tokens in the machine's.
  void begin(const Batch& batch, const Micro& micro, Keep keep);
  llama::LayerPass pass(const Micro& micro);
  // Leaves the stream after the last layer in `space.last`, normalised in `space.last_normed`.
  Result<void> forward(ParameterSource& theta, const Micro& micro);
  // Fills `losses`; with a gradient, leaves that of  scale * their sum  in space.backward.normed.
  Result<void> vocabulary(ParameterSource& theta, GradientSink* gradient, const Micro& micro,
                          float scale);
  Result<void> backward(ParameterSource& theta, GradientSink& gradient, const Micro& micro);
  Result<void> backward_layer(ParameterSource& theta, GradientSink& gradient, const Micro& micro,
                              size_t layer);
  void tell(std::string_view part) const {
    if (options.on_part) options.on_part(part);
  }

  common::ModelParams params;
  ModelOptions options;
  Backend& backend;
  llama::Shape shape;
  PieceLayout pieces;

  llama::PackedWeights packed;
  Buffer<float> own_theta;  // Of a machine with memory of its own.
  Buffer<float> cosine, sine;
  uint32_t rope_positions = 0;
  Buffer<std::byte> block;
  llama::Workspace space{};
  std::vector<float> losses;  // Of the micro-batch's positions.

 private:
  void prepare_rope(uint32_t T);
};

Model::Impl::Impl(const common::ModelParams& model, Backend& machine, ModelOptions chosen)
    : params(model),
      options(std::move(chosen)),
      backend(machine),
      shape(model),
      pieces(model),
      packed(shape, machine),
      own_theta(machine),
      cosine(machine),
      sine(machine),
      block(machine) {}

std::vector<Micro> Model::Impl::micros_of(const Batch& batch) const {
  const bool chosen = options.positions_at_once > 0;
  return micros(batch, chosen ? options.positions_at_once : backend.positions_at_once());
}

void Model::Impl::prepare_rope(uint32_t T) {
  if (T <= rope_positions) return;
  const RopeTable table = rope_table(params, T);
  cosine.upload(table.cosine);
  sine.upload(table.sine);
  rope_positions = T;
}

void Model::Impl::begin(const Batch& batch, const Micro& micro, Keep keep) {
  const auto known = [&](uint32_t id) { return id < params.vocabulary; };
  CHECK(std::ranges::all_of(micro.of(batch.input), known));
  CHECK(std::ranges::all_of(micro.of(batch.target),
                            [&](uint32_t id) { return known(id) || id == kNoTarget; }));
  prepare_rope(micro.T);
  const Precision precision = backend.precision();
  block.reserve(llama::cut(nullptr, shape, micro.N(), precision, keep).size_bytes);
  space = llama::cut(block.data(), shape, micro.N(), precision, keep);
  const auto upload = [&](uint32_t* to, std::span<const uint32_t> from) {
    backend.upload(to, from.data(), from.size_bytes());
  };
  upload(space.input, micro.of(batch.input));
  upload(space.target, micro.of(batch.target));
  upload(space.document_start, micro.of(batch.document_start));
}

llama::LayerPass Model::Impl::pass(const Micro& micro) {
  return {.backend = backend,
          .shape = shape,
          .attention = shape.attention(static_cast<int>(micro.B), static_cast<int>(micro.T)),
          .cosine = cosine.data(),
          .sine = sine.data(),
          .document_start = space.document_start};
}

Result<void> Model::Impl::forward(ParameterSource& theta, const Micro& micro) {
  tell("embeddings");
  TRY(const auto embeddings, theta.get(pieces.embeddings(), pieces.layer(0)));
  backend.embedding_forward(space.layers[0].attention_in, space.input, embeddings.values, micro.N(),
                            shape.C);
  const llama::LayerPass layers = pass(micro);
  for (size_t layer = 0; layer < space.layers.size(); ++layer) {
    tell("layers." + std::to_string(layer));
    TRY(const auto piece, theta.get(pieces.layer(layer), pieces.layer(layer) + 1));
    const llama::LayerWeights weights = packed.layer(piece);
    const bool is_last = layer + 1 == space.layers.size();
    layers.forward(weights, space.layers[layer]);
    layers.output(weights, space.layers[layer],
                  is_last ? space.last : space.layers[layer + 1].attention_in);
  }
  tell("norm");
  TRY(const auto last, theta.get(pieces.last(), pieces.vocabulary()));
  backend.rmsnorm_forward(space.last_normed, space.last_rstd, space.last, last.values, micro.N(),
                          shape.C, shape.epsilon);
  return {};
}

Result<void> Model::Impl::vocabulary(ParameterSource& theta, GradientSink* gradient,
                                     const Micro& micro, float scale) {
  tell("vocabulary");
  const size_t piece = pieces.vocabulary();
  const uint64_t offset = pieces.tied() ? 0 : params.dim;  // After the norm.
  TRY(const auto values, theta.get(piece, gradient != nullptr ? pieces.last() : kNoPiece));
  float* d_weight = nullptr;
  if (gradient != nullptr) {
    TRY(float* const opened, gradient->open(piece));
    d_weight = opened + offset;
  }
  backend.vocabulary_loss(space.losses, gradient != nullptr ? space.backward.normed : nullptr,
                          d_weight, space.last_normed, packed.vocabulary(values, offset),
                          space.target, micro.N(), scale);
  losses.resize(static_cast<size_t>(micro.N()));
  backend.download(losses.data(), space.losses, losses.size() * sizeof(float));
  return {};
}

Result<void> Model::Impl::backward(ParameterSource& theta, GradientSink& gradient,
                                   const Micro& micro) {
  tell("norm");
  TRY(const auto last, theta.get(pieces.last(), pieces.last() - 1));
  TRY(float* const d_norm, gradient.open(pieces.last()));
  backend.clear(
      space.backward.stream,
      static_cast<size_t>(micro.N()) * static_cast<size_t>(shape.C) * backend.activation_size());
  backend.rmsnorm_backward(space.backward.stream, d_norm, space.backward.normed, space.last,
                           last.values, space.last_rstd, micro.N(), shape.C);
  TRY_VOID(gradient.close(pieces.last()));
  for (size_t layer = space.layers.size(); layer-- > 0;) {
    TRY_VOID(backward_layer(theta, gradient, micro, layer));
  }
  tell("embeddings");
  TRY(float* const d_table, gradient.open(pieces.embeddings()));
  backend.embedding_backward(d_table, space.backward.stream, space.input, micro.N(), shape.C);
  return gradient.close(pieces.embeddings());
}

Result<void> Model::Impl::backward_layer(ParameterSource& theta, GradientSink& gradient,
                                         const Micro& micro, size_t layer) {
  tell("layers." + std::to_string(layer));
  const size_t piece = pieces.layer(layer);
  TRY(const auto values, theta.get(piece, layer > 0 ? piece - 1 : kNoPiece));
  TRY(float* const d_values, gradient.open(piece));
  const llama::LayerWeights weights = packed.layer(values);
  const llama::LayerPass layers = pass(micro);
  // The last layer's activations are still there.
  const bool is_last = layer + 1 == space.layers.size();
  if (options.recompute && !is_last) layers.forward(weights, space.layers[layer]);
  layers.backward(weights, llama::layer_gradient(shape, d_values), space.layers[layer],
                  space.backward);
  return gradient.close(piece);
}

uint64_t activation_bytes(const common::ModelParams& params, int N, Precision precision,
                          const ModelOptions& options) {
  return llama::cut(nullptr, llama::Shape(params), N, precision, kept_for_learning(options))
      .size_bytes;
}

Model::Model(const common::ModelParams& params, Backend& backend, ModelOptions options)
    : impl_(std::make_unique<Impl>(params, backend, std::move(options))) {}

Model::~Model() = default;

uint64_t Model::parameter_count() const { return impl_->pieces.parameter_count(); }

double Model::loss_and_gradient(const float* theta, const Batch& batch, float* gradient) {
  WholeParameters parameters(impl_->pieces, theta);
  WholeGradient sums(impl_->pieces, gradient);
  return loss_and_gradient(parameters, sums, batch, count_targets(batch.target)).value();
}

Result<double> Model::loss_and_gradient(ParameterSource& theta, GradientSink& gradient,
                                        const Batch& batch, uint64_t targets) {
  CHECK_MSG(targets > 0, "a batch without targets");
  const auto total = static_cast<double>(targets);
  impl_->packed.begin(theta);
  double loss = 0;
  for (const Micro& micro : impl_->micros_of(batch)) {
    impl_->begin(batch, micro, kept_for_learning(impl_->options));
    TRY_VOID(impl_->forward(theta, micro));
    TRY_VOID(impl_->vocabulary(theta, &gradient, micro, static_cast<float>(1.0 / total)));
    TRY_VOID(impl_->backward(theta, gradient, micro));
    loss = std::accumulate(impl_->losses.begin(), impl_->losses.end(), loss);
  }
  return loss / total;
}

std::vector<double> Model::losses(std::span<const float> theta, const Batch& batch) {
  CHECK(theta.size() == parameter_count());
  const bool unified = impl_->backend.unified_memory();
  if (!unified) impl_->own_theta.upload(theta);
  WholeParameters parameters(impl_->pieces, unified ? theta.data() : impl_->own_theta.data());
  impl_->packed.begin(parameters);
  std::vector<double> means;
  for (const Micro& micro : impl_->micros_of(batch)) {
    impl_->begin(batch, micro, Keep::kNothing);
    CHECK(impl_->forward(parameters, micro) && impl_->vocabulary(parameters, nullptr, micro, 0));
    for (size_t first = 0; first < impl_->losses.size(); first += batch.T) {
      const auto of = std::span(impl_->losses).subspan(first, batch.T);
      const auto count = count_targets(micro.of(batch.target).subspan(first, batch.T));
      CHECK_MSG(count > 0, "a sequence without targets");
      means.push_back(std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(count));
    }
  }
  return means;
}

std::string Model::explain_not_finite(const float* theta, const Batch& batch, float* gradient) {
  const common::ModelParams params = impl_->params;
  const ModelOptions options = impl_->options;
  Backend& backend = impl_->backend;
  impl_ = nullptr;  // Its memory is the repetition's.
  CheckedBackend checked(backend);
  ModelOptions labelled = options;
  labelled.on_part = [&](std::string_view part) { checked.set_label(part); };
  {
    Model again(params, checked, labelled);
    backend.clear(gradient, again.parameter_count() * sizeof(float));
    again.loss_and_gradient(theta, batch, gradient);
  }
  impl_ = std::make_unique<Impl>(params, backend, options);
  const std::string tensors = tensors_not_finite(params, backend, theta);
  const std::string operation = checked.first_trouble().value_or(
      "no operation made NaN or infinity when the step was repeated");
  return tensors.empty() ? operation : operation + "; " + tensors;
}

}  // namespace train
