// From the texts of tokens to text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace train::bpe {

class Component;

class Decoder {
 public:
  // "decoder" of a tokenizer.json: null, ByteLevel, Metaspace, or a Sequence of Replace,
  // ByteFallback, Fuse and Strip. kInvalidArgument names any other.
  static common::Result<Decoder> make(const nlohmann::json& json);

  // What one token adds to a text: bytes, that need not be whole characters.
  std::string token(std::string_view token) const;
  // What is cut off the beginning of a whole text: `strip_text()` up to `strip_count()` times.
  const std::string& strip_text() const { return strip_text_; }
  uint32_t strip_count() const { return strip_count_; }

 private:
  bool byte_level_ = false;
  bool byte_fallback_ = false;
  bool fused_ = false;
  std::vector<std::pair<std::string, std::string>> replaced_;  // Plain texts.
  std::string strip_text_;
  uint32_t strip_count_ = 0;

  common::Result<void> add(Component& part);
  common::Result<void> add_replace(Component& part, std::string what, std::string by);
};

// The byte that a token "<0xHH>" stands for; below 0 if it is none.
int byte_of_token(std::string_view token);

}  // namespace train::bpe
