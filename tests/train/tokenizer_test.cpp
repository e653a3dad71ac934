// Goal: text comes back from its tokens, and the same text gives everybody the same tokenizer.
// Method: round trips of real text, of every character that is odd, and of random bytes; training
// twice; a model that was tampered with.
#include "train/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tests/train/data_folder.h"
#include "tests/train/real_text.h"
#include "train/dataset.h"

namespace {

using common::Code;
using testing::HasSubstr;
using train::Tokenizer;

constexpr uint32_t kPieces = 600;

std::unique_ptr<Tokenizer> trained() {
  auto tokenizer = train::train_sentencepiece(real_lines(), kPieces);
  CHECK_MSG(tokenizer.has_value(), tokenizer.error().message);
  return std::move(tokenizer).value();
}
const Tokenizer& english() {
  static const std::unique_ptr<Tokenizer> tokenizer = trained();
  return *tokenizer;
}

TEST(ByteTokenizer, EveryByteIsItsOwnToken) {
  const auto tokenizer = train::make_byte_tokenizer();
  std::string all(256, '\0');
  std::iota(all.begin(), all.end(), '\0');
  std::vector<uint32_t> tokens(256);
  std::iota(tokens.begin(), tokens.end(), 0U);
  EXPECT_EQ(tokenizer->encode(all), tokens);
  EXPECT_EQ(tokenizer->decode(tokens), all);
  EXPECT_EQ(tokenizer->vocabulary(), 257U);
  EXPECT_EQ(tokenizer->end_of_document(), 256U);
  EXPECT_EQ(tokenizer->decode(std::vector<uint32_t>{72, 256, 105}), "Hi");
}

RC_GTEST_PROP(ByteTokenizer, AnyBytesComeBack, (const std::string& bytes)) {
  const auto tokenizer = train::make_byte_tokenizer();
  RC_ASSERT(tokenizer->decode(tokenizer->encode(bytes)) == bytes);
}

TEST(SentencePiece, RealTextComesBackAndIsShorter) {
  const std::string text = real_text();
  const auto tokens = english().encode(text);
  EXPECT_EQ(english().decode(tokens), text);
  EXPECT_LT(tokens.size() * 2, text.size());
  for (const uint32_t token : tokens) {
    ASSERT_LT(token, english().vocabulary());
    ASSERT_NE(token, english().end_of_document());
  }
}

TEST(SentencePiece, OddTextComesBack) {
  for (const std::string& text :
       {std::string(""), std::string(" "), std::string("   leading and trailing   "),
        std::string("\n\n\ttabs and\r\nlines\n"), std::string("</s><s><unk><0x41>"),
        std::string("\xC3\xA9t\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\xA6\x86"),
        std::string("nul\0within", 10),
        std::string("fi \xEF\xAC\x81 \xE2\x84\xAB"),  // NFKC would fold these.
        std::string("e\xCC\x81 decomposed"), std::string("1234567890 12,345.678"),
        std::string("a  b   c    d\n    indented")}) {
    EXPECT_EQ(english().decode(english().encode(text)), text) << testing::PrintToString(text);
  }
}

TEST(SentencePiece, ItsOwnSpaceMarkComesBackAsASpace) {
  EXPECT_EQ(english().decode(english().encode("a\xE2\x96\x81z")), "a z");
}

TEST(SentencePiece, PiecesOfATextGiveTheTokensOfTheWhole) {
  const std::string text = real_text().substr(0, 3000);
  const auto whole = english().encode(text);
  for (size_t cut = text.find(' ', 1); cut != std::string::npos; cut = text.find(' ', cut + 40)) {
    if (text[cut - 1] == ' ' || text[cut + 1] == ' ') continue;  // Within a run of spaces.
    auto tokens = english().encode(std::string_view(text).substr(0, cut));
    const auto rest = english().encode(std::string_view(text).substr(cut));
    tokens.insert(tokens.end(), rest.begin(), rest.end());
    ASSERT_EQ(tokens, whole) << cut;
  }
}

TEST(SentencePiece, TheEndOfADocumentHasNoText) {
  auto tokens = english().encode("one");
  tokens.push_back(english().end_of_document());
  for (const uint32_t token : english().encode(" two")) tokens.push_back(token);
  EXPECT_EQ(english().decode(tokens), "one two");
}

TEST(SentencePiece, TheSameTextGivesTheSameModel) {
  const auto again = trained();
  EXPECT_EQ(again->vocabulary(), kPieces);
  EXPECT_EQ(english().vocabulary(), kPieces);
  EXPECT_TRUE(again->model() == english().model());
}

TEST(SentencePiece, AModelIsReadFromItsFile) {
  const DataFolder folder;
  folder.write("some.model", english().model());
  const auto loaded = train::load_sentencepiece(folder.path() / "some.model");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_TRUE((*loaded)->model() == english().model());
  EXPECT_EQ((*loaded)->encode("the licence"), english().encode("the licence"));
}

TEST(SentencePiece, WhatIsNoModelIsRefusedWithItsName) {
  const DataFolder folder;
  for (const std::string_view bytes : {std::string_view(""), std::string_view("hello"),
                                       english().model().substr(0, english().model().size() / 2)}) {
    folder.write("some.model", bytes);
    const auto loaded = train::load_sentencepiece(folder.path() / "some.model");
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
    EXPECT_THAT(loaded.error().message, HasSubstr("some.model"));
  }
  const auto missing = train::load_sentencepiece(folder.path() / "none.model");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

TEST(SentencePiece, TooLittleTextIsSaidClearly) {
  for (const std::vector<std::string>& lines :
       {std::vector<std::string>{}, {"", " "}, {"hello hello"}, {"a"}, {std::string("\0", 1)}}) {
    const auto tokenizer = train::train_sentencepiece(lines, 4096);
    ASSERT_FALSE(tokenizer.has_value());
    EXPECT_EQ(tokenizer.error().code, Code::kInvalidArgument);
    EXPECT_THAT(tokenizer.error().message, HasSubstr("too short"));
  }
  EXPECT_FALSE(train::train_sentencepiece(real_lines(), 10).has_value());
  EXPECT_FALSE(train::train_sentencepiece(real_lines(), 1 << 30).has_value());
}

TEST(OpenTokenizer, AnotherModelThanTheManifestsIsCorrupt) {
  const DataFolder folder;
  folder.write("tokenizer.model", english().model());
  train::DatasetManifest manifest;
  manifest.tokenizer = "sentencepiece";
  manifest.vocabulary = kPieces;
  manifest.tokenizer_hash = common::blake2b_256(common::view_of(english().model()));
  EXPECT_TRUE(train::open_tokenizer(folder.path(), manifest).has_value());
  manifest.tokenizer_hash = {};
  const auto tokenizer = train::open_tokenizer(folder.path(), manifest);
  ASSERT_FALSE(tokenizer.has_value());
  EXPECT_EQ(tokenizer.error().code, Code::kCorrupt);
}

}  // namespace
