// Tokens that come one by one, as text that can be shown: whole characters only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tokenizer.h"

namespace train {

class TextStream {
 public:
  // `tokenizer` outlives the stream.
  explicit TextStream(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The text that is certain with this token: valid UTF-8, possibly none yet.
  std::string push(uint32_t token);
  // What is left, with U+FFFD for a character that was never finished.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::vector<uint32_t> tokens_;  // Since a place where text was certain,
  size_t shown_ = 0;              //   and how many bytes of their text were shown.
  size_t shown_tokens_ = 0;       //   and how many of them it covers.
};

}  // namespace train
