// The angles of rotary position embeddings, as a table.
//
// Sources: Su et al. 2021, arXiv:2104.09864; the stretching for longer texts is LLaMA 3.1's
// ("rope_type": "llama3" in Hugging Face's config.json; Grattafiori et al. 2024, arXiv:2407.21783).
#pragma once

#include <cstdint>
#include <vector>

#include "common/hparams.h"

namespace train {

// Pair i of a head, values i and i + half, is turned by  position * frequency(i).
struct RopeTable {
  uint32_t positions = 0;
  uint32_t half = 0;          // dim / heads / 2
  std::vector<float> cosine;  // (positions, half)
  std::vector<float> sine;    // (positions, half)
};

// Radians a position, (half):  f(i) = rope_theta^(-2 i / (2 half)),  and unless rope_factor is 1,
// with  turns = rope_original_length * f / (2 pi):
//   turns < rope_low_frequency     f / rope_factor
//   turns > rope_high_frequency    f
//   between                        (1 - s) f / rope_factor + s f,
//                                  s = (turns - low) / (high - low)
// Pre: heads divides dim, dim / heads is even; with a factor, low < high.
std::vector<double> rope_frequencies(const common::ModelParams& model);

// Made in fp64 and rounded once.
RopeTable rope_table(const common::ModelParams& model, uint32_t positions);

}  // namespace train
