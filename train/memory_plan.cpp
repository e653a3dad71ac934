#include "train/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "compress/codec.h"
#include "train/cpu/backend.h"
#include "train/cpu/tiles.h"
#include "train/cpu/vocabulary_loss.h"
#include "train/cuda/memory.h"
#include "train/llama/shape.h"
#include "train/memory_plan/optimiser_sizes.h"
#include "train/sharding/places.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kValue = sizeof(float);
// Of a node that applies a window: objects that are opened at a time, each with its buffers
// (train/exchange.h, train/stored_contribution.h), and what is kept of each piece of a body.
constexpr uint64_t kOpenedAtOnce = 8;
constexpr uint64_t kOpenedBytes = 16 << 20;
constexpr uint64_t kPieceBytes = 64;

// What depends on the model and the number of machines alone.
struct ModelSizes {
  ModelSizes(const common::Hparams& hparams, int count)
      : params(hparams.model),
        inner(hparams.inner),
        ranks(count),
        shape(hparams.model),
        layout(parameter_layout(hparams.model, hparams.codec)),
        shares(hparams.model, hparams.inner.optimiser, count) {}

  uint64_t parameters() const { return layout.parameter_count(); }

  const common::ModelParams& params;
  const common::InnerParams& inner;
  int ranks;
  llama::Shape shape;
  compress::Layout layout;
  Shares shares;
};

// Sequences of the largest micro-batch of a rank's part of a step.
uint32_t sequences_together(const ModelSizes& model, int positions_at_once) {
  const auto ranks = static_cast<uint32_t>(model.ranks);
  const uint32_t part = (model.inner.sequences_per_step + ranks - 1) / ranks;
  const uint32_t at_once =
      std::max(1U, static_cast<uint32_t>(positions_at_once) / model.params.sequence_length);
  const uint32_t count = (part + at_once - 1) / at_once;
  return (part + count - 1) / count;
}

// As train/llama/weights.h packs a piece: each matrix to the next 64 bytes.
class PackedSizes {
 public:
  PackedSizes(const llama::Shape& shape, const MachineKind& kind) : shape_(shape), kind_(kind) {
    if (!kind.is_card) cpu_ = make_cpu_backend(1, kind.precision);
  }
  uint64_t layer() const {
    return of(shape_.row(), shape_.C) + of(shape_.C, shape_.C) + of(2 * shape_.F, shape_.C) +
           of(shape_.C, shape_.F);
  }
  uint64_t vocabulary() const { return of(shape_.V, shape_.C); }

 private:
  uint64_t of(int O, int C) const {
    constexpr uint64_t kAlignment = 64;
    const uint64_t size =
        cpu_ ? cpu_->packed_size(O, C) : cuda::packed_bytes(kind_.precision, O, C);
    return (size + kAlignment - 1) / kAlignment * kAlignment;
  }

  const llama::Shape& shape_;
  const MachineKind& kind_;
  std::unique_ptr<Backend> cpu_;
};

OptimiserSizes optimiser_sizes_of(const ModelSizes& model, std::optional<Sharding> sharding,
                                  int rank) {
  if (!sharding) {
    return optimiser_sizes(model.layout, model.inner.optimiser, {0, model.parameters()});
  }
  OptimiserSizes sizes;
  for (size_t piece = 0; piece < model.shares.pieces().count(); ++piece) {
    const Range range = model.shares.of(piece, rank);
    sizes += optimiser_sizes(model.layout, model.inner.optimiser, {range.first, range.size});
  }
  return sizes;
}

// Shares of theta, gradient and moments, pieces while they are whole, and what the optimiser works
// in, which is counted among the rooms.
MachinePlan parameters_of(const ModelSizes& model, const MemoryPlan& whole, int rank) {
  MachinePlan plan;
  const OptimiserSizes sizes = optimiser_sizes_of(model, whole.sharding, rank);
  if (!whole.sharding) {
    plan.theta = plan.gradient = model.parameters() * kValue;
  } else {
    const ShardedMemory shares = sharded_memory(model.shares, *whole.sharding, rank);
    plan.theta = shares.theta;
    plan.gradient = shares.gradient;
    plan.scratch = shares.scratch;
  }
  plan.moments = (whole.moments == MomentHome::kHost ? sizes.room : sizes.moments) * kValue;
  plan.rooms = sizes.work * kValue;
  return plan;
}

