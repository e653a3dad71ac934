#include "train/tokenizer.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <exception>
#include <unordered_map>
#include <utility>

#include "common/check.h"
#include "common/files.h"
#include "train/bpe/sentencepiece_encoder.h"
#include "train/bpe/utf8.h"
#include "train/bpe_tokenizer.h"
#include "train/dataset.h"
#include "train/text_reader.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kModelSizeMax = 64 << 20;

class ByteTokenizer final : public Tokenizer {
 public:
  std::vector<uint32_t> encode(std::string_view text) const override {
    const common::ByteView bytes = common::view_of(text);
    return {bytes.begin(), bytes.end()};
  }
  std::string decode(std::span<const uint32_t> tokens) const override {
    std::string text;
    for (const uint32_t token : tokens) {
      CHECK(token < vocabulary());
      if (token != kEnd) text.push_back(static_cast<char>(token));
    }
    return text;
  }
  uint32_t vocabulary() const override { return kEnd + 1; }
  uint32_t end_of_document() const override { return kEnd; }
  std::string_view name() const override { return "bytes"; }
  std::string_view model() const override { return {}; }

 private:
  static constexpr uint32_t kEnd = 256;
};

class SentencePiece final : public Tokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> make(std::string model) {
    auto made = std::make_unique<SentencePiece>();
    const auto status = made->processor_.LoadFromSerializedProto(model);
    if (!status.ok()) {
      return Error{Code::kInvalidArgument, "this is not a SentencePiece model"};
    }
    const int pieces = made->processor_.GetPieceSize();
    if (pieces <= 0 || static_cast<uint32_t>(pieces) > kVocabularyMax) {
      return Error{Code::kInvalidArgument, fmt::format("a model of {} pieces; at most {} are read",
                                                       pieces, kVocabularyMax)};
    }
    if (made->processor_.eos_id() < 0 || made->processor_.eos_id() >= pieces) {
      return Error{Code::kInvalidArgument,
                   "the model has no end-of-sentence piece, which would end a document"};
    }
    made->encoder_ = bpe::SentencePieceEncoder::make(model);
    made->model_ = std::move(model);
    return std::unique_ptr<Tokenizer>(std::move(made));
  }

  std::vector<uint32_t> encode(std::string_view text) const override {
    if (encoder_) {
      uint64_t replaced = 0;
      if (!bpe::is_ascii(text)) static_cast<void>(valid_utf8(text, replaced));
      if (replaced == 0) return encoder_->encode(text);
    }
    std::vector<int> pieces;
    const auto status = processor_.Encode(text, &pieces);
    CHECK_MSG(status.ok(), status.ToString());  // A loaded model encodes every text.
    return {pieces.begin(), pieces.end()};
  }
  std::string decode(std::span<const uint32_t> tokens) const override {
    for (const uint32_t token : tokens) CHECK(token < vocabulary());
    std::string text;
    const auto status = processor_.Decode(std::vector<int>(tokens.begin(), tokens.end()), &text);
    CHECK_MSG(status.ok(), status.ToString());
    return text;
  }
  uint32_t vocabulary() const override { return static_cast<uint32_t>(processor_.GetPieceSize()); }
  uint32_t end_of_document() const override { return static_cast<uint32_t>(processor_.eos_id()); }
  std::optional<uint32_t> begin_of_document() const override {
    if (processor_.bos_id() < 0) return std::nullopt;
    return static_cast<uint32_t>(processor_.bos_id());
  }
  std::string_view name() const override { return "sentencepiece"; }
  std::string_view model() const override { return model_; }

 private:
  sentencepiece::SentencePieceProcessor processor_;
  std::unique_ptr<bpe::SentencePieceEncoder> encoder_;  // The same, faster, if it can.
  std::string model_;
};

// Hands SentencePiece lines that we keep.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string>& lines) : lines_(lines) {}
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& lines_;
  size_t at_ = 0;
};

