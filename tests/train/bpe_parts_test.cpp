// Goal: each part of a tokenizer.json does what its name says elsewhere, and what is not known is
// refused by name.
// Method: Hugging Face's own documented example of the five behaviours; patterns in Oniguruma's
// syntax whose meaning differs from PCRE2's; the slow and obvious way to merge, on seeded words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/philox.h"
#include "train/bpe/added_tokens.h"
#include "train/bpe/byte_alphabet.h"
#include "train/bpe/decoder.h"
#include "train/bpe/merges.h"
#include "train/bpe/normalizer.h"
#include "train/bpe/pattern.h"
#include "train/bpe/pretokenizer.h"
#include "train/bpe/seams.h"

namespace train::bpe {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Words split(const std::string& description, const std::string& text, bool at_start = true) {
  const auto made = Pretokenizer::make(json::parse(description));
  CHECK_MSG(made.has_value(), made.error().message);
  RegexScratch scratch;
  Words words;
  made->split(text, at_start, scratch, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

Words matches(const std::string& pattern, const std::string& text) {
  const auto regex = Regex::make(pattern);
  CHECK_MSG(regex.has_value(), regex.error().message);
  RegexScratch scratch;
  Words found;
  size_t at = 0;
  while (const auto match = regex->find(text, at, scratch)) {
    found.push_back(text.substr(match->begin, match->end - match->begin));
    at = match->end;
  }
  return found;
}

// huggingface.co/docs/tokenizers, "the-final--countdown" split at "-".
TEST(Pretokenizer, TheFiveBehavioursAreThoseOfTheDocumentation) {
  const auto cut = [](const std::string& behavior) {
    return split(R"({"type":"Split","pattern":{"String":"-"},"invert":false,"behavior":")" +
                     behavior + "\"}",
                 "the-final--countdown");
  };
  EXPECT_THAT(cut("Removed"), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(cut("Isolated"), ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(cut("MergedWithPrevious"), ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(cut("MergedWithNext"), ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(cut("Contiguous"), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(Pretokenizer, InvertCutsAtWhatIsNotMatched) {
  EXPECT_THAT(split(R"({"type":"Split","pattern":{"Regex":"\\d+"},"behavior":"Removed",)"
                    R"("invert":true})",
                    "a12b3"),
              ElementsAre("12", "3"));
}

TEST(Pretokenizer, ByteLevelSplitsAsGpt2DoesAndMayPutASpaceBefore) {
  EXPECT_THAT(split(R"({"type":"ByteLevel","add_prefix_space":true})", "Hello  it's 42!"),
              ElementsAre(" Hello", " ", " it", "'s", " 42", "!"));
  EXPECT_THAT(split(R"({"type":"ByteLevel","add_prefix_space":true})", " x"), ElementsAre(" x"));
  EXPECT_THAT(split(R"({"type":"ByteLevel","add_prefix_space":false})", "x y"),
              ElementsAre("x", " y"));
}

TEST(Pretokenizer, WhatComesAfterByteLevelSeesItsCharacters) {
  // U+00C2 U+00B2 spell the bytes of "²"; the second is itself a number to Unicode.
  EXPECT_THAT(split(R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel","use_regex":false,)"
                    R"("add_prefix_space":false},{"type":"Digits","individual_digits":true}]})",
                    "a\xC2\xB2"),
              ElementsAre("a\xC2", "\xB2"));
}

TEST(Pretokenizer, MetaspaceMarksSpacesAndTheBeginning) {
  const std::string first =
      R"({"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":true})";
  EXPECT_THAT(split(first, "a b  c"), ElementsAre("_a", "_b", "_", "_c"));
  EXPECT_THAT(split(first, "a", false), ElementsAre("a"));
  EXPECT_THAT(split(R"({"type":"Metaspace","replacement":"_","prepend_scheme":"never"})", "a b"),
              ElementsAre("a", "_b"));
}

TEST(Pretokenizer, WhatIsNotKnownIsNamed) {
  const std::map<std::string, std::string> wrong = {
      {R"({"type":"Nmt"})", "'Nmt'"},
      {R"({"type":"ByteLevel","surprise":1})", "surprise"},
      {R"({"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"})", "\\w"},
      {R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})", "parenthes"},
      {R"({"type":"Split","pattern":{"String":""},"behavior":"Isolated"})", "pattern"},
      {R"({"type":"Split","pattern":{"String":"x"},"behavior":"Sideways"})", "Sideways"},
      {R"({"type":"Sequence","pretokenizers":[{"type":"Sequence","pretokenizers":[]}]})",
       "within a Sequence"},
      {R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"ByteLevel"}]})",
       "second ByteLevel"},
      {R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},)"
       R"({"type":"Metaspace","replacement":"_"}]})",
       "after a ByteLevel"},
      {R"([])", "object"},
  };
  for (const auto& [description, sentence] : wrong) {
    const auto made = Pretokenizer::make(json::parse(description));
    ASSERT_FALSE(made.has_value()) << description;
    EXPECT_THAT(made.error().message, HasSubstr("pre_tokenizer"));
    EXPECT_THAT(made.error().message, HasSubstr(sentence));
  }
}

TEST(Pattern, MeansWhatOnigurumaMeans) {
  EXPECT_THAT(matches(R"(\s+)", "a\xC2\x85 b\xE1\xA0\x8E"),
              ElementsAre("\xC2\x85 "));  // U+180E is none.
  EXPECT_THAT(matches(R"([^\s]+)", "a \xC2\x85z"), ElementsAre("a", "z"));
  EXPECT_THAT(matches(R"(\S+)", "a b"), ElementsAre("a", "b"));
  EXPECT_THAT(matches(R"(\d{1,2}+)", "12345"), ElementsAre("12345"));  // The whole, repeated.
  EXPECT_THAT(matches(R"((?:ab){1,2}+x)", "abababx"), ElementsAre("abababx"));
  EXPECT_THAT(matches(R"(\p{Han}+)", "\xE3\x83\xBC\xE6\xBC\xA2"), ElementsAre("\xE6\xBC\xA2"));
  EXPECT_THAT(matches(R"(\u4e2d|\x41)", "A\xE4\xB8\xAD"), ElementsAre("A", "\xE4\xB8\xAD"));
  EXPECT_THAT(matches(R"((?i:'s)|x++)", "'S'sxx"), ElementsAre("'S", "'s", "xx"));
  EXPECT_THAT(matches(R"(a*)", "baab"), ElementsAre("aa"));
  EXPECT_THAT(matches("\xC3\xA9{2}", "\xC3\xA9\xC3\xA9\xC3\xA9"), ElementsAre("\xC3\xA9\xC3\xA9"));
}

TEST(Pattern, WhatIsReadDifferentlyIsRefused) {
  for (const char* pattern : {R"(\w)",      R"(\bx)",          R"(\h)",      R"(\v)",     R"(^a)",
                              R"(a$)",      R"((a)\1)",        R"([a[b]])",  R"([a&&b])", R"([\S])",
                              R"((?x: a))", R"((?P<n>a))",     R"((*UCP)a)", R"(a{,3})",  R"({3})",
                              R"(a{2}{3})", R"(a{1,2}?)",      R"(\xE9)",    R"([]a])",   R"([a)",
                              R"(\)",       R"(\pL)",          R"(\u12)",    R"(a))",     R"(\K)",
                              R"(\C)",      R"(\p{Any Thing})"}) {
    const auto translated = to_pcre2(pattern);
    EXPECT_FALSE(translated.has_value()) << pattern << " became " << *translated;
  }
}

TEST(Pattern, AHostileOneEndsSoon) {
  const auto regex = Regex::make(R"((?:a+)+(?:a+)+(?:a+)+b)");
  ASSERT_TRUE(regex.has_value());
  RegexScratch scratch;
  EXPECT_FALSE(regex->find(std::string(5000, 'a'), 0, scratch).has_value());
}

TEST(ByteAlphabet, EveryByteHasItsCharacter) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(from_alphabet(to_alphabet(all)), all);
  EXPECT_EQ(to_alphabet(" \n"), "\xC4\xA0\xC4\x8A");
  EXPECT_FALSE(from_alphabet(" ").has_value());
  EXPECT_FALSE(from_alphabet("\xE2\x96\x81").has_value());
}

