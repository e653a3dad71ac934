// Goal: a tokenizer.json of anybody's can be loaded: it works, or a sentence says why not; and no
// text can spell a token that ends a document.
// Method: one small tokenizer, changed part by part.
#include "train/bpe_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/files.h"
#include "common/philox.h"
#include "tests/train/data_folder.h"
#include "train/dataset.h"
#include "train/tokenize.h"

namespace {

using common::Code;
using nlohmann::json;
using testing::HasSubstr;
using train::Tokenizer;
using Tokens = std::vector<uint32_t>;

// Characters a, b, c, _ and "</s>" piece by piece, with merges that could spell it.
json small() {
  return json::parse(R"({
    "added_tokens": [{"id": 12, "content": "</s>", "special": true},
                     {"id": 13, "content": "<t>", "special": false, "normalized": false}],
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "_"},
    "pre_tokenizer": null,
    "decoder": {"type": "Replace", "pattern": {"String": "_"}, "content": " "},
    "model": {"type": "BPE", "unk_token": "?", "fuse_unk": false, "byte_fallback": false,
      "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, "_": 4, "ab": 5, "abc": 6, "<": 7, "/": 8, "s": 9,
                ">": 10, "</s": 11, "</s>": 12, "</": 14},
      "merges": [["a", "b"], ["ab", "c"], ["<", "/"], ["</", "s"], ["</s", ">"]]}})");
}

common::Result<std::unique_ptr<Tokenizer>> make(const json& description,
                                                std::string_view config = {}) {
  return train::make_huggingface(description.dump(), config);
}
std::unique_ptr<Tokenizer> made(const json& description, std::string_view config = {}) {
  auto tokenizer = make(description, config);
  CHECK_MSG(tokenizer.has_value(), tokenizer.error().message);
  return std::move(tokenizer).value();
}

TEST(BpeTokenizer, MergesAndSpellsBack) {
  const auto tokenizer = made(small());
  EXPECT_EQ(tokenizer->encode("abc ab"), (Tokens{6, 4, 5}));
  EXPECT_EQ(tokenizer->decode(Tokens{6, 4, 5}), "abc ab");
  EXPECT_EQ(tokenizer->encode(""), Tokens{});
  EXPECT_EQ(tokenizer->decode(Tokens{}), "");
  EXPECT_EQ(tokenizer->vocabulary(), 15U);
  EXPECT_EQ(tokenizer->name(), "huggingface");
  EXPECT_EQ(tokenizer->model(), small().dump());
}

TEST(BpeTokenizer, WhatCannotBeSpelledIsUnknownOneByOneOrTogether) {
  json description = small();
  EXPECT_EQ(made(description)->encode("aXYb"), (Tokens{1, 0, 0, 2}));
  description["model"]["fuse_unk"] = true;
  EXPECT_EQ(made(description)->encode("aXYb"), (Tokens{1, 0, 2}));
  description["model"]["unk_token"] = nullptr;
  EXPECT_EQ(made(description)->encode("aXYb"), (Tokens{5}));  // As the original leaves them out.
}

TEST(BpeTokenizer, TextCannotSpellASpecialToken) {
  const auto tokenizer = made(small());
  EXPECT_EQ(tokenizer->end_of_document(), 12U);
  EXPECT_EQ(tokenizer->encode("a</s>b"), (Tokens{1, 11, 10, 2}));
  EXPECT_EQ(tokenizer->decode(Tokens{1, 12, 2}), "ab");
  json whole = small();
  whole["model"]["ignore_merges"] = true;
  EXPECT_EQ(made(whole)->encode("</s>"), (Tokens{11, 10}));
}

TEST(BpeTokenizer, OtherAddedTokensAreFoundBeforeAnythingElse) {
  EXPECT_EQ(made(small())->encode("ab<t>c"), (Tokens{5, 13, 3}));
  EXPECT_EQ(made(small())->encode("<t>"), (Tokens{13}));
}

TEST(BpeTokenizer, NoUtf8BecomesTheReplacementCharacter) {
  const auto tokenizer = made(small());
  EXPECT_EQ(tokenizer->encode("a\xFF"
                              "b"),
            tokenizer->encode("a\xEF\xBF\xBD"
                              "b"));
  EXPECT_EQ(tokenizer->encode(std::string_view("\0\x80", 2)).size(), 2U);
}

TEST(BpeTokenizer, TheEndOfADocumentIsTheConfigsOrTheUsualName) {
  json description = small();
  EXPECT_EQ(made(description, R"({"eos_token": "ab"})")->end_of_document(), 5U);
  EXPECT_EQ(made(description, R"({"eos_token": {"content": "ab"}})")->end_of_document(), 5U);
  EXPECT_EQ(made(description, R"({"eos_token": "ab"})")->encode("ab"), (Tokens{1, 2}));
  EXPECT_EQ(made(description, R"({"bos_token": "abc", "eos_token": null})")->begin_of_document(),
            6U);
  EXPECT_FALSE(made(description)->begin_of_document().has_value());
  const auto unknown = make(description, R"({"eos_token": "<end>"})");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_THAT(unknown.error().message, HasSubstr("'<end>' is not in the vocabulary"));
  description["added_tokens"] = json::array();
  const auto none = make(description);
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("put a tokenizer_config.json beside it"));
  description["post_processor"] = {{"single", {{{"SpecialToken", {{"id", "abc"}}}}}}};
  description["added_tokens"] = small()["added_tokens"];
  EXPECT_EQ(made(description)->begin_of_document(), 6U);
}

