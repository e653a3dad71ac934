// Text to tokens and back. Three kinds: SentencePiece (LLaMA's and Gemma's own format), Hugging
// Face's tokenizer.json (train/bpe_tokenizer.h) and plain bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash.h"
#include "common/result.h"

namespace train {

struct DatasetManifest;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Tokens below vocabulary(), never end_of_document(). Any bytes may be given; what is no UTF-8
  // survives in bytes only. Safe from several threads at once. Time is about linear; memory is
  // about 100 bytes a byte of text, so give long texts in pieces.
  virtual std::vector<uint32_t> encode(std::string_view text) const = 0;

  // The text of tokens below vocabulary(); end_of_document() has none.
  //   bytes, and models of train_sentencepiece: decode(encode(text)) == text for valid UTF-8 (but
  //   U+2581, which SentencePiece keeps for itself, comes back as a space), and pieces of a text
  //   decode to the pieces. Other people's models may normalise the text; of a text that is given
  //   in pieces they may take each piece for a beginning, and put a space before it.
  virtual std::string decode(std::span<const uint32_t> tokens) const = 0;

  virtual uint32_t vocabulary() const = 0;
  virtual uint32_t end_of_document() const = 0;
  // What models of this tokenizer were shown before every text, such as LLaMA's <s>: for prompts.
  // encode() never puts it there, and data sets do not hold it.
  virtual std::optional<uint32_t> begin_of_document() const { return std::nullopt; }
  // As the manifest says it: "sentencepiece", "huggingface" or "bytes".
  virtual std::string_view name() const = 0;
  // What its file (tokenizer_file) holds; empty for bytes.
  virtual std::string_view model() const = 0;
};

// The byte b is token b; the end of a document is 256.
std::unique_ptr<Tokenizer> make_byte_tokenizer();

// A .model file. kNotFound, kInvalidArgument (not a model, or one without an end-of-sentence
// piece).
common::Result<std::unique_ptr<Tokenizer>> load_sentencepiece(const std::filesystem::path& model);

// A .model of SentencePiece, a Hugging Face tokenizer.json, or a folder that holds one of them: of
// both the .model is read. The errors of either; kInvalidArgument for a folder with neither.
common::Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::filesystem::path& path);

// The file beside a manifest that holds the tokenizer: "tokenizer.model", "tokenizer.json", or
// empty for bytes. `name` is one of Tokenizer::name().
std::string_view tokenizer_file(std::string_view name);

// The tokenizer of a data set: its file beside the manifest. kCorrupt if it is not the one the
// manifest names.
common::Result<std::unique_ptr<Tokenizer>> open_tokenizer(const std::filesystem::path& folder,
                                                          const DatasetManifest& manifest);

inline constexpr uint32_t kVocabularyMin = 512;      // 256 bytes, 3 controls, some letters.
inline constexpr uint32_t kVocabularyMax = 262'144;  // Gemma's.

// A byte-pair model of exactly `vocabulary` pieces with byte fallback, trained on `lines` of UTF-8,
// as LLaMA's but without a space put before a text (0 is unknown, 1 begins, 2 ends a document). The
// same lines give the same bytes: one thread, no sampling. kInvalidArgument if the lines hold too
// few different words, or `vocabulary` is not kVocabularyMin .. kVocabularyMax. Time: 4 MiB of
// English and 4,096 pieces take some seconds. Sources: Sennrich et al. 2016, arXiv:1508.07909; Kudo
// & Richardson 2018, arXiv:1808.06226.
common::Result<std::unique_ptr<Tokenizer>> train_sentencepiece(
    const std::vector<std::string>& lines, uint32_t vocabulary);

}  // namespace train
