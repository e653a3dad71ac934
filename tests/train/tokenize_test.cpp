// Goal: tokenize() writes all of the text, with an end after each document, the same every time.
// Method: with bytes the tokens are known beforehand, whatever the sizes of shards; with
// SentencePiece the text is decoded again; then what must not happen.
#include "train/tokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "tests/train/data_folder.h"
#include "tests/train/real_text.h"
#include "train/data/shard_writer.h"
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
  auto dataset = Dataset::open(out, manifest.hash(), length);
  CHECK_MSG(dataset.has_value(), dataset.error().message);
  CHECK(dataset->verify().has_value());
  return dataset->sample(0).value();
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

TEST(Tokenize, AVocabularyOf262144IsWrittenAndReadBackInFourBytes) {
  const DataFolder folder;
  train::DatasetManifest manifest;
  manifest.vocabulary = 262'144;
  manifest.token_bytes = train::DatasetManifest::token_bytes_for(262'144);
  train::ShardWriter writer(folder.path(), manifest, 1 << 20, 3);
  std::vector<uint32_t> tokens(50'000);
  for (uint32_t i = 0; i < tokens.size(); ++i) tokens[i] = 262'143 - i * 5;
  ASSERT_EQ(writer.add(std::span(tokens).first(7)).value(), 7U);
  ASSERT_EQ(writer.add(std::span(tokens).subspan(7)).value(), tokens.size() - 7);
  const auto shard = writer.finish();
  ASSERT_TRUE(shard.has_value()) << shard.error().message;
  const std::string bytes = folder.read("tokens-00003.bin");
  const std::string_view expected(reinterpret_cast<const char*>(tokens.data()),
                                  tokens.size() * sizeof(uint32_t));
  EXPECT_TRUE(bytes == expected);
  const auto hashes = train::chunk_hashes(common::view_of(bytes), manifest.chunk_bytes);
  EXPECT_EQ(folder.read("tokens-00003.bin.hashes"), common::text_of(hashes));
  EXPECT_EQ(shard->hashes, common::blake2b_256(hashes));
}

// --- Runs that end in the middle. ---

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto bytes = common::read_file(entry.path(), 1 << 30);
    files[entry.path().filename()] = std::string(common::text_of(bytes.value()));
  }
  return files;
}

// Eight batches of text: documents of many sizes.
void write_long_text(const DataFolder& folder) {
  std::string text;
  for (uint64_t i = 0; text.size() < 12'000'000; ++i) {
    text += "line " + std::to_string(i * 7919) + (i % 5000 == 0 ? "\n\f\n" : "\n");
  }
  folder.write("text/a.txt", text);
  folder.write("text/b.txt", real_text());
}

// Tokenizes in a process of its own, which `kill_it` ends with SIGKILL; whether it came to its end.
template <typename KillIt>
bool run_and_kill(TokenizeOptions options, int kill_at_progress, KillIt kill_it) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    options.progress = [&](uint64_t, uint64_t) {
      if (--kill_at_progress == 0) raise(SIGKILL);
    };
    _exit(train::tokenize(options).has_value() ? 0 : 1);
  }
  kill_it(child);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return !WIFSIGNALED(status);
}

TEST(Tokenize, AKilledRunGoesOnAndEndsWithTheSameBytes) {
  const DataFolder folder;
  write_long_text(folder);
  TokenizeOptions options = options_of(folder, "bytes");
  options.shard_tokens = 1'234'567;
  options.out = folder.path() / "unbroken";
  must(options);
  const auto unbroken = files_of(options.out);
  EXPECT_EQ(unbroken.size(), 2 * 10 + 1U);  // Shards, hashes, manifest: nothing of the run.

  options.out = folder.path() / "killed";
  for (const int kill_at : {1, 2}) {  // The second goes on after the first.
    EXPECT_FALSE(run_and_kill(options, kill_at, [](pid_t) {}));
    EXPECT_TRUE(fs::exists(options.out / "progress.json"));
    EXPECT_FALSE(fs::exists(options.out / "manifest.json"));
  }
  const auto made = must(options);
  EXPECT_GT(made.resumed_bytes, 4'000'000U);
  EXPECT_TRUE(files_of(options.out) == unbroken);
}

TEST(Tokenize, RunsKilledAtAnyMomentEndWithTheSameBytes) {
  const DataFolder folder;
  write_long_text(folder);
  TokenizeOptions options = options_of(folder, "bytes");
  options.shard_tokens = 900'001;
  options.out = folder.path() / "unbroken";
  must(options);
  const auto unbroken = files_of(options.out);
  options.out = folder.path() / "killed";
  std::mt19937 random(5);
  bool done = false;
  for (int round = 0; round < 12 && !done; ++round) {
    done = run_and_kill(options, -1, [&](pid_t child) {
      usleep(static_cast<useconds_t>(random() % 40'000));
      kill(child, SIGKILL);
    });
  }
  if (!done) must(options);
  EXPECT_TRUE(files_of(options.out) == unbroken);
}

TEST(Tokenize, ATrainedTokenizerIsKeptWhenARunIsKilled) {
  const DataFolder folder;
  folder.write("text/a.txt", real_text());
  TokenizeOptions options = options_of(folder, "sentencepiece");
  options.shard_tokens = 10'000;
  options.out = folder.path() / "unbroken";
  must(options);
  const auto unbroken = files_of(options.out);
  options.out = folder.path() / "killed";
  EXPECT_FALSE(run_and_kill(options, 1, [](pid_t) {}));
  const auto written = fs::last_write_time(options.out / "tokenizer.model");
  must(options);
  EXPECT_EQ(fs::last_write_time(options.out / "tokenizer.model"), written);
  EXPECT_TRUE(files_of(options.out) == unbroken);
}

TEST(Tokenize, AnUnfinishedSetOfAnotherTextOrOtherOptionsIsLeftAlone) {
  const DataFolder folder;
  write_long_text(folder);
  TokenizeOptions options = options_of(folder, "bytes");
  options.shard_tokens = 1'000'000;
  ASSERT_FALSE(run_and_kill(options, 1, [](pid_t) {}));
  TokenizeOptions other = options;
  other.shard_tokens = 999'999;
  const auto refused = train::tokenize(other);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("remove the folder"));
  folder.write("text/c.txt", "one more");
  EXPECT_EQ(train::tokenize(options).error().code, Code::kConflict);
  fs::remove(folder.path() / "text/c.txt");
  EXPECT_TRUE(train::tokenize(options).has_value());
}

TEST(Tokenize, TwoProcessesDoNotWriteIntoOneFolder) {
  const DataFolder folder;
  folder.write("text/a.txt", "one");
  const TokenizeOptions options = options_of(folder, "bytes");
  {
    fs::create_directories(options.out);
    const auto lock = common::FolderLock::take(options.out);
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(train::tokenize(options).error().code, Code::kAlreadyExists);
  }
  EXPECT_TRUE(train::tokenize(options).has_value());
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
