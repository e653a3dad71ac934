#include "train/hf_config.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/strict_json.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::ModelParams;
using common::Result;
using nlohmann::json;

// What hparams.json allows (common/hparams.cpp).
constexpr uint32_t kVocabSizeMax = 1 << 24;
constexpr uint32_t kDimMax = 1 << 18;
constexpr uint32_t kLayersMax = 4096;
constexpr uint32_t kHeadsMax = 4096;
constexpr uint32_t kHiddenMax = 1 << 20;
constexpr uint32_t kPositionsMax = 1 << 22;
constexpr uint32_t kOriginalMax = 1 << 24;
constexpr size_t kEndTokensMax = 64;
// Where nothing is stretched, these say nothing; hparams.json wants some.
constexpr double kLowFrequency = 1;
constexpr double kHighFrequency = 4;
constexpr uint32_t kOriginalLength = 8192;

std::string brief(const json& value) {
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

// Fields by name; the first trouble is kept.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  // An absent field, or one that is null.
  bool none(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null();
  }
  const json& at(const char* key) const { return object_[key]; }
  bool is(const char* key, const char* text) const {
    return !none(key) && at(key).is_string() && at(key).get_ref<const std::string&>() == text;
  }
  void fail(const char* key, const std::string& what) {
    if (trouble_.empty()) trouble_ = fmt::format("{}: {}", key, what);
  }
  void wrong(const char* key, const std::string& wanted) {
    fail(key, fmt::format("is {}; {}", none(key) ? "absent" : brief(at(key)), wanted));
  }

  void read(const char* key, uint32_t most, uint32_t& out) {
    if (none(key) || !at(key).is_number_unsigned() || at(key).get<uint64_t>() == 0 ||
        at(key).get<uint64_t>() > most) {
      wrong(key, fmt::format("it should be a whole number from 1 to {}", most));
      return;
    }
    out = at(key).get<uint32_t>();
  }
  void read(const char* key, double least, double most, double& out) {
    const double value = none(key) || !at(key).is_number() ? NAN : at(key).get<double>();
    if (!(value >= least && value <= most)) {
      wrong(key, fmt::format("it should be a number from {:g} to {:g}", least, most));
      return;
    }
    out = value;
  }
  void read(const char* key, bool& out) {
    if (none(key) || !at(key).is_boolean()) {
      wrong(key, "it should be true or false");
      return;
    }
    out = at(key).get<bool>();
  }

  const std::string& trouble() const { return trouble_; }

 private:
  const json& object_;
  std::string trouble_;
};

bool is_mistral(const Fields& in) { return in.is("model_type", "mistral"); }

// The family, by its two names.
void check_family(Fields& in) {
  if (!in.is("model_type", "llama") && !in.is("model_type", "mistral")) {
    in.wrong("model_type",
             "muster trains LLaMA models (\"llama\", or \"mistral\" without a window)");
  }
  if (in.none("architectures")) return;
  const char* const wanted = is_mistral(in) ? "MistralForCausalLM" : "LlamaForCausalLM";
  if (in.at("architectures") != json::array({wanted})) {
    in.wrong("architectures", fmt::format("it should be [\"{}\"]", wanted));
  }
}

// Everything that would make another function of the same weights.
void check_function(Fields& in) {
  for (const char* const bias : {"attention_bias", "mlp_bias", "use_qk_norm"}) {
    if (!in.none(bias) && in.at(bias) != false) {
      in.wrong(bias, "only a model without it is computed as a LLaMA");
    }
  }
  if (!in.none("hidden_act") && !in.is("hidden_act", "silu")) {
    in.wrong("hidden_act", "it should be \"silu\" (SwiGLU)");
  }
  if (!in.none("sliding_window")) {
    in.wrong("sliding_window", "it should be null: attention sees the whole document");
  }
  if (!in.none("layer_types")) {
    for (const json& type : in.at("layer_types")) {
      if (type != "full_attention") in.wrong("layer_types", "all should be \"full_attention\"");
    }
  }
  if (!in.none("partial_rotary_factor") && in.at("partial_rotary_factor") != 1) {
    in.wrong("partial_rotary_factor", "it should be 1: whole heads are turned");
  }
  if (!in.none("quantization_config")) {
    in.fail("quantization_config", "the weights are quantised; take the original model");
  }
  if (!in.none("auto_map")) {
    in.fail("auto_map", "the model brings code of its own; only plain LLaMA is computed");
  }
}

