// The byte-pair models of SentencePiece, twenty times as fast as its own library encodes them.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "train/bpe/added_tokens.h"
#include "train/bpe/model.h"
#include "train/bpe/scratch.h"

namespace train::bpe {

class SentencePieceEncoder {
 public:
  // Nothing if `model`, the bytes of a .model file, is not one that is encoded here exactly as by
  // SentencePiece itself: a BPE model with byte fallback, without rules of normalisation (LLaMA's,
  // Gemma's, Mistral's and our own are such), whose pieces are made of pieces.
  static std::unique_ptr<SentencePieceEncoder> make(std::string_view model);

  // See make(). `dummy_prefix`: a space is put before a text.
  SentencePieceEncoder(Model model, bool dummy_prefix)
      : model_(std::move(model)), dummy_prefix_(dummy_prefix) {}

  // SentencePiece's tokens of `text`.  Pre: it is UTF-8.
  std::vector<uint32_t> encode(std::string_view text) const;

 private:
  Model model_;
  AddedTokens user_;  // User-defined pieces: found first, never merged.
  bool dummy_prefix_;
  mutable ScratchPool scratch_;
};

}  // namespace train::bpe
