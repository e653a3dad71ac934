#include <algorithm>
#include <functional>
#include <utility>

#include "common/check.h"
#include "train/learner.h"

namespace train {
namespace {

using common::Code;
using common::Result;

class SeveralMachines final : public Learner {
 public:
  SeveralMachines(const common::Hparams& hparams,
                  std::span<const std::unique_ptr<Backend>> machines, std::unique_ptr<Ranks> ranks,
                  Sharding sharding, const ModelOptions& options, MomentHome moments)
      : ranks_(std::move(ranks)) {
    for (const auto& machine : machines) {
      Communicator& rank = (*ranks_)[static_cast<int>(trainings_.size())];
      trainings_.push_back(std::make_unique<ShardedTraining>(hparams.model, hparams.inner, sharding,
                                                             *machine, rank, options, moments));
    }
  }

  Result<void> begin(std::span<const float> theta) override {
    start_ = theta;
    return ranks_->run([&](Communicator& rank) { return training(rank).begin(theta); });
  }

  Result<double> step(const Batch& batch, double rate) override {
    CHECK(!start_.empty());
    std::vector<Result<double>> losses(trainings_.size(), 0.0);
    TRY_VOID(ranks_->run([&](Communicator& rank) -> Result<void> {
      const auto taken = training(rank).step(batch, rate);
      // What is not finite is so at all ranks, and no reason to give up.
      if (!taken && taken.error().code != Code::kRefused) return taken.error();
      losses[index(rank)] = taken ? Result<double>(taken->loss) : taken.error();
      return {};
    }));
    return losses.front();
  }

  Result<std::vector<float>> finish() override {
    CHECK(!start_.empty());
    const std::span<const float> start = std::exchange(start_, {});
    std::vector<float> values(start.size());
    TRY_VOID(ranks_->run([&](Communicator& rank) {
      return training(rank).download(rank.rank() == 0 ? std::span(values) : std::span<float>());
    }));
    std::ranges::transform(start, values, values.begin(), std::minus());
    return values;
  }

  // By piece, and of each the ranks' shares: as they lie in theta.
  OptimiserParts optimiser() override {
    std::vector<std::vector<Optimiser*>> by_rank;
    for (const auto& training : trainings_) by_rank.push_back(training->optimisers());
    std::vector<Optimiser*> parts;
    for (size_t piece = 0; piece < by_rank.front().size(); ++piece) {
      for (const auto& of_rank : by_rank) parts.push_back(of_rank[piece]);
    }
    return OptimiserParts(std::move(parts));
  }

 private:
  static size_t index(const Communicator& rank) { return static_cast<size_t>(rank.rank()); }
  ShardedTraining& training(const Communicator& rank) { return *trainings_[index(rank)]; }

  std::unique_ptr<Ranks> ranks_;
  std::vector<std::unique_ptr<ShardedTraining>> trainings_;  // By rank.
  std::span<const float> start_;
};

}  // namespace

std::unique_ptr<Learner> make_learner(const common::Hparams& hparams,
                                      std::span<const std::unique_ptr<Backend>> machines,
                                      std::unique_ptr<Ranks> ranks, Sharding sharding,
                                      const ModelOptions& options, MomentHome moments) {
  CHECK(!machines.empty() && machines.size() == static_cast<size_t>(ranks->count()));
  return std::make_unique<SeveralMachines>(hparams, machines, std::move(ranks), sharding, options,
                                           moments);
}

}  // namespace train
