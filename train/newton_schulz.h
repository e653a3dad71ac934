// The nearest thing to an orthogonal matrix, by products alone.
#pragma once

#include <cstdint>

#include "train/backend.h"
#include "train/buffer.h"

namespace train {

// Brings the singular values of a matrix near 1 and leaves its singular vectors: X / |X|, then
// `iterations` times  X = a X + b (X X^T) X + c (X X^T)^2 X  with (a, b, c) = (3.4445, -4.7750,
// 2.0315), on the smaller side. After five, singular values above about 1/500 of the norm lie in
// [0.6, 1.3]: no fixed point, but the fastest way there.
//
// Sources: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the
// iteration after Bernstein & Newhouse 2024, arXiv:2409.20325.
class NewtonSchulz {
 public:
  NewtonSchulz(Backend& backend, uint32_t iterations);

  // In place; a matrix of zeros stays one.  x (rows, cols), in the backend's memory
  // Memory: two more of its size, three for a tall one, and two or three of the smaller side's
  // square.  Cost: 4 rows cols n + 2 n^3 operations an iteration, n the smaller side; half as much
  // again for a tall one, whose transpose is taken by a product: no machine needs another
  // operation.
  void orthogonalise(float* x, int rows, int cols);

 private:
  void iterate(float* to, const float* x, int rows, int cols);

  Backend& backend_;
  uint32_t iterations_;
  Buffer<float> next_;        // (rows, cols)
  Buffer<float> transposed_;  // (cols, rows), of a tall matrix
  Buffer<float> square_;      // (n, n): X X^T
  Buffer<float> factor_;      // (n, n): b X X^T + c (X X^T)^2
  Buffer<float> identity_;    // (n, n)
  int identity_size_ = 0;
};

}  // namespace train
