// Goal: a manifest is read and written one way, and what is not one is refused.
// Method: one text by hand; every lie of it one by one.
#include "train/dataset_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using common::Code;
using testing::HasSubstr;
using train::DatasetManifest;

const std::string kZeros(64, '0');
const std::string kOnes(64, '1');
const std::string kManifest =
    R"({"chunk_bytes":65536,"document_count":5,"end_of_document":2,"shards":[{"file":"a.bin",)"
    R"("hashes":")" +
    kOnes + R"(","token_count":7}],"text_bytes":30,"token_bytes":2,"tokenizer":"sentencepiece",)" +
    R"("tokenizer_hash":")" + kZeros + R"(","version":2,"vocabulary":512})";

TEST(DatasetManifest, ReadsAndWritesItsCanonicalText) {
  const auto manifest = DatasetManifest::parse(kManifest);
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(manifest->canonical(), kManifest);
  EXPECT_EQ(manifest->hash(), common::blake2b_256(common::view_of(kManifest)));
  EXPECT_EQ(manifest->token_count(), 7U);
  EXPECT_EQ(manifest->document_count, 5U);
  EXPECT_EQ(manifest->text_bytes, 30U);
  EXPECT_EQ(manifest->shards[0].hashes.hex(), kOnes);
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
      {R"("version":2)", R"("version":3)"},
      {R"("version":2)", R"("version":2,"colour":"red")"},
      {R"("version":2,)", ""},
      {R"("tokenizer":"sentencepiece")", R"("tokenizer":"words")"},
      {R"("tokenizer":"sentencepiece")", R"("tokenizer":"bytes")"},  // Has 257.
      {R"("vocabulary":512)", R"("vocabulary":0)"},
      {R"("vocabulary":512)", R"("vocabulary":-1)"},
      {R"("vocabulary":512)", R"("vocabulary":65537)"},  // Two bytes do not hold it.
      {R"("vocabulary":512)", R"("vocabulary":4294967295)"},
      {R"("token_bytes":2)", R"("token_bytes":4)"},
      {R"("chunk_bytes":65536)", R"("chunk_bytes":0)"},
      {R"("chunk_bytes":65536)", R"("chunk_bytes":2048)"},
      {R"("chunk_bytes":65536)", R"("chunk_bytes":65537)"},
      {R"("chunk_bytes":65536)", R"("chunk_bytes":33554432)"},
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
      {R"("shards":[)",
       R"("shards":[{"file":"a.bin","hashes":")" + kOnes + R"(","token_count":1},)"},
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

TEST(DatasetManifest, AnOlderVersionIsRefusedWithWhatToDo) {
  std::string text = kManifest;
  text.replace(text.find(R"("version":2)"), 11, R"("version":1)");
  text.replace(text.find(R"("chunk_bytes":65536,)"), 20, "");
  const auto manifest = DatasetManifest::parse(text);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_EQ(manifest.error().code, Code::kInvalidArgument);
  EXPECT_THAT(manifest.error().message, HasSubstr("version 1"));
  EXPECT_THAT(manifest.error().message, HasSubstr("muster data tokenize"));
}

TEST(DatasetManifest, ChunksAreHashedOneByOne) {
  const std::string bytes = std::string(4096, 'a') + std::string(4096, 'b') + "c";
  const common::Bytes hashes = train::chunk_hashes(common::view_of(bytes), 4096);
  std::string expected;
  for (const std::string& chunk :
       {std::string(4096, 'a'), std::string(4096, 'b'), std::string("c")}) {
    expected += common::blake2b_256(common::view_of(chunk)).hex();
  }
  EXPECT_EQ(common::to_hex(hashes), expected);
  DatasetManifest manifest;
  manifest.token_bytes = 2;
  manifest.chunk_bytes = 4096;
  EXPECT_EQ(manifest.chunk_count({"a", 2048, {}}), 1U);
  EXPECT_EQ(manifest.chunk_count({"a", 2049, {}}), 2U);
}

TEST(DatasetManifest, TwoShardsOfOneNameAreRefused) {
  std::string text = kManifest;
  const std::string shard = R"({"file":"a.bin","hashes":")" + kOnes + R"(","token_count":7})";
  text.replace(text.find(shard), shard.size(), shard + "," + shard);
  const auto manifest = DatasetManifest::parse(text);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_THAT(manifest.error().message, HasSubstr("a.bin"));
}

}  // namespace