void read_sizes(Fields& in, ModelParams& model) {
  in.read("vocab_size", kVocabSizeMax, model.vocabulary);
  in.read("hidden_size", kDimMax, model.dim);
  in.read("num_hidden_layers", kLayersMax, model.layers);
  in.read("num_attention_heads", kHeadsMax, model.heads);
  in.read("intermediate_size", kHiddenMax, model.hidden);
  model.kv_heads = model.heads;
  // An absent field means another number to Mistral than to LLaMA.
  if (!in.none("num_key_value_heads") || is_mistral(in)) {
    in.read("num_key_value_heads", kHeadsMax, model.kv_heads);
  }
  model.sequence_length = 2048;
  if (!in.none("max_position_embeddings") || is_mistral(in)) {
    in.read("max_position_embeddings", kPositionsMax, model.sequence_length);
  }
  if (!in.trouble().empty()) return;
  if (model.dim % model.heads != 0 || model.dim / model.heads % 2 != 0) {
    in.wrong("num_attention_heads", "hidden_size / num_attention_heads should be whole and even");
  } else if (!in.none("head_dim") && in.at("head_dim") != model.dim / model.heads) {
    in.wrong("head_dim", fmt::format("it should be hidden_size / num_attention_heads = {}",
                                     model.dim / model.heads));
  }
  if (model.heads % model.kv_heads != 0) {
    in.wrong("num_key_value_heads", "it should divide num_attention_heads");
  }
  const uint64_t widest = std::max<uint64_t>({model.vocabulary, model.dim, model.hidden});
  if (widest * model.dim > std::numeric_limits<uint32_t>::max()) {
    in.wrong("hidden_size", "a tensor would have 2^32 values or more");
  }
}

void read_stretch(Fields& rope, ModelParams& model) {
  const char* const key = rope.none("rope_type") && !rope.none("type") ? "type" : "rope_type";
  if (rope.none(key) || rope.is(key, "default")) return;
  if (!rope.is(key, "llama3")) {
    rope.wrong(key, "\"llama3\" and \"default\" are known");
    return;
  }
  rope.read("factor", 1, 1e6, model.rope_factor);
  rope.read("low_freq_factor", 1e-9, 1e9, model.rope_low_frequency);
  rope.read("high_freq_factor", 1e-9, 1e9, model.rope_high_frequency);
  rope.read("original_max_position_embeddings", kOriginalMax, model.rope_original_length);
  if (model.rope_low_frequency >= model.rope_high_frequency) {
    rope.wrong("low_freq_factor", "it should be below high_freq_factor");
  }
}

// Until 2025 rope_theta and rope_scaling; since then both in rope_parameters.
void read_rope(Fields& in, ModelParams& model) {
  model.rope_theta = 10'000;
  model.rope_factor = 1;
  model.rope_low_frequency = kLowFrequency;
  model.rope_high_frequency = kHighFrequency;
  model.rope_original_length = kOriginalLength;
  if (!in.none("rope_theta")) in.read("rope_theta", 1, 1e12, model.rope_theta);
  for (const char* const place : {"rope_scaling", "rope_parameters"}) {
    if (in.none(place)) continue;
    if (!in.at(place).is_object()) {
      in.wrong(place, "it should be an object or null");
      continue;
    }
    Fields rope(in.at(place));
    if (!rope.none("rope_theta")) rope.read("rope_theta", 1, 1e12, model.rope_theta);
    if (!rope.none("partial_rotary_factor") && rope.at("partial_rotary_factor") != 1) {
      rope.wrong("partial_rotary_factor", "it should be 1: whole heads are turned");
    }
    read_stretch(rope, model);
    if (!rope.trouble().empty()) in.fail(place, rope.trouble());
  }
}

void read_token(Fields& in, const char* key, const json& token, uint32_t vocabulary,
                std::vector<uint32_t>& out) {
  const bool known = token.is_number_unsigned() && token.get<uint64_t>() < vocabulary;
  if (known) out.push_back(token.get<uint32_t>());
  if (!known) in.wrong(key, "it should be a token below vocab_size");
}

// LLaMA's own numbers where nothing is said: 1 begins, 2 ends.
void read_tokens(Fields& in, const json& object, HfConfig& config) {
  const uint32_t vocabulary = config.model.vocabulary;
  std::vector<uint32_t> begin;
  if (!object.contains("bos_token_id")) {
    if (vocabulary > 2) begin = {1};
  } else if (!in.none("bos_token_id")) {
    read_token(in, "bos_token_id", in.at("bos_token_id"), vocabulary, begin);
  }
  if (!begin.empty()) config.begin_token = begin.front();
  if (!object.contains("eos_token_id")) {
    if (vocabulary > 2) config.end_tokens = {2};
  } else if (!in.none("eos_token_id") && in.at("eos_token_id").is_array()) {
    if (in.at("eos_token_id").size() > kEndTokensMax) in.fail("eos_token_id", "over 64 tokens");
    for (const json& token : in.at("eos_token_id")) {
      read_token(in, "eos_token_id", token, vocabulary, config.end_tokens);
    }
  } else if (!in.none("eos_token_id")) {
    read_token(in, "eos_token_id", in.at("eos_token_id"), vocabulary, config.end_tokens);
  }
}

