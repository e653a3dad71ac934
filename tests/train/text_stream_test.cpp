// Goal: what is shown piece by piece is the whole text, and every piece is whole characters.
// Method: texts of many scripts, token by token, through a tokenizer of bytes and a real one.
#include "train/text_stream.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "train/llama2c.h"
#include "train/text_reader.h"

namespace train {
namespace {

const std::string kText =
    "The quick brown fox \xE2\x80\x94 na\xC3\xAFve caf\xC3\xA9, \xE4\xB8\xAD\xE6\x96\x87 "
    "\xF0\x9F\x98\x80\xF0\x9F\x98\x80!\n  two  spaces";

bool is_utf8(const std::string& text) {
  uint64_t replaced = 0;
  return valid_utf8(text, replaced) == text && replaced == 0;
}

// What a stream shows; each part is checked.
std::string streamed(const Tokenizer& tokenizer, const std::vector<uint32_t>& tokens) {
  TextStream stream(tokenizer);
  std::string out;
  for (const uint32_t token : tokens) {
    const std::string part = stream.push(token);
    EXPECT_TRUE(is_utf8(part));
    out += part;
  }
  const std::string rest = stream.finish();
  EXPECT_TRUE(is_utf8(rest));
  return out + rest;
}

std::unique_ptr<Tokenizer> stories_tokenizer() {
  const auto file =
      common::read_file(MUSTER_SOURCE_DIR "/tests/train/data/tok512.bin", 1 << 20).value();
  const auto model = sentencepiece_of_llama2c(file).value();
  const tests::TempFolder folder;
  const auto path = folder / "stories.model";
  CHECK(common::write_file(path, model).has_value());
  return load_sentencepiece(path).value();
}

TEST(TextStream, ShowsTheWholeText) {
  const auto bytes = make_byte_tokenizer();
  EXPECT_EQ(streamed(*bytes, bytes->encode(kText)), kText);
  const auto pieces = stories_tokenizer();
  EXPECT_EQ(streamed(*pieces, pieces->encode(kText)), kText);
}

TEST(TextStream, ShowsACharacterWhenItsLastByteIsThere) {
  const auto bytes = make_byte_tokenizer();
  TextStream stream(*bytes);
  EXPECT_EQ(stream.push('a'), "a");
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.push(0x80), "");
  EXPECT_EQ(stream.push(0x94), "\xE2\x80\x94");
}

TEST(TextStream, AnUnfinishedCharacterIsReplaced) {
  const auto bytes = make_byte_tokenizer();
  EXPECT_EQ(streamed(*bytes, {'a', 0xE2, 0x80}), "a\xEF\xBF\xBD");
  EXPECT_EQ(streamed(*bytes, {'a', 0xFF, 'b'}),
            "a\xEF\xBF\xBD"
            "b");
}

// The begin token has no text, and the first piece's space is the tokenizer's own.
TEST(TextStream, TheFirstSpaceIsNotShown) {
  const auto pieces = stories_tokenizer();
  std::vector<uint32_t> tokens = {1};
  for (const uint32_t token : pieces->encode("Once upon")) tokens.push_back(token);
  EXPECT_EQ(streamed(*pieces, tokens), "Once upon");
}

TEST(TextStream, IsLinearInTheText) {
  const auto pieces = stories_tokenizer();
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "Lily saw a ball " + std::to_string(i) + ". ";
  EXPECT_EQ(streamed(*pieces, pieces->encode(text)), text);
}

}  // namespace
}  // namespace train
