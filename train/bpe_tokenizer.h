// Byte-pair tokenizers as Hugging Face's tokenizer.json describes them: GPT-2's, LLaMA's, Qwen's,
// Gemma's and most others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "train/tokenizer.h"

namespace train {

// The tokenizer of `json`, the text of a tokenizer.json of at most 64 MiB, 2^20 tokens and 2^21
// merges. It gives the tokens that Hugging Face's own library gives, but that
//   - special tokens are text like any other when they stand in a text: nobody can end a document,
//     or speak as the system, by writing "</s>" (their `split_special_tokens`);
//   - nothing is put before or after a text (no post_processor, truncation or padding);
//   - what is no UTF-8 becomes U+FFFD before it is encoded;
//   - decode() gives the bytes of a part of a character as they are, and no special token's text.
// `config` is the tokenizer_config.json beside it, or empty: where its eos_token and bos_token are
// taken from. Without it the usual names are looked for. `end_of_document` overrides both.
// kInvalidArgument, with a sentence that names what is not understood: what is not known might
// change the tokens.
common::Result<std::unique_ptr<Tokenizer>> make_huggingface(
    std::string json, std::string_view config, std::optional<uint32_t> end_of_document = {});

// The same from a file, and tokenizer_config.json beside it if there is one. kNotFound.
common::Result<std::unique_ptr<Tokenizer>> load_huggingface(
    const std::filesystem::path& tokenizer_json, std::optional<uint32_t> end_of_document = {});

}  // namespace train
