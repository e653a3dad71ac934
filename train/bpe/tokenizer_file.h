// What stands in a tokenizer.json, before anybody asks what it means.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace train::bpe {

inline constexpr size_t kTokensMax = size_t{1} << 20;
inline constexpr size_t kMergesMax = size_t{1} << 21;

struct TokenizerFile {
  std::vector<std::pair<std::string, uint32_t>> vocabulary;  // model.vocab, if it is an object.
  std::vector<std::pair<std::string, std::string>> merges;   // model.merges; both spellings.
  nlohmann::json rest;                                       // The document without these two.
};

// Any JSON object of at most kTokensMax vocabulary entries below kTokensMax, kMergesMax merges
// ("a b" or ["a", "b"]), 2^21 other values and 32 levels. A key that stands twice, or anything else
// is kInvalidArgument. Memory: about four times the text. Not recursive.
common::Result<TokenizerFile> parse_tokenizer_file(std::string_view json);

}  // namespace train::bpe