Dtype read_dtype(const Fields& in) {
  for (const char* const key : {"dtype", "torch_dtype"}) {
    for (const Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBf16}) {
      if (in.is(key, std::string(torch_name(dtype)).c_str())) return dtype;
    }
  }
  return Dtype::kF32;
}

json rope_scaling(const ModelParams& model) {
  if (model.rope_factor == 1) return nullptr;
  return {{"rope_type", "llama3"},
          {"factor", model.rope_factor},
          {"low_freq_factor", model.rope_low_frequency},
          {"high_freq_factor", model.rope_high_frequency},
          {"original_max_position_embeddings", model.rope_original_length}};
}

json token_or_null(const std::optional<uint32_t>& token) {
  return token ? json(*token) : json(nullptr);
}

json end_of(const std::vector<uint32_t>& tokens) {
  if (tokens.empty()) return nullptr;
  return tokens.size() == 1 ? json(tokens.front()) : json(tokens);
}

}  // namespace

Result<HfConfig> HfConfig::parse(std::string_view text) {
  TRY(json object, common::parse_json_object(text));
  // Mistral without the field slides over 4,096 positions.
  if (object.value("model_type", json()) == "mistral" && !object.contains("sliding_window")) {
    object["sliding_window"] = 4096;
  }
  Fields in(object);
  HfConfig config{};
  check_family(in);
  check_function(in);
  read_sizes(in, config.model);
  read_rope(in, config.model);
  config.model.norm_epsilon = 1e-6;
  if (!in.none("rms_norm_eps")) in.read("rms_norm_eps", 1e-30, 1, config.model.norm_epsilon);
  if (!in.none("tie_word_embeddings")) {
    in.read("tie_word_embeddings", config.model.tied_embeddings);
  }
  config.model.init_std = 0.02;
  if (!in.none("initializer_range")) {
    in.read("initializer_range", 1e-9, 1e9, config.model.init_std);
  }
  read_tokens(in, object, config);
  config.dtype = read_dtype(in);
  if (!in.trouble().empty()) return Error{Code::kInvalidArgument, "config.json: " + in.trouble()};
  return config;
}

std::string HfConfig::config_text() const {
  const json object = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"attention_bias", false},
                       {"attention_dropout", 0.0},
                       {"mlp_bias", false},
                       {"hidden_act", "silu"},
                       {"vocab_size", model.vocabulary},
                       {"hidden_size", model.dim},
                       {"intermediate_size", model.hidden},
                       {"num_hidden_layers", model.layers},
                       {"num_attention_heads", model.heads},
                       {"num_key_value_heads", model.kv_heads},
                       {"head_dim", model.dim / model.heads},
                       {"max_position_embeddings", model.sequence_length},
                       {"rms_norm_eps", model.norm_epsilon},
                       {"rope_theta", model.rope_theta},
                       {"rope_scaling", rope_scaling(model)},
                       {"tie_word_embeddings", model.tied_embeddings},
                       {"initializer_range", model.init_std},
                       {"bos_token_id", token_or_null(begin_token)},
                       {"eos_token_id", end_of(end_tokens)},
                       {"torch_dtype", torch_name(dtype)},
                       {"use_cache", true}};
  return object.dump(2) + "\n";
}

std::string HfConfig::generation_text() const {
  const json object = {{"_from_model_config", true},
                       {"bos_token_id", token_or_null(begin_token)},
                       {"eos_token_id", end_of(end_tokens)}};
  return object.dump(2) + "\n";
}

std::string hparams_section(const ModelParams& model) {
  nlohmann::ordered_json section;
  section["vocabulary"] = model.vocabulary;
  section["dim"] = model.dim;
  section["layers"] = model.layers;
  section["heads"] = model.heads;
  section["kv_heads"] = model.kv_heads;
  section["hidden"] = model.hidden;
  section["sequence_length"] = model.sequence_length;
  section["rope_theta"] = model.rope_theta;
  section["rope_factor"] = model.rope_factor;
  section["rope_low_frequency"] = model.rope_low_frequency;
  section["rope_high_frequency"] = model.rope_high_frequency;
  section["rope_original_length"] = model.rope_original_length;
  section["norm_epsilon"] = model.norm_epsilon;
  section["tied_embeddings"] = model.tied_embeddings;
  section["initial_theta"] = model.initial_theta.hex();
  section["init_seed"] = model.init_seed;
  section["init_std"] = model.init_std;
  return nlohmann::ordered_json{{"model", section}}.dump(2) + "\n";
}

}  // namespace train