std::unordered_map<std::string, std::string> training_options(uint32_t vocabulary) {
  return {
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(vocabulary)},
      {"hard_vocab_limit", "true"},
      // What is not worth a piece is spelled in bytes: nothing is ever unknown.
      {"byte_fallback", "true"},
      {"character_coverage", "0.9995"},
      // The text comes back as it was, spaces and all.
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "false"},
      {"allow_whitespace_only_pieces", "true"},
      {"split_digits", "true"},
      // The same lines give the same model.
      {"num_threads", "1"},
      {"input_sentence_size", "0"},
      {"shuffle_input_sentence", "false"},
      {"max_sentence_length", std::to_string(1 << 20)},
      {"unk_id", "0"},
      {"bos_id", "1"},
      {"eos_id", "2"},
      {"pad_id", "-1"},
      // Errors come back as a status; this is its log, of which we want nothing.
      {"minloglevel", "3"},
  };
}

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

Result<std::unique_ptr<Tokenizer>> load_sentencepiece(const fs::path& model) {
  TRY(const common::Bytes bytes, common::read_file(model, kModelSizeMax));
  auto tokenizer = SentencePiece::make(std::string(common::text_of(bytes)));
  if (!tokenizer) return common::within(model.string(), tokenizer.error());
  return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const fs::path& path) {
  std::error_code trouble;
  if (!fs::is_directory(path, trouble)) {
    return path.extension() == ".json" ? load_huggingface(path) : load_sentencepiece(path);
  }
  if (fs::exists(path / "tokenizer.model", trouble)) {
    return load_sentencepiece(path / "tokenizer.model");
  }
  if (fs::exists(path / "tokenizer.json", trouble)) {
    return load_huggingface(path / "tokenizer.json");
  }
  return Error{
      Code::kInvalidArgument,
      fmt::format("{} holds neither a tokenizer.json nor a tokenizer.model", path.string())};
}

std::string_view tokenizer_file(std::string_view name) {
  if (name == "bytes") return "";
  return name == "huggingface" ? "tokenizer.json" : "tokenizer.model";
}

Result<std::unique_ptr<Tokenizer>> open_tokenizer(const fs::path& folder,
                                                  const DatasetManifest& manifest) {
  if (manifest.tokenizer == "bytes") return make_byte_tokenizer();
  const fs::path file = folder / tokenizer_file(manifest.tokenizer);
  TRY(auto tokenizer, manifest.tokenizer == "huggingface"
                          ? load_huggingface(file, manifest.end_of_document)
                          : load_sentencepiece(file));
  const common::Hash actual = common::blake2b_256(common::view_of(tokenizer->model()));
  if (actual != manifest.tokenizer_hash || tokenizer->vocabulary() != manifest.vocabulary) {
    return Error{Code::kCorrupt,
                 fmt::format("{} is not the data set's tokenizer: its hash is {}, the manifest "
                             "says {}",
                             file.string(), actual.hex(), manifest.tokenizer_hash.hex())};
  }
  return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> train_sentencepiece(const std::vector<std::string>& lines,
                                                       uint32_t vocabulary) {
  if (vocabulary < kVocabularyMin || vocabulary > kVocabularyMax) {
    return Error{Code::kInvalidArgument, fmt::format("a vocabulary of {}: {} to {} are possible",
                                                     vocabulary, kVocabularyMin, kVocabularyMax)};
  }
  const auto blank = [](const std::string& line) {
    return line.find_first_not_of(" \t\n") == std::string::npos;
  };
  const bool empty = std::all_of(lines.begin(), lines.end(), blank);
  Lines iterator(lines);
  std::string model;
  try {
    const auto status = empty ? sentencepiece::util::Status()
                              : sentencepiece::SentencePieceTrainer::Train(
                                    training_options(vocabulary), &iterator, &model);
    if (empty || !status.ok() || model.empty()) {
      return Error{Code::kInvalidArgument,
                   fmt::format("the text is too short to learn {} pieces from: give more text, "
                               "or a smaller vocabulary, or choose the tokenizer \"bytes\"",
                               vocabulary)};
    }
  } catch (const std::exception& trouble) {
    return Error{Code::kExhausted, fmt::format("training the tokenizer: {}", trouble.what())};
  }
  return SentencePiece::make(std::move(model));
}

}  // namespace train