TEST(BpeTokenizer, WhatIsNotUnderstoodIsNamed) {
  using Change = std::function<void(json&)>;
  const std::vector<std::pair<Change, std::string>> wrong = {
      {[](json& d) { d.erase("model"); }, "no model"},
      {[](json& d) { d["model"]["type"] = "Unigram"; }, "Unigram"},
      {[](json& d) { d["model"]["dropout"] = 0.1; }, "dropout"},
      {[](json& d) { d["model"]["end_of_word_suffix"] = "</w>"; }, "end_of_word_suffix"},
      {[](json& d) { d["model"]["surprise"] = true; }, "surprise"},
      {[](json& d) { d["model"]["unk_token"] = "none"; }, "unk_token"},
      {[](json& d) { d["model"]["unk_token"] = "</s>"; }, "also ends documents"},
      {[](json& d) { d["model"]["merges"][0] = "a z"; }, "'z' is not in the vocabulary"},
      {[](json& d) { d["model"]["merges"][0] = "a b c"; }, "'a b c'"},
      {[](json& d) { d["model"]["merges"][0] = {"a"}; }, "a merge is"},
      {[](json& d) { d["model"]["merges"][0] = 7; }, "model.merges"},
      {[](json& d) { d["model"]["vocab"]["b"] = 1; }, "is both"},
      {[](json& d) { d["model"]["vocab"]["b"] = 1 << 20; }, "1048576"},
      {[](json& d) { d["model"]["vocab"]["b"] = -1; }, "whole numbers"},
      {[](json& d) { d["model"]["vocab"] = 5; }, "vocab"},
      {[](json& d) { d["added_tokens"][0]["id"] = 3; }, "is both"},
      {[](json& d) { d["added_tokens"][1]["single_word"] = true; }, "single_word"},
      {[](json& d) { d["added_tokens"][1]["content"] = ""; }, "content"},
      {[](json& d) {
         d["normalizer"] = {{"type", "Precompiled"}};
       },
       "'Precompiled'"},
      {[](json& d) {
         d["decoder"] = {{"type", "CTC"}};
       },
       "'CTC'"},
      {[](json& d) { d["normalizer"]["content"] = std::string(100, 'x'); }, "too long"},
  };
  for (const auto& [change, sentence] : wrong) {
    json description = small();
    change(description);
    const auto tokenizer = make(description);
    ASSERT_FALSE(tokenizer.has_value()) << sentence;
    EXPECT_EQ(tokenizer.error().code, Code::kInvalidArgument);
    EXPECT_THAT(tokenizer.error().message, HasSubstr(sentence));
  }
}

TEST(BpeTokenizer, DamagedFilesAreRefused) {
  const std::string whole = small().dump();
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_FALSE(train::make_huggingface(whole.substr(0, size), "").has_value());
  }
  for (const std::string& text :
       {std::string(1 << 20, '['), "{\"model\":" + std::string(100, '{'), std::string("[]"),
        std::string("7"), std::string(R"({"a":1,"a":2})"), std::string("{\"\xFF\":1}")}) {
    EXPECT_FALSE(train::make_huggingface(text, "").has_value());
  }
}

TEST(BpeTokenizer, ManyThreadsGetTheSameTokens) {
  const auto tokenizer = made(small());
  std::string text;
  common::Philox random(3);
  for (int i = 0; i < 20'000; ++i) text.push_back("abc </s>t"[random.below(9)]);
  const Tokens expected = tokenizer->encode(text);
  std::vector<Tokens> got(8);
  {
    std::vector<std::jthread> threads;
    for (Tokens& mine : got) threads.emplace_back([&] { mine = tokenizer->encode(text); });
  }
  for (const Tokens& tokens : got) EXPECT_EQ(tokens, expected);
}

TEST(BpeTokenizer, IsFoundInAFolderAndMakesADataSet) {
  const DataFolder folder;
  folder.write("model/tokenizer.json", small().dump());
  folder.write("model/tokenizer_config.json", R"({"eos_token": "c"})");
  folder.write("text.txt", "ab abab\nabba");
  train::TokenizeOptions options;
  options.texts = {folder.path() / "text.txt"};
  options.out = folder.path() / "set";
  options.tokenizer = (folder.path() / "model").string();
  const auto tokenized = train::tokenize(options);
  ASSERT_TRUE(tokenized.has_value()) << tokenized.error().message;
  EXPECT_EQ(tokenized->manifest.tokenizer, "huggingface");
  EXPECT_EQ(tokenized->manifest.end_of_document, 3U);
  // Beside the set lies no config: its manifest says what ends a document.
  const auto opened = train::open_tokenizer(options.out, tokenized->manifest);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ((*opened)->end_of_document(), 3U);
  EXPECT_EQ((*opened)->encode("abc"), (Tokens{5, 0}));

  const auto missing = train::load_tokenizer(folder.path() / "none.json");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  folder.write("empty/readme.txt", "x");
  EXPECT_FALSE(train::load_tokenizer(folder.path() / "empty").has_value());
  folder.write("model/tokenizer_config.json", "{");
  const auto damaged = train::load_tokenizer(folder.path() / "model");
  ASSERT_FALSE(damaged.has_value());
  EXPECT_THAT(damaged.error().message, HasSubstr("tokenizer_config.json"));
}

}  // namespace
