#include "train/rope.h"

#include <cmath>
#include <numbers>

#include "common/check.h"

namespace train {
namespace {

double stretched(double frequency, const common::ModelParams& model) {
  const double slow = frequency / model.rope_factor;
  const double turns = model.rope_original_length * frequency / (2 * std::numbers::pi);
  if (turns < model.rope_low_frequency) return slow;
  if (turns > model.rope_high_frequency) return frequency;
  const double share =
      (turns - model.rope_low_frequency) / (model.rope_high_frequency - model.rope_low_frequency);
  return (1 - share) * slow + share * frequency;
}

}  // namespace

std::vector<double> rope_frequencies(const common::ModelParams& model) {
  CHECK(model.heads > 0 && model.dim % model.heads == 0 && model.dim / model.heads % 2 == 0);
  const uint32_t width = model.dim / model.heads;
  const bool stretches = model.rope_factor != 1.0;
  CHECK(!stretches || model.rope_low_frequency < model.rope_high_frequency);
  std::vector<double> frequencies;
  frequencies.reserve(width / 2);
  for (uint32_t i = 0; i < width / 2; ++i) {
    const double plain = std::pow(model.rope_theta, -2.0 * i / width);
    frequencies.push_back(stretches ? stretched(plain, model) : plain);
  }
  return frequencies;
}

RopeTable rope_table(const common::ModelParams& model, uint32_t positions) {
  const std::vector<double> frequencies = rope_frequencies(model);
  RopeTable table;
  table.positions = positions;
  table.half = static_cast<uint32_t>(frequencies.size());
  table.cosine.reserve(positions * frequencies.size());
  table.sine.reserve(positions * frequencies.size());
  for (uint32_t t = 0; t < positions; ++t) {
    for (const double frequency : frequencies) {
      table.cosine.push_back(static_cast<float>(std::cos(t * frequency)));
      table.sine.push_back(static_cast<float>(std::sin(t * frequency)));
    }
  }
  return table;
}

}  // namespace train
