#include "common/hparams.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <type_traits>

#include "common/check.h"
#include "common/files.h"
#include "common/strict_json.h"

namespace common {
namespace {

constexpr uint64_t kFileSizeMax = 1 << 20;
constexpr uint32_t kProtocol = 1;
constexpr uint32_t kTileMax = 4096;  // An index in a tile has 12 bits.

// What a number may be; ends belong to it unless said otherwise.
struct Span {
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;
  bool below_most = false;

  bool holds(double value) const {
    return (above_least ? value > least : value >= least) &&
           (below_most ? value < most : value <= most);
  }
  std::string words() const {
    std::string text = fmt::format("{} {}", above_least ? "above" : "at least", least);
    if (most < std::numeric_limits<double>::infinity()) {
      text += fmt::format(" and {} {}", below_most ? "below" : "at most", most);
    }
    return text;
  }
};

// Limits are generous, but they are limits: a typing error must not ask for a petabyte.
constexpr Span kAny{};
constexpr Span kShare{0, 1};
constexpr Span kDecay{0, 1, false, true};
constexpr Span kPositive{0, 1e9, true};
constexpr Span kPositiveShare{0, 1, true};
constexpr Span kWindows{1, 1e9};
constexpr Span kOffset{1, 1e9};
constexpr Span kUids{1, 65536};

// --- The fields, once: the reader and the writer both walk these lists. ---
//
// visit(name, field, span) for a number; visit(name, field) for anything else.

template <typename Params, typename T>
concept Of = std::is_same_v<std::remove_const_t<Params>, T>;

template <Of<ScheduleParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("blocks_per_window", p.blocks_per_window, kOffset);
  visit("seal_block", p.seal_block, kOffset);
  visit("reveal_block", p.reveal_block, kOffset);
  visit("manifest_block", p.manifest_block, kOffset);
  visit("lead_timeout_blocks", p.lead_timeout_blocks, kOffset);
  visit("manifest_quorum", p.manifest_quorum, kShare);
}

template <Of<ModelParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("vocabulary", p.vocabulary, Span{2, 1 << 24});
  visit("dim", p.dim, Span{2, 1 << 18});
  visit("layers", p.layers, Span{1, 4096});
  visit("heads", p.heads, Span{1, 4096});
  visit("kv_heads", p.kv_heads, Span{1, 4096});
  visit("hidden", p.hidden, Span{1, 1 << 20});
  visit("sequence_length", p.sequence_length, Span{2, 1 << 22});
  visit("rope_theta", p.rope_theta, Span{1, 1e12});
  visit("rope_factor", p.rope_factor, Span{1, 1e6});
  visit("rope_low_frequency", p.rope_low_frequency, kPositive);
  visit("rope_high_frequency", p.rope_high_frequency, kPositive);
  visit("rope_original_length", p.rope_original_length, Span{1, 1 << 24});
  visit("norm_epsilon", p.norm_epsilon, kPositiveShare);
  visit("tied_embeddings", p.tied_embeddings);
  visit("initial_theta", p.initial_theta);
  visit("init_seed", p.init_seed, kAny);
  visit("init_std", p.init_std, kPositive);
}

template <Of<InnerParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("steps", p.steps, Span{1, 1e6});
  visit("sequences_per_step", p.sequences_per_step, Span{1, 1e6});
  visit("optimiser", p.optimiser);
  visit("learning_rate", p.learning_rate, kPositive);
  visit("warmup_windows", p.warmup_windows, Span{0, 1e9});
  visit("decay_windows", p.decay_windows, kWindows);
  visit("final_ratio", p.final_ratio, kShare);
  visit("flat_window", p.flat_window, Span{0, 1e9});
  visit("flat_windows", p.flat_windows, Span{0, 1e9});
  visit("anneal_window", p.anneal_window, Span{0, 1e9});
  visit("anneal_windows", p.anneal_windows, Span{0, 1e9});
  visit("anneal_warmup_steps", p.anneal_warmup_steps, Span{0, 1e9});
  visit("anneal_ratio", p.anneal_ratio, kShare);
  visit("beta1", p.beta1, kDecay);
  visit("beta2", p.beta2, kDecay);
  visit("epsilon", p.epsilon, kPositiveShare);
  visit("weight_decay", p.weight_decay, kShare);
  visit("gradient_clip", p.gradient_clip, Span{0, 1e9});
  visit("muon_momentum", p.muon_momentum, kDecay);
  visit("muon_iterations", p.muon_iterations, Span{1, 20});
  visit("muon_adamw_ratio", p.muon_adamw_ratio, kPositive);
}

