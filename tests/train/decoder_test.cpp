// Goal: the decoder computes the model of train/model.h, and what it computes does not depend on
// how it is asked. Method: losses of random texts against Model::losses; the same tokens in other
// cuts, on other numbers of threads, bit for bit.
#include "train/decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/small_model.h"

namespace train {
namespace {

common::ModelParams odd_model(bool tied) {
  common::ModelParams model = small_model(tied);
  model.vocabulary = 61;
  model.dim = 40;  // Heads of 10: no multiple of a vector.
  model.hidden = 51;
  model.layers = 3;
  model.sequence_length = 75;  // Two blocks and a bit.
  return model;
}

std::vector<float> theta_of(const common::ModelParams& model) {
  return initial_parameters(model, parameter_layout(model, kCodec));
}

std::vector<uint32_t> random_tokens(size_t count, uint32_t vocabulary) {
  common::Philox random(5);
  std::vector<uint32_t> tokens(count);
  for (uint32_t& token : tokens) token = static_cast<uint32_t>(random.below(vocabulary));
  return tokens;
}

double loss(std::span<const float> logits, uint32_t target) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit});
  return std::log(sum) - double{logits[target]};
}

class DecoderTest : public testing::TestWithParam<bool> {};

TEST_P(DecoderTest, ForetellsWhatTheModelForetells) {
  const auto model = odd_model(GetParam());
  const std::vector<float> theta = theta_of(model);
  const auto tokens = random_tokens(model.sequence_length + 1, model.vocabulary);
  Decoder decoder(model, theta, model.sequence_length, 1);
  double sum = 0;
  for (size_t t = 0; t + 1 < tokens.size(); ++t) {
    sum += loss(decoder.read(std::span(tokens).subspan(t, 1)), tokens[t + 1]);
  }
  const auto backend = make_backend("cpu", 1);
  ASSERT_TRUE(backend);
  Model reference(model, **backend);
  const std::vector<std::vector<uint32_t>> runs = {tokens};
  const double wanted = reference.losses(theta, make_batch(runs, kEnd, false)).front();
  EXPECT_NEAR(sum / model.sequence_length / wanted, 1.0, 1e-5);
}
INSTANTIATE_TEST_SUITE_P(Tied, DecoderTest, testing::Bool());

TEST(Decoder, CutsAndThreadsDoNotChangeABit) {
  const auto model = odd_model(false);
  const std::vector<float> theta = theta_of(model);
  const auto tokens = random_tokens(model.sequence_length, model.vocabulary);
  Decoder whole(model, theta, model.sequence_length, 1);
  const auto logits = whole.read(tokens);
  const std::vector<float> wanted(logits.begin(), logits.end());
  for (const size_t piece : {1U, 3U, 32U, 33U}) {
    for (const int threads : {1, 3}) {
      Decoder decoder(model, theta, model.sequence_length + 5, threads);
      std::span<const float> last;
      for (size_t at = 0; at < tokens.size(); at += piece) {
        last = decoder.read(std::span(tokens).subspan(at, std::min(piece, tokens.size() - at)));
      }
      EXPECT_EQ(std::vector<float>(last.begin(), last.end()), wanted) << piece << " " << threads;
      EXPECT_EQ(decoder.position(), tokens.size());
    }
  }
}

// Large enough for work to be shared out.
TEST(Decoder, SharedWorkDoesNotChangeABit) {
  common::ModelParams model = odd_model(true);
  model.vocabulary = 3000;
  model.dim = 256;
  model.hidden = 700;
  const std::vector<float> theta = theta_of(model);
  const auto tokens = random_tokens(40, model.vocabulary);
  Decoder alone(model, theta, 40, 1);
  Decoder three(model, theta, 40, 3);
  const auto a = alone.read(tokens);
  const auto b = three.read(tokens);
  EXPECT_EQ(std::vector<float>(a.begin(), a.end()), std::vector<float>(b.begin(), b.end()));
}

TEST(Decoder, ARestartForgets) {
  const auto model = odd_model(true);
  const std::vector<float> theta = theta_of(model);
  Decoder decoder(model, theta, 8, 1);
  const std::vector<uint32_t> first = {4, 5, 6};
  const auto logits = decoder.read(first);
  const std::vector<float> wanted(logits.begin(), logits.end());
  decoder.read(first);
  decoder.restart();
  EXPECT_EQ(decoder.position(), 0U);
  const auto again = decoder.read(first);
  EXPECT_EQ(std::vector<float>(again.begin(), again.end()), wanted);
}

TEST(DecoderDeathTest, ReadsNoMoreThanThereIsRoomFor) {
  const auto model = odd_model(true);
  const std::vector<float> theta = theta_of(model);
  Decoder decoder(model, theta, 2, 1);
  EXPECT_DEATH(decoder.read(std::vector<uint32_t>{1, 2, 3}), "CHECK failed");
  EXPECT_DEATH(decoder.read(std::vector<uint32_t>{61}), "CHECK failed");
  EXPECT_DEATH(decoder.read({}), "CHECK failed");
}

}  // namespace
}  // namespace train
