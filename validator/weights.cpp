#include "validator/weights.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace validator {
namespace {

using common::WeightParams;

// Who is in which tier; `value` is not looked at any more.
struct Tiers {
  std::vector<Uid> gathered;
  std::vector<Uid> reserve;
  std::vector<Uid> explorers;  // Accepted, and in neither.
};

Tiers sort_into_tiers(std::span<const Score> scores, const WeightParams& params) {
  std::vector<Score> ranked(scores.begin(), scores.end());
  std::sort(ranked.begin(), ranked.end(), [](const Score& a, const Score& b) {
    return a.value != b.value ? a.value > b.value : a.uid < b.uid;
  });
  Tiers tiers;
  for (const Score& score : ranked) {
    CHECK(score.value >= 0 && std::isfinite(score.value));
    if (params.burn_share > 0 && score.uid == params.burn_uid) continue;
    if (score.value > 0 && tiers.gathered.size() < params.gather_count) {
      tiers.gathered.push_back(score.uid);
    } else if (score.value > 0 && tiers.reserve.size() < params.reserve_count) {
      tiers.reserve.push_back(score.uid);
    } else if (score.accepted) {
      tiers.explorers.push_back(score.uid);
    }
  }
  return tiers;
}

// 2, 1.5, 1 for three and a top_ratio of 2.
std::vector<double> ramp(size_t count, double top_ratio) {
  std::vector<double> steps(count, 1.0);
  for (size_t i = 0; i + 1 < count; ++i) {
    const double way = static_cast<double>(i) / static_cast<double>(count - 1);
    steps[i] = top_ratio - (top_ratio - 1) * way;
  }
  return steps;
}

std::vector<double> geometric(size_t count, double decay) {
  std::vector<double> terms;
  double term = 1;
  for (size_t i = 0; i < count; ++i, term *= decay) terms.push_back(term);
  return terms;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// `total` in `count` parts, each `decay` of the one before, or with the least larger ratio (at most
// 1) that keeps the first at or below `first_max`.  Pre: total <= count * first_max, nearly.
std::vector<double> decaying(size_t count, double total, double decay, double first_max) {
  const auto first = [&](double d) { return total / sum_of(geometric(count, d)); };
  if (count > 0 && first(decay) > first_max) {
    double low = decay;
    double high = 1;
    for (int halving = 0; halving < 60; ++halving) {
      const double middle = low + (high - low) / 2;
      (first(middle) > first_max ? low : high) = middle;
    }
    decay = high;
  }
  std::vector<double> parts = geometric(count, decay);
  const double scale = count > 0 ? total / sum_of(parts) : 0;
  for (double& part : parts) part *= scale;
  return parts;
}

// How what is not burned is divided. The last gathered gets `unit`, nobody below it more.
struct Division {
  double unit = 0;
  double exploration_each = 0;
  double reserve_total = 0;
};

Division divide(double total, double ramp_sum, const Tiers& tiers, const WeightParams& params) {
  const auto reserves = static_cast<double>(tiers.reserve.size());
  const auto explorers = static_cast<double>(tiers.explorers.size());
  const double others = reserves + explorers;
  Division plan;
  plan.exploration_each = others > 0 ? total * params.exploration_share / others : 0;
  if (tiers.gathered.empty()) return plan;
  const double reserve_share = std::max(0.0, 1 - params.gather_share - params.exploration_share);
  plan.reserve_total = reserves > 0 ? total * reserve_share : 0;
  plan.unit = (total - plan.reserve_total - plan.exploration_each * others) / ramp_sum;
  const double above = plan.unit - plan.exploration_each;
  if (above >= 0 && plan.reserve_total <= reserves * above) return plan;
  // Too much for so few: first the reserve is cut to the last gathered's level, then all are.
  plan.unit = (total - plan.exploration_each * explorers) / (ramp_sum + reserves);
  if (plan.exploration_each > plan.unit) {
    plan.unit = total / (ramp_sum + others);
    plan.exploration_each = plan.unit;
  }
  plan.reserve_total = reserves * (plan.unit - plan.exploration_each);
  return plan;
}

}  // namespace

std::vector<Score> scores_of(const Scoreboard& board, const common::Hparams& hparams) {
  std::vector<Score> scores;
  for (const Standing& standing : board.standings) {
    const Hold hold = hold_of(standing, hparams);
    const bool may_explore = hold == Hold::kNone || hold == Hold::kUnjudged;
    scores.push_back({standing.uid, score(standing, hparams), may_explore && standing.absent == 0});
  }
  return scores;
}

std::vector<Share> weights(std::span<const Score> scores, const WeightParams& params) {
  std::vector<Share> shares;
  for (const Score& score : scores) shares.push_back({score.uid, 0});
  std::sort(shares.begin(), shares.end(),
            [](const Share& a, const Share& b) { return a.uid < b.uid; });
  const auto before = [](const Share& share, Uid uid) { return share.uid < uid; };
  const auto burn = std::lower_bound(shares.begin(), shares.end(), params.burn_uid, before);
  if (burn == shares.end() || burn->uid != params.burn_uid) {
    shares.insert(burn, {params.burn_uid, 0});
  }
  for (size_t i = 1; i < shares.size(); ++i) CHECK(shares[i - 1].uid < shares[i].uid);
  const auto share_of = [&](Uid uid) -> double& {
    return std::lower_bound(shares.begin(), shares.end(), uid, before)->share;
  };

  const Tiers tiers = sort_into_tiers(scores, params);
  const std::vector<double> steps = ramp(tiers.gathered.size(), params.top_ratio);
  const double total = 1 - params.burn_share;
  const Division plan = divide(total, sum_of(steps), tiers, params);
  const std::vector<double> reserve =
      decaying(tiers.reserve.size(), plan.reserve_total, params.reserve_decay,
               plan.unit - plan.exploration_each);
  for (size_t i = 0; i < steps.size(); ++i) share_of(tiers.gathered[i]) = plan.unit * steps[i];
  for (size_t i = 0; i < reserve.size(); ++i) {
    // At most: the bisection may leave a last bit too much.
    share_of(tiers.reserve[i]) = std::min(plan.unit, reserve[i] + plan.exploration_each);
  }
  for (const Uid uid : tiers.explorers) share_of(uid) = plan.exploration_each;
  double& burned = share_of(params.burn_uid);
  if (params.burn_share > 0) burned = params.burn_share;
  if (tiers.gathered.empty()) {  // What nobody earned.
    double given = 0;
    for (const Share& share : shares) given += share.share;
    burned += 1 - given;
  }
  return shares;
}

std::vector<chain::Weight> to_chain_weights(std::span<const Share> shares) {
  constexpr double kLargest = 65535;
  double largest = 0;
  for (const Share& share : shares) largest = std::max(largest, share.share);
  std::vector<chain::Weight> weights;
  for (const Share& share : shares) {
    if (largest <= 0) break;
    const double value = std::floor(share.share / largest * kLargest + 0.5);
    if (value > 0) weights.push_back({share.uid, static_cast<uint16_t>(value)});
  }
  return weights;
}

}  // namespace validator