TEST(Normalizer, UnicodesFormsAndPlainReplacement) {
  const auto apply = [](const std::string& description, const std::string& text) {
    const auto made = Normalizer::make(json::parse(description));
    CHECK_MSG(made.has_value(), made.error().message);
    RegexScratch scratch;
    std::string out;
    return std::string(made->apply(text, out, scratch));
  };
  const std::string e_acute = "e\xCC\x81";
  EXPECT_EQ(apply("null", e_acute), e_acute);
  EXPECT_EQ(apply(R"({"type":"NFC"})", e_acute + std::string(1, '\0')),
            "\xC3\xA9" + std::string(1, '\0'));
  EXPECT_EQ(apply(R"({"type":"NFD"})", "\xC3\xA9"), e_acute);
  EXPECT_EQ(apply(R"({"type":"NFKC"})", "\xEF\xAC\x81"), "fi");
  EXPECT_EQ(apply(R"({"type":"Replace","pattern":{"Regex":" +"},"content":"_"})", "a  b c"),
            "a_b_c");
  EXPECT_EQ(apply(R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},)"
                  R"({"type":"Replace","pattern":{"String":" "},"content":"_"}]})",
                  "a b"),
            "_a_b");
  EXPECT_FALSE(Normalizer::make(json::parse(R"({"type":"Precompiled"})")).has_value());
}

