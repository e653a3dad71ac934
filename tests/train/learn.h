// A model's loss and gradient, on a machine that may have memory of its own.
#pragma once

#include <vector>

#include "train/backend.h"
#include "train/buffer.h"
#include "train/model.h"

namespace train {

struct Learned {
  double loss = 0;
  std::vector<float> gradient;
};

inline Learned learn(Model& model, Backend& backend, const std::vector<float>& theta,
                     const Batch& batch) {
  Buffer<float> values(backend);
  Buffer<float> sums(backend);
  Learned learned{0, std::vector<float>(theta.size())};
  values.upload(theta);
  sums.upload(learned.gradient);
  learned.loss = model.loss_and_gradient(values.data(), batch, sums.data());
  sums.download(learned.gradient);
  return learned;
}

}  // namespace train
