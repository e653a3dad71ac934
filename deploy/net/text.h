// What the subnet learns from: token sets, made once from text and kept for the next run.
#pragma once

#include <filesystem>

#include "common/hash.h"
#include "common/result.h"
#include "deploy/net/plan.h"

namespace deploy {

struct TokenSets {
  std::filesystem::path train;
  std::filesystem::path heldout;
  std::filesystem::path anneal;  // Empty without one.
  common::Hash train_hash;
  common::Hash heldout_hash;
  common::Hash anneal_hash;  // Zero without one.
};

// --data DIR: DIR/train, DIR/heldout and, if the hparams anneal, DIR/anneal, each a token set (with
// manifest.json) or text files.
// Otherwise the text that deploy/prepare-text takes from Debian's packages. Token sets of text are
// cached under $XDG_CACHE_HOME/muster
// (~/.cache/muster), named after the text, and made anew when it changes: bytes as tokens for a
// vocabulary of 257, else SentencePiece trained on train/. kInvalidArgument or kNotFound for text
// that is not there or too short.
common::Result<TokenSets> prepare_token_sets(const LocalnetOptions& options);

}  // namespace deploy
