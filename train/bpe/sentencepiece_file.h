// What stands in a .model file of SentencePiece, as far as its byte-pair models need it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace train::bpe {

struct ScoredPiece {
  // The numbers of sentencepiece_model.proto.
  enum class Kind { kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kUnused = 5, kByte = 6 };
  std::string text;
  float score = 0;  // Higher ones are merged first.
  Kind kind = Kind::kNormal;
};

struct SentencePieceFile {
  std::vector<ScoredPiece> pieces;  // By token.
  uint64_t model_type = 1;          // 2 is BPE.
  bool byte_fallback = false;
  bool space_suffix = false;
  bool character_map = false;  // Has rules of normalisation.
  bool dummy_prefix = true;    // A space is put before a text.
  bool removes_spaces = true;
  bool escapes_spaces = true;  // ' ' is written "▁".
};

// Nothing if the bytes are not such a file.
std::optional<SentencePieceFile> parse_sentencepiece_file(std::string_view bytes);

}  // namespace train::bpe
