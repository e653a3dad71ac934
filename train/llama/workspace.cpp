#include "train/llama/workspace.h"

#include <algorithm>
#include <utility>

namespace train::llama {
namespace {

constexpr size_t kAlignment = 64;

// Takes arrays off the front of a block.
class Cutter {
 public:
  Cutter(std::byte* block, Precision precision) : block_(block), precision_(precision) {}

  template <typename T>
  T* take(size_t count, size_t value_size = sizeof(T)) {
    const size_t size = (count * value_size + kAlignment - 1) / kAlignment * kAlignment;
    const size_t at = std::exchange(size_bytes_, size_bytes_ + size);
    return block_ == nullptr ? nullptr : reinterpret_cast<T*>(block_ + at);
  }
  Activation* activations(size_t count) {
    return take<Activation>(count, precision_ == Precision::kBf16 ? 2 : 4);
  }
  size_t size_bytes() const { return size_bytes_; }

 private:
  std::byte* block_;
  Precision precision_;
  size_t size_bytes_ = 0;
};

// All but the layer's input.
LayerActivations cut_layer(Cutter& cutter, const Shape& shape, size_t N) {
  const auto C = static_cast<size_t>(shape.C);
  const auto F = static_cast<size_t>(shape.F);
  return {.attention_in = nullptr,
          .normed1 = cutter.activations(N * C),
          .rstd1 = cutter.take<float>(N),
          .qkv = cutter.activations(N * static_cast<size_t>(shape.row())),
          .lse = cutter.take<float>(N * static_cast<size_t>(shape.H)),
          .heads = cutter.activations(N * C),
          .mlp_in = cutter.activations(N * C),
          .normed2 = cutter.activations(N * C),
          .rstd2 = cutter.take<float>(N),
          .gate_up = cutter.activations(N * 2 * F),
          .hidden = cutter.activations(N * F)};
}

std::vector<LayerActivations> cut_layers(Cutter& cutter, const Shape& shape, size_t N, Keep keep) {
  const size_t stream = N * static_cast<size_t>(shape.C);
  std::vector<LayerActivations> layers;
  for (int layer = 0; layer < shape.layers; ++layer) {
    const bool shares = layer > 0 && keep != Keep::kAll;
    LayerActivations of = shares ? layers.front() : cut_layer(cutter, shape, N);
    if (layer == 0 || keep != Keep::kNothing) of.attention_in = cutter.activations(stream);
    layers.push_back(of);
  }
  return layers;
}

BackwardScratch cut_backward(Cutter& cutter, const Shape& shape, size_t N) {
  const auto C = static_cast<size_t>(shape.C);
  const auto F = static_cast<size_t>(shape.F);
  return {.stream = cutter.activations(N * C),
          .normed = cutter.activations(N * C),
          .inner = cutter.activations(N * std::max(C, F)),
          .wide = cutter.activations(N * std::max(static_cast<size_t>(shape.row()), 2 * F))};
}

}  // namespace

Workspace cut(std::byte* block, const Shape& shape, int positions, Precision precision, Keep keep) {
  Cutter cutter(block, precision);
  const auto N = static_cast<size_t>(positions);
  const size_t stream = N * static_cast<size_t>(shape.C);
  Workspace space{};
  space.input = cutter.take<uint32_t>(N);
  space.target = cutter.take<uint32_t>(N);
  space.document_start = cutter.take<uint32_t>(N);
  space.layers = cut_layers(cutter, shape, N, keep);
  space.last = cutter.activations(stream);
  space.last_normed = cutter.activations(stream);
  space.last_rstd = cutter.take<float>(N);
  space.losses = cutter.take<float>(N);
  if (keep != Keep::kNothing) space.backward = cut_backward(cutter, shape, N);
  space.size_bytes = cutter.size_bytes();
  return space;
}

}  // namespace train::llama
