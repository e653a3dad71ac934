// A step of an optimiser on parameters that lie in our memory, on any backend.
#pragma once

#include <vector>

#include "train/buffer.h"
#include "train/optimiser.h"

namespace train {

// Returns the gradient's norm before clipping.  theta, gradient (range().size)
inline double take_step(Optimiser& optimiser, std::vector<float>& theta,
                        const std::vector<float>& gradient, double rate) {
  Buffer<float> values(optimiser.backend());
  Buffer<float> slope(optimiser.backend());
  values.upload(theta);
  slope.upload(gradient);
  const double norm = gradient_norm(optimiser.backend(), slope.data(), gradient.size());
  optimiser.step(values.data(), slope.data(), rate, norm);
  values.download(theta);
  return norm;
}

}  // namespace train