// Values that gradient_norm looks at in one call, at the most.
uint64_t largest_share(const ModelSizes& model, std::optional<Sharding> sharding, int rank) {
  if (!sharding) return model.parameters();
  uint64_t largest = 0;
  for (size_t piece = 0; piece < model.shares.pieces().count(); ++piece) {
    largest = std::max(largest, model.shares.of(piece, rank).size);
  }
  return largest;
}

uint64_t factor_values(const ModelSizes& model, int rank, bool is_whole) {
  uint64_t largest = 0;
  for (size_t piece = 0; piece < model.shares.pieces().count(); ++piece) {
    const Range range = is_whole ? model.shares.pieces()[piece] : model.shares.of(piece, rank);
    largest = std::max(
        largest,
        optimiser_sizes(model.layout, model.inner.optimiser, {range.first, range.size}).factors);
  }
  return largest;
}

// CPU: logits in the precision of activations, their gradient in their place.
uint64_t cpu_logit_bytes(int N, int V, Precision precision) {
  using cpu::kPanel;
  const int at_once =
      std::clamp(cpu::kLogitsMax / V / kPanel * kPanel, kPanel, cpu::kLossPositions);
  return static_cast<uint64_t>(std::min(N, at_once)) * static_cast<uint64_t>(V) *
         (precision == Precision::kBf16 ? 2 : 4);
}

MachinePlan plan_machine(const ModelSizes& model, const MachineKind& kind, const MemoryPlan& whole,
                         int rank) {
  MachinePlan plan = parameters_of(model, whole, rank);
  const int N = whole.positions;
  const PackedSizes packed(model.shape, kind);
  const auto layers = static_cast<uint64_t>(model.shape.layers);
  const bool take_turns = whole.sharding == Sharding::kParameters;
  plan.packed =
      (take_turns ? std::min<uint64_t>(layers, 2) : layers) * packed.layer() + packed.vocabulary();
  plan.activations =
      activation_bytes(model.params, N, kind.precision, {.recompute = whole.recompute});
  plan.rooms += uint64_t{model.params.sequence_length} * static_cast<uint64_t>(model.shape.D) *
                kValue;  // Cosines and sines of half a head.
  if (!kind.is_card) {
    plan.logits = cpu_logit_bytes(N, model.shape.V, kind.precision);
    return plan;
  }
  plan.logits = cuda::logit_bytes(N, model.shape.V, kind.logits_at_once, kind.precision);
  const cuda::RoomSizes rooms{.N = N,
                              .C = model.shape.C,
                              .H = model.shape.H,
                              .parameters = largest_share(model, whole.sharding, rank),
                              .factor_values = factor_values(model, rank, !whole.sharding)};
  plan.rooms += cuda::room_bytes(rooms, kind.precision) + kind.workspace_bytes;
  return plan;
}

HostPlan plan_host(const common::Hparams& hparams, const ModelSizes& model, const MachineKind& kind,
                   const MemoryPlan& machines) {
  HostPlan host;
  for (int rank = 0; rank < model.ranks && machines.moments == MomentHome::kHost; ++rank) {
    host.moments += optimiser_sizes_of(model, machines.sharding, rank).moments * kValue;
  }
  host.theta = host.feedback = host.checkpoint = model.parameters() * kValue;
  if (kind.is_card || model.ranks > 1) host.delta = host.theta;
  if (hparams.codec.look_ahead) host.ahead = host.theta;
  // compress/outer_step.h: a thread's V, and S of each contributor.
  const auto codec = compress::make_codec(hparams.codec);
  CHECK_MSG(codec.has_value(), "hparams were parsed");
  const auto format = (*codec)->format(model.layout);
  const uint64_t contributors = hparams.outer.contributors_max;
  const uint64_t values = uint64_t{format->largest_piece()} * kValue;
  const uint64_t step = values + (hparams.outer.divide == "senders" ? values / 2 : 0) +
                        contributors * uint64_t{format->longest_piece()};
  host.applying = (*codec)->threads() * step + kOpenedAtOnce * kOpenedBytes +
                  contributors * format->pieces().size() * kPieceBytes;
  return host;
}

