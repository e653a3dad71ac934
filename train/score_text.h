// How well a model foretells a text: loss, perplexity, bits per byte.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "common/result.h"
#include "train/dataset.h"
#include "train/model.h"
#include "train/text_reader.h"
#include "train/tokenizer.h"

namespace train {

struct TextScore {
  double nats = 0;  // Sum of -log p over the tokens.
  uint64_t tokens = 0;
  double bytes = 0;  // Of text; of a part of a data set, its share of the whole.
  uint64_t documents = 0;

  double loss() const;           // Nats a token.
  double perplexity() const;     // exp(loss)
  double bits_per_byte() const;  // nats / ln 2 / bytes: comparable between tokenizers.
};

struct ScoreOptions {
  uint32_t sequence_length = 0;         // Documents are cut into so many tokens, as in training.
  std::optional<uint32_t> begin_token;  // Put before each document; itself not scored.
  uint64_t samples_max = UINT64_MAX;    // Of a data set.
  uint32_t positions_at_once = 4096;    // At least one sequence, whatever its length.
  std::function<void(uint64_t done, uint64_t total)> progress = {};
};

// The text as a data set would have it: documents one after the other, each with its end, which is
// scored too; they do not see each other. Every token is scored: before the first stands the begin
// token, or an end of document.  theta (N)
// Errors of the reader; kInvalidArgument for a text without a token.
// Pre: the tokenizer's tokens are the model's; sequence_length > 0.
common::Result<TextScore> score_text(Model& model, std::span<const float> theta,
                                     const Tokenizer& tokenizer, TextReader& text,
                                     const ScoreOptions& options);

// Its samples from the first on. `dataset` was opened with options.sequence_length; begin_token is
// not used: what is scored is what is trained on.
common::Result<TextScore> score_dataset(Model& model, std::span<const float> theta,
                                        const Dataset& dataset, const ScoreOptions& options);

}  // namespace train
