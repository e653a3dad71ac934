// Muon: momentum whose update of a matrix is made orthogonal, so that every direction moves alike.
//
// Sources: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the scale
// and the weight decay after Liu et al. 2025, arXiv:2502.16982.
#pragma once

#include <vector>

#include "train/adamw.h"
#include "train/newton_schulz.h"
#include "train/optimiser.h"

namespace train {

inline constexpr std::string_view kMuonKind = "muon";

// Each matrix of the layers (queries, keys, values, attention's output, gate, up, down):
//   m = muon_momentum * m + g;   u = orthogonal(g + muon_momentum * m)          Nesterov
//   theta = (1 - rate * weight_decay) * theta - rate * 0.2 * sqrt(max(rows, cols)) * u
// whose update has the root mean square of AdamW's, so that AdamW's rates and decays do.
// Embeddings, vocabulary and vectors are AdamW's at muon_adamw_ratio * rate.
//
// One moment a parameter of a matrix, two of the others. A matrix is needed whole: a range that
// cuts one is a bug (CHECK); split_parameters makes none.
class Muon final : public Optimiser {
 public:
  Muon(const compress::Layout& layout, const common::InnerParams& params, Backend& backend,
       ParameterRange range, Buffer<float>* room = nullptr);
  Muon(const compress::Layout& layout, const common::InnerParams& params, Backend& backend)
      : Muon(layout, params, backend, whole(layout)) {}

  std::string_view kind() const override { return kMuonKind; }

 private:
  struct Matrix {
    uint64_t first;   // In the range,
    uint64_t moment;  //   and in the first moment.
    int rows;
    int cols;
    uint64_t size() const { return static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols); }
  };
  void move(float* theta, const float* gradient, std::span<float* const> moments, double rate,
            float gradient_scale) override;

  std::vector<Matrix> matrices_;
  std::vector<AdamwRun> others_;
  NewtonSchulz newton_schulz_;
  Buffer<float> update_;  // Of the largest matrix.
};

}  // namespace train
