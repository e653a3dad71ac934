#include "tests/bench/quality_settings.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/check.h"

namespace bench {
namespace {

using common::Code;
using common::Error;
using nlohmann::json;

// The fields, once: the reader and the writer both walk this list.
template <typename Settings, typename Visit>
void each_field(Settings& s, Visit visit) {
  visit("method", s.method);
  visit("model", s.model);
  visit("tokens", s.tokens);
  visit("seed", s.seed);
  visit("miners", s.miners);
  visit("steps", s.steps);
  visit("sequences", s.sequences);
  visit("inner_rate", s.inner_rate);
  visit("final_ratio", s.final_ratio);
  visit("beta1", s.beta1);
  visit("beta2", s.beta2);
  visit("weight_decay", s.weight_decay);
  visit("keep", s.keep);
  visit("feedback_decay", s.feedback_decay);
  visit("divide", s.divide);
  visit("outer_rate", s.outer_rate);
  visit("outer_momentum", s.outer_momentum);
  visit("outer_warmup", s.outer_warmup);
  visit("outer_tail", s.outer_tail);
  visit("outer_end", s.outer_end);
  visit("look_ahead", s.look_ahead);
  visit("forget", s.forget);
  visit("smooth", s.smooth);
  visit("inner_optimiser", s.inner_optimiser);
  visit("muon_ratio", s.muon_ratio);
}

// 1m: 1.31 million parameters, 0.52 of them embeddings. 5m: 5.05, twice 1.05, input and output
// apart.
common::ModelParams model_of(const std::string& name, uint64_t seed) {
  const bool small = name == "1m";
  return {.vocabulary = kQualityVocabulary,
          .dim = small ? 128u : 256u,
          .layers = 4,
          .heads = small ? 4u : 8u,
          .kv_heads = small ? 2u : 4u,
          .hidden = small ? 384u : 704u,
          .sequence_length = kQualitySequenceLength,
          .rope_theta = 10000,
          .rope_factor = 1,
          .rope_low_frequency = 1,
          .rope_high_frequency = 4,
          .rope_original_length = 8192,
          .norm_epsilon = 1e-5,
          .tied_embeddings = small,
          .initial_theta = {},
          .init_seed = seed,
          .init_std = 0.05};
}

std::string codec_of(const std::string& method) {
  if (method == "dct") return "demo";
  const std::set<std::string> have_none = {"topk", "mask", "adamw", "muon"};
  return have_none.contains(method) ? "sparseloco" : method;
}

// What makes no sense, in a sentence; empty for what does.
std::string trouble_with(const QualitySettings& s) {
  const std::set<std::string> methods = {"adamw",      "muon",    "dense", "topk", "mask",
                                         "sparseloco", "templar", "dct",   "demo", "distro"};
  if (!methods.contains(s.method)) return "method '" + s.method + "' is none";
  if (s.inner_optimiser != "adamw" && s.inner_optimiser != "muon") {
    return "inner_optimiser must be adamw or muon";
  }
  if (s.by_muon() && (s.method == "adamw" || s.by_signs())) {
    return s.method + " has no inner optimiser to choose";
  }
  if (s.model != "1m" && s.model != "5m") return "model must be 1m or 5m";
  if (s.divide != "contributors" && s.divide != "senders") {
    return "divide must be contributors or senders";
  }
  if (s.miners == 0 || s.steps == 0 || s.sequences == 0) {
    return "miners, steps, sequences: at least 1";
  }
  if (s.smooth < 0 || s.smooth >= 1) return "smooth must be at least 0 and below 1";
  if (s.keep == 0 || s.keep > 4096) return "keep must be 1 to 4096";
  if (s.by_signs() && s.steps != 1) return "demo and distro exchange every step: steps must be 1";
  if (s.tokens < s.window_tokens()) return "tokens must be a window at least";
  return "";
}

}  // namespace

common::Result<QualitySettings> QualitySettings::parse(const json& object) {
  QualitySettings settings;
  std::set<std::string> known;
  try {
    each_field(settings, [&](const char* name, auto& field) {
      known.insert(name);
      if (object.contains(name)) object.at(name).get_to(field);
    });
    for (const auto& [key, value] : object.items()) {
      if (!known.contains(key)) {
        return Error{Code::kInvalidArgument, "unknown setting '" + key + "' in " + object.dump()};
      }
    }
  } catch (const json::exception& failed) {
    return Error{Code::kInvalidArgument, object.dump() + ": " + failed.what()};
  }
  if (const std::string why = trouble_with(settings); !why.empty()) {
    return Error{Code::kInvalidArgument, object.dump() + ": " + why};
  }
  return settings;
}

json QualitySettings::to_json() const {
  json object;
  each_field(*this, [&](const char* name, const auto& field) { object[name] = field; });
  // Lines from before there was Muon name the same runs.
  if (!by_muon()) {
    object.erase("inner_optimiser");
    object.erase("muon_ratio");
  }
  return object;
}

uint64_t QualitySettings::window_tokens() const {
  return uint64_t{miners} * steps * sequences * kQualitySequenceLength;
}

uint64_t QualitySettings::windows() const {
  return (tokens + window_tokens() - 1) / window_tokens();
}

common::Hparams QualitySettings::hparams() const {
  constexpr uint64_t kWarmupPart = 16;
  common::Hparams hparams{};
  hparams.model = model_of(model, seed);
  common::InnerParams& inner = hparams.inner;
  inner.steps = steps;
  inner.sequences_per_step = sequences;
  inner.optimiser = by_muon() ? "muon" : "adamw";
  inner.muon_momentum = 0.95;
  inner.muon_iterations = 5;
  inner.muon_adamw_ratio = muon_ratio;
  inner.learning_rate = inner_rate;
  inner.warmup_windows = std::max<uint64_t>(1, windows() / kWarmupPart);
  inner.decay_windows = windows();
  inner.final_ratio = final_ratio;
  inner.beta1 = beta1;
  inner.beta2 = beta2;
  inner.epsilon = 1e-8;
  inner.weight_decay = weight_decay;
  inner.gradient_clip = 1;
  hparams.codec = {
      .name = codec_of(method), .tile = 4096, .keep = keep, .feedback_decay = feedback_decay};
  hparams.outer = {.learning_rate = outer_rate,
                   .divide = divide,
                   .rule = by_signs() ? "sign" : "average",
                   .norm_floor = 0.1,
                   .contributors_max = miners};
  hparams.data.document_mask = true;
  hparams.checkpoint.full_root_windows = 1;
  return hparams;
}

double QualitySettings::outer_rate_at(uint64_t window) const {
  const auto all = static_cast<double>(windows());
  const double done = (static_cast<double>(window) + 1) / all;
  double rate = outer_rate;
  if (outer_warmup > 0 && done < outer_warmup) rate *= done / outer_warmup;
  if (outer_tail > 0 && done > 1 - outer_tail) {
    rate *= 1 + (outer_end - 1) * (done - (1 - outer_tail)) / outer_tail;
  }
  return rate;
}

std::vector<json> combinations(const nlohmann::ordered_json& object) {
  std::vector<json> all = {json::object()};
  for (const auto& [key, value] : object.items()) {
    const std::vector<json> choices =
        value.is_array() ? std::vector<json>(value.begin(), value.end()) : std::vector<json>{value};
    std::vector<json> longer;
    for (const json& one : all) {
      for (const json& choice : choices) {
        longer.push_back(one);
        longer.back()[key] = choice;
      }
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace bench
