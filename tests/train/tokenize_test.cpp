// Goal: tokenize() writes all of the text, with an end after each document, the same every time.
// Method: with bytes the tokens are known beforehand, whatever the sizes of shards; with
// SentencePiece the text is decoded again; then what must not happen.
#include "train/tokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/data_folder.h"
#include "tests/train/real_text.h"
#include "train/tokenizer.h"

namespace {

using common::Code;
using testing::HasSubstr;
using train::Dataset;
using train::TokenizeOptions;
namespace fs = std::filesystem;

TokenizeOptions options_of(const DataFolder& folder, const std::string& tokenizer) {
  TokenizeOptions options;
  options.texts = {folder.path() / "text"};
  options.out = folder.path() / "out";
  options.tokenizer = tokenizer;
  options.vocabulary = 600;
  return options;
}

train::Tokenized must(const TokenizeOptions& options) {
  auto made = train::tokenize(options);
  CHECK_MSG(made.has_value(), made.error().message);
  return std::move(made).value();
}

// All tokens of the data set that was written, as one sample, every shard verified.
std::vector<uint32_t> tokens_of(const fs::path& out, const train::DatasetManifest& manifest) {
  const auto length = static_cast<uint32_t>(manifest.token_count() - 1);
  auto dataset = Dataset::open(out, manifest.hash(), length, true);
  CHECK_MSG(dataset.has_value(), dataset.error().message);
  return dataset->sample(0);
}

std::vector<uint32_t> bytes_and_end(const std::vector<std::string>& documents) {
  std::vector<uint32_t> tokens;
  for (const std::string& document : documents) {
    for (const char c : document) tokens.push_back(static_cast<uint8_t>(c));
    tokens.push_back(256);
  }
  return tokens;
}

TEST(Tokenize, EveryDocumentIsFollowedByItsEnd) {
  const DataFolder folder;
  folder.write("text/b.txt", "three");
  folder.write("text/a.txt", "one\n\f\ntwo\n");
  folder.write("text/empty.txt", "");
  for (const uint64_t shard_tokens : {1, 2, 5, 15, 16, 17}) {
    TokenizeOptions options = options_of(folder, "bytes");
    options.out = folder.path() / std::to_string(shard_tokens);
    options.shard_tokens = shard_tokens;
    const auto made = must(options);
    EXPECT_EQ(tokens_of(options.out, made.manifest), bytes_and_end({"one\n", "two\n", "three"}));
    EXPECT_EQ(made.manifest.document_count, 3U);
    EXPECT_EQ(made.manifest.text_bytes, 13U);
    EXPECT_EQ(made.manifest.end_of_document, 256U);
    EXPECT_EQ(made.manifest.tokenizer_hash, common::Hash{});
    EXPECT_EQ(made.manifest.shards.size(), (16 + shard_tokens - 1) / shard_tokens);
    EXPECT_EQ(made.file_count, 3U);
    EXPECT_FALSE(fs::exists(options.out / "tokenizer.model"));
    const auto read = train::read_manifest(options.out);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->canonical(), made.manifest.canonical());
    EXPECT_EQ(read->canonical(), folder.read(std::to_string(shard_tokens) + "/manifest.json"));
  }
}

