// Goal: a data set is read as what its manifest says, and as nothing else.
// Method: small shards written by hand; samples against one flat list of all tokens (slow and
// obvious); every lie of a manifest or a shard one by one.
#include "train/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/train/data_folder.h"

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
  DatasetManifest manifest;
  manifest.tokenizer = "sentencepiece";
  manifest.tokenizer_hash = common::blake2b_256(common::view_of("a model"));
  manifest.vocabulary = vocabulary;
  manifest.token_bytes = sizeof(Token);
  manifest.end_of_document = 2;
  manifest.text_bytes = 1000;
  manifest.document_count = 3;
  for (size_t i = 0; i < shards.size(); ++i) {
    common::ByteWriter bytes;
    for (const Token token : shards[i]) bytes.number(token);
    const std::string file = "tokens-" + std::to_string(i) + ".bin";
    folder.write(file, common::text_of(bytes.bytes()));
    manifest.shards.push_back({file, shards[i].size(), common::blake2b_256(bytes.bytes())});
  }
  folder.write("manifest.json", manifest.canonical());
  return manifest;
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
    const auto dataset = Dataset::open(folder.path(), manifest.hash(), length, true);
    ASSERT_TRUE(dataset.has_value()) << dataset.error().message;
    ASSERT_EQ(dataset->sample_count(), (flat.size() - 1) / length) << length;
    for (uint64_t sample = 0; sample < dataset->sample_count(); ++sample) {
      const auto first = flat.begin() + static_cast<ptrdiff_t>(sample * length);
      EXPECT_EQ(dataset->sample(sample), std::vector<uint32_t>(first, first + length + 1))
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

TEST(Dataset, DamageIsSeenOnlyWhenVerified) {
  const DataFolder folder;
  const auto manifest = write_dataset<uint16_t>(folder, {{9, 9}, {1, 2, 3}}, 100);
  folder.write("tokens-1.bin", std::string_view("\1\0\2\0\4\0", 6));
  EXPECT_TRUE(Dataset::open(folder.path(), manifest.hash(), 1).has_value());
  const auto dataset = Dataset::open(folder.path(), manifest.hash(), 1, true);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kCorrupt);
  EXPECT_THAT(dataset.error().message, HasSubstr("tokens-1.bin"));
  EXPECT_THAT(dataset.error().message, HasSubstr(manifest.shards[1].hash.hex()));
}

TEST(Dataset, ATokenOutOfRangeIsNamedWhenVerified) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{9, 9}, {1, 99, 100, 3}}, 100).hash();
  const auto dataset = Dataset::open(folder.path(), hash, 1, true);
  ASSERT_FALSE(dataset.has_value());
  EXPECT_EQ(dataset.error().code, Code::kCorrupt);
  EXPECT_THAT(dataset.error().message, HasSubstr("tokens-1.bin"));
  EXPECT_THAT(dataset.error().message, HasSubstr("token 100 at position 2"));
}

TEST(DatasetDeathTest, ATokenOutOfRangeNeverReachesTheModel) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{1, 100}}, 100).hash();
  const auto dataset = Dataset::open(folder.path(), hash, 1);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_DEATH((void)dataset->sample(0), "CHECK failed");
}

TEST(DatasetDeathTest, ASampleBeyondTheLastIsABug) {
  const DataFolder folder;
  const Hash hash = write_dataset<uint16_t>(folder, {{1, 2, 3}}, 100).hash();
  const auto dataset = Dataset::open(folder.path(), hash, 1);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_DEATH((void)dataset->sample(2), "CHECK failed");
}

// --- the manifest ---

