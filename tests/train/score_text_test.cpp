// Goal: the score of a text is the sum of what each token costs, with the same documents and cuts
// as in training. Method: the decoder, restarted at every cut and document, as the oracle.
#include "train/score_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/temp_folder.h"
#include "tests/train/small_model.h"
#include "train/decoder.h"
#include "train/tokenize.h"

namespace train {
namespace {

class ScoreTextTest : public testing::Test {
 protected:
  ScoreTextTest() {
    params_.vocabulary = 257;
    theta_ = initial_parameters(params_, parameter_layout(params_, kCodec));
    backend_ = make_backend("cpu", 1).value();
    model_ = std::make_unique<Model>(params_, *backend_);
    std::ofstream(temp_ / "text.txt") << "Hello, world.\n\f\nA second\n\f\nx\n\f\nand the last one";
  }
  // Of these documents, each a context token and what is foretold: cut every T tokens.
  double by_hand(const std::vector<uint32_t>& stream, const std::vector<bool>& scored,
                 uint32_t T) const {
    double nats = 0;
    Decoder decoder(params_, theta_, T, 1);
    for (size_t t = 0; t + 1 < stream.size(); ++t) {
      const bool begins = t > 0 && stream[t - 1] == 256;
      if (t % T == 0 || begins) decoder.restart();
      const auto logits = decoder.read(std::span(stream).subspan(t, 1));
      double sum = 0;
      for (const float logit : logits) sum += std::exp(double{logit});
      if (scored[t + 1]) nats += std::log(sum) - double{logits[stream[t + 1]]};
    }
    return nats;
  }
  TextScore score(const ScoreOptions& options) {
    auto reader = TextReader::open({temp_ / "text.txt"}).value();
    return score_text(*model_, theta_, *tokenizer_, reader, options).value();
  }

  tests::TempFolder temp_;
  common::ModelParams params_ = small_model(true);
  std::vector<float> theta_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
};

TEST_F(ScoreTextTest, EveryTokenIsScoredOnce) {
  std::vector<uint32_t> stream = {256};
  std::vector<bool> scored = {false};
  for (const std::string document : {"Hello, world.\n", "A second\n", "x\n", "and the last one"}) {
    for (const char c : document) stream.push_back(static_cast<uint8_t>(c));
    stream.push_back(256);
  }
  scored.resize(stream.size(), true);
  for (const uint32_t T : {5U, 7U, 16U, 100U}) {
    const TextScore found = score({.sequence_length = T, .positions_at_once = 20});
    EXPECT_EQ(found.tokens, stream.size() - 1);
    EXPECT_EQ(found.documents, 4U);
    EXPECT_EQ(found.bytes, 41.0);
    EXPECT_NEAR(found.nats / by_hand(stream, scored, T), 1, 1e-5) << T;
    EXPECT_DOUBLE_EQ(found.perplexity(), std::exp(found.nats / 45));
    EXPECT_DOUBLE_EQ(found.bits_per_byte(), found.nats / std::log(2.0) / 41);
  }
}

TEST_F(ScoreTextTest, ABeginTokenIsContextAndNotScored) {
  std::vector<uint32_t> stream;
  std::vector<bool> scored;
  for (const std::string document : {"Hello, world.\n", "A second\n", "x\n", "and the last one"}) {
    stream.push_back(7);
    scored.push_back(false);
    for (const char c : document) stream.push_back(static_cast<uint8_t>(c));
    stream.push_back(256);
    scored.resize(stream.size(), true);
  }
  for (const uint32_t T : {2U, 6U, 100U}) {
    const TextScore found = score({.sequence_length = T, .begin_token = 7});
    EXPECT_EQ(found.tokens, 45U);
    EXPECT_NEAR(found.nats / by_hand(stream, scored, T), 1, 1e-5) << T;
  }
}

TEST_F(ScoreTextTest, AnEmptyTextIsRefused) {
  std::ofstream(temp_ / "text.txt") << "";
  auto reader = TextReader::open({temp_ / "text.txt"}).value();
  const auto scored = score_text(*model_, theta_, *tokenizer_, reader, {.sequence_length = 8});
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().code, common::Code::kInvalidArgument);
}

// The set's stream begins with its first token, which nothing foretells.
TEST_F(ScoreTextTest, ADataSetIsScoredAsItLies) {
  TokenizeOptions options;
  options.texts = {temp_ / "text.txt"};
  options.out = temp_ / "set";
  options.tokenizer = "bytes";
  ASSERT_TRUE(tokenize(options));
  const std::string address = (temp_ / "set").string();
  const auto manifest = read_manifest_at(address).value();
  const auto dataset = Dataset::open(address, manifest.hash(), 8).value();
  const TextScore found = score_dataset(*model_, theta_, dataset, {.sequence_length = 8}).value();
  std::vector<uint32_t> stream;
  for (uint64_t i = 0; i < dataset.sample_count(); ++i) {
    const auto run = dataset.sample(i).value();
    stream.insert(stream.end(), run.begin() + (i == 0 ? 0 : 1), run.end());
  }
  EXPECT_EQ(found.tokens, stream.size() - 1);
  const std::vector<bool> scored(stream.size(), true);
  EXPECT_NEAR(found.nats / by_hand(stream, scored, 8), 1, 1e-5);
  EXPECT_NEAR(found.bytes, 41.0 * static_cast<double>(found.tokens) / 45, 1e-9);
  const TextScore part =
      score_dataset(*model_, theta_, dataset, {.sequence_length = 8, .samples_max = 2}).value();
  EXPECT_EQ(part.tokens, 16U);
}

}  // namespace
}  // namespace train