struct Stage {
  MomentHome moments;
  std::optional<Sharding> sharding;
};

std::vector<Stage> stages_of(const Machines& machines, const PlanWishes& wishes) {
  std::vector<Stage> stages;
  const bool alone = machines.count == 1;
  for (const MomentHome home : {MomentHome::kMachine, MomentHome::kHost}) {
    if (home == MomentHome::kHost && !machines.kind.is_card) continue;
    if (alone && home == MomentHome::kMachine) {
      stages.push_back({home, std::nullopt});
      continue;
    }
    for (const Sharding sharding :
         {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters}) {
      if (wishes.sharding.value_or(sharding) != sharding) continue;
      if (alone && sharding != Sharding::kOptimiser) continue;
      stages.push_back({home, sharding});
    }
  }
  return stages;
}

// Without the host.
MemoryPlan plan_machines(const ModelSizes& model, const MachineKind& kind,
                         const PlanOptions& options) {
  CHECK(options.sharding.has_value() == (model.ranks > 1 || options.moments == MomentHome::kHost));
  MemoryPlan plan{
      .sharding = options.sharding, .moments = options.moments, .recompute = options.recompute};
  plan.positions_at_once =
      options.positions_at_once > 0 ? options.positions_at_once : kind.positions_at_once;
  CHECK(plan.positions_at_once > 0);
  plan.positions = static_cast<int>(sequences_together(model, plan.positions_at_once) *
                                    model.params.sequence_length);
  for (int rank = 0; rank < model.ranks; ++rank) {
    plan.machines.push_back(plan_machine(model, kind, plan, rank));
  }
  return plan;
}

// The first that fits, or the smallest.
MemoryPlan best_of(const ModelSizes& model, const Machines& machines, const PlanWishes& wishes) {
  std::optional<MemoryPlan> smallest;
  for (const Stage& stage : stages_of(machines, wishes)) {
    for (const bool recompute : {false, true}) {
      if (!recompute && wishes.recompute) continue;
      uint32_t tried = 0;  // Half as many positions at once need not be fewer sequences.
      for (int at_once = machines.kind.positions_at_once; at_once > 0; at_once /= 2) {
        const uint32_t sequences = sequences_together(model, at_once);
        if (std::exchange(tried, sequences) == sequences) continue;
        MemoryPlan plan = plan_machines(model, machines.kind,
                                        {.sharding = stage.sharding,
                                         .moments = stage.moments,
                                         .recompute = recompute,
                                         .positions_at_once = at_once});
        if (machines.hold(plan)) return plan;
        if (!smallest || plan.largest() < smallest->largest()) smallest = std::move(plan);
      }
    }
  }
  return std::move(*smallest);
}

const char* kept_in_shares(Sharding sharding) {
  switch (sharding) {
    case Sharding::kOptimiser:
      return "the optimiser sharded";
    case Sharding::kGradients:
      return "optimiser and gradient sharded";
    case Sharding::kParameters:
      return "optimiser, gradient and parameters sharded";
  }
  CHECK_MSG(false, "a stage of sharding");
  return "";
}

// The least of 2, 4, ... 64 machines, more than there are, that hold it; 0: none of them.
int enough_machines(const common::Hparams& hparams, Machines machines, const PlanWishes& wishes) {
  constexpr int kMost = 64;
  const int had = machines.count;
  for (int count = 2; count <= kMost; count *= 2) {
    if (count <= had) continue;
    machines.count = count;
    if (machines.hold(best_of(ModelSizes(hparams, count), machines, wishes))) return count;
  }
  return 0;
}

}  // namespace

