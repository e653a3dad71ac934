// Goal: a data set is read as what its manifest says, and as nothing else.
// Method: small shards written by hand; samples against one flat list of all tokens (slow and
// obvious); every lie of a manifest or a shard one by one.
#include "train/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/data_folder.h"
#include "tests/train/token_set.h"

namespace {

using common::Code;
using common::Hash;
using testing::HasSubstr;
using train::Dataset;
using train::DatasetManifest;

// A data set of the given shards, written to `folder`.
template <typename Token>
DatasetManifest write_dataset(const DataFolder& folder,
                              const std::vector<std::vector<Token>>& shards, uint32_t vocabulary) {
  const TokenSet set = token_set(shards, vocabulary);
  write_to(folder, set);
  return set.manifest;
}

template <typename Token>
void expect_samples_of_one_long_text(uint32_t vocabulary, Token step) {
  const DataFolder folder;
  // 23 tokens: shards of 1, 10, 2 and 10, so that samples begin, end and lie across them.
  std::vector<std::vector<Token>> shards;
  std::vector<uint32_t> flat;
  for (const size_t size : {1, 10, 2, 10}) {
    shards.emplace_back();
    for (size_t i = 0; i < size; ++i) {
      flat.push_back(static_cast<uint32_t>(flat.size() * step));
      shards.back().push_back(static_cast<Token>(flat.back()));
    }
  }
  const DatasetManifest manifest = write_dataset(folder, shards, vocabulary);
  for (uint32_t length = 1; length < flat.size(); ++length) {
    const auto dataset = Dataset::open(folder.path(), manifest.hash(), length);
    ASSERT_TRUE(dataset.has_value()) << dataset.error().message;
    ASSERT_TRUE(dataset->verify());
    ASSERT_EQ(dataset->sample_count(), (flat.size() - 1) / length) << length;
    for (uint64_t sample = 0; sample < dataset->sample_count(); ++sample) {
      const auto first = flat.begin() + static_cast<ptrdiff_t>(sample * length);
      EXPECT_EQ(dataset->sample(sample).value(), std::vector<uint32_t>(first, first + length + 1))
          << "length " << length << ", sample " << sample;
    }
  }
}

TEST(Dataset, SamplesOfTwoByteTokensReadAcrossShards) {
  expect_samples_of_one_long_text<uint16_t>(65'536, 2978);  // 22 * 2978 = 65516.
}

TEST(Dataset, SamplesOfFourByteTokensReadAcrossShards) {
  expect_samples_of_one_long_text<uint32_t>(65'537, 2978);
}

TEST(Dataset, IsTooShortWithoutOneSampleAndTheTokenThatFollows) {
  const DataFolder folder;
  const auto hash = write_dataset<uint16_t>(folder, {{1, 2, 3, 4}}, 100).hash();
  EXPECT_TRUE(Dataset::open(folder.path(), hash, 3).has_value());
  const auto dataset = Dataset::open(folder.path(), hash, 4);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kInvalidArgument);
  EXPECT_THAT(dataset.error().message, HasSubstr("too short"));
  EXPECT_FALSE(Dataset::open(folder.path(), hash, 0).has_value());
}

TEST(Dataset, OfAnotherHashIsRefusedWithBothHashes) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{1, 2, 3, 4}}, 100).hash();
  const Hash other = common::blake2b_256(common::view_of("another"));
  const auto dataset = Dataset::open(folder.path(), other, 1);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kCorrupt);
  EXPECT_THAT(dataset.error().message, HasSubstr(hash.hex()));
  EXPECT_THAT(dataset.error().message, HasSubstr(other.hex()));
}

TEST(Dataset, ThatIsNotThereIsNotFound) {
  const DataFolder folder;
  const auto dataset = Dataset::open(folder.path(), {}, 1);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kNotFound);
  EXPECT_THAT(dataset.error().message, HasSubstr("muster data tokenize"));
}

TEST(Dataset, WithAMissingShardIsNotFound) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{1, 2, 3}, {4}}, 100).hash();
  std::filesystem::remove(folder.path() / "tokens-1.bin");
  const auto dataset = Dataset::open(folder.path(), hash, 1);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kNotFound);
}

TEST(Dataset, WithATruncatedOrLongerShardIsRefusedWithItsName) {
  for (const std::string_view bytes : {"12345", "", "1234567"}) {
    const DataFolder folder;
    const Hash hash = write_dataset<uint16_t>(folder, {{9, 9}, {1, 2, 3}}, 100).hash();
    folder.write("tokens-1.bin", bytes);
    const auto dataset = Dataset::open(folder.path(), hash, 1);
    ASSERT_FALSE(dataset.has_value());
    EXPECT_EQ(dataset.error().code, Code::kInvalidArgument);
    EXPECT_THAT(dataset.error().message, HasSubstr("tokens-1.bin"));
  }
}

TEST(Dataset, DamageIsSeenOnlyWhenVerifiedAndItsChunkIsNamed) {
  const DataFolder folder;
  const auto manifest = write_dataset<uint16_t>(folder, {{9, 9}, {1, 2, 3}}, 100);
  folder.write("tokens-1.bin", std::string_view("\1\0\2\0\4\0", 6));
  const auto dataset = Dataset::open(folder.path(), manifest.hash(), 1);
  ASSERT_TRUE(dataset.has_value());
  const auto verified = dataset->verify();
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, Code::kCorrupt);
  EXPECT_THAT(verified.error().message, HasSubstr("tokens-1.bin, chunk 0 (bytes 0 to 5)"));
  EXPECT_THAT(verified.error().message, HasSubstr(folder.path().string()));
}

TEST(Dataset, DamagedOrMissingHashesAreNamedWhenVerified) {
  const DataFolder folder;
  const auto manifest = write_dataset<uint16_t>(folder, {{9, 9}, {1, 2, 3}}, 100);
  const auto dataset = Dataset::open(folder.path(), manifest.hash(), 1);
  ASSERT_TRUE(dataset.has_value());
  folder.write("tokens-1.bin.hashes", std::string(32, 'x'));
  const auto verified = dataset->verify();
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().message, HasSubstr("tokens-1.bin.hashes"));
  EXPECT_THAT(verified.error().message, HasSubstr(manifest.shards[1].hashes.hex()));
  std::filesystem::remove(folder.path() / "tokens-1.bin.hashes");
  EXPECT_EQ(dataset->verify().error().code, Code::kNotFound);
}

TEST(Dataset, ATokenOutOfRangeIsNamedWhenReadAndWhenVerified) {
  const DataFolder folder;
  std::vector<uint16_t> tokens(5000, 7);
  tokens[4097] = 100;  // Of the third chunk of 2,048.
  const Hash hash = write_dataset<uint16_t>(folder, {{9, 9}, tokens}, 100).hash();
  const auto dataset = Dataset::open(folder.path(), hash, 1);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_TRUE(dataset->sample(2 + 4095).has_value());
  for (const uint64_t sample : {2 + 4096, 2 + 4097}) {
    const auto read = dataset->sample(sample);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Code::kCorrupt);
    EXPECT_THAT(read.error().message, HasSubstr("tokens-1.bin, chunk 2"));
    EXPECT_THAT(read.error().message, HasSubstr("token 100 at position 4097"));
  }
  EXPECT_THAT(dataset->verify().error().message, HasSubstr("token 100 at position 4097"));
}

TEST(DatasetDeathTest, ASampleBeyondTheLastIsABug) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{1, 2, 3}}, 100).hash();
  const auto dataset = Dataset::open(folder.path(), hash, 1);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_DEATH((void)dataset->sample(2), "CHECK failed");
}

}  // namespace
