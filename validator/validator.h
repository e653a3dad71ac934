// A validator's window, from the first block to the last.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/block_clock.h"
#include "chain/ledger.h"
#include "chain/roster.h"
#include "common/hparams.h"
#include "common/keys.h"
#include "common/object_store.h"
#include "common/retry.h"
#include "compress/codec.h"
#include "train/dataset.h"
#include "train/exchange.h"
#include "train/model.h"
#include "train/replica.h"
#include "train/sync.h"
#include "validator/evaluator.h"
#include "validator/score_store.h"

namespace validator {

using common::Result;

// What a Validator works with; all outlive it.
struct ValidatorParts {
  const common::Hparams& hparams;
  chain::Ledger& ledger;
  common::Clock& clock;
  const common::Keypair& hotkey;
  common::ObjectStore& bucket;  // Ours, written to.
  common::ObjectStore& local;   // Our own checkpoints, on our disk.
  train::OpenStore open_store;  // For peers' buckets.
  const train::TrainingSets& training_sets;
  const train::Dataset& heldout_set;
  train::Model& model;
  const compress::Codec& codec;
  ScoreStore& scores;
  std::filesystem::path folder;  // Large contributions of a window are kept below it.
  uint32_t io_threads = 8;
  std::filesystem::path initial_model = {};  // What the network began with, if it was given.
};

struct PeerLine {
  Uid uid;
  Verdict verdict = Verdict::kAccepted;
  Standing standing;
  double score = 0;
  double weight = 0;
};

// What a validator shows of itself: a line of the live screen, status.json.
struct ValidatorStatus {
  std::string phase = "starting";
  Window window;
  std::optional<Uid> uid;
  bool lead = false;  // It anchored the last manifest.
  common::Hash state_root;
  double heldout_loss = 0;  // Of the last window, before it was applied; 0: none yet.
  std::vector<std::pair<uint64_t, double>> heldout_history;  // (window, loss)
  uint64_t windows_applied = 0;
  std::vector<PeerLine> peers;
};

class Validator {
 public:
  explicit Validator(ValidatorParts parts);

  // Announces our bucket on the chain, if it is not announced already.
  Result<void> announce(std::string_view public_address);

  // One window, top to bottom. Waits for its first block; returns when the replica has moved and
  // the scores are on the disk. An Error sits the window out: nothing is lost, and the next step
  // catches up.
  Result<void> step(Window window);

  const ValidatorStatus& status() const { return status_; }
  const train::Replica& replica() const { return *replica_; }
  void on_status(std::function<void(const ValidatorStatus&)> show) { show_ = std::move(show); }

 private:
  using Opened = std::vector<train::Gathered>;

  train::Network network(const chain::Roster& roster);
  Result<Opened> sight_and_open(Window window, const chain::Roster& roster);
  Result<void> lead(Window window, const chain::Roster& roster, const Opened& opened);
  Result<WindowEvidence> judge(const train::Manifest& manifest, const Opened& opened);
  Evidence evidence_of(const train::ManifestEntry& entry, const train::Gathered* found) const;
  void compare_indices(WindowEvidence& evidence, const Opened& opened);
  void remember(Window window, Opened opened);
  Result<void> evaluate(WindowEvidence& evidence, const train::Manifest& manifest,
                        const Opened& opened);
  Result<void> record(const WindowEvidence& evidence);
  Result<void> apply(const train::Manifest& manifest, const Opened& opened);
  Result<void> finish(Window window);
  Result<void> publish_weights(Window window);
  Result<void> publish_scores(const Record& record);
  common::BlockNumber end_of(Window window) const;
  void enter(const char* phase);
  // Again and again until `block`, if it is trouble that may pass.
  template <typename Attempt>
  auto retry(common::BlockNumber block, Attempt attempt) -> decltype(attempt()) {
    const auto deadline = blocks_.expected(block);
    return common::retry_until(parts_.clock, deadline ? *deadline : parts_.clock.now(), attempt);
  }

  ValidatorParts parts_;
  chain::BlockClock blocks_;
  common::Hash hparams_hash_;
  compress::Layout layout_;
  train::Peers peers_;
  train::Exchange exchange_;
  Evaluator evaluator_;
  std::optional<train::Replica> replica_;
  std::optional<Uid> uid_;
  // The last window's contributions, for the overlap with a window's own and others' past.
  struct Past {
    Uid uid;
    Window window;
    std::unique_ptr<const train::StoredContribution> contribution;
  };
  std::vector<Past> past_;
  ValidatorStatus status_;
  std::function<void(const ValidatorStatus&)> show_;
};

}  // namespace validator
