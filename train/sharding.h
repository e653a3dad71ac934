// One model on several machines, each of which keeps a share of what training must remember and
// works on its part of every batch.
//
// The three stages of Rajbhandari et al. 2020, ZeRO, arXiv:1910.02054, piece by piece
// (train/pieces.h): every rank owns a share of every piece, for which alone it keeps moments. Bytes
// a parameter on each of R ranks, with AdamW in fp32, and what travels, in parameters:
//
//                 theta  gradient  moments  R = 8   a step               a micro-batch
//   kOptimiser      4       4        8/R      9     gradient and theta
//   kGradients      4      4/R       8/R     5.5    theta                gradient
//   kParameters    4/R     4/R       8/R      2                          gradient, theta twice
//
// The last two have scratch besides, each of gradient and (kParameters) theta: two layers, and the
// larger of embeddings and vocabulary; and what a whole theta, or those pieces, are packed into.
//
// 72.7 G parameters (80 layers of 0.86 G, two tables of 2.1 G) on 8 cards: 654, 400 and 145 GB a
// card, with 0, 15 and 31 GB of scratch. So kParameters, and the moments (73 GB a card) in the
// host's memory, from where a piece's at a time come to the card for a step, leave 105 GB on the
// card, which has 140 or 180, before activations.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/buffer.h"
#include "train/communicator.h"
#include "train/model.h"
#include "train/optimiser.h"
#include "train/pieces.h"

namespace train {

// What is kept in shares; each stage includes the ones before.
enum class Sharding : uint8_t { kOptimiser = 1, kGradients = 2, kParameters = 3 };

// Who owns what: a rank's shares of all pieces lie one after the other in its shard.
class Shares {
 public:
  // Cut where the optimiser may be cut (split_parameters), as evenly as that allows.
  Shares(const common::ModelParams& params, std::string_view optimiser, int ranks);

  const PieceLayout& pieces() const { return pieces_; }
  int ranks() const { return ranks_; }
  // Of the flat array.
  Range of(size_t piece, int rank) const { return shares_[index(piece, rank)]; }
  // Where it begins in the rank's shard, and how large the shard is.
  uint64_t offset(size_t piece, int rank) const { return offsets_[index(piece, rank)]; }
  uint64_t size(int rank) const;
  // Of one piece's shares, by rank.
  std::span<const size_t> sizes(size_t piece) const {
    return std::span(sizes_).subspan(index(piece, 0), static_cast<size_t>(ranks_));
  }

 private:
  size_t index(size_t piece, int rank) const {
    return piece * static_cast<size_t>(ranks_) + static_cast<size_t>(rank);
  }

  PieceLayout pieces_;
  int ranks_;
  std::vector<Range> shares_;  // By piece, then by rank.
  std::vector<uint64_t> offsets_;
  std::vector<size_t> sizes_;
};

// What a rank keeps, in bytes of the machine's memory, besides activations and packed weights.
struct ShardedMemory {
  uint64_t theta = 0;
  uint64_t gradient = 0;
  uint64_t moments = 0;  // Of AdamW; Muon's are fewer.
  uint64_t scratch = 0;
  uint64_t total() const { return theta + gradient + moments + scratch; }
};
ShardedMemory sharded_memory(const Shares& shares, Sharding sharding, int rank);

// Rank r's part of a batch: sequences r * n .. (r + 1) * n, n = ceil(B / ranks), so that all ranks
// do the same; where there are no more, a sequence without targets.
Batch part_of(const Batch& batch, int rank, int ranks);

// One rank of several that train one model. All ranks make the same calls with the same arguments.
//
// The gradient is the whole batch's, and theta the same bits at every rank and in every run. They
// are not the bits of one machine alone: each rank adds up its own positions before the ranks are
// added up, and rounds in between. From stage to stage they are the same as long as a rank's part
// is one micro-batch: kGradients adds up the ranks in each, kOptimiser once.
//
// Errors are the communicator's (nothing more can be done then), or that a loss or gradient is not
// finite: then nothing has moved, at any rank.
class ShardedTraining {
 public:
  // `backend` and `communicator` outlive it. ModelOptions::positions_at_once, or the backends', are
  // the same at every rank.
  ShardedTraining(const common::ModelParams& params, const common::InnerParams& inner,
                  Sharding sharding, Backend& backend, Communicator& communicator,
                  ModelOptions options = {}, MomentHome moments = MomentHome::kMachine);
  ~ShardedTraining();
  ShardedTraining(const ShardedTraining&) = delete;
  ShardedTraining& operator=(const ShardedTraining&) = delete;

  // Begins at theta (N); the optimisers go on as they are. kConflict if the ranks' machines would
  // cut batches differently.
  common::Result<void> begin(std::span<const float> theta);
  // theta (N) as it is now; empty at a rank that does not want it, which still has to call.
  common::Result<void> download(std::span<float> theta);

  struct Step {
    double loss;           // Of the whole batch, before the step.
    double gradient_norm;  // Before clipping.
  };
  // `batch` is the whole one.
  common::Result<Step> step(const Batch& batch, double rate);

  // Of this rank's share of each piece, by piece. Not while a call is under way.
  std::vector<Optimiser*> optimisers();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace train