const std::string kZeros(64, '0');
const std::string kOnes(64, '1');
const std::string kManifest =
    R"({"document_count":5,"end_of_document":2,"shards":[{"file":"a.bin","hash":")" + kOnes +
    R"(","token_count":7}],"text_bytes":30,"token_bytes":2,"tokenizer":"sentencepiece",)" +
    R"("tokenizer_hash":")" + kZeros + R"(","version":1,"vocabulary":512})";

TEST(DatasetManifest, ReadsAndWritesItsCanonicalText) {
  const auto manifest = DatasetManifest::parse(kManifest);
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(manifest->canonical(), kManifest);
  EXPECT_EQ(manifest->hash(), common::blake2b_256(common::view_of(kManifest)));
  EXPECT_EQ(manifest->token_count(), 7U);
  EXPECT_EQ(manifest->document_count, 5U);
  EXPECT_EQ(manifest->text_bytes, 30U);
  EXPECT_EQ(manifest->shards[0].hash.hex(), kOnes);
}

TEST(DatasetManifest, SpacesAndTheOrderOfKeysChangeNoHash) {
  std::string spaced = kManifest;
  spaced.replace(spaced.find(":5,"), 3, " :\n 5 , ");
  const auto manifest = DatasetManifest::parse(spaced);
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->canonical(), kManifest);
}

TEST(DatasetManifest, RefusesWhatIsNotOne) {
  const std::vector<std::pair<std::string, std::string>> lies = {
      {R"("version":1)", R"("version":2)"},
      {R"("version":1)", R"("version":1,"colour":"red")"},
      {R"("version":1,)", ""},
      {R"("tokenizer":"sentencepiece")", R"("tokenizer":"words")"},
      {R"("tokenizer":"sentencepiece")", R"("tokenizer":"bytes")"},  // Has 257.
      {R"("vocabulary":512)", R"("vocabulary":0)"},
      {R"("vocabulary":512)", R"("vocabulary":-1)"},
      {R"("vocabulary":512)", R"("vocabulary":65537)"},  // Two bytes do not hold it.
      {R"("vocabulary":512)", R"("vocabulary":4294967295)"},
      {R"("token_bytes":2)", R"("token_bytes":4)"},
      {R"("end_of_document":2)", R"("end_of_document":512)"},
      {R"("token_count":7)", R"("token_count":0)"},
      {R"("token_count":7)", R"("token_count":18446744073709551615)"},
      {R"("token_count":7)", R"("token_count":7.5)"},
      {R"("token_count":7)", R"("token_count":7,"more":1)"},
      {R"("a.bin")", R"("../a.bin")"},
      {R"("a.bin")", R"("/etc/passwd")"},
      {R"("a.bin")", R"("")"},
      {R"("a.bin")", R"("..")"},
      {R"("a.bin")", R"("a\u0000.bin")"},
      {kOnes, kOnes + "1"},
      {kOnes, std::string(64, 'A')},  // One hash, one text.
      {kOnes, "0x" + kOnes},
      {R"("shards":[)", R"("shards":[7,)"},
      {R"("shards":[)", R"("shards":[{"file":"a.bin","hash":")" + kOnes + R"(","token_count":1},)"},
      {R"("document_count")", R"("shards":{},"document_count")"},
  };
  for (const auto& [truth, lie] : lies) {
    std::string text = kManifest;
    text.replace(text.find(truth), truth.size(), lie);
    const auto manifest = DatasetManifest::parse(text);
    ASSERT_FALSE(manifest.has_value()) << text;
    EXPECT_EQ(manifest.error().code, Code::kInvalidArgument) << text;
  }
  for (const std::string_view text : {"", "[]", "{}", "7", R"({"shards":[]})"}) {
    EXPECT_FALSE(DatasetManifest::parse(text).has_value()) << text;
  }
}

TEST(DatasetManifest, TwoShardsOfOneNameAreRefused) {
  std::string text = kManifest;
  const std::string shard = R"({"file":"a.bin","hash":")" + kOnes + R"(","token_count":7})";
  text.replace(text.find(shard), shard.size(), shard + "," + shard);
  const auto manifest = DatasetManifest::parse(text);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_THAT(manifest.error().message, HasSubstr("a.bin"));
}

}  // namespace
