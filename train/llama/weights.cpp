#include "train/llama/weights.h"

#include <utility>

namespace train::llama {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

LayerOffsets layer_offsets(const Shape& shape) {
  const auto C = static_cast<uint64_t>(shape.C);
  const auto F = static_cast<uint64_t>(shape.F);
  const auto row = static_cast<uint64_t>(shape.row());
  LayerOffsets at{};
  const auto take = [&](uint64_t size) { return std::exchange(at.size, at.size + size); };
  at.qkv = take(row * C);
  at.output = take(C * C);
  at.gate_up = take(2 * F * C);
  at.down = take(C * F);
  at.attention_norm = take(C);
  at.mlp_norm = take(C);
  return at;
}

LayerGradient layer_gradient(const Shape& shape, float* piece) {
  const LayerOffsets at = layer_offsets(shape);
  return {.attention_norm = piece + at.attention_norm,
          .qkv = piece + at.qkv,
          .output = piece + at.output,
          .mlp_norm = piece + at.mlp_norm,
          .gate_up = piece + at.gate_up,
          .down = piece + at.down};
}

void PackedWeights::begin(const ParameterSource& source) {
  while (places_.size() < source.places()) places_.push_back({Buffer<std::byte>(backend_)});
  for (Place& place : places_) place.fill = 0;
}

LayerWeights PackedWeights::layer(const ParameterSource::Piece& piece) {
  const LayerOffsets at = layer_offsets(shape_);
  const auto weight = [&](uint64_t offset, int O, int C) {
    return Weight{piece.values + offset, nullptr, O, C};
  };
  LayerWeights weights{.attention_norm = piece.values + at.attention_norm,
                       .qkv = weight(at.qkv, shape_.row(), shape_.C),
                       .output = weight(at.output, shape_.C, shape_.C),
                       .mlp_norm = piece.values + at.mlp_norm,
                       .gate_up = weight(at.gate_up, 2 * shape_.F, shape_.C),
                       .down = weight(at.down, shape_.C, shape_.F)};
  pack(piece, {&weights.qkv, &weights.output, &weights.gate_up, &weights.down});
  return weights;
}

Weight PackedWeights::vocabulary(const ParameterSource::Piece& piece, uint64_t offset) {
  Weight weight{piece.values + offset, nullptr, shape_.V, shape_.C};
  pack(piece, {&weight});
  return weight;
}

void PackedWeights::pack(const ParameterSource::Piece& piece,
                         std::initializer_list<Weight*> weights) {
  Place& place = places_[piece.place];
  const auto size_of = [&](const Weight& weight) {
    return (backend_.packed_size(weight.O, weight.C) + kAlignment - 1) / kAlignment * kAlignment;
  };
  size_t size = 0;
  for (const Weight* weight : weights) size += size_of(*weight);
  place.packed.reserve(size);
  std::byte* next = place.packed.data();
  for (Weight* weight : weights) {
    if (size_of(*weight) > 0) weight->packed = std::exchange(next, next + size_of(*weight));
    if (place.fill != piece.fill) backend_.pack(*weight);
  }
  place.fill = piece.fill;
}

}  // namespace train::llama