template <Of<CodecParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("name", p.name);
  visit("tile", p.tile, Span{1, kTileMax});
  visit("keep", p.keep, Span{1, kTileMax});
  visit("feedback_decay", p.feedback_decay, kShare);
  visit("look_ahead", p.look_ahead);
}

template <Of<OuterParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("learning_rate", p.learning_rate, kPositive);
  visit("divide", p.divide);
  visit("rule", p.rule);
  visit("norm_floor", p.norm_floor, kShare);
  visit("contributors_max", p.contributors_max, kUids);
}

template <Of<DataParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("train", p.train);
  visit("anneal", p.anneal);
  visit("heldout", p.heldout);
  visit("document_mask", p.document_mask);
}

template <Of<EvaluationParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("step", p.step, kPositive);
  visit("sequences_min", p.sequences_min, Span{2, 1e6});  // One has no standard error.
  visit("sequences_batch", p.sequences_batch, Span{1, 1e6});
  visit("tokens_max", p.tokens_max, Span{1, 1e12});
  visit("confidence_z", p.confidence_z, kPositive);
  visit("contributions_max", p.contributions_max, kUids);
}

template <Of<RatingParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("mu", p.mu, Span{-1e9, 1e9});
  visit("sigma", p.sigma, kPositive);
  visit("beta", p.beta, kPositive);
  visit("kappa", p.kappa, kPositiveShare);
  visit("tau", p.tau, Span{0, 1e9});
  visit("memory", p.memory, Span{1, 1e9});
  visit("advantage_z", p.advantage_z, kPositive);
  visit("advantage_decay", p.advantage_decay, kDecay);
  visit("advantage_required", p.advantage_required, Span{-1, 1});
  visit("advantage_windows", p.advantage_windows, kWindows);
}

template <Of<PenaltyParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("missing", p.missing, kShare);
  visit("invalid", p.invalid, kShare);
  visit("copied", p.copied, kShare);
  visit("recovery", p.recovery, kShare);
  visit("waiver_share", p.waiver_share, kPositiveShare);  // At 0 nobody could be penalised.
  visit("overlap_z", p.overlap_z, kPositive);
}

template <Of<WeightParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("windows_per_weights", p.windows_per_weights, kWindows);
  visit("gather_count", p.gather_count, kUids);
  visit("gather_share", p.gather_share, kShare);
  visit("top_ratio", p.top_ratio, Span{1, 1e9});
  visit("reserve_count", p.reserve_count, Span{0, 65536});
  visit("reserve_decay", p.reserve_decay, kShare);
  visit("exploration_share", p.exploration_share, kShare);
  visit("burn_share", p.burn_share, kShare);
  visit("burn_uid", p.burn_uid.index, kAny);
}

template <Of<CheckpointParams> P, typename Visit>
void each_field(P& p, Visit& visit) {
  visit("windows", p.windows, kWindows);
  visit("keep", p.keep, kWindows);
  visit("full_root_windows", p.full_root_windows, kWindows);
}

template <Of<Hparams> P, typename Visit>
void each_section(P& p, Visit& visit) {
  visit("schedule", p.schedule);
  visit("model", p.model);
  visit("inner", p.inner);
  visit("codec", p.codec);
  visit("outer", p.outer);
  visit("data", p.data);
  visit("evaluation", p.evaluation);
  visit("rating", p.rating);
  visit("penalty", p.penalty);
  visit("weights", p.weights);
  visit("checkpoint", p.checkpoint);
}

// --- Values that contradict each other. ---