TEST(Decoder, ByteFallbackAndMarks) {
  const auto made = Decoder::make(json::parse(
      R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"_"},"content":" "},)"
      R"({"type":"ByteFallback"},{"type":"Fuse"},)"
      R"({"type":"Strip","content":" ","start":1,"stop":0}]})"));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->token("_a_"), " a ");
  EXPECT_EQ(made->token("<0xE2>"), "\xE2");
  EXPECT_EQ(made->token("<0xe2>"), "<0xe2>");
  EXPECT_EQ(made->strip_count(), 1U);
  EXPECT_FALSE(Decoder::make(json::parse(R"({"type":"WordPiece"})")).has_value());
}

TEST(AddedTokens, TheLeftmostAndOfThoseTheLongestIsFound) {
  AddedTokens tokens;
  tokens.add("ab", 1);
  tokens.add("abcd", 2);
  tokens.add("b", 3);
  tokens.add("<m>", 4, true, true);
  const auto at = [&](std::string_view text, size_t from) {
    const auto found = tokens.find(text, from);
    return found ? std::vector<size_t>{found->begin, found->end, found->token}
                 : std::vector<size_t>();
  };
  EXPECT_THAT(at("xabcx", 0), ElementsAre(1, 3, 1));
  EXPECT_THAT(at("xabcd", 0), ElementsAre(1, 5, 2));
  EXPECT_THAT(at("xabcd", 2), ElementsAre(2, 3, 3));
  EXPECT_THAT(at("x  <m> \ny", 0), ElementsAre(1, 8, 4));
  EXPECT_THAT(at("zzz<", 0), ElementsAre());
}

TEST(Seams, LieBetweenWhatNoMergeJoins) {
  Seams seams;
  seams.join("a", "b");
  seams.join("\xE2\x96\x81", "ab");
  seams.join("ab", "\xC3\xA9");
  EXPECT_EQ(seams.first("ab"), 2U);
  EXPECT_EQ(seams.first("ba"), 1U);
  EXPECT_EQ(seams.first("\xE2\x96\x81"
                        "ab\xE2\x96\x81"),
            5U);
  EXPECT_EQ(seams.first("b\xC3\xA4"), 3U);  // As "é": all others are taken for one.
  seams.join_all();
  EXPECT_EQ(seams.first("bababa"), 6U);
}

// By the book: look for the lowest rank, merge its leftmost place, begin again.
struct PlainMerges {
  std::map<std::pair<uint32_t, uint32_t>, std::pair<uint32_t, uint32_t>> table;  // Rank, merged.

  void apply(std::vector<uint32_t>& tokens) const {
    while (true) {
      size_t best = tokens.size();
      std::pair<uint32_t, uint32_t> found{~0U, 0};
      for (size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto merge = table.find({tokens[i], tokens[i + 1]});
        if (merge == table.end() || merge->second.first >= found.first) continue;
        found = merge->second;
        best = i;
      }
      if (best == tokens.size()) return;
      tokens[best] = found.second;
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
  }
};

TEST(Merges, ShortAndLongWordsAreMergedByTheBook) {
  common::Philox random(7);
  for (int round = 0; round < 60; ++round) {
    // A vocabulary as training makes one: each token is two earlier ones. Some ranks are equal.
    PlainMerges plain;
    Merges merges(200);
    for (uint32_t merged = 4; merged < 160; ++merged) {
      const auto left = static_cast<uint32_t>(random.below(merged));
      const auto right = static_cast<uint32_t>(random.below(merged));
      const uint32_t rank = merged / (round % 2 == 0 ? 1 : 4);
      plain.table[{left, right}] = {rank, merged};
      ASSERT_TRUE(merges.add(left, right, rank, merged).has_value());
    }
    MergeScratch scratch;
    for (const size_t size : {0, 1, 2, 3, 10, 47, 48, 49, 50, 300}) {
      std::vector<uint32_t> word(size);
      for (uint32_t& token : word) token = static_cast<uint32_t>(random.below(4));
      std::vector<uint32_t> expected = word;
      plain.apply(expected);
      merges.apply(word, scratch);
      ASSERT_EQ(word, expected) << "round " << round << " size " << size;
    }
  }
}

TEST(Merges, ALongWordOfOneLetterTakesNoTimeToSpeakOf) {
  Merges merges(20);
  for (uint32_t i = 0; i < 16; ++i) ASSERT_TRUE(merges.add(i, i, i, i + 1).has_value());
  MergeScratch scratch;
  std::vector<uint32_t> word(1 << 18, 0);
  merges.apply(word, scratch);
  EXPECT_EQ(word, std::vector<uint32_t>(4, 16));
}

}  // namespace
}  // namespace train::bpe