TEST(Tokenize, AHugeLineIsReadWholeByAnyNumberOfThreads) {
  std::string line;
  for (int i = 0; line.size() < 5'000'000; ++i) line += std::to_string(i);
  const DataFolder folder;
  folder.write("text/a.txt", line);
  std::vector<common::Hash> hashes;
  for (const uint32_t threads : {1, 3}) {
    TokenizeOptions options = options_of(folder, "bytes");
    options.out = folder.path() / std::to_string(threads);
    options.threads = threads;
    options.shard_tokens = 1'000'000;
    const auto made = must(options);
    hashes.push_back(made.manifest.hash());
    EXPECT_TRUE(tokens_of(options.out, made.manifest) == bytes_and_end({line}));
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Tokenize, WhatIsNotUtf8IsReplacedAndCounted) {
  const DataFolder folder;
  folder.write("text/a.txt", "a\xFFz");
  const auto options = options_of(folder, "bytes");
  const auto made = must(options);
  EXPECT_EQ(made.replaced_count, 1U);
  EXPECT_EQ(made.manifest.text_bytes, 5U);
  EXPECT_EQ(tokens_of(options.out, made.manifest), bytes_and_end({"a\xEF\xBF\xBDz"}));
}

TEST(Tokenize, RealTextIsDecodedAgainAndTheHeldOutSetSharesItsTokenizer) {
  const DataFolder folder;
  folder.write("text/a.txt", real_text() + "\n\f\nA last document.");
  folder.write("heldout/b.txt", "This licence was not seen before.");
  auto options = options_of(folder, "sentencepiece");
  const auto made = must(options);
  EXPECT_EQ(made.manifest.vocabulary, 600U);
  EXPECT_EQ(made.manifest.token_bytes, 2U);
  EXPECT_EQ(made.manifest.document_count, 2U);
  const auto tokenizer = train::open_tokenizer(options.out, made.manifest);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->decode(tokens_of(options.out, made.manifest)),
            real_text() + "\n" + "A last document.");
  EXPECT_EQ(made.manifest.text_bytes, real_text().size() + 1 + 16);

  auto again = options;
  again.out = folder.path() / "again";
  again.threads = 1;
  EXPECT_EQ(must(again).manifest.hash(), made.manifest.hash());

  options.texts = {folder.path() / "heldout"};
  options.tokenizer = (options.out / "tokenizer.model").string();
  options.out = folder.path() / "heldout-out";
  const auto heldout = must(options);
  EXPECT_EQ(heldout.manifest.tokenizer, "sentencepiece");
  EXPECT_EQ(heldout.manifest.tokenizer_hash, made.manifest.tokenizer_hash);
  EXPECT_TRUE(train::open_tokenizer(options.out, heldout.manifest).has_value());
}

TEST(Tokenize, ManyPiecesFromManyThreadsStayInOrder) {
  const DataFolder folder;
  std::vector<std::string> documents;
  std::string text;
  for (int i = 0; i < 300; ++i) {
    documents.push_back("document " + std::to_string(i) + "\n");
    text += (i == 0 ? "" : "\f\n") + documents.back();
  }
  folder.write("text/a.txt", text);
  auto options = options_of(folder, "bytes");
  options.threads = 8;
  EXPECT_EQ(tokens_of(options.out, must(options).manifest), bytes_and_end(documents));
}

TEST(Tokenize, TextThatIsTooShortForATokenizerIsSaidClearly) {
  const DataFolder folder;
  folder.write("text/a.txt", "A few words.\n");
  const auto made = train::tokenize(options_of(folder, "sentencepiece"));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  EXPECT_THAT(made.error().message, HasSubstr("too short to learn 600 pieces"));
  EXPECT_FALSE(fs::exists(folder.path() / "out/manifest.json"));
}

TEST(Tokenize, EmptyTextIsRefused) {
  const DataFolder folder;
  folder.write("text/a.txt", "");
  EXPECT_FALSE(train::tokenize(options_of(folder, "bytes")).has_value());
  folder.write("text/a.txt", "\f\n\f\n");
  const auto made = train::tokenize(options_of(folder, "bytes"));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(folder.path() / "out/manifest.json"));
}

TEST(Tokenize, ADataSetIsNotWrittenOverAnother) {
  const DataFolder folder;
  folder.write("text/a.txt", "one");
  must(options_of(folder, "bytes"));
  folder.write("text/a.txt", "two");
  const auto made = train::tokenize(options_of(folder, "bytes"));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Code::kAlreadyExists);
}

TEST(Tokenize, ALargeVocabularyIsWrittenInFourBytes) {
  EXPECT_EQ(train::DatasetManifest::token_bytes_for(257), 2U);
  EXPECT_EQ(train::DatasetManifest::token_bytes_for(65'536), 2U);
  EXPECT_EQ(train::DatasetManifest::token_bytes_for(65'537), 4U);
}

TEST(Tokenize, ProgressEndsAtAllOfTheText) {
  const DataFolder folder;
  folder.write("text/a.txt", "one\n\f\ntwo");
  auto options = options_of(folder, "bytes");
  uint64_t last = 0;
  options.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_LE(last, done);
    EXPECT_EQ(total, 9U);
    last = done;
  };
  must(options);
  EXPECT_EQ(last, 9U);
}

}  // namespace
