// Weights that are committed first and shown later, so that nobody can copy them: by their hash, or
// under a time lock that a beacon's pulse opens.
//
// Source: behaviour of subtensor spec 425. A commitment belongs to the epoch in which it is made,
// and is shown RevealPeriodEpochs epochs later: neither earlier nor later.
#pragma once

#include <cstdint>
#include <map>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

inline constexpr size_t kCommitsMax = 10;            // Of a hotkey, unrevealed.
inline constexpr size_t kTimelockedSizeMax = 5'000;  // bytes of one commitment
inline constexpr uint16_t kTimelockedVersion = 4;

// BLAKE2b-256 over account, storage index, uids, values, salt and version key, in SCALE: what
// commit_weights takes.
Hash weights_hash(const AccountId& hotkey, const calls::RevealWeights& call);

// CommitRevealDisabled, SubnetNotExists, HotKeyNotRegisteredInSubNet, NotEnoughStakeToSetWeights,
// CommittingWeightsTooFast, TooManyUnrevealedCommits. It counts as the hotkey's last update.
Outcome check_commit(const Storage& storage, uint64_t block, const AccountId& hotkey,
                     const calls::CommitWeights& call);
Outcome commit_weights(const Context& context, const AccountId& hotkey,
                       const calls::CommitWeights& call);
// CommitRevealDisabled, NoWeightsCommitFound, ExpiredWeightCommit, InvalidRevealCommitHashNotMatch,
// RevealTooEarly, and what set_weights says but for its rate limit. Older commitments go with it.
Outcome check_reveal(const Storage& storage, uint64_t block, const AccountId& hotkey,
                     const calls::RevealWeights& call);
Outcome reveal_weights(const Context& context, const AccountId& hotkey,
                       const calls::RevealWeights& call);

// As commit_weights; IncorrectCommitRevealVersion, InvalidRevealRound for one whose pulse is there.
Outcome check_timelocked(const Storage& storage, uint64_t block, const AccountId& hotkey,
                         const calls::CommitTimelocked& call);
Outcome commit_timelocked(const Context& context, const AccountId& hotkey,
                          const calls::CommitTimelocked& call);

// The same for a mechanism; there is mechanism 0 only (MechanismDoesNotExist).
Outcome commit_mechanism_weights(const Context& context, const AccountId& hotkey,
                                 const calls::CommitMechanismWeights& call);
Outcome reveal_mechanism_weights(const Context& context, const AccountId& hotkey,
                                 const calls::RevealMechanismWeights& call);
Outcome commit_timelocked_mechanism(const Context& context, const AccountId& hotkey,
                                    const calls::CommitTimelockedMechanism& call);

// The block's own work: opens what is due and can be opened. One that does not open, or holds
// weights that may not be set, is dropped without a word, as on the chain.
void reveal_timelocked(const Context& context, uint16_t netuid);

// For each hotkey with unexpired commitments the block of the earliest; none if commit and reveal
// is off.
std::map<AccountId, uint64_t> oldest_commits(const Storage& storage, uint16_t netuid);

}  // namespace chain::embedded
