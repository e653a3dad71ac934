// config.json of a Hugging Face model: what of it is exactly our LLaMA, and ours as others read it.
//
// Source: Hugging Face transformers, LlamaConfig and MistralConfig (field names and what an absent
// field means).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "train/dtype.h"

namespace train {

struct HfConfig {
  // sequence_length is max_position_embeddings. initial_theta and init_seed are zero.
  common::ModelParams model;
  // Tokens: what a text begins with, if the model wants one, and what ends it (the first of them is
  // the document's end; others end an answer).
  std::optional<uint32_t> begin_token;
  std::vector<uint32_t> end_tokens;
  // Of the weights, as far as it says so: the files say it for each tensor.
  Dtype dtype = Dtype::kF32;

  // kInvalidArgument with a sentence that names the field, for a model that is not computed exactly
  // as our LLaMA (another family, biases, a sliding window, another activation, other rotary
  // embeddings, quantised weights) and for values out of the range that hparams.json allows. Every
  // tensor has fewer than 2^32 values then. Fields that change nothing are passed over.
  static common::Result<HfConfig> parse(std::string_view json);
  // config.json and generation_config.json. parse(config_text()) gives the same again.
  std::string config_text() const;
  std::string generation_text() const;
};

// The `model` section of hparams.json, ready to paste.
std::string hparams_section(const common::ModelParams& model);

}  // namespace train
