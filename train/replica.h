// The node's model: a replicated state machine, and a window is one command.
//
// It moves by `apply` alone. Same start, same contributions: the same bits on every machine.
// Training, evaluation and scoring are excursions on copies, or a Trial, that leave it as it was.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/hash.h"
#include "common/hparams.h"
#include "common/result.h"
#include "common/window.h"
#include "compress/layout.h"
#include "compress/sparse_trial.h"
#include "train/counted.h"
#include "train/theta_root.h"

namespace train {

// root(w) = BLAKE2b-256(root(w - 1), manifest hash); every full_root_windows windows the Merkle
// root of theta (leaves of 1 MiB) goes in as well. A null window leaves root and theta as they are.
class Replica {
 public:
  // At the start of the network: theta from init_seed, before window `first`. The root then is
  // BLAKE2b-256("genesis", hparams hash, Merkle root of theta).
  // Pre: hparams.model.initial_theta is zero.
  static Replica genesis(const common::Hparams& hparams, common::Window first);
  // The same with a given theta (N), whose root the caller has checked: see train/genesis.h.
  static Replica genesis(const common::Hparams& hparams, common::Window first,
                         std::vector<float> theta);
  // From a checkpoint's values; the caller has checked the root.  theta (N)
  Replica(const common::Hparams& hparams, std::vector<float> theta, common::Window next,
          common::Hash root);

  // The window that is to be applied next: this is the state before it.
  common::Window next_window() const { return next_; }
  const common::Hash& root() const { return root_; }
  std::span<const float> theta() const { return theta_; }
  const compress::Layout& layout() const { return layout_; }

  // theta -= outer_lr * aggregate of what counts, or its signs; the root moves on. Errors are of
  // our disk, where the contributions lie: then the replica is void.  Pre: window == next_window().
  // Memory: compress/outer_step.h; nothing of the model's size.
  common::Result<void> apply(common::Window window, const common::Hash& manifest_hash,
                             const Counted& counted);
  // The root that `apply` would lead to, where it does not cover theta; nothing where it does.
  std::optional<common::Hash> root_after(common::Window window,
                                         const common::Hash& manifest_hash) const;
  // A null window: nobody moves.
  void skip(common::Window window);

  // False after an error of `apply` or of a trial: theta is part old and part new. It is good for
  // nothing then but to be replaced, from a checkpoint.
  bool intact() const { return intact_; }

  // Reads all of theta.
  common::Hash theta_root() const { return train::theta_root(theta_); }

 private:
  friend class Trial;
  common::OuterParams outer_;
  uint64_t full_root_windows_;
  compress::Layout layout_;
  std::vector<float> theta_;
  common::Window next_;
  common::Hash root_;
  bool intact_ = true;
};

// theta - step * sum_t clip[t] * update, until it is taken off, and then every bit is as it was: by
// copy, and only where the update touched, so that there is no copy of the model for each miner
// (W38; compress/sparse_trial.h has the memory). One at a time for a replica.
class Trial {
 public:
  // clip (tensors). Errors are of our disk; the replica is as it was, or void.
  static common::Result<Trial> put_on(Replica& replica, const compress::StoredBody& body,
                                      const compress::BodyFormat& format,
                                      std::span<const float> clip, double step, uint32_t threads);
  // Before it dies (CHECK). After an error the replica is void.
  common::Result<void> take_off();

 private:
  Trial(Replica& replica, compress::SparseTrial trial)
      : replica_(&replica), trial_(std::move(trial)) {}

  Replica* replica_;
  compress::SparseTrial trial_;
};

}  // namespace train
