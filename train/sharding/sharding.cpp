#include "train/sharding.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "common/check.h"
#include "train/sharding/gathered_parameters.h"
#include "train/sharding/scattered_gradient.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;
using sharding::GatheredParameters;
using sharding::ScatteredGradient;

uint64_t count_targets(const Batch& batch) {
  return batch.target.size() - static_cast<uint64_t>(std::ranges::count(batch.target, kNoTarget));
}

}  // namespace

struct ShardedTraining::Impl {
  Impl(const common::ModelParams& params, const common::InnerParams& inner, Sharding stage,
       Backend& machine, Communicator& others, ModelOptions options, MomentHome moments);

  // Where this rank's share of a piece lies, in an array that is a shard or whole.
  float* theta_of(size_t piece) { return theta.data() + place(piece, !gathered); }
  float* gradient_of(size_t piece) { return gradient.data() + place(piece, !scattered); }
  uint64_t place(size_t piece, bool is_whole) const {
    return is_whole ? shares.of(piece, rank).first : shares.offset(piece, rank);
  }

  // This rank's part of the loss; afterwards its shares of the gradient are the whole batch's.
  Result<double> learn(const Batch& batch);
  Result<void> scatter_gradient();  // One that was added up whole.
  Result<double> gradient_norm();
  Result<void> share_theta();  // What the optimisers have moved.
  Result<double> sum(double mine);

  int rank;
  int positions_at_once;
  Backend& backend;
  Communicator& communicator;
  Shares shares;
  Model model;
  Buffer<float> theta;
  Buffer<float> gradient;
  std::optional<GatheredParameters> gathered;
  std::optional<ScatteredGradient> scattered;
  Buffer<float> moment_room;                           // Of moments whose home is the host.
  std::vector<std::unique_ptr<Optimiser>> optimisers;  // One a piece.
};

ShardedTraining::Impl::Impl(const common::ModelParams& params, const common::InnerParams& inner,
                            Sharding stage, Backend& machine, Communicator& others,
                            ModelOptions options, MomentHome moments)
    : rank(others.rank()),
      positions_at_once(options.positions_at_once > 0 ? options.positions_at_once
                                                      : machine.positions_at_once()),
      backend(machine),
      communicator(others),
      shares(params, inner.optimiser, others.ranks()),
      model(params, machine, std::move(options)),
      theta(machine),
      gradient(machine),
      moment_room(machine) {
  const uint64_t whole = shares.pieces().parameter_count();
  const uint64_t shard = shares.size(rank);
  theta.reserve(stage >= Sharding::kParameters ? shard : whole);
  gradient.reserve(stage >= Sharding::kGradients ? shard : whole);
  if (stage >= Sharding::kParameters) {
    gathered.emplace(shares, theta.data(), machine, others);
  }
  if (stage >= Sharding::kGradients) {
    scattered.emplace(shares, gradient.data(), machine, others);
  }
  const compress::Layout layout =
      parameter_layout(params, {.name = "", .tile = compress::kTileMax, .keep = 1});
  for (size_t piece = 0; piece < shares.pieces().count(); ++piece) {
    const Range range = shares.of(piece, rank);
    optimisers.push_back(make_optimiser(layout, inner, machine, {range.first, range.size},
                                        moments == MomentHome::kHost ? &moment_room : nullptr));
  }
}

Result<double> ShardedTraining::Impl::learn(const Batch& batch) {
  const Batch part = part_of(batch, rank, communicator.ranks());
  WholeParameters whole_theta(shares.pieces(), theta.data());
  WholeGradient whole_gradient(shares.pieces(), gradient.data());
  backend.clear(gradient.data(), gradient.size() * sizeof(float));
  ParameterSource& source = gathered ? static_cast<ParameterSource&>(*gathered) : whole_theta;
  GradientSink& sink = scattered ? static_cast<GradientSink&>(*scattered) : whole_gradient;
  TRY(const double loss, model.loss_and_gradient(source, sink, part, count_targets(batch)));
  TRY_VOID(scattered ? scattered->finish() : scatter_gradient());
  return loss;
}

Result<void> ShardedTraining::Impl::scatter_gradient() {
  std::vector<Communicator::Pending> pending;
  for (size_t piece = 0; piece < shares.pieces().count(); ++piece) {
    pending.push_back(communicator.begin_reduce_scatter(
        gradient_of(piece), gradient.data() + shares.pieces()[piece].first, shares.sizes(piece)));
  }
  for (const Communicator::Pending each : pending) TRY_VOID(communicator.wait(each));
  return {};
}