template <typename Params>
void cross_check(const Params&, StrictObject&) {}

void cross_check(const ScheduleParams& p, StrictObject& in) {
  if (p.seal_block >= p.reveal_block) in.fail("reveal_block", "should come after seal_block");
  if (p.reveal_block >= p.manifest_block) {
    in.fail("manifest_block", "should come after reveal_block");
  }
  if (p.manifest_block >= p.blocks_per_window) {
    in.fail("manifest_block", "should come before the window's end (blocks_per_window)");
  }
}

void known_name(StrictObject& in, const char* key, const std::string& name,
                const std::vector<std::string_view>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string_view meant = did_you_mean(name, known);
  in.fail(key, fmt::format("'{}' is unknown; {}", name.substr(0, 100),
                           meant.empty() ? fmt::format("known are {}", fmt::join(known, ", "))
                                         : fmt::format("did you mean '{}'?", meant)));
}

// A tensor's values are counted in 32 bits, and nobody has the memory for more parameters.
constexpr double kTensorValuesMax = 0x1p32 - 1;
constexpr double kParametersMax = 1e12;

void check_size(const ModelParams& p, StrictObject& in) {
  const double dim = p.dim;
  const double table = dim * p.vocabulary;
  if (table > kTensorValuesMax) {
    in.fail("vocabulary", "times dim should be below 2^32: a matrix can have no more values");
  }
  if (dim * std::max(p.dim, p.hidden) > kTensorValuesMax) {
    in.fail("dim", "times dim or hidden should be below 2^32: a matrix can have no more values");
  }
  if (p.layers * dim * (4 * dim + 3.0 * p.hidden) + 2 * table > kParametersMax) {
    in.fail("layers", "and dim, hidden and vocabulary make more than 10^12 parameters");
  }
}

void cross_check(const ModelParams& p, StrictObject& in) {
  check_size(p, in);
  if (p.dim % p.heads != 0) {
    in.fail("heads", "should divide dim");
  } else if (p.dim / p.heads % 2 != 0) {
    in.fail("heads", "dim / heads should be even: rotary embeddings turn pairs");
  }
  if (p.heads % p.kv_heads != 0) in.fail("kv_heads", "should divide heads");
  if (p.rope_low_frequency >= p.rope_high_frequency) {
    in.fail("rope_low_frequency", "should be below rope_high_frequency");
  }
}

void cross_check(const InnerParams& p, StrictObject& in) {
  if (p.warmup_windows > p.decay_windows) {
    in.fail("warmup_windows", "should be at most decay_windows");
  }
  known_name(in, "optimiser", p.optimiser, {"adamw", "muon"});
  if (p.anneal_window == 0) return;
  if (p.anneal_window < p.warmup_windows) {
    in.fail("anneal_window", "should not come before the end of warmup_windows");
  }
  if (p.anneal_warmup_steps >= p.anneal_windows * p.steps) {
    in.fail("anneal_windows", "should last longer than anneal_warmup_steps");
  }
}

void cross_check(const CodecParams& p, StrictObject& in) {
  known_name(in, "name", p.name, {"sparseloco", "templar", "demo", "distro", "dense"});
  if (p.keep > p.tile) in.fail("keep", "should be at most tile");
  const double side = std::sqrt(p.tile);
  if (side != std::floor(side)) in.fail("tile", "should be a square, as 4096: 64 x 64 of a matrix");
}

void cross_check(const OuterParams& p, StrictObject& in) {
  known_name(in, "divide", p.divide, {"contributors", "senders"});
  known_name(in, "rule", p.rule, {"average", "sign"});
}

void cross_check(const WeightParams& p, StrictObject& in) {
  // The tolerance lets shares that sum to 1 on paper do so in binary.
  if (p.gather_share + p.exploration_share > 1 + 1e-9) {
    in.fail("exploration_share", "and gather_share should sum to at most 1");
  }
}

// --- Both directions. ---

class FieldReader {
 public:
  explicit FieldReader(StrictObject& in) : in_(in) {}

