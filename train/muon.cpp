#include "train/muon.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace train {
namespace {

// Root mean square of AdamW's updates, which an orthogonal matrix times this and the root of its
// longer side has too. Source: arXiv:2502.16982, section 2.2.
constexpr double kUpdateRms = 0.2;

bool is_layers_matrix(const compress::Tensor& tensor) {
  return !tensor.is_vector() && tensor.name.starts_with("model.layers.");
}

}  // namespace

Muon::Muon(const compress::Layout& layout, const common::InnerParams& params, Backend& backend,
           ParameterRange range, Buffer<float>* room)
    : Optimiser(layout, params, backend, range, room),
      newton_schulz_(backend, params.muon_iterations),
      update_(backend) {
  uint64_t in_matrices = 0;
  uint64_t in_others = 0;
  uint64_t largest = 0;
  for (const compress::Tensor& tensor : layout.tensors()) {
    const uint64_t first = std::max(tensor.offset, range.first);
    const uint64_t end = std::min(tensor.offset + tensor.size(), range.end());
    if (first >= end) continue;
    if (is_layers_matrix(tensor)) {
      CHECK_MSG(end - first == tensor.size(), "the range cuts a matrix");
      matrices_.push_back({first - range.first, in_matrices, static_cast<int>(tensor.rows),
                           static_cast<int>(tensor.cols)});
      in_matrices += tensor.size();
      largest = std::max(largest, tensor.size());
    } else {
      others_.push_back({first - range.first, in_others, end - first, !tensor.is_vector()});
      in_others += end - first;
    }
  }
  add_moment(in_matrices);
  add_moment(in_others);
  add_moment(in_others);
  update_.reserve(largest);
}

void Muon::move(float* theta, const float* gradient, std::span<float* const> moments, double rate,
                float gradient_scale) {
  adamw_step(backend(), params(), others_, theta, moments[1], moments[2], gradient, state().steps,
             rate * params().muon_adamw_ratio, gradient_scale);
  const auto momentum = static_cast<float>(params().muon_momentum);
  const auto keep = static_cast<float>(1.0 - rate * params().weight_decay);
  for (const Matrix& matrix : matrices_) {
    const float* g = gradient + matrix.first;
    float* m = moments[0] + matrix.moment;
    float* u = update_.data();
    backend().combine(m, momentum, m, gradient_scale, g, matrix.size());
    backend().combine(u, momentum, m, gradient_scale, g, matrix.size());
    newton_schulz_.orthogonalise(u, matrix.rows, matrix.cols);
    const double scale = kUpdateRms * std::sqrt(std::max(matrix.rows, matrix.cols));
    float* values = theta + matrix.first;
    backend().combine(values, keep, values, static_cast<float>(-rate * scale), u, matrix.size());
  }
}

}  // namespace train
