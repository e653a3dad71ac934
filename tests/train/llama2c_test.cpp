// Goal: a real model of llama2.c tells its story here, and wrong files are refused. Method:
// stories260K and its tokenizer; llama2.c's own algorithm of encoding, written out, as the oracle
// of the tokenizer; one byte changed at a time.
#include "train/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "train/decoder.h"
#include "train/model.h"
#include "train/sampler.h"
#include "train/tokenizer.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using testing::HasSubstr;
using testing::StartsWith;

Bytes file(const char* name) {
  const auto path = std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/train/data" / name;
  return common::read_file(path, 1 << 24).value();
}

std::unique_ptr<Tokenizer> tokenizer_of(const Bytes& bin) {
  const tests::TempFolder folder;
  CHECK(common::write_file(folder / "t.model", sentencepiece_of_llama2c(bin).value()).has_value());
  return load_sentencepiece(folder / "t.model").value();
}

std::string refusal(const Bytes& bytes) {
  const auto model = from_llama2c(bytes);
  if (model) return "";
  EXPECT_EQ(model.error().code, Code::kInvalidArgument);
  return model.error().message;
}

// The bytes with number `index` of the header replaced.
Bytes with_header(Bytes bytes, size_t index, int32_t value) {
  std::memcpy(bytes.data() + 4 * index, &value, 4);
  return bytes;
}

// llama2.c's encode(): a space before the text, characters (else bytes + 3), then merges of the
// best-scored pair until there is none.
struct Oracle {
  explicit Oracle(const Bytes& bin) {
    common::ByteReader in(bin);
    const auto longest = in.number<uint32_t>();
    while (in.remaining() > 0) {
      score.push_back(in.number<float>());
      const std::string text(common::text_of(in.sized(longest)));
      id.emplace(text, static_cast<uint32_t>(pieces.size()));
      pieces.push_back(text);
    }
  }
  std::vector<uint32_t> encode(const std::string& text) const {
    std::vector<uint32_t> tokens = {id.at(" ")};
    for (size_t at = 0; at < text.size();) {
      size_t size = 1;
      while (at + size < text.size() && (text[at + size] & 0xC0) == 0x80) ++size;
      const auto found = id.find(text.substr(at, size));
      if (found != id.end()) {
        tokens.push_back(found->second);
      } else {
        for (size_t i = 0; i < size; ++i) {
          tokens.push_back(static_cast<uint8_t>(text[at + i]) + 3U);
        }
      }
      at += size;
    }
    while (true) {
      float best = -1e10F;
      size_t where = tokens.size();
      uint32_t merged = 0;
      for (size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto found = id.find(pieces[tokens[i]] + pieces[tokens[i + 1]]);
        if (found == id.end() || score[found->second] <= best) continue;
        best = score[found->second];
        where = i;
        merged = found->second;
      }
      if (where == tokens.size()) return tokens;
      tokens[where] = merged;
      tokens.erase(tokens.begin() + static_cast<long>(where) + 1);
    }
  }
  std::vector<std::string> pieces;
  std::vector<float> score;
  std::map<std::string, uint32_t> id;
};

TEST(Llama2c, TellsItsStory) {
  const auto model = from_llama2c(file("stories260K.bin"));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->config.model.dim, 64U);
  EXPECT_EQ(model->config.model.layers, 5U);
  EXPECT_EQ(model->config.model.heads, 8U);
  EXPECT_EQ(model->config.model.kv_heads, 4U);
  EXPECT_EQ(model->config.model.vocabulary, 512U);
  EXPECT_TRUE(model->config.model.tied_embeddings);
  const auto tokenizer = tokenizer_of(file("tok512.bin"));
  Decoder decoder(model->config.model, model->theta, 128, 1);
  Sampler sampler({.temperature = 0});
  std::vector<uint32_t> tokens = {1};
  while (tokens.size() < 120) {
    tokens.push_back(sampler.next(decoder.read(std::span(tokens).last(1))));
  }
  EXPECT_THAT(tokenizer->decode(tokens),
              StartsWith("Once upon a time, there was a little girl named Lily. She loved to play "
                         "outside in the park. One day, she saw a big, red ball. She wanted to "
                         "play with it, but it was too high"));
}

