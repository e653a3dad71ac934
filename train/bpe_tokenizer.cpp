#include "train/bpe_tokenizer.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/files.h"
#include "train/bpe/added_tokens.h"
#include "train/bpe/decoder.h"
#include "train/bpe/model.h"
#include "train/bpe/normalizer.h"
#include "train/bpe/pretokenizer.h"
#include "train/bpe/scratch.h"
#include "train/bpe/tokenizer_file.h"
#include "train/bpe/utf8.h"
#include "train/bpe/vocabulary.h"
#include "train/text_reader.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kFileSizeMax = 64 << 20;
constexpr uint64_t kConfigSizeMax = 4 << 20;

class HuggingFace final : public Tokenizer {
 public:
  HuggingFace(bpe::Normalizer normalizer, bpe::Pretokenizer pretokenizer, bpe::Model model,
              bpe::Decoder decoder, bpe::Boundaries boundaries, std::string json)
      : normalizer_(std::move(normalizer)),
        pretokenizer_(std::move(pretokenizer)),
        model_(std::move(model)),
        decoder_(std::move(decoder)),
        boundaries_(boundaries),
        json_(std::move(json)) {}

  static Result<std::unique_ptr<Tokenizer>> make(std::string json, std::string_view config,
                                                 std::optional<uint32_t> end_of_document);

  std::vector<uint32_t> encode(std::string_view text) const override {
    std::vector<uint32_t> tokens;
    tokens.reserve(text.size() / 3);
    uint64_t replaced = 0;
    const std::string valid = bpe::is_ascii(text) ? std::string() : valid_utf8(text, replaced);
    auto scratch = scratch_.take();
    encode_valid(replaced > 0 ? valid : text, *scratch, tokens);
    scratch_.give_back(std::move(scratch));
    return tokens;
  }

  std::string decode(std::span<const uint32_t> tokens) const override {
    std::string text;
    for (const uint32_t token : tokens) {
      CHECK(token < vocabulary());
      text += texts_[token];
    }
    const std::string_view strip = decoder_.strip_text();
    size_t begin = 0;
    for (uint32_t i = 0; i < decoder_.strip_count(); ++i) {
      if (std::string_view(text).substr(begin).starts_with(strip)) begin += strip.size();
    }
    return text.substr(begin);
  }

  uint32_t vocabulary() const override { return static_cast<uint32_t>(texts_.size()); }
  uint32_t end_of_document() const override { return boundaries_.end; }
  std::optional<uint32_t> begin_of_document() const override { return boundaries_.begin; }
  std::string_view name() const override { return "huggingface"; }
  std::string_view model() const override { return json_; }

 private:
  bpe::Normalizer normalizer_;
  bpe::Pretokenizer pretokenizer_;
  bpe::Model model_;
  bpe::Decoder decoder_;
  bpe::Boundaries boundaries_;
  bpe::AddedTokens as_written_;     // Found in the text as it is given,
  bpe::AddedTokens as_normalized_;  //   and after it is normalised.
  std::vector<std::string> texts_;  // What each token adds to a text.
  std::string json_;
  mutable bpe::ScratchPool scratch_;

  void read_added(const bpe::Vocabulary& vocabulary);
  void encode_valid(std::string_view text, bpe::Scratch& scratch,
                    std::vector<uint32_t>& tokens) const;
  void encode_section(std::string_view text, bool at_start, bpe::Scratch& scratch,
                      std::vector<uint32_t>& tokens) const;
};

