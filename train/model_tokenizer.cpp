// The part of train/hf_checkpoint.h that concerns a model's tokenizer.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "train/hf_checkpoint.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Bytes;
using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kFileSizeMax = 64 << 20;
constexpr const char* kSentencePiece = "tokenizer.model";
constexpr const char* kHuggingFace = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
// What may lie beside a model and belongs to its tokenizer.
constexpr std::array kKnown = {kSentencePiece,      kHuggingFace,
                               kTokenizerConfig,    "special_tokens_map.json",
                               "added_tokens.json", "chat_template.jinja"};

Error none(const fs::path& path) {
  return {Code::kNotFound, fmt::format("{} has no tokenizer ({} or {}); name one with --tokenizer",
                                       path.string(), kSentencePiece, kHuggingFace)};
}

// For LLaMA's tokenizer class in transformers, which cannot see from the model whether a text
// begins with a token.
std::string tokenizer_config(const HfConfig& config) {
  const nlohmann::json object = {{"tokenizer_class", "LlamaTokenizer"},
                                 {"add_bos_token", config.begin_token.has_value()},
                                 {"add_eos_token", false},
                                 {"bos_token", "<s>"},
                                 {"eos_token", "</s>"},
                                 {"unk_token", "<unk>"},
                                 {"clean_up_tokenization_spaces", false},
                                 {"legacy", true},
                                 {"model_max_length", config.model.sequence_length}};
  return object.dump(2) + "\n";
}

NamedBytes named(std::string name, std::string_view text) {
  const common::ByteView bytes = common::view_of(text);
  return {std::move(name), Bytes(bytes.begin(), bytes.end())};
}

bool has(const std::vector<NamedBytes>& files, std::string_view name) {
  return std::ranges::any_of(files, [=](const NamedBytes& file) { return file.name == name; });
}

}  // namespace

std::vector<NamedBytes> with_tokenizer_config(std::vector<NamedBytes> files,
                                              const HfConfig& config) {
  if (has(files, kSentencePiece) && !has(files, kTokenizerConfig)) {
    files.push_back(named(kTokenizerConfig, tokenizer_config(config)));
  }
  return files;
}

Result<std::unique_ptr<Tokenizer>> open_model_tokenizer(const fs::path& path,
                                                        const HfConfig& config) {
  if (fs::is_directory(path) && !fs::exists(path / kHuggingFace) &&
      !fs::exists(path / kSentencePiece)) {
    return none(path);
  }
  TRY(auto tokenizer, load_tokenizer(path));
  if (tokenizer->vocabulary() > config.model.vocabulary) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} has {} tokens, the model only {}: it is another model's tokenizer",
                             path.string(), tokenizer->vocabulary(), config.model.vocabulary)};
  }
  return tokenizer;
}

Result<std::vector<NamedBytes>> tokenizer_files(const fs::path& path, const HfConfig& config) {
  std::vector<NamedBytes> files;
  if (!fs::is_directory(path)) {
    TRY(Bytes bytes, common::read_file(path, kFileSizeMax));
    const bool json = path.extension() == ".json";
    files.push_back({json ? kHuggingFace : kSentencePiece, std::move(bytes)});
  } else {
    for (const char* const name : kKnown) {
      if (!fs::exists(path / name)) continue;
      TRY(Bytes bytes, common::read_file(path / name, kFileSizeMax));
      files.push_back({name, std::move(bytes)});
    }
  }
  if (!has(files, kSentencePiece) && !has(files, kHuggingFace)) return none(path);
  return with_tokenizer_config(std::move(files), config);
}

}  // namespace train
