// What machines must hold to train a model, byte by byte, and the least sharding that fits into
// them: known before a card is asked for anything.
//
// A machine's numbers are what the code reserves (train/learner.h on one machine, train/sharding.h
// on several), and a test counts that they are. Besides it a card holds what nobody can plan: the
// driver's context, cuBLASLt's and this program's kernels, NCCL's channels, gaps between arrays.
// That is what the reserve is for.
//
// 72.7 G parameters (80 layers, dim 8,192, two tables of 262,144 tokens) with AdamW on 8 cards: all
// of it sharded, layers recomputed, a sequence of 2,048 at once, are 176 GiB a card, of which 68
// are moments. With those at home in the host's memory (542 GiB for the 8) it fits into 140 GiB,
// with eight sequences at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/sharding.h"

namespace train {

// What of a machine decides how much memory a model takes of it.
struct MachineKind {
  bool is_card = true;
  Precision precision = Precision::kBf16;
  int positions_at_once = 0;     // Backend::positions_at_once.
  int64_t logits_at_once = 0;    // Of a card: values of fp32 that its loss may keep at once.
  uint64_t workspace_bytes = 0;  // Of a card: its products'.
};
// A card with so much memory decides by that.
MachineKind card_kind(uint64_t memory_bytes, Precision precision);
MachineKind cpu_kind(Precision precision);

// One machine, in bytes.
struct MachinePlan {
  uint64_t theta = 0;     // The copy that is trained, or this rank's shares of it.
  uint64_t gradient = 0;  // Likewise.
  uint64_t moments = 0;   // What the optimiser remembers, or where it comes to for a step.
  uint64_t scratch = 0;   // Pieces of theta and gradient while they are whole.
  uint64_t packed = 0;    // What products read of the weights: a bf16 copy.
  uint64_t activations = 0;
  uint64_t logits = 0;  // With their gradient.
  // Everything else: angles, Muon's products, a card's sums and workspace. Of a CPU without what
  // its operations keep for themselves, some tens of MB a thread.
  uint64_t rooms = 0;

  uint64_t total() const;
};

// What a miner's process keeps in host memory besides, in bytes. Not in it: files that the system
// keeps in memory while there is some, and a hundred MB of program.
struct HostPlan {
  uint64_t theta = 0;     // The replica's.
  uint64_t feedback = 0;  // Error feedback.
  uint64_t moments = 0;   // Of all machines, where their home is the host.
  // One after the other, never together; the first two while it trains:
  uint64_t delta = 0;       // The copy that becomes the contribution; 0 where a machine's theta is
                            //   that copy.
  uint64_t ahead = 0;       // Where training begins, where that is not theta (codec.look_ahead).
  uint64_t applying = 0;    // A window's contributions.
  uint64_t checkpoint = 0;  // A checkpoint's file, while it is written or read.

  uint64_t total() const;  // At the most at a time.
};

struct MemoryPlan {
  std::optional<Sharding> sharding;  // Nothing: one machine by itself.
  MomentHome moments = MomentHome::kMachine;
  bool recompute = false;             // ModelOptions::recompute,
  int positions_at_once = 0;          //   and positions_at_once.
  int positions = 0;                  // Of the largest micro-batch.
  std::vector<MachinePlan> machines;  // By rank.
  HostPlan host;

  uint64_t largest() const;  // Of the machines' totals.
};

struct PlanOptions {
  // Has a value where there are several machines, or moments are at home on the host (train/
  // sharding.h, of one rank), and only there.
  std::optional<Sharding> sharding;
  MomentHome moments = MomentHome::kMachine;
  bool recompute = false;
  int positions_at_once = 0;  // 0: the machine's.
};
// Pre: ranks > 0; the hparams were parsed. Cost: 0.2 s for 72 G parameters.
MemoryPlan plan_memory(const common::Hparams& hparams, const MachineKind& kind, int ranks,
                       const PlanOptions& options);

// What is left to driver, NCCL and gaps.
inline constexpr uint64_t kCardReserveBytes = uint64_t{2} << 30;

struct Machines {
  MachineKind kind;
  int count = 1;
  uint64_t memory_bytes = 0;  // Of each.
  uint64_t reserve_bytes = kCardReserveBytes;

  bool hold(const MemoryPlan& plan) const { return plan.largest() + reserve_bytes <= memory_bytes; }
};

struct PlanWishes {
  std::optional<Sharding> sharding;  // Nothing: the least that fits. Only of several machines.
  bool recompute = false;            // Even where it would fit without.
};
// The first that fits of: moments on the machine, then, of cards, on the host; for each as little
// sharding as can be; for each first without, then with recomputation; for each as many positions
// at once as the machine likes, then half of them, down to a sequence. If none does, the
// smallest.
MemoryPlan best_plan(const common::Hparams& hparams, const Machines& machines,
                     const PlanWishes& wishes = {});

// The same, or kExhausted with the smallest plan and by how much it misses.
common::Result<MemoryPlan> choose_plan(const common::Hparams& hparams, const Machines& machines,
                                       const PlanWishes& wishes = {});
// Of cards.
common::Result<MemoryPlan> choose_plan(const common::Hparams& hparams, int ranks,
                                       uint64_t memory_bytes_each, Precision precision,
                                       const PlanWishes& wishes = {});

// "parameters sharded, layers recomputed, 2,048 positions at once"
std::string describe(const MemoryPlan& plan);
// A sentence without a stop: by how much `plan` misses, and how many machines more would hold the
// model.  Pre: the machines do not hold it.
std::string shortage(const common::Hparams& hparams, const Machines& machines,
                     const PlanWishes& wishes, const MemoryPlan& plan);
// "12.3 GiB", "4.0 MiB"
std::string gibibytes(uint64_t bytes);

}  // namespace train