Result<double> ShardedTraining::Impl::sum(double mine) {
  TRY(const std::vector<double> all, communicator.all_numbers(mine));
  return std::accumulate(all.begin(), all.end(), 0.0);
}

Result<double> ShardedTraining::Impl::gradient_norm() {
  double squares = 0;
  for (size_t piece = 0; piece < shares.pieces().count(); ++piece) {
    squares += backend.sum_of_squares(gradient_of(piece), shares.of(piece, rank).size);
  }
  TRY(const double total, sum(squares));
  return std::sqrt(total);
}

Result<void> ShardedTraining::Impl::share_theta() {
  if (gathered) return gathered->forget();
  std::vector<Communicator::Pending> pending;
  for (size_t piece = 0; piece < shares.pieces().count(); ++piece) {
    pending.push_back(communicator.begin_all_gather(theta.data() + shares.pieces()[piece].first,
                                                    theta_of(piece), shares.sizes(piece)));
  }
  for (const Communicator::Pending each : pending) TRY_VOID(communicator.wait(each));
  return {};
}

ShardedTraining::ShardedTraining(const common::ModelParams& params,
                                 const common::InnerParams& inner, Sharding sharding,
                                 Backend& backend, Communicator& communicator, ModelOptions options,
                                 MomentHome moments)
    : impl_(std::make_unique<Impl>(params, inner, sharding, backend, communicator,
                                   std::move(options), moments)) {}

ShardedTraining::~ShardedTraining() = default;

Result<void> ShardedTraining::begin(std::span<const float> theta) {
  Impl& at = *impl_;
  CHECK(theta.size() == at.shares.pieces().parameter_count());
  TRY(const auto positions, at.communicator.all_numbers(at.positions_at_once));
  const auto other =
      std::ranges::find_if(positions, [&](double theirs) { return theirs != positions.front(); });
  if (other != positions.end()) {
    return Error{Code::kConflict, "rank " + std::to_string(other - positions.begin()) +
                                      " works on " + std::to_string(static_cast<int>(*other)) +
                                      " positions at once, rank 0 on " +
                                      std::to_string(static_cast<int>(positions.front())) +
                                      ": ranks must be machines of one kind"};
  }
  for (size_t piece = 0; piece < at.shares.pieces().count(); ++piece) {
    const Range range = at.gathered ? at.shares.of(piece, at.rank) : at.shares.pieces()[piece];
    float* to = at.gathered ? at.theta_of(piece) : at.theta.data() + range.first;
    at.backend.upload(to, theta.data() + range.first, range.size * sizeof(float));
  }
  if (at.gathered) TRY_VOID(at.gathered->forget());
  return {};
}

Result<void> ShardedTraining::download(std::span<float> theta) {
  Impl& at = *impl_;
  CHECK(theta.empty() || theta.size() == at.shares.pieces().parameter_count());
  for (size_t piece = 0; piece < at.shares.pieces().count(); ++piece) {
    const Range range = at.shares.pieces()[piece];
    const float* values = at.theta.data() + range.first;
    if (at.gathered) {
      TRY(const ParameterSource::Piece whole, at.gathered->get(piece, kNoPiece));
      values = whole.values;
    }
    if (theta.empty()) continue;
    at.backend.download(theta.data() + range.first, values, range.size * sizeof(float));
  }
  return {};
}

std::vector<Optimiser*> ShardedTraining::optimisers() {
  std::vector<Optimiser*> all;
  for (const auto& optimiser : impl_->optimisers) all.push_back(optimiser.get());
  return all;
}

Result<ShardedTraining::Step> ShardedTraining::step(const Batch& batch, double rate) {
  Impl& at = *impl_;
  TRY(const double part, at.learn(batch));
  TRY(const double loss, at.sum(part));
  TRY(const double norm, at.gradient_norm());
  if (!std::isfinite(loss) || !std::isfinite(norm)) {
    return Error{Code::kRefused, "the loss is " + std::to_string(loss) + ", the gradient's norm " +
                                     std::to_string(norm)};
  }
  for (size_t piece = 0; piece < at.optimisers.size(); ++piece) {
    at.optimisers[piece]->step(at.theta_of(piece), at.gradient_of(piece), rate, norm);
  }
  TRY_VOID(at.share_theta());
  return Step{loss, norm};
}

}  // namespace train