TEST(Llama2c, TheTokenizerGivesItsTokens) {
  const Bytes bin = file("tok512.bin");
  const auto tokenizer = tokenizer_of(bin);
  const Oracle oracle(bin);
  EXPECT_EQ(tokenizer->vocabulary(), 512U);
  EXPECT_EQ(tokenizer->end_of_document(), 2U);
  for (const std::string text :
       {"Once upon a time, there was a little girl named Lily.", "a", " ", "  two  spaces ",
        "caf\xC3\xA9 \xE2\x80\x94 \xF0\x9F\x98\x80", "\"No!\" she said.\nThen", "XYZ 1234567890",
        "aaaaaaaaaaaaaaaaaaaaaaaaa", "the the the theth hehe"}) {
    EXPECT_EQ(tokenizer->encode(text), oracle.encode(text)) << text;
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

// A head of its own follows the angles.
TEST(Llama2c, AnUntiedHeadIsRead) {
  const Bytes tied = file("stories260K.bin");
  Bytes untied = with_header(tied, 5, -512);
  std::vector<float> head(512 * 64);
  for (size_t i = 0; i < head.size(); ++i) head[i] = static_cast<float>(i);
  const auto* bytes = reinterpret_cast<const uint8_t*>(head.data());
  untied.insert(untied.end(), bytes, bytes + head.size() * 4);
  const auto model = from_llama2c(untied);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE(model->config.model.tied_embeddings);
  const auto same = from_llama2c(tied).value();
  ASSERT_EQ(model->theta.size(), same.theta.size() + head.size());
  EXPECT_TRUE(std::equal(same.theta.begin(), same.theta.end(), model->theta.begin()));
  EXPECT_TRUE(std::equal(head.begin(), head.end(),
                         model->theta.begin() + static_cast<long>(same.theta.size())));
}

// Row 2i of a head goes to i, row 2i + 1 to i + half; 8 heads of 8 rows.
TEST(Llama2c, RowsOfQueriesChangePlaces) {
  const Bytes bytes = file("stories260K.bin");
  const auto model = from_llama2c(bytes).value();
  const size_t first_query = 28 + (512 * 64 + 5 * 64) * sizeof(float);  // After the first norms.
  const auto row = [&](size_t index) {
    std::vector<float> values(64);
    std::memcpy(values.data(), bytes.data() + first_query + index * 64 * sizeof(float), 256);
    return values;
  };
  const auto ours = [&](size_t index) {
    const auto at = model.theta.begin() + static_cast<long>(512 * 64 + index * 64);
    return std::vector<float>(at, at + 64);
  };
  for (size_t head = 0; head < 8; ++head) {
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(ours(head * 8 + i), row(head * 8 + 2 * i));
      EXPECT_EQ(ours(head * 8 + 4 + i), row(head * 8 + 2 * i + 1));
    }
  }
}

TEST(Llama2c, WrongModelsAreRefusedWithWhatIsWrong) {
  const Bytes good = file("stories260K.bin");
  EXPECT_THAT(refusal({}), HasSubstr("cut short"));
  EXPECT_THAT(refusal(Bytes(good.begin(), good.begin() + 27)), HasSubstr("cut short"));
  EXPECT_THAT(refusal(Bytes(good.begin(), good.end() - 1)), HasSubstr("its sizes make"));
  EXPECT_THAT(refusal(with_header(good, 0, 0x616B3432)), HasSubstr("--version 0"));
  for (size_t index = 0; index < 7; ++index) {
    for (const int32_t value : {0, -1, 7, 1 << 30, INT32_MIN, INT32_MAX}) {
      if (index == 5 && value == -1) continue;
      EXPECT_NE(refusal(with_header(good, index, value)), "") << index << " " << value;
    }
  }
  Bytes nan = good;
  const float bad = NAN;
  std::memcpy(nan.data() + 28 + 400, &bad, 4);
  EXPECT_THAT(refusal(nan), HasSubstr("model.embed_tokens.weight holds NaN"));
  Bytes angle = good;
  const float other = 0.25F;
  std::memcpy(angle.data() + angle.size() - 4, &other, 4);
  EXPECT_THAT(refusal(angle), HasSubstr("rotary angles"));
  EXPECT_THAT(refusal(file("tok512.bin")), HasSubstr("llama2.c model"));
}

TEST(Llama2c, WrongTokenizersAreRefusedWithWhatIsWrong) {
  const Bytes good = file("tok512.bin");
  const auto said = [](const Bytes& bytes) {
    const auto model = sentencepiece_of_llama2c(bytes);
    return model ? "" : model.error().message;
  };
  EXPECT_EQ(said(good), "");
  EXPECT_THAT(said({}), HasSubstr("longest piece"));
  EXPECT_THAT(said(file("stories260K.bin")), HasSubstr("llama2.c tokenizer"));
  EXPECT_THAT(said(Bytes(good.begin(), good.begin() + 100)), HasSubstr("before the 256 bytes"));
  EXPECT_THAT(said(Bytes(good.begin(), good.end() - 1)), HasSubstr("piece 511"));
  Bytes changed = good;
  changed[4 + 8] = 'X';  // "<unk>" begins here.
  EXPECT_THAT(said(changed), HasSubstr("piece 0 is another than <unk>"));
}

}  // namespace
}  // namespace train