Result<std::unique_ptr<Tokenizer>> HuggingFace::make(std::string json, std::string_view config,
                                                     std::optional<uint32_t> end_of_document) {
  if (json.size() > kFileSizeMax) {
    return Error{Code::kInvalidArgument, "a tokenizer.json of over 64 MiB"};
  }
  TRY(const bpe::TokenizerFile file, bpe::parse_tokenizer_file(json));
  TRY_VOID(bpe::Model::check_type(file));  // First: of another model nothing else is usual.
  const auto part = [&](const char* name) { return file.rest.value(name, nlohmann::json()); };
  TRY(auto normalizer, bpe::Normalizer::make(part("normalizer")));
  TRY(auto pretokenizer, bpe::Pretokenizer::make(part("pre_tokenizer")));
  TRY(auto decoder, bpe::Decoder::make(part("decoder")));
  TRY(bpe::Vocabulary vocabulary, bpe::Vocabulary::make(file));
  TRY(const auto boundaries, bpe::Boundaries::make(vocabulary, file, config, end_of_document));
  vocabulary.special[boundaries.end] = true;
  TRY(auto model,
      bpe::Model::make(file, vocabulary.tokens, pretokenizer.byte_level(), vocabulary.special));
  if (model.unknown() == boundaries.end) {
    return Error{Code::kInvalidArgument,
                 "its unk_token also ends documents, so any odd character would: name another "
                 "eos_token in the tokenizer_config.json beside it"};
  }
  auto made = std::make_unique<HuggingFace>(std::move(normalizer), std::move(pretokenizer),
                                            std::move(model), std::move(decoder), boundaries,
                                            std::move(json));
  made->read_added(vocabulary);
  for (size_t id = 0; id < vocabulary.texts.size(); ++id) {
    made->texts_.push_back(vocabulary.special[id] ? std::string()
                                                  : made->decoder_.token(vocabulary.texts[id]));
  }
  return std::unique_ptr<Tokenizer>(std::move(made));
}

void HuggingFace::read_added(const bpe::Vocabulary& vocabulary) {
  bpe::RegexScratch scratch;
  std::string normalized;
  for (const bpe::AddedToken& token : vocabulary.added) {
    if (vocabulary.special[token.id]) continue;
    if (!token.normalized) {
      as_written_.add(token.content, token.id, token.left, token.right);
      continue;
    }
    const std::string_view content = normalizer_.apply(token.content, normalized, scratch);
    if (!content.empty()) as_normalized_.add(content, token.id, token.left, token.right);
  }
}

// What lies between the tokens that are found as they are written.
void HuggingFace::encode_valid(std::string_view text, bpe::Scratch& scratch,
                               std::vector<uint32_t>& tokens) const {
  size_t at = 0;
  if (!as_written_.empty()) {
    while (const auto found = as_written_.find(text, at)) {
      encode_section(text.substr(at, found->begin - at), at == 0, scratch, tokens);
      tokens.push_back(found->token);
      at = found->end;
    }
  }
  encode_section(text.substr(at), at == 0, scratch, tokens);
}

void HuggingFace::encode_section(std::string_view text, bool at_start, bpe::Scratch& scratch,
                                 std::vector<uint32_t>& tokens) const {
  if (text.empty()) return;
  text = normalizer_.apply(text, scratch.normalized, scratch.regex);
  const bpe::Pretokenizer::Piece encode_piece = [&](std::string_view piece) {
    model_.encode(piece, scratch.model, tokens);
  };
  size_t at = 0;
  if (!as_normalized_.empty()) {
    while (const auto found = as_normalized_.find(text, at)) {
      pretokenizer_.split(text.substr(at, found->begin - at), at_start && at == 0, scratch.regex,
                          encode_piece);
      tokens.push_back(found->token);
      at = found->end;
    }
  }
  pretokenizer_.split(text.substr(at), at_start && at == 0, scratch.regex, encode_piece);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> make_huggingface(std::string json, std::string_view config,
                                                    std::optional<uint32_t> end_of_document) {
  return HuggingFace::make(std::move(json), config, end_of_document);
}

Result<std::unique_ptr<Tokenizer>> load_huggingface(const fs::path& tokenizer_json,
                                                    std::optional<uint32_t> end_of_document) {
  TRY(const common::Bytes bytes, common::read_file(tokenizer_json, kFileSizeMax));
  const auto beside =
      common::read_file(tokenizer_json.parent_path() / "tokenizer_config.json", kConfigSizeMax);
  if (!beside && beside.error().code != Code::kNotFound) return beside.error();
  auto made =
      make_huggingface(std::string(common::text_of(bytes)),
                       beside ? common::text_of(*beside) : std::string_view(), end_of_document);
  if (!made) return common::within(tokenizer_json.string(), made.error());
  return made;
}

}  // namespace train
