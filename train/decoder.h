// A LLaMA that reads a text once, token by token, and says what comes next: for writing text.
//
// Keys and values of what was read are kept, so that a token costs one pass over the parameters.
// On the CPU, in fp32; the logits are those of train/model.h to rounding. The same tokens give the
// same bits, on any number of threads, however they are cut into calls.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"

namespace train {

class Decoder {
 public:
  // theta (N, as parameter_layout has it) outlives the decoder. Reads at most `positions_max`
  // tokens; keys and values take  8 * layers * positions_max * kv_heads * dim / heads  bytes.
  // Pre: threads > 0, positions_max > 0.
  Decoder(const common::ModelParams& model, std::span<const float> theta, uint32_t positions_max,
          int threads);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Reads on. Yields the logits of the token that follows the last one, (V), until the next call.
  // Pre: tokens below the vocabulary, at least one, no more than there is room for.
  std::span<const float> read(std::span<const uint32_t> tokens);

  uint32_t position() const;  // Tokens read so far.
  void restart();             // Forgets them.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace train
