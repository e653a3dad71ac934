// Goal: tokens are drawn by their probability, of those that may be drawn, and again by the seed.
// Method: frequencies of many draws against the softmax written out; the edges one by one.
#include "train/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace train {
namespace {

const std::vector<float> kLogits = {1.0F, 3.0F, 2.0F, 3.0F, -4.0F};

std::vector<double> frequencies(SamplingParams params, const std::vector<float>& logits) {
  constexpr int kDraws = 40'000;
  Sampler sampler(params);
  std::vector<double> counts(logits.size());
  for (int i = 0; i < kDraws; ++i) counts[sampler.next(logits)] += 1.0 / kDraws;
  return counts;
}

// exp(l / T) over the tokens of `of`, which sum to 1.
std::vector<double> softmax(const std::vector<float>& logits, double temperature,
                            const std::set<size_t>& of) {
  std::vector<double> p(logits.size());
  double sum = 0;
  for (const size_t i : of) sum += p[i] = std::exp(logits[i] / temperature);
  for (double& value : p) value /= sum;
  return p;
}

void expect_close(const std::vector<double>& found, const std::vector<double>& wanted) {
  for (size_t i = 0; i < found.size(); ++i) {
    if (wanted[i] == 0) {
      EXPECT_EQ(found[i], 0) << i;
    }
    EXPECT_NEAR(found[i], wanted[i], 0.012) << i;  // 4 deviations of 40,000 draws at p = 1/2.
  }
}

TEST(Sampler, DrawsByTheSoftmax) {
  const std::set<size_t> all = {0, 1, 2, 3, 4};
  expect_close(frequencies({.seed = 1}, kLogits), softmax(kLogits, 1, all));
  expect_close(frequencies({.temperature = 3, .seed = 2}, kLogits), softmax(kLogits, 3, all));
}

TEST(Sampler, TemperatureZeroIsTheLikeliestAndOfEqualOnesTheFirst) {
  EXPECT_EQ(Sampler({.temperature = 0}).next(kLogits), 1U);
  EXPECT_EQ(Sampler({.temperature = 0}).next(std::vector<float>{5, 5, 5}), 0U);
}

TEST(Sampler, TopKKeepsTheKLikeliest) {
  expect_close(frequencies({.top_k = 3, .seed = 3}, kLogits), softmax(kLogits, 1, {1, 2, 3}));
  expect_close(frequencies({.top_k = 1, .seed = 3}, kLogits), softmax(kLogits, 1, {1}));
  expect_close(frequencies({.top_k = 50, .seed = 3}, kLogits),
               softmax(kLogits, 1, {0, 1, 2, 3, 4}));
}

// p = 0.054 0.3995 0.147 0.3995 0.0004: 0.39 is one, 0.5 needs a second, 0.9 a third.
TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  expect_close(frequencies({.top_p = 0.39, .seed = 4}, kLogits), softmax(kLogits, 1, {1}));
  expect_close(frequencies({.top_p = 0.5, .seed = 4}, kLogits), softmax(kLogits, 1, {1, 3}));
  expect_close(frequencies({.top_p = 0.9, .seed = 4}, kLogits), softmax(kLogits, 1, {1, 2, 3}));
  expect_close(frequencies({.top_k = 2, .top_p = 0.9, .seed = 4}, kLogits),
               softmax(kLogits, 1, {1, 3}));
}

TEST(Sampler, TheSameSeedDrawsTheSame) {
  Sampler a({.seed = 7});
  Sampler b({.seed = 7});
  Sampler c({.seed = 8});
  int differ = 0;
  for (int i = 0; i < 200; ++i) {
    const uint32_t token = a.next(kLogits);
    EXPECT_EQ(token, b.next(kLogits));
    differ += token != c.next(kLogits) ? 1 : 0;
  }
  EXPECT_GT(differ, 50);
}

TEST(Sampler, LargeLogitsAreNoTrouble) {
  EXPECT_EQ(Sampler({.seed = 1}).next(std::vector<float>{-3e38F, 3e38F}), 1U);
  EXPECT_EQ(Sampler({.seed = 1}).next(std::vector<float>{0.5F}), 0U);
}

}  // namespace
}  // namespace train
