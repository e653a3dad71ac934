// A vocabulary and its merges: from a piece of text to tokens.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "train/bpe/merges.h"
#include "train/bpe/piece_cache.h"
#include "train/bpe/seams.h"
#include "train/bpe/sentencepiece_file.h"
#include "train/bpe/tokenizer_file.h"

namespace train::bpe {

// Lets a std::string be looked up by a view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using TextMap = std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>>;

// Working memory of encoding; one thread at a time.
struct ModelScratch {
  MergeScratch merge;
  PieceCache cache;
  std::vector<uint32_t> word;
};

class Model {
 public:
  // Whether `file` holds a model of type BPE; kInvalidArgument says what it holds.
  static common::Result<void> check_type(const TokenizerFile& file);

  // "model" of a tokenizer.json, of type BPE. `byte_level`: its texts are GPT-2's characters for
  // bytes (byte_alphabet.h). `vocabulary` tells the ids of its texts. No merge ends in a token of
  // `never`: those have a meaning that plain text must not be able to spell. kInvalidArgument for
  // other types, options that this program does not know, and merges out of the vocabulary.
  static common::Result<Model> make(const TokenizerFile& file, const TextMap& vocabulary,
                                    bool byte_level, const std::vector<bool>& never);

  // A byte-pair model of SentencePiece: two neighbours become the piece that they spell, those of
  // the highest score first, the leftmost of equals; what is no piece becomes bytes. Nothing if
  // that is not all there is to it: there are unused pieces, a byte has no piece, a piece holds a
  // character that is none, is over 512 bytes long or stands twice.
  static std::optional<Model> make_scored(const std::vector<ScoredPiece>& pieces);

  // Appends the tokens of `piece`: bytes if byte_level, else UTF-8; not empty. What the vocabulary
  // cannot spell becomes bytes, the unknown token, or nothing, whichever of these it has.
  void encode(std::string_view piece, ModelScratch& scratch, std::vector<uint32_t>& tokens) const;

  // The token of what cannot be spelled.
  std::optional<uint32_t> unknown() const {
    return unknown_ == kNone ? std::nullopt : std::optional(unknown_);
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  explicit Model(size_t merge_count) : merges_(merge_count) { bytes_.fill(kNone); }

  bool byte_level_ = false;
  bool ignore_merges_ = false;
  bool fuse_unknown_ = false;
  bool cuts_ = false;  // Whether seams_ may be used.
  uint32_t unknown_ = kNone;
  std::array<uint32_t, 256> bytes_;  // Of each byte: byte_level's own, or the fallback's.
  bool fallback_ = false;
  std::unordered_map<uint32_t, uint32_t> characters_;  // By code point.
  TextMap whole_;                                      // Pieces that are tokens, of ignore_merges_.
  Merges merges_;
  Seams seams_;

  common::Result<void> read_options(const TokenizerFile& file, const TextMap& vocabulary);
  common::Result<void> read_merges(const TokenizerFile& file, const TextMap& vocabulary,
                                   const std::vector<bool>& never);
  bool read_pieces(const std::vector<ScoredPiece>& pieces, TextMap& normal);
  void read_texts(const TextMap& vocabulary, const std::vector<bool>& never);
  void encode_word(std::string_view word, ModelScratch& scratch,
                   std::vector<uint32_t>& tokens) const;
  void spell(std::string_view word, std::vector<uint32_t>& tokens) const;
  void spell_unknown(std::string_view character, bool& pending,
                     std::vector<uint32_t>& tokens) const;
};

}  // namespace train::bpe
