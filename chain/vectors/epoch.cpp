#include <algorithm>

#include "chain/embedded/yuma.h"
#include "chain/vectors/reading.h"

namespace chain::vectors {
namespace {

// The file names the runtime that made it: "... spec_version 293". The rules changed between the
// two we know.
RuntimeSpec spec_of(const std::string& source) {
  constexpr unsigned kFirstOfThe425Rules = 424;
  const size_t digits = source.find_last_not_of("0123456789") + 1;
  if (digits >= source.size() || source.size() - digits > 6) {
    malformed("\"source\" does not end on the runtime's spec_version");
  }
  const bool newer = std::stoul(source.substr(digits)) >= kFirstOfThe425Rules;
  return newer ? RuntimeSpec::k425 : RuntimeSpec::k293;
}

size_t uid_below(const json& value, size_t n) {
  const auto uid = integer<uint16_t>(value);
  if (uid >= n) malformed("uid " + std::to_string(uid) + " of " + std::to_string(n));
  return uid;
}

std::vector<Weight> sparse_row(const json& row, size_t n) {
  std::vector<Weight> out;
  for (const json& entry : row) {
    const auto uid = static_cast<uint16_t>(uid_below(entry.at(0), n));
    out.push_back({common::Uid{uid}, integer<uint16_t>(entry.at(1))});
  }
  return out;
}

// [[uid, [[uid, value], ...]], ...]; uids that are not named have an empty row.
std::vector<std::vector<Weight>> sparse_matrix(const json& rows, size_t n) {
  std::vector<std::vector<Weight>> out(n);
  for (const json& row : rows) out[uid_below(row.at(0), n)] = sparse_row(row.at(1), n);
  return out;
}

const json& column(const json& object, const char* key, size_t n) {
  const json& out = object.at(key);
  if (!out.is_array() || out.size() != n) malformed(std::string(key) + " is not one entry a uid");
  return out;
}

EpochParams params_of(const json& in) {
  return {
      .tempo = integer<uint16_t>(in, "tempo"),
      .kappa = integer<uint16_t>(in, "kappa"),
      .bonds_moving_average = integer<uint64_t>(in, "bonds_moving_average"),
      .bonds_penalty = integer<uint16_t>(in, "bonds_penalty"),
      .yuma3 = in.at("yuma3").get<bool>(),
      .liquid_alpha = in.at("liquid_alpha").get<bool>(),
      .alpha_low = integer<uint16_t>(in, "alpha_low"),
      .alpha_high = integer<uint16_t>(in, "alpha_high"),
      .alpha_sigmoid_steepness = integer<int16_t>(in, "alpha_sigmoid_steepness"),
      .max_allowed_validators = integer<uint16_t>(in, "max_allowed_validators"),
      .activity_cutoff = integer<uint64_t>(in, "activity_cutoff"),
      .stake_threshold_rao = integer<uint64_t>(in, "stake_threshold"),
      .tao_weight = integer<uint64_t>(in, "tao_weight"),
  };
}

std::vector<EpochNeuron> neurons_of(const json& in, size_t n) {
  const json& alpha = column(in, "alpha_stake", n);
  const json& root = column(in, "root_stake", n);
  const json& permit = column(in, "validator_permit", n);
  const json& updated = column(in, "last_update", n);
  const json& registered = column(in, "block_at_registration", n);
  const auto weights = sparse_matrix(in.at("weights"), n);
  const auto bonds = sparse_matrix(in.at("bonds"), n);
  std::vector<EpochNeuron> out;
  for (size_t i = 0; i < n; ++i) {
    out.push_back({
        .alpha_rao = integer<uint64_t>(alpha[i]),
        .tao_rao = integer<uint64_t>(root[i]),
        .validator_permit = permit[i].get<bool>(),
        .last_update = {integer<uint64_t>(updated[i])},
        .registered_at = {integer<uint64_t>(registered[i])},
        .weights = weights[i],
        .bonds = bonds[i],
        .oldest_commit = {},
    });
  }
  return out;
}

EpochInput input_of(const json& in, RuntimeSpec spec) {
  const auto n = integer<size_t>(in, "n");
  if (n > kEpochNeuronsMax) malformed("n is over " + std::to_string(kEpochNeuronsMax));
  EpochInput out{
      .spec = spec,
      .block = {integer<uint64_t>(in, "block")},
      .last_epoch = {integer<uint64_t>(in, "last_mechanism_step_block")},
      .owner = {},
      .emission_rao = integer<uint64_t>(in, "pending_emission"),
      .params = params_of(in),
      .neurons = neurons_of(in, n),
  };
  if (in.contains("owner_uid") && !in.at("owner_uid").is_null()) {
    out.owner = common::Uid{static_cast<uint16_t>(uid_below(in.at("owner_uid"), n))};
  }
  return out;
}

// A field of every uid; its place in the file's "out".
template <typename Field>
void expect_column(Comparison& comparison, const json& out, const char* key, const EpochOutput& got,
                   Field EpochResult::*field) {
  const json& expected = column(out, key, got.neurons.size());
  for (size_t i = 0; i < got.neurons.size(); ++i) {
    const json value = got.neurons[i].*field;
    comparison.expect(std::string(key) + " of uid " + std::to_string(i), expected[i], value);
  }
}

// Not every runtime keeps every column.
template <typename Field>
void expect_optional(Comparison& comparison, const json& out, const char* key,
                     const EpochOutput& got, Field EpochResult::*field) {
  if (out.contains(key)) expect_column(comparison, out, key, got, field);
}

json pairs(const std::vector<Weight>& row) {
  json out = json::array();
  for (const auto& [uid, value] : row) out.push_back({uid.index, value});
  return out;
}

void compare(Comparison& comparison, const json& out, const EpochOutput& got) {
  expect_column(comparison, out, "active", got, &EpochResult::active);
  expect_optional(comparison, out, "rank", got, &EpochResult::rank);
  expect_optional(comparison, out, "trust", got, &EpochResult::trust);
  expect_column(comparison, out, "consensus", got, &EpochResult::consensus);
  expect_column(comparison, out, "incentive", got, &EpochResult::incentive);
  expect_column(comparison, out, "dividends", got, &EpochResult::dividends);
  expect_column(comparison, out, "validatorTrust", got, &EpochResult::validator_trust);
  expect_column(comparison, out, "validatorPermit", got, &EpochResult::validator_permit);
  expect_optional(comparison, out, "stakeWeight", got, &EpochResult::stake_weight);
  expect_column(comparison, out, "emission", got, &EpochResult::emission_rao);
  expect_optional(comparison, out, "pruningScores", got, &EpochResult::pruning_score);
  const auto bonds = sparse_matrix(out.at("bonds"), got.neurons.size());
  for (size_t i = 0; i < bonds.size(); ++i) {
    comparison.expect("bonds of uid " + std::to_string(i), pairs(bonds[i]),
                      pairs(got.neurons[i].bonds));
  }
}

// Up to 293 the schedule was arithmetic: an epoch at every (tempo + 1)th block, shifted by the
// netuid.
bool due_by_arithmetic(uint64_t block, uint64_t netuid, uint64_t tempo) {
  return (block + netuid + 1) % (tempo + 1) == tempo;
}

}  // namespace

Replay replay_epochs(const json& file) {
  Replay replay;
  const RuntimeSpec spec = spec_of(text(file, "source"));
  for (const json& entry : file.at("cases")) {
    const json& in = entry.at("in");
    const json& out = entry.at("out");
    const EpochInput input = input_of(in, spec);
    Comparison comparison(replay, "case " + std::to_string(replay.cases) + " (" +
                                      std::to_string(input.neurons.size()) + " uids, block " +
                                      std::to_string(input.block.index) + ")");
    compare(comparison, out, run_epoch(input));
    if (spec == RuntimeSpec::k293 && out.contains("blocksSinceLastStep")) {
      const bool due =
          due_by_arithmetic(input.block.index, integer<uint16_t>(in, "netuid"), input.params.tempo);
      comparison.expect("an epoch at this block", out.at("blocksSinceLastStep") == 0, due);
    }
    if (out.contains("block")) comparison.expect("block", out.at("block"), input.block.index);
  }
  return replay;
}

}  // namespace chain::vectors