MachineKind card_kind(uint64_t memory_bytes, Precision precision) {
  return {.is_card = true,
          .precision = precision,
          .positions_at_once = cuda::positions_at_once(memory_bytes),
          .logits_at_once = cuda::logits_at_once(memory_bytes),
          .workspace_bytes = cuda::kProductWorkspaceBytes};
}

MachineKind cpu_kind(Precision precision) {
  return {.is_card = false,
          .precision = precision,
          .positions_at_once = make_cpu_backend(1, precision)->positions_at_once()};
}

uint64_t MachinePlan::total() const {
  return theta + gradient + moments + scratch + packed + activations + logits + rooms;
}

uint64_t HostPlan::total() const {
  return theta + feedback + moments + std::max({delta + ahead, applying, checkpoint});
}

uint64_t MemoryPlan::largest() const {
  uint64_t largest = 0;
  for (const MachinePlan& machine : machines) largest = std::max(largest, machine.total());
  return largest;
}

MemoryPlan plan_memory(const common::Hparams& hparams, const MachineKind& kind, int ranks,
                       const PlanOptions& options) {
  CHECK(ranks > 0);
  const ModelSizes model(hparams, ranks);
  MemoryPlan plan = plan_machines(model, kind, options);
  plan.host = plan_host(hparams, model, kind, plan);
  return plan;
}

MemoryPlan best_plan(const common::Hparams& hparams, const Machines& machines,
                     const PlanWishes& wishes) {
  CHECK(machines.count > 0);
  const ModelSizes model(hparams, machines.count);
  MemoryPlan plan = best_of(model, machines, wishes);
  plan.host = plan_host(hparams, model, machines.kind, plan);
  return plan;
}

Result<MemoryPlan> choose_plan(const common::Hparams& hparams, const Machines& machines,
                               const PlanWishes& wishes) {
  MemoryPlan plan = best_plan(hparams, machines, wishes);
  if (machines.hold(plan)) return plan;
  return Error{Code::kExhausted, shortage(hparams, machines, wishes, plan)};
}

Result<MemoryPlan> choose_plan(const common::Hparams& hparams, int ranks,
                               uint64_t memory_bytes_each, Precision precision,
                               const PlanWishes& wishes) {
  const Machines cards{.kind = card_kind(memory_bytes_each, precision),
                       .count = ranks,
                       .memory_bytes = memory_bytes_each};
  return choose_plan(hparams, cards, wishes);
}

std::string describe(const MemoryPlan& plan) {
  const bool shares = plan.sharding && plan.machines.size() > 1;
  return fmt::format("{}, {}layers {}, {} positions at once",
                     shares ? kept_in_shares(*plan.sharding) : "nothing sharded",
                     plan.moments == MomentHome::kHost ? "moments in host memory, " : "",
                     plan.recompute ? "recomputed" : "kept", plan.positions);
}

std::string shortage(const common::Hparams& hparams, const Machines& machines,
                     const PlanWishes& wishes, const MemoryPlan& plan) {
  const char* const one = machines.kind.is_card ? "card" : "machine";
  const uint64_t needed = plan.largest() + machines.reserve_bytes;
  CHECK(needed > machines.memory_bytes);
  std::string text = fmt::format(
      "the model needs {} of a {}'s {} ({} of it for the driver), {} too much, even with {}",
      gibibytes(needed), one, gibibytes(machines.memory_bytes), gibibytes(machines.reserve_bytes),
      gibibytes(needed - machines.memory_bytes), describe(plan));
  const int enough = enough_machines(hparams, machines, wishes);
  if (enough > 0) return text + fmt::format("; {} such {}s hold it", enough, one);
  return text + fmt::format("; 64 such {}s do not hold it either", one);
}

std::string gibibytes(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= uint64_t{1} << 30) return fmt::format("{:.1f} GiB", size / 0x1p30);
  return fmt::format("{:.1f} MiB", size / 0x1p20);
}

}  // namespace train
