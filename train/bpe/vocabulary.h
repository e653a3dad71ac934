// All tokens of a tokenizer.json: those of its model and those that were added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/bpe/added_tokens.h"
#include "train/bpe/model.h"
#include "train/bpe/normalizer.h"
#include "train/bpe/tokenizer_file.h"

namespace train::bpe {

struct AddedToken {
  std::string content;
  uint32_t id = 0;
  bool special = false;
  bool normalized = false;  // Looked for in the text after it is normalised.
  bool left = false;        // Takes the white space on that side along.
  bool right = false;
};

struct Vocabulary {
  TextMap tokens;                  // Text to id, of the model and added.
  std::vector<std::string> texts;  // By id; empty where there is none.
  std::vector<bool> special;       // By id: has a meaning and no text.
  std::vector<AddedToken> added;

  // kInvalidArgument if two tokens have one id or one text two ids, for ids not below kTokensMax,
  // over 65,536 added tokens or 1,024 bytes in one, and no token at all.
  static common::Result<Vocabulary> make(const TokenizerFile& file);
};

// Tokens that begin and end documents, and where the names come from: `config` is a
// tokenizer_config.json, or empty. kInvalidArgument if it is no JSON, names a token that is not
// there, or nothing ends a document; the sentence says what to do.
struct Boundaries {
  std::optional<uint32_t> begin;
  uint32_t end = 0;

  static common::Result<Boundaries> make(const Vocabulary& vocabulary, const TokenizerFile& file,
                                         std::string_view config,
                                         std::optional<uint32_t> end_of_document);
};

}  // namespace train::bpe
