// Goal: of other people's models exactly those are read that our LLaMA computes, and a refusal
// names the field. Method: real models' fields as they are published; one field changed at a time.
#include "train/hf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace train {
namespace {

using common::Code;
using nlohmann::json;
using testing::HasSubstr;

// Llama-3.1-8B's config.json, in the words of transformers 4.43.
json llama31() {
  return json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096,
    "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072,
    "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.43.0.dev0", "use_cache": true, "vocab_size": 128256})");
}

// Mistral-7B-v0.3's.
json mistral() {
  return json::parse(R"({
    "architectures": ["MistralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
    "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
    "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "sliding_window": null,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32768})");
}

HfConfig parsed(const json& object) {
  const auto config = HfConfig::parse(object.dump());
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : HfConfig{};
}

std::string refusal(json object, const char* field, const json& value) {
  object[field] = value;
  const auto config = HfConfig::parse(object.dump());
  if (config) return "";
  EXPECT_EQ(config.error().code, Code::kInvalidArgument);
  return config.error().message;
}

std::string refusal_without(json object, const char* field) {
  object.erase(field);
  const auto config = HfConfig::parse(object.dump());
  return config ? "" : config.error().message;
}

TEST(HfConfig, ReadsLlama31) {
  const HfConfig config = parsed(llama31());
  EXPECT_EQ(config.model.vocabulary, 128'256U);
  EXPECT_EQ(config.model.dim, 4096U);
  EXPECT_EQ(config.model.layers, 32U);
  EXPECT_EQ(config.model.heads, 32U);
  EXPECT_EQ(config.model.kv_heads, 8U);
  EXPECT_EQ(config.model.hidden, 14'336U);
  EXPECT_EQ(config.model.sequence_length, 131'072U);
  EXPECT_EQ(config.model.rope_theta, 500'000.0);
  EXPECT_EQ(config.model.rope_factor, 8.0);
  EXPECT_EQ(config.model.rope_low_frequency, 1.0);
  EXPECT_EQ(config.model.rope_high_frequency, 4.0);
  EXPECT_EQ(config.model.rope_original_length, 8192U);
  EXPECT_EQ(config.model.norm_epsilon, 1e-5);
  EXPECT_FALSE(config.model.tied_embeddings);
  EXPECT_EQ(config.begin_token, 128'000U);
  EXPECT_EQ(config.end_tokens, (std::vector<uint32_t>{128'001}));
  EXPECT_EQ(config.dtype, Dtype::kBf16);
}

TEST(HfConfig, ReadsMistralWithoutAWindow) {
  const HfConfig config = parsed(mistral());
  EXPECT_EQ(config.model.rope_theta, 1'000'000.0);
  EXPECT_EQ(config.model.rope_factor, 1.0);
  EXPECT_EQ(config.model.kv_heads, 8U);
}

// Both places of the rotary numbers mean the same.
TEST(HfConfig, ReadsTheNewPlaceOfRotaryParameters) {
  json object = llama31();
  object["rope_parameters"] = object["rope_scaling"];
  object["rope_parameters"]["rope_theta"] = 500000.0;
  object.erase("rope_scaling");
  object.erase("rope_theta");
  object["dtype"] = "bfloat16";
  object.erase("torch_dtype");
  EXPECT_EQ(parsed(object).config_text(), parsed(llama31()).config_text());
}

TEST(HfConfig, AbsentFieldsMeanWhatTheyMeanToLlama) {
  const json least = {{"model_type", "llama"},  {"vocab_size", 100},
                      {"hidden_size", 32},      {"intermediate_size", 64},
                      {"num_hidden_layers", 2}, {"num_attention_heads", 4}};
  const HfConfig config = parsed(least);
  EXPECT_EQ(config.model.kv_heads, 4U);
  EXPECT_EQ(config.model.sequence_length, 2048U);
  EXPECT_EQ(config.model.rope_theta, 10'000.0);
  EXPECT_EQ(config.model.norm_epsilon, 1e-6);
  EXPECT_FALSE(config.model.tied_embeddings);
  EXPECT_EQ(config.begin_token, 1U);
  EXPECT_EQ(config.end_tokens, (std::vector<uint32_t>{2}));
  for (const auto& [field, value] : least.items()) {
    EXPECT_THAT(refusal_without(least, field.c_str()), HasSubstr(field));
  }
}

TEST(HfConfig, WhatWouldBeAnotherFunctionIsRefusedByName) {
  const std::vector<std::pair<const char*, json>> changes = {
      {"model_type", "qwen2"},
      {"architectures", {"LlamaForSequenceClassification"}},
      {"attention_bias", true},
      {"mlp_bias", true},
      {"head_dim", 96},
      {"hidden_act", "gelu"},
      {"sliding_window", 4096},
      {"layer_types", {"full_attention", "sliding_attention"}},
      {"partial_rotary_factor", 0.5},
      {"quantization_config", {{"bits", 4}}},
      {"auto_map", {{"AutoModel", "x.Y"}}},
      {"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}},
      {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}},
      {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}},
      {"rope_scaling", 5},
      {"rope_parameters", {{"rope_type", "dynamic"}}},
  };
  for (const auto& [field, value] : changes) {
    EXPECT_THAT(refusal(llama31(), field, value), HasSubstr(field)) << value;
  }
  // Mistral's own window is 4,096 positions where nothing is said.
  EXPECT_THAT(refusal_without(mistral(), "sliding_window"), HasSubstr("sliding_window"));
  EXPECT_THAT(refusal(mistral(), "sliding_window", 4096), HasSubstr("sliding_window"));
  EXPECT_THAT(refusal_without(mistral(), "num_key_value_heads"), HasSubstr("num_key_value_heads"));
}

TEST(HfConfig, ValuesOutOfRangeAreRefusedByName) {
  const std::vector<std::pair<const char*, json>> changes = {
      {"vocab_size", 0},
      {"vocab_size", -5},
      {"vocab_size", 1e3},
      {"vocab_size", "100"},
      {"vocab_size", 1ULL << 40},
      {"hidden_size", 4095},
      {"num_attention_heads", 0},
      {"num_attention_heads", 4096},  // Heads of one value.
      {"num_key_value_heads", 7},
      {"num_key_value_heads", 64},
      {"num_hidden_layers", 5000},
      {"rms_norm_eps", 0},
      {"rms_norm_eps", "1e-5"},
      {"rope_theta", 0.5},
      {"tie_word_embeddings", "yes"},
      {"bos_token_id", 128256},
      {"eos_token_id", {1, -1}},
      {"max_position_embeddings", 0},
  };
  for (const auto& [field, value] : changes) {
    const std::string said = refusal(llama31(), field, value);
    EXPECT_NE(said, "") << field << value;
    EXPECT_THAT(said, HasSubstr("config.json: ")) << value;
  }
  // 2^24 rows of 2^18 values: more than a tensor may have.
  json large = llama31();
  large["vocab_size"] = 1 << 24;
  EXPECT_THAT(refusal(large, "num_key_value_heads", 32), HasSubstr("2^32"));
  EXPECT_FALSE(HfConfig::parse("[]"));
  EXPECT_FALSE(HfConfig::parse("{\"vocab_size\":1,\"vocab_size\":1}"));
}

TEST(HfConfig, WhatIsWrittenReadsBack) {
  json several = llama31();
  several["eos_token_id"] = {128001, 128008, 128009};
  several["bos_token_id"] = nullptr;
  several["tie_word_embeddings"] = true;
  for (const json& object : {llama31(), mistral(), several}) {
    const HfConfig config = parsed(object);
    const std::string text = config.config_text();
    const HfConfig again = parsed(json::parse(text));
    EXPECT_EQ(again.config_text(), text);
    EXPECT_EQ(again.model.rope_factor, config.model.rope_factor);
    EXPECT_EQ(again.end_tokens, config.end_tokens);
    EXPECT_EQ(again.begin_token, config.begin_token);
    EXPECT_EQ(again.dtype, config.dtype);
  }
}

TEST(HfConfig, TheHparamsSectionIsOneThatHparamsRead) {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/data/hparams.json");
  json hparams = json::parse(file);
  HfConfig config = parsed(llama31());
  config.model.initial_theta = common::blake2b_256({});
  config.model.sequence_length = 128;  // For training, as the rest of the file expects.
  hparams["model"] = json::parse(hparams_section(config.model))["model"];
  const auto read = common::Hparams::parse(hparams.dump());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->model.rope_factor, 8.0);
  EXPECT_EQ(read->model.initial_theta, config.model.initial_theta);
  EXPECT_EQ(read->model.dim, 4096U);
}

}  // namespace
}  // namespace train
