// What is done to text before it is split: characters replaced, put before it, composed.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/bpe/regex.h"

namespace train::bpe {

class Normalizer {
 public:
  // "normalizer" of a tokenizer.json: null, Prepend, Replace, NFC, NFD, NFKC, NFKD, or a
  // Sequence of them. kInvalidArgument names any other, and what would make a text over 64 times
  // longer.
  static common::Result<Normalizer> make(const nlohmann::json& json);

  // `text` normalised: itself if there is nothing to do, or what `out` then holds.
  //  Pre: `text` is UTF-8 and not empty.
  std::string_view apply(std::string_view text, std::string& out, RegexScratch& scratch) const;

 private:
  enum class Kind { kPrepend, kReplace, kUnicode };
  struct Step {
    Kind kind;
    std::string content;           // Put before, or in place of
    std::optional<Regex> pattern;  //   this.
    int form = 0;                  // utf8proc's options, of kUnicode.
  };
  std::vector<Step> steps_;
};

}  // namespace train::bpe
