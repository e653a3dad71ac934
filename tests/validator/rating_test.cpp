// Goal: ratings are OpenSkill 6.2's, and forget as they should.
// Method: numbers from openskill.py 6.2.0 (PlackettLuce, beta 7, tau 0.1, one player a team, window
// sizes of four and three), then promises on seeded random matches.
#include "validator/rating.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/philox.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

common::RatingParams library_params() {
  common::RatingParams params = tiny_hparams().rating;
  params.sigma = 25.0 / 3;
  params.beta = 7;
  params.tau = 0.1;
  params.kappa = 1e-4;
  return params;
}

void expect_near(const Rating& rating, double mu, double sigma) {
  EXPECT_NEAR(rating.mu, mu, 1e-6);
  EXPECT_NEAR(rating.sigma, sigma, 1e-6);
}

TEST(Rating, FourNewPlayersAreRatedAsOpenSkillDoes) {
  const auto params = library_params();
  std::vector<Rating> players(4, newcomer(params));
  rate(players, std::vector<uint32_t>{0, 1, 2, 3}, params);
  expect_near(players[0], 27.393071, 8.289969);
  expect_near(players[1], 26.329484, 8.237559);
  expect_near(players[2], 24.734103, 8.178197);
  expect_near(players[3], 21.543342, 8.178197);
}

TEST(Rating, UnequalPlayersAreRatedAsOpenSkillDoes) {
  const auto params = library_params();
  std::vector<Rating> players = {{30, 5}, {25, 8}, {20, 6}};
  rate(players, std::vector<uint32_t>{2, 0, 1}, params);
  expect_near(players[0], 28.354806, 4.967814);
  expect_near(players[1], 27.626046, 7.900090);
  expect_near(players[2], 20.891459, 5.941270);
}

TEST(Rating, ATiedLastPlaceCostsWhatItCostsInVersion62) {
  const auto params = library_params();
  std::vector<Rating> players(4, newcomer(params));
  rate(players, std::vector<uint32_t>{0, 1, 2, 2}, params);
  expect_near(players[0], 27.393071, 8.289969);
  expect_near(players[1], 26.329484, 8.237559);
  expect_near(players[2], 23.138722, 8.178197);  // 24.734103 in 6.1.3: nearly free.
  expect_near(players[3], 23.138722, 8.178197);
}

TEST(Rating, TheOrderOfPlayersAndTheNumbersOfRanksDoNotMatter) {
  const auto params = library_params();
  std::vector<Rating> players = {{30, 5}, {25, 8}, {20, 6}};
  std::vector<Rating> turned = {{20, 6}, {30, 5}, {25, 8}};
  rate(players, std::vector<uint32_t>{2, 0, 1}, params);
  rate(turned, std::vector<uint32_t>{40, 70, 3}, params);
  expect_near(turned[0], players[2].mu, players[2].sigma);
  expect_near(turned[1], players[0].mu, players[0].sigma);
  expect_near(turned[2], players[1].mu, players[1].sigma);
}

TEST(Rating, OnePlayerAloneLearnsNothing) {
  const auto params = library_params();
  std::vector<Rating> alone = {{30, 5}};
  rate(alone, std::vector<uint32_t>{0}, params);
  EXPECT_EQ(alone[0], (Rating{30, 5}));
  std::vector<Rating> nobody;
  rate(nobody, {}, params);
}

TEST(Rating, EveryRankingKeepsRatingsFiniteAndSigmaBelowItsStart) {
  const auto params = library_params();
  common::Philox random(7);
  for (int match = 0; match < 200; ++match) {
    std::vector<Rating> players;
    std::vector<uint32_t> ranks;
    const uint64_t count = 2 + random.below(40);
    for (uint64_t i = 0; i < count; ++i) {
      players.push_back({-1e5 + 2e5 * random.unit(), params.sigma * (0.01 + random.unit())});
      ranks.push_back(static_cast<uint32_t>(random.below(5)));
    }
    rate(players, ranks, params);
    for (const Rating& player : players) {
      EXPECT_TRUE(std::isfinite(player.mu));
      EXPECT_GT(player.sigma, 0);
      EXPECT_LE(player.sigma, params.sigma);
    }
  }
}

TEST(Rating, ForgettingGoesOneNthOfTheWayBack) {
  auto params = library_params();
  params.memory = 50;
  EXPECT_DOUBLE_EQ(forget({35, 3}, params).mu, 34.8);  // 25 + 10 * 49 / 50
  EXPECT_DOUBLE_EQ(forget({15, 3}, params).mu, 15.2);
  EXPECT_EQ(forget({25, 3}, params), (Rating{25, 3}));
}

TEST(PortableExp, IsExpToTheLastBitsAndExactAtZero) {
  EXPECT_EQ(portable_exp(0), 1);
  for (double x = -600; x < 600; x += 0.37) {
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-15) << x;
  }
  EXPECT_EQ(portable_exp(1e9), portable_exp(700));
  EXPECT_EQ(portable_exp(-1e9), portable_exp(-700));
  EXPECT_GT(portable_exp(-1e9), 0);
}

}  // namespace
}  // namespace validator
