// Goal: our encoder of SentencePiece's models gives the tokens of SentencePiece's own library, or
// leaves the model to it.
// Method: the library as the oracle, on real text, odd text and seeded mixtures of both; models
// trained with the options that matter; damaged models.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <map>

#include "common/philox.h"
#include "tests/train/real_text.h"
#include "train/bpe/sentencepiece_encoder.h"
#include "train/text_reader.h"

namespace {

using Tokens = std::vector<uint32_t>;

// SentencePiece's own library, and ours in its place.
struct Pair {
  sentencepiece::SentencePieceProcessor library;
  std::unique_ptr<train::bpe::SentencePieceEncoder> ours;

  explicit Pair(std::string_view model) : ours(train::bpe::SentencePieceEncoder::make(model)) {
    CHECK(library.LoadFromSerializedProto(model).ok());
  }
  Tokens theirs(std::string_view text) const {
    std::vector<int> tokens;
    CHECK(library.Encode(text, &tokens).ok());
    return {tokens.begin(), tokens.end()};
  }
};

// Hands SentencePiece lines that we keep.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string>& lines) : lines_(lines) {}
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& lines_;
  size_t at_ = 0;
};

std::string train_model(const std::map<std::string, std::string>& more) {
  const std::vector<std::string> lines = real_lines();
  std::unordered_map<std::string, std::string> options = {
      {"model_type", "bpe"},         {"vocab_size", "900"},
      {"byte_fallback", "true"},     {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"}, {"remove_extra_whitespaces", "false"},
      {"num_threads", "1"},          {"minloglevel", "3"}};
  for (const auto& [key, value] : more) options[key] = value;
  Lines iterator(lines);
  std::string model;
  CHECK(sentencepiece::SentencePieceTrainer::Train(options, &iterator, &model).ok());
  return model;
}

void expect_same(const Pair& pair) {
  ASSERT_NE(pair.ours, nullptr);
  const std::string text = real_text();
  EXPECT_EQ(pair.ours->encode(text), pair.theirs(text));
  const std::vector<std::string> odd = {"",
                                        " ",
                                        "   ",
                                        "\n\n\t x",
                                        "<s></s><unk><0x41>",
                                        "\xC3\xA9\xE6\xBC\xA2\xF0\x9F\xA6\x86",
                                        "a\xE2\x96\x81z",
                                        "<tag><tag>> <ta",
                                        "licence",
                                        std::string("\0nul", 4),
                                        std::string(300, 'a'),
                                        std::string(300, ' '),
                                        "  two  spaces  ",
                                        "\xEF\xBB\xBF"};
  for (const std::string& one : odd) EXPECT_EQ(pair.ours->encode(one), pair.theirs(one)) << one;
  common::Philox random(11);
  for (int i = 0; i < 500; ++i) {
    std::string mixed;
    for (uint64_t k = random.below(60); k > 0; --k) {
      if (random.below(2) == 0) {
        mixed += odd[random.below(odd.size())].substr(0, 20);
      } else {
        mixed += text.substr(random.below(text.size() - 10), random.below(10));
      }
    }
    uint64_t replaced = 0;
    mixed = train::valid_utf8(mixed, replaced);
    ASSERT_EQ(pair.ours->encode(mixed), pair.theirs(mixed)) << mixed;
  }
}

TEST(SentencePieceEncoder, GivesTheTokensOfTheLibrary) { expect_same(Pair(train_model({}))); }

TEST(SentencePieceEncoder, AlsoWithAPrefixAndPiecesOfTheUser) {
  expect_same(Pair(train_model({{"add_dummy_prefix", "true"},
                                {"user_defined_symbols", "<tag>,lic,\xE2\x96\x81\xE2\x96\x81"}})));
  expect_same(Pair(train_model({{"split_by_whitespace", "false"}, {"split_digits", "true"}})));
}

TEST(SentencePieceEncoder, LeavesOtherModelsToTheLibrary) {
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"model_type", "unigram"},
                                          {"byte_fallback", "false"},
                                          {"normalization_rule_name", "nfkc"},
                                          {"remove_extra_whitespaces", "true"},
                                          {"treat_whitespace_as_suffix", "true"}}) {
    EXPECT_EQ(Pair(train_model({{key, value}})).ours, nullptr) << key;
  }
}

TEST(SentencePieceEncoder, DamagedModelsAreNoReasonToCrash) {
  const std::string model = train_model({});
  for (size_t size = 0; size < model.size(); size += 61) {
    static_cast<void>(train::bpe::SentencePieceEncoder::make(model.substr(0, size)));
  }
  common::Philox random(5);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = model;
    for (int k = 0; k < 4; ++k) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    }
    const auto encoder = train::bpe::SentencePieceEncoder::make(damaged);
    if (encoder) static_cast<void>(encoder->encode("the licence \xC3\xA9"));
  }
}

}  // namespace
