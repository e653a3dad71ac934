// Goal: positions are turned as LLaMA and LLaMA 3.1 turn them.
// Method: the plain formula; then golden frequencies of an outside program
// (golden/make_hf_golden.py, by wavelengths as Hugging Face has it).
#include "train/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/small_model.h"

namespace train {
namespace {

common::ModelParams llama31() {
  common::ModelParams model = small_model(false);
  model.dim = 4096;
  model.heads = 32;
  model.rope_theta = 500'000;
  model.rope_factor = 8;
  model.rope_low_frequency = 1;
  model.rope_high_frequency = 4;
  model.rope_original_length = 8192;
  return model;
}

TEST(Rope, PlainFrequenciesAreAGeometricRow) {
  const auto model = small_model(true);  // 4 heads of 2: one pair each.
  EXPECT_EQ(rope_frequencies(model), std::vector<double>{1.0});
  auto wide = model;
  wide.dim = 32;  // Heads of 8.
  const auto frequencies = rope_frequencies(wide);
  ASSERT_EQ(frequencies.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(frequencies[static_cast<size_t>(i)], std::pow(10'000.0, -2.0 * i / 8));
  }
}

TEST(Rope, StretchedFrequenciesAreHuggingFaces) {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/train/golden/hf_models.json");
  const auto golden = nlohmann::json::parse(file)["llama31_frequencies"];
  const auto frequencies = rope_frequencies(llama31());
  ASSERT_EQ(frequencies.size(), golden.size());
  size_t kept = 0;
  size_t divided = 0;
  auto plain = llama31();
  plain.rope_factor = 1;
  const auto unstretched = rope_frequencies(plain);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    EXPECT_NEAR(frequencies[i] / golden[i].get<double>(), 1.0, 1e-12) << i;
    kept += frequencies[i] == unstretched[i] ? 1 : 0;
    divided += frequencies[i] == unstretched[i] / 8 ? 1 : 0;
  }
  // All three pieces of the formula are in it.
  EXPECT_GT(kept, 10U);
  EXPECT_GT(divided, 10U);
  EXPECT_LT(kept + divided, frequencies.size());
}

TEST(Rope, TheTableHoldsCosinesAndSinesOfEveryPosition) {
  const auto model = llama31();
  const RopeTable table = rope_table(model, 5);
  const auto frequencies = rope_frequencies(model);
  EXPECT_EQ(table.positions, 5U);
  EXPECT_EQ(table.half, 64U);
  ASSERT_EQ(table.cosine.size(), 5U * 64U);
  ASSERT_EQ(table.sine.size(), 5U * 64U);
  for (uint32_t t = 0; t < 5; ++t) {
    for (uint32_t i = 0; i < 64; ++i) {
      EXPECT_EQ(table.cosine[t * 64 + i], static_cast<float>(std::cos(t * frequencies[i])));
      EXPECT_EQ(table.sine[t * 64 + i], static_cast<float>(std::sin(t * frequencies[i])));
    }
  }
}

}  // namespace
}  // namespace train
