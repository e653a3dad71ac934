#include <algorithm>
#include <utility>
#include <vector>

#include "common/log.h"
#include "train/card_ranks.h"
#include "train/learner.h"
#include "train/memory_plan.h"

namespace train {
namespace {

using common::Result;

// How long a rank waits for the others. Threads that share memory do not vanish, so theirs is for a
// machine that slept; what a failed card leaves behind must have ended within 30 s (W44).
constexpr common::milliseconds kThreadPatience{10 * 60 * 1000};
constexpr common::milliseconds kCardPatience{15'000};

Result<MemoryPlan> plan_for(const common::Hparams& hparams,
                            std::span<const std::unique_ptr<Backend>> cards, bool recompute) {
  uint64_t least_bytes = cards.front()->memory_bytes();
  for (const auto& card : cards) least_bytes = std::min(least_bytes, card->memory_bytes());
  TRY(MemoryPlan plan,
      choose_plan(hparams, static_cast<int>(cards.size()), least_bytes, cards.front()->precision(),
                  {.sharding = {}, .recompute = recompute}));
  common::log_info("{} of {} on a card: {}", gibibytes(plan.largest()), gibibytes(least_bytes),
                   describe(plan));
  return plan;
}

Result<std::unique_ptr<Ranks>> ranks_of(std::span<const std::unique_ptr<Backend>> cards) {
  std::vector<Backend*> backends;
  for (const auto& card : cards) backends.push_back(card.get());
  return make_card_ranks(backends, kCardPatience);
}

}  // namespace

Result<std::unique_ptr<Learner>> open_learner(const common::Hparams& hparams,
                                              std::span<const std::unique_ptr<Backend>> machines,
                                              ModelOptions options) {
  const bool alone = machines.size() == 1;
  if (machines.front()->memory_bytes() == 0) {
    if (alone) return make_learner(hparams, *machines.front(), options);
    auto ranks = std::make_unique<ThreadRanks>(static_cast<int>(machines.size()), kThreadPatience);
    return make_learner(hparams, machines, std::move(ranks), Sharding::kOptimiser, options);
  }
  TRY(const MemoryPlan plan, plan_for(hparams, machines, options.recompute));
  options.recompute = plan.recompute;
  options.positions_at_once = plan.positions_at_once;
  if (!plan.sharding) return make_learner(hparams, *machines.front(), options);
  TRY(std::unique_ptr<Ranks> ranks, ranks_of(machines));
  return make_learner(hparams, machines, std::move(ranks), *plan.sharding, options, plan.moments);
}

}  // namespace train
