// A miner's window, from the first block to the last.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "chain/block_clock.h"
#include "chain/ledger.h"
#include "chain/roster.h"
#include "common/hparams.h"
#include "common/keys.h"
#include "common/object_store.h"
#include "common/retry.h"
#include "compress/codec.h"
#include "compress/error_feedback.h"
#include "miner/journal.h"
#include "train/dataset.h"
#include "train/exchange.h"
#include "train/inner.h"
#include "train/learner.h"
#include "train/replica.h"
#include "train/sync.h"
#include "train/training_sets.h"

namespace miner {

using common::Result;
using common::Window;

// What a Worker works with; all outlive it.
struct WorkerParts {
  const common::Hparams& hparams;
  chain::Ledger& ledger;
  common::Clock& clock;
  const common::Keypair& hotkey;
  common::ObjectStore& bucket;   // Ours, written to.
  common::ObjectStore& local;    // Our own checkpoints, on our disk.
  std::filesystem::path folder;  // Our journal, and what is fetched of a window.
  train::OpenStore open_store;   // For peers' buckets.
  const train::TrainingSets& training_sets;
  train::Learner& learner;
  const compress::Codec& codec;
  uint32_t io_threads = 8;
  std::filesystem::path initial_model = {};  // What the network began with, if it was given.
};

// What a miner shows of itself: a line of the live screen, status.json.
struct MinerStatus {
  std::string phase = "starting";  // "training", "sealed", "revealed", "applying", "waiting"
  Window window;
  std::optional<common::Uid> uid;
  common::Hash state_root;
  uint32_t steps = 0;     // Of the last training,
  double first_loss = 0;  //   and its losses.
  double last_loss = 0;
  uint64_t sealed_bytes = 0;  // Of the last contribution, as uploaded.
  uint64_t bytes_sent = 0;    // Since this process started.
  uint64_t windows_applied = 0;
  std::string verdict = "-";  // Of the last manifest, on us.
};

class Worker {
 public:
  explicit Worker(WorkerParts parts);

  // Announces our bucket on the chain, if it is not announced already.
  Result<void> announce(std::string_view public_address);

  // One window, top to bottom. Waits for its first block; returns when the replica has moved, or at
  // the window's end for a null one. An Error sits the window out: nothing is lost, and the next
  // step catches up.
  Result<void> step(Window window);

  const MinerStatus& status() const { return status_; }
  const train::Replica& replica() const { return *replica_; }
  // Called at every change of the status.
  void on_status(std::function<void(const MinerStatus&)> show) { show_ = std::move(show); }

 private:
  Result<void> restore();
  Result<void> contribute(Window window, const chain::Roster& roster);
  Result<train::Sealed> train_and_seal(Window window, common::Uid uid, const chain::Block& first);
  // The inner steps: from theta, or ahead of it by what is held back.
  Result<train::PseudoGradient> train_from_here(const train::Dataset& dataset,
                                                std::span<const uint64_t> assigned, Window window,
                                                const train::KeepGoing& keep_going);
  Result<train::Sealed> seal(const compress::ContributionHeader& header,
                             const train::PseudoGradient& gradient);
  Result<void> check_sealed(const compress::ContributionHeader& header,
                            const train::SealSummary& summary, const train::SealKey& key);
  Result<void> follow(Window window, const chain::Roster& roster);
  train::Network network(const chain::Roster& roster);
  Result<void> finish(Window window);
  train::KeepGoing until_deadline(common::Instant deadline);
  void enter(const char* phase);
  // Again and again until `block`, if it is trouble that may pass.
  template <typename Attempt>
  auto retry(common::BlockNumber block, Attempt attempt) -> decltype(attempt()) {
    const auto deadline = blocks_.expected(block);
    return common::retry_until(parts_.clock, deadline ? *deadline : parts_.clock.now(), attempt);
  }

  WorkerParts parts_;
  chain::BlockClock blocks_;
  common::Hash hparams_hash_;
  compress::Layout layout_;
  train::Peers peers_;
  train::Exchange exchange_;
  compress::ErrorFeedback feedback_;
  Journal journal_;
  std::optional<train::Replica> replica_;
  std::optional<common::Uid> uid_;
  // Whether optimiser and feedback are what the journal holds: not before they were read from it,
  // nor after a training that came to nothing.
  bool restored_ = false;
  common::milliseconds publish_time_{500};  // How long encoding and upload took last.
  MinerStatus status_;
  std::function<void(const MinerStatus&)> show_;
};

}  // namespace miner
