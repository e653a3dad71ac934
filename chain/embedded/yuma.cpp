#include "chain/embedded/yuma.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "chain/embedded/fixed_point.h"
#include "chain/embedded/sparse.h"
#include "common/check.h"

namespace chain {
namespace {

// What is known of the validators before anybody's weight is looked at.
struct Stakes {
  std::vector<bool> active;   // Set weights within the cutoff.
  std::vector<bool> permits;  // Of the last epoch: whose weights count now.
  Vector all;                 // Everybody's, sums to 1.
  Vector judging;             // Of those active and permitted, sums to 1.
};

// What the weights say about those who are judged.
struct Judgement {
  Vector trust;
  Vector consensus;
  Vector incentive;  // Sums to 1, or all 0.
  Vector validator_trust;
  Matrix bond_weights;  // Weights with the penalty for what is above consensus.
};

struct Bonded {
  Vector dividends;  // Sums to 1, or all 0.
  Matrix bonds;      // In units of their storage, shares of 1.
};

// -- Steps 1 to 4: who counts ---------------------------------------------------------------------

bool is_owner(const EpochInput& input, size_t uid) {
  return input.owner && input.owner->index == uid;
}

// Saturates as the runtime's comparisons do: a sum of blocks does not wrap.
bool is_inactive(const EpochInput& input, const EpochNeuron& neuron) {
  const uint64_t room = std::numeric_limits<uint64_t>::max() - neuron.last_update.index;
  const uint64_t cutoff = std::min(input.params.activity_cutoff, room);
  return neuron.last_update.index + cutoff < input.block.index;
}

// Shares of all stake that passes the threshold, in the wide type first: a whale and a dwarf differ
// by 2^50.
Vector stake_shares(const EpochInput& input) {
  constexpr uint64_t kWeightOne = std::numeric_limits<uint64_t>::max();
  const I64F64 tao_weight = U96F32::from_ratio(input.params.tao_weight, kWeightOne).to_i64f64();
  const bool owner_exempt = input.spec == RuntimeSpec::k425;
  std::vector<I64F64> stakes;
  I64F64 total;
  for (const EpochNeuron& neuron : input.neurons) {
    I64F64 stake =
        I64F64::from_int(neuron.alpha_rao) + I64F64::from_int(neuron.tao_rao) * tao_weight;
    const bool exempt = owner_exempt && is_owner(input, stakes.size());
    if (!exempt && stake.floor_to_u64() < input.params.stake_threshold_rao) stake = {};
    total = total + stake;
    stakes.push_back(stake);
  }
  Vector out;
  for (const I64F64 stake : stakes) {
    out.push_back((total.bits == 0 ? stake : stake / total).to_i32f32());
  }
  return out;
}

Stakes weigh_stakes(const EpochInput& input) {
  Stakes out;
  out.all = stake_shares(input);
  out.judging = out.all;
  for (size_t i = 0; i < input.neurons.size(); ++i) {
    const bool owner_permit = input.spec == RuntimeSpec::k425 && is_owner(input, i);
    out.active.push_back(!is_inactive(input, input.neurons[i]));
    out.permits.push_back(input.neurons[i].validator_permit || owner_permit);
    if (!out.active[i] || !out.permits[i]) out.judging[i] = kZero;
  }
  normalise(out.judging);
  return out;
}

std::vector<bool> new_permits(const EpochInput& input, const Vector& stake) {
  std::vector<bool> out(stake.size());
  std::vector<size_t> order(stake.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return stake[a] < stake[b]; });
  for (size_t i = 0; i < stake.size(); ++i) out[i] = stake[i] != kZero;
  const size_t seats = input.params.max_allowed_validators;
  for (size_t i = 0; i + seats < stake.size(); ++i) out[order[i]] = false;
  if (input.spec == RuntimeSpec::k425 && input.owner) out[input.owner->index] = true;
  return out;
}

// -- Steps 5 to 9: what they say ------------------------------------------------------------------

bool weight_counts(const EpochInput& input, size_t i, size_t j) {
  const EpochNeuron& from = input.neurons[i];
  const EpochNeuron& to = input.neurons[j];
  if (i == j && !is_owner(input, i)) return false;
  if (from.last_update <= to.registered_at) return false;  // Meant for who was there before.
  return input.spec == RuntimeSpec::k293 || !from.oldest_commit ||
         to.registered_at <= *from.oldest_commit;
}

Matrix counted_weights(const EpochInput& input, const Stakes& stakes) {
  Matrix out(input.neurons.size());
  for (size_t i = 0; i < out.size(); ++i) {
    if (!stakes.permits[i]) continue;
    for (const auto& [uid, value] : input.neurons[i].weights) {
      if (weight_counts(input, i, uid.index)) {
        out[i].push_back({uid.index, I32F32::from_int(value)});
      }
    }
    normalise_row(out[i]);
  }
  return out;
}

// The score that a majority of stake reaches or exceeds: quickselect with the runtime's own pivots,
// because with rounding the answer depends on them.  `stake` sums to `total`; both are indexed like
// `score`.
I32F32 weighted_median(const Vector& stake, const Vector& score, I32F32 minority, I32F32 total) {
  std::vector<size_t> part(stake.size());
  std::iota(part.begin(), part.end(), size_t{0});
  I32F32 low;
  I32F32 high = total;
  for (size_t turn = 0; turn < stake.size(); ++turn) {  // Each turn drops the pivot at least.
    if (part.size() == 1) return score[part[0]];
    const I32F32 pivot = score[part[part.size() / 2]];
    std::vector<size_t> below;
    std::vector<size_t> above;
    I32F32 below_stake;
    I32F32 above_stake;
    for (const size_t i : part) {
      if (score[i] == pivot) continue;
      auto& side = score[i] < pivot ? below : above;
      auto& side_stake = score[i] < pivot ? below_stake : above_stake;
      side.push_back(i);
      side_stake = side_stake + stake[i];
    }
    if (minority < low + below_stake && !below.empty()) {
      high = low + below_stake;
      part = std::move(below);
    } else if (high - above_stake <= minority && !above.empty()) {
      low = high - above_stake;
      part = std::move(above);
    } else {
      return pivot;
    }
  }
  return kZero;
}

Vector consensus_of(const Vector& judging, const Matrix& weights, I32F32 kappa) {
  Vector stake;
  std::vector<Vector> scores(weights.size());  // (n columns, judges)
  for (size_t i = 0; i < weights.size(); ++i) {
    if (judging[i] <= kZero) continue;
    stake.push_back(judging[i]);
    const Vector row = dense(weights[i], weights.size());
    for (size_t j = 0; j < weights.size(); ++j) scores[j].push_back(row[j]);
  }
  normalise(stake);
  const I32F32 total = sum(stake);
  Vector out;
  for (const Vector& score : scores) {
    out.push_back(weighted_median(stake, score, total - kappa, total));
  }
  return out;
}

Matrix clipped(const Matrix& weights, const Vector& consensus) {
  Matrix out(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    for (const auto& [j, value] : weights[i]) {
      if (value <= consensus[j]) {
        out[i].push_back({j, value});
      } else if (consensus[j] > kZero) {
        out[i].push_back({j, consensus[j]});
      }
    }
  }
  return out;
}

// weights + share * (clip - weights), at the ends of the range without any rounding.
Matrix penalised(const Matrix& weights, const Matrix& clip, I32F32 share) {
  if (share == kZero) return weights;
  if (share == kOne) return clip;
  Matrix out(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    Vector row = dense(weights[i], weights.size());
    const Vector target = dense(clip[i], weights.size());
    for (size_t j = 0; j < row.size(); ++j) row[j] = row[j] + share * (target[j] - row[j]);
    out[i] = sparse(row);
  }
  return out;
}

Judgement judge(const EpochInput& input, const Stakes& stakes) {
  const Matrix weights = counted_weights(input, stakes);
  Judgement out;
  out.consensus = consensus_of(stakes.judging, weights, I32F32::from_share(input.params.kappa));
  const Matrix clip = clipped(weights, out.consensus);
  out.validator_trust = weighted_rows(clip, Vector(weights.size(), kOne));
  const Vector before = weighted_columns(weights, stakes.judging);
  out.incentive = weighted_columns(clip, stakes.judging);
  for (size_t j = 0; j < before.size(); ++j) {
    out.trust.push_back(safe_div(out.incentive[j], before[j]));
  }
  normalise(out.incentive);
  out.bond_weights = penalised(weights, clip, I32F32::from_share(input.params.bonds_penalty));
  return out;
}

// -- Step 10: bonds and dividends -----------------------------------------------------------------

Matrix standing_bonds(const EpochInput& input) {
  const uint64_t tempo_ago =
      input.block.index - std::min<uint64_t>(input.params.tempo, input.block.index);
  const bool own_epoch = input.spec == RuntimeSpec::k425 && input.last_epoch.index != 0;
  const uint64_t since = own_epoch ? input.last_epoch.index + 1 : tempo_ago;
  Matrix out(input.neurons.size());
  for (size_t i = 0; i < out.size(); ++i) {
    for (const auto& [uid, value] : input.neurons[i].bonds) {
      // A bond on a uid that has changed hands since is not a bond on whoever holds it now.
      if (since <= input.neurons[uid.index].registered_at.index) continue;
      out[i].push_back({uid.index, I32F32::from_int(value)});
    }
  }
  return out;
}

I32F32 bonds_alpha(const EpochParams& params) {
  const I64F64 kept = I64F64::from_int(params.bonds_moving_average) / I64F64::from_int(1'000'000);
  return kOne - kept.to_i32f32();
}

Bonded bond_yuma2(const EpochInput& input, const Stakes& stakes, const Judgement& judgement) {
  Matrix old = standing_bonds(input);
  normalise_columns(old);
  Matrix fresh = judgement.bond_weights;
  for (size_t i = 0; i < fresh.size(); ++i) {
    for (Entry& entry : fresh[i]) entry.value = entry.value * stakes.judging[i];
  }
  normalise_columns(fresh);
  Bonded out;
  out.bonds = moving_average(fresh, old, bonds_alpha(input.params));
  normalise_columns(out.bonds);
  out.dividends = weighted_rows(out.bonds, judgement.incentive);
  normalise(out.dividends);
  upscale_columns(out.bonds);
  return out;
}

// How fast a bond moves: faster, the further the weight is from consensus (buying) or from the bond
// (selling).
I32F32 liquid_alpha(const EpochParams& params, I32F32 consensus, I32F32 weight, I32F32 bond) {
  const I32F32 low = I32F32::from_share(params.alpha_low);
  const I32F32 high = I32F32::from_share(params.alpha_high);
  const I32F32 half = kOne / I32F32::from_int(2);
  const I32F32 away = std::clamp(weight >= bond ? weight - consensus : bond - weight, kZero, kOne);
  const I32F32 slope = I32F32::from_int(params.alpha_sigmoid_steepness) / I32F32::from_int(-100);
  const I32F32 sigmoid = kOne / (kOne + exp_safe(slope * (away - half)));
  return std::max(low, std::min(high, low + sigmoid * (high - low)));
}

// Only what is weighed now keeps a bond: a target that was dropped loses it at once.
Matrix liquid_bonds(const EpochInput& input, const Judgement& judgement, const Matrix& old) {
  const Matrix& weights = judgement.bond_weights;
  Matrix out(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    Vector alpha(weights.size());
    Cursor weight_at(weights[i]);
    Cursor bond_at(old[i]);
    for (size_t j = 0; j < alpha.size(); ++j) {
      alpha[j] = liquid_alpha(input.params, judgement.consensus[j], weight_at.at(j), bond_at.at(j));
    }
    Cursor old_at(old[i]);
    for (const auto& [j, weight] : weights[i]) {
      const I32F32 kept = (kOne - alpha[j]) * old_at.at(j);
      const I32F32 bought = std::max(kZero, alpha[j] * weight);
      const I32F32 bond = std::min(kOne, kept + bought);
      if (bond > kZero) out[i].push_back({j, bond});
    }
  }
  return out;
}

Bonded bond_yuma3(const EpochInput& input, const Stakes& stakes, const Judgement& judgement) {
  Matrix old = standing_bonds(input);
  for (Row& row : old) {
    for (Entry& entry : row) entry.value = entry.value / I32F32::from_int(65'535);
  }
  const bool anybody_agrees = std::any_of(judgement.consensus.begin(), judgement.consensus.end(),
                                          [](I32F32 value) { return value != kZero; });
  Bonded out;
  out.bonds = input.params.liquid_alpha && anybody_agrees
                  ? liquid_bonds(input, judgement, old)
                  : moving_average(judgement.bond_weights, old, bonds_alpha(input.params));
  Matrix shares = out.bonds;
  normalise_columns(shares);
  out.dividends = weighted_rows(shares, judgement.incentive);
  for (size_t i = 0; i < shares.size(); ++i) {
    out.dividends[i] = out.dividends[i] * stakes.judging[i];
  }
  normalise(out.dividends);
  return out;
}

// -- Steps 11 and 12: who gets what, and what is kept ---------------------------------------------

// The three ways of dividing the same emission.
struct Split {
  Vector combined;
  Vector server;
  Vector validator;
};

Split split_emission(const Stakes& stakes, const Judgement& judgement, const Bonded& bonded) {
  Split out{{}, judgement.incentive, bonded.dividends};
  for (size_t i = 0; i < out.server.size(); ++i) {
    out.combined.push_back(out.server[i] + out.validator[i]);
  }
  const I32F32 total = sum(out.combined);
  if (total == kZero) {  // Nobody was judged: stake alone earns.
    const bool judges = sum(stakes.judging) != kZero;
    out.combined = judges ? stakes.judging : stakes.all;
    out.validator = out.combined;
    return out;
  }
  for (I32F32& value : out.server) value = safe_div(value, total);
  for (I32F32& value : out.validator) value = safe_div(value, total);
  normalise(out.combined);
  return out;
}

uint64_t portion(I32F32 share, uint64_t rao) {
  return (U96F32{static_cast<uint128>(std::max<int64_t>(0, share.bits))} * U96F32::from_int(rao))
      .floor_to_u64();
}

std::vector<uint16_t> max_upscale_fixed(std::span<const I32F32> values) {
  const I32F32 full = I32F32::from_int(65'535);
  I32F32 highest;
  for (const I32F32 value : values) highest = std::max(highest, value);
  std::vector<uint16_t> out(values.size());
  if (highest == kZero) return out;
  for (size_t i = 0; i < values.size(); ++i) {
    // Above 2^15 the product would overflow, so there the runtime divides first.
    const bool divide_first = highest > I32F32::from_int(32'768);
    const I32F32 scaled =
        divide_first ? values[i] * safe_div(full, highest) : safe_div(values[i] * full, highest);
    out[i] = scaled.round_to_u16();
  }
  return out;
}

std::vector<Weight> stored_bonds(const EpochInput& input, const Row& row, size_t i, bool permit,
                                 bool had_permit) {
  std::vector<Weight> out;
  if (permit) {
    for (const auto& [j, value] : row) out.push_back({Uid{j}, value.to_share()});
  } else if (!had_permit && input.spec == RuntimeSpec::k293) {
    out = input.neurons[i].bonds;
  }
  return out;
}

void check_input(const EpochInput& input) {
  const size_t n = input.neurons.size();
  CHECK(n <= kEpochNeuronsMax);
  CHECK(!input.owner || input.owner->index < n);
  for (const EpochNeuron& neuron : input.neurons) {
    for (const Weight& weight : neuron.weights) CHECK(weight.uid.index < n);
    for (const Weight& bond : neuron.bonds) CHECK(bond.uid.index < n);
  }
}

}  // namespace

EpochOutput run_epoch(const EpochInput& input) {
  check_input(input);
  const Stakes stakes = weigh_stakes(input);
  const std::vector<bool> permits = new_permits(input, stakes.all);
  const Judgement judgement = judge(input, stakes);
  const Bonded bonded = input.params.yuma3 ? bond_yuma3(input, stakes, judgement)
                                           : bond_yuma2(input, stakes, judgement);
  const Split split = split_emission(stakes, judgement, bonded);
  const std::vector<uint16_t> pruning = max_upscale_fixed(split.combined);
  EpochOutput out;
  for (size_t i = 0; i < input.neurons.size(); ++i) {
    out.neurons.push_back({
        .active = stakes.active[i],
        .validator_permit = permits[i],
        .rank = judgement.incentive[i].to_share(),
        .trust = judgement.trust[i].to_share(),
        .consensus = judgement.consensus[i].to_share(),
        .incentive = judgement.incentive[i].to_share(),
        .dividends = bonded.dividends[i].to_share(),
        .validator_trust = judgement.validator_trust[i].to_share(),
        .stake_weight = stakes.all[i].to_share(),
        .pruning_score = pruning[i],
        .emission_rao = portion(split.combined[i], input.emission_rao),
        .server_rao = portion(split.server[i], input.emission_rao),
        .validator_rao = portion(split.validator[i], input.emission_rao),
        .bonds = stored_bonds(input, bonded.bonds[i], i, permits[i], stakes.permits[i]),
    });
  }
  return out;
}

std::vector<uint16_t> max_upscale(std::vector<uint16_t> values) {
  Vector fixed;
  for (const uint16_t value : values) fixed.push_back(I32F32::from_int(value));
  return max_upscale_fixed(fixed);
}

}  // namespace chain