  template <typename Number>
  void operator()(const char* key, Number& field, const Span& span) {
    field = {};
    in_.read(key, field);
    const auto value = static_cast<double>(field);
    if (!span.holds(value)) {
      in_.fail(key, fmt::format("should be {}, and is {}", span.words(), value));
    }
  }
  void operator()(const char* key, bool& field) { in_.read(key, field = false); }
  void operator()(const char* key, std::string& field) { in_.read(key, field); }
  void operator()(const char* key, Hash& field) {
    std::string text;
    in_.read(key, text);
    const auto hash = Hash::from_hex(text);
    if (!hash) in_.fail(key, "should be a hash: 64 hex digits");
    field = hash.value_or(Hash{});
  }

 private:
  StrictObject& in_;
};

template <typename Params>
Result<void> read_section(StrictObject in, Params& params) {
  FieldReader reader(in);
  each_field(params, reader);
  auto fields = in.finish();  // Only fields that are all right by themselves are compared.
  if (!fields) return fields;
  cross_check(params, in);
  return in.finish();
}

template <typename Number>
std::string number_text(Number value) {
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  CHECK(error == std::errc());
  return {buffer.data(), end};
}

// An object's text, keys sorted.
class FieldWriter {
 public:
  template <typename Number>
  void operator()(const char* key, const Number& field, const Span&) {
    put(key, number_text(field));
  }
  void operator()(const char* key, const bool& field) { put(key, field ? "true" : "false"); }
  void operator()(const char* key, const std::string& field) {
    put(key, nlohmann::json(field).dump());
  }
  void operator()(const char* key, const Hash& field) { put(key, '"' + field.hex() + '"'); }

  void put(const char* key, std::string value) { values_.emplace(key, std::move(value)); }
  std::string text() const {
    std::string out;
    for (const auto& [key, value] : values_) {
      out += fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", key, value);
    }
    return out + "}";
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace

Result<Hparams> Hparams::parse(std::string_view text) {
  TRY(const nlohmann::json object, parse_json_object(text));
  Hparams hparams{};
  StrictObject root(object, "");
  root.read("protocol", hparams.protocol);
  root.read("netuid", hparams.netuid);
  if (hparams.protocol != kProtocol) {
    root.fail("protocol",
              fmt::format("should be {}, the version that this program speaks", kProtocol));
  }
  // First the names of the sections, so that a misspelt one is reported as that.
  const auto name = [&root](const char* key, auto&) { root.child(key); };
  each_section(hparams, name);
  TRY_VOID(root.finish());
  Result<void> outcome;
  const auto read = [&](const char* key, auto& section) {
    if (outcome) outcome = read_section(root.child(key), section);
  };
  each_section(hparams, read);
  TRY_VOID(std::move(outcome));
  if ((hparams.inner.anneal_window > 0) != (hparams.data.anneal != Hash{})) {
    return Error{Code::kInvalidArgument,
                 "data.anneal: should name a data set exactly if inner.anneal_window is above 0"};
  }
  const auto& evaluation = hparams.evaluation;
  const uint64_t tokens_min = uint64_t{evaluation.sequences_min} * hparams.model.sequence_length;
  if (evaluation.tokens_max < tokens_min) {
    return Error{Code::kInvalidArgument,
                 fmt::format("evaluation.tokens_max: should be at least {}, which is "
                             "evaluation.sequences_min times model.sequence_length",
                             tokens_min)};
  }
  return hparams;
}

Result<Hparams> Hparams::load(const std::filesystem::path& file) {
  TRY(const Bytes bytes, read_file(file, kFileSizeMax));
  auto hparams = parse(text_of(bytes));
  if (!hparams) return within(file.string(), hparams.error());
  return hparams;
}

std::string Hparams::canonical() const {
  FieldWriter out;
  out("protocol", protocol, kAny);
  out("netuid", netuid, kAny);
  const auto write = [&out](const char* key, const auto& section) {
    FieldWriter inside;
    each_field(section, inside);
    out.put(key, inside.text());
  };
  each_section(*this, write);
  return out.text();
}

Hash Hparams::hash() const { return blake2b_256(view_of(canonical())); }

}  // namespace common
