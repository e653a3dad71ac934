// Weights onto the chain, by whichever way the subnet takes them, and the proof that they are
// there.
#pragma once

#include <filesystem>
#include <span>

#include "chain/substrate/submitter.h"
#include "chain/substrate/weight_commits.h"
#include "chain/substrate/weight_rules.h"

namespace chain::substrate {

// All outlive it. One caller at a time.
class WeightSetter {
 public:
  // `folder` keeps the salts of hashed commits.
  WeightSetter(ChainReader& chain, Submitter& submitter, common::Clock& clock, uint16_t netuid,
               std::filesystem::path folder)
      : chain_(chain),
        submitter_(submitter),
        clock_(clock),
        netuid_(netuid),
        folder_(std::move(folder)) {}

  // Reveals what is due, then sets or commits `weights` as the subnet wants it, waits until no fork
  // can take them away, and reads back that they are there. What goes wrong on the way (no block
  // took them, the node was lost, a fork) is tried again while the tempo it began in lasts.
  //
  // kRefused at once, with the number of blocks to wait, if the rate limit is not over, and with
  // the chain's reason if it says no; kNotFound if the hotkey is not registered (any more). Every
  // failure but the rate limit's is also logged as an error: a validator whose weights do not reach
  // the chain loses its dividends (W49).
  Result<void> set(const Keypair& hotkey, std::span<const Weight> weights, uint64_t version_key);

  // Reveals the hashed commits whose epoch has come, and forgets those whose epoch is over. Nothing
  // to do: no question to the node. To be called about once a window.
  Result<void> reveal_due(const Keypair& hotkey);

 private:
  struct Attempt {
    std::span<const Weight> weights;
    uint64_t version_key = 0;
    uint64_t began_at = 0;  // The head, then.
    // What was sent, to be found again if it is not known whether it arrived.
    std::vector<Hash> hashes = {};
    std::vector<Bytes> ciphertexts = {};
  };

  Result<void> try_until_over(const Keypair& hotkey, Attempt& attempt);
  Result<void> once(const Keypair& hotkey, Attempt& attempt, const View& at,
                    const WeightRules& rules);
  Result<void> set_plain(const Keypair& hotkey, const Attempt& attempt, const WeightRules& rules);
  Result<void> commit_hashed(const Keypair& hotkey, Attempt& attempt, const View& at);
  Result<void> commit_timelocked(const Keypair& hotkey, Attempt& attempt, const View& at,
                                 const WeightRules& rules);
  // Whether the chain holds what the attempt sent.
  Result<bool> stands(const Keypair& hotkey, const Attempt& attempt, const View& at,
                      const WeightRules& rules);
  Result<Outcome> submit(const Keypair& hotkey, const NamedCall& call);
  Result<std::optional<WeightCommit>> reveal(const Keypair& hotkey, const WeightCommit& commit,
                                             const View& at, const WeightRules& rules);
  Result<WeightCommitFile> file_of(const AccountId& hotkey);

  ChainReader& chain_;
  Submitter& submitter_;
  common::Clock& clock_;
  uint16_t netuid_;
  std::filesystem::path folder_;
};

// What is committed for the beacon's round, and which round that is. `at` is the head.
struct TimelockedWeights {
  Bytes commit;
  uint64_t reveal_round = 0;
};
Result<TimelockedWeights> timelock_weights(ChainReader& chain, uint16_t netuid,
                                           const AccountId& hotkey, std::span<const Weight> weights,
                                           uint64_t version_key, const View& at,
                                           const WeightRules& rules);

// Where programs keep what must survive them, if nobody says another folder: $MUSTER_STATE,
// $XDG_STATE_HOME/muster, or ~/.local/state/muster.
std::filesystem::path default_state_folder();

}  // namespace chain::substrate
