#include "chain/embedded/commit_reveal.h"

#include <algorithm>

#include "chain/embedded/drand.h"
#include "chain/embedded/emission.h"
#include "chain/embedded/info.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/subtensor_events.h"
#include "chain/embedded/weights.h"

namespace chain::embedded {
namespace {

using Commits = std::vector<WeightCommit>;
using Timelocked = std::vector<TimelockedCommit>;

// The epoch that `block` belongs to: one that is due in it counts as having begun.
uint64_t epoch_at(const Storage& storage, uint16_t netuid, uint64_t block) {
  const auto epoch = get_number<uint64_t>(storage, items::kSubnetEpochIndex.key(netuid));
  return epoch + (epoch_due(storage, netuid, block) ? 1 : 0);
}

uint64_t reveal_period(const Storage& storage, uint16_t netuid) {
  return get_number<uint64_t>(storage, kRevealPeriodEpochs.key(netuid), 1);
}

bool enabled(const Storage& storage, uint16_t netuid) {
  return get_number<bool>(storage, items::kCommitRevealEnabled.key(netuid));
}

// What both kinds of commitment ask.
Outcome check_committer(const Storage& storage, uint64_t block, const AccountId& hotkey,
                        uint16_t netuid) {
  if (!enabled(storage, netuid)) return refuse(SubtensorError::kCommitRevealDisabled);
  if (auto error = check_voter(storage, netuid, hotkey)) return error;
  if (too_fast(storage, netuid, *uid_of(storage, netuid, hotkey), block)) {
    return refuse(SubtensorError::kCommittingWeightsTooFast);
  }
  return {};
}

Commits unexpired(const Storage& storage, uint64_t block, const AccountId& hotkey,
                  uint16_t netuid) {
  auto commits = get<Commits>(storage, kWeightCommits.key(netuid, hotkey));
  const uint64_t epoch = epoch_at(storage, netuid, block);
  const uint64_t period = reveal_period(storage, netuid);
  std::erase_if(commits,
                [&](const WeightCommit& one) { return std::get<1>(one) + period < epoch; });
  return commits;
}

Commits::const_iterator find_hash(const Commits& commits, const Hash& hash) {
  return std::find_if(commits.begin(), commits.end(),
                      [&](const WeightCommit& one) { return std::get<0>(one) == hash; });
}

// False for one whose pulse is not there yet.
bool open_one(const Context& context, uint16_t netuid, const TimelockedCommit& commit) {
  const auto& [hotkey, block, ciphertext, round] = commit;
  const auto signature = pulse_signature(context.storage, round);
  if (!signature) return false;
  const auto plain = timelock::decrypt(ciphertext.items, *signature);
  if (!plain) return true;
  const auto weights = timelock::WeightsPayload::decode(*plain, hotkey);
  if (!weights) return true;
  const calls::SetWeights call{netuid, weights->uids, weights->values, weights->version_key};
  const size_t mark = context.storage.mark();
  if (set_revealed_weights(context, hotkey, call)) {
    context.storage.roll_back(mark);
  } else {
    context.emit(events::TimelockedWeightsRevealed{netuid, hotkey});
  }
  return true;
}

}  // namespace

Hash weights_hash(const AccountId& hotkey, const calls::RevealWeights& call) {
  Encoder out;
  out.account(hotkey).number(call.netuid);
  out.numbers(call.uids).numbers(call.values).numbers(call.salt).number(call.version_key);
  return common::blake2b_256(out.done());
}

Outcome check_commit(const Storage& storage, uint64_t block, const AccountId& hotkey,
                     const calls::CommitWeights& call) {
  if (auto error = check_committer(storage, block, hotkey, call.netuid)) return error;
  if (unexpired(storage, block, hotkey, call.netuid).size() >= kCommitsMax) {
    return refuse(SubtensorError::kTooManyUnrevealedCommits);
  }
  return {};
}

Outcome commit_weights(const Context& context, const AccountId& hotkey,
                       const calls::CommitWeights& call) {
  Storage& storage = context.storage;
  if (auto error = check_commit(storage, context.block, hotkey, call)) return error;
  Commits commits = unexpired(storage, context.block, hotkey, call.netuid);
  const uint64_t epoch = epoch_at(storage, call.netuid, context.block);
  commits.emplace_back(call.commit_hash, epoch, context.block, uint64_t{0});
  storage.put(kWeightCommits.key(call.netuid, hotkey), encoded(commits));
  stamp_update(storage, call.netuid, *uid_of(storage, call.netuid, hotkey), context.block);
  context.emit(events::WeightsCommitted{hotkey, call.netuid, call.commit_hash});
  return {};
}

Outcome check_reveal(const Storage& storage, uint64_t block, const AccountId& hotkey,
                     const calls::RevealWeights& call) {
  if (call.uids.size() != call.values.size()) {
    return refuse(SubtensorError::kWeightVecNotEqualSize);
  }
  if (!enabled(storage, call.netuid)) return refuse(SubtensorError::kCommitRevealDisabled);
  const auto all = get<Commits>(storage, kWeightCommits.key(call.netuid, hotkey));
  if (all.empty()) return refuse(SubtensorError::kNoWeightsCommitFound);
  const Hash hash = weights_hash(hotkey, call);
  const Commits commits = unexpired(storage, block, hotkey, call.netuid);
  const auto found = find_hash(commits, hash);
  if (found == commits.end()) {
    return refuse(find_hash(all, hash) == all.end()
                      ? SubtensorError::kInvalidRevealCommitHashNotMatch
                      : SubtensorError::kExpiredWeightCommit);
  }
  const uint64_t due = std::get<1>(*found) + reveal_period(storage, call.netuid);
  if (epoch_at(storage, call.netuid, block) < due) return refuse(SubtensorError::kRevealTooEarly);
  return {};
}

Outcome reveal_weights(const Context& context, const AccountId& hotkey,
                       const calls::RevealWeights& call) {
  Storage& storage = context.storage;
  if (auto error = check_reveal(storage, context.block, hotkey, call)) return error;
  Commits commits = unexpired(storage, context.block, hotkey, call.netuid);
  const Hash hash = weights_hash(hotkey, call);
  commits.erase(commits.begin(), find_hash(commits, hash) + 1);
  const Bytes key = kWeightCommits.key(call.netuid, hotkey);
  if (commits.empty()) {
    storage.erase(key);
  } else {
    storage.put(key, encoded(commits));
  }
  const calls::SetWeights weights{call.netuid, call.uids, call.values, call.version_key};
  if (auto error = set_revealed_weights(context, hotkey, weights)) return error;
  context.emit(events::WeightsRevealed{hotkey, call.netuid, hash});
  return {};
}

Outcome check_timelocked(const Storage& storage, uint64_t block, const AccountId& hotkey,
                         const calls::CommitTimelocked& call) {
  if (call.commit_reveal_version !=
      get_number<uint16_t>(storage, kCommitRevealVersion.key(), kTimelockedVersion)) {
    return refuse(SubtensorError::kIncorrectCommitRevealVersion);
  }
  if (call.commit.items.size() > kTimelockedSizeMax) return refuse(SubtensorError::kInvalidValue);
  if (auto error = check_committer(storage, block, hotkey, call.netuid)) return error;
  if (call.reveal_round < get_number<uint64_t>(storage, kLastStoredRound.key())) {
    return refuse(SubtensorError::kInvalidRevealRound);
  }
  const uint64_t epoch = epoch_at(storage, call.netuid, block);
  const auto commits = get<Timelocked>(storage, kTimelockedCommits.key(call.netuid, epoch));
  const auto own = std::count_if(commits.begin(), commits.end(), [&](const TimelockedCommit& one) {
    return std::get<0>(one) == hotkey;
  });
  if (static_cast<size_t>(own) >= kCommitsMax) {
    return refuse(SubtensorError::kTooManyUnrevealedCommits);
  }
  return {};
}

Outcome commit_timelocked(const Context& context, const AccountId& hotkey,
                          const calls::CommitTimelocked& call) {
  Storage& storage = context.storage;
  if (auto error = check_timelocked(storage, context.block, hotkey, call)) return error;
  const uint64_t epoch = epoch_at(storage, call.netuid, context.block);
  const Bytes key = kTimelockedCommits.key(call.netuid, epoch);
  auto commits = get<Timelocked>(storage, key);
  commits.emplace_back(hotkey, context.block, call.commit, call.reveal_round);
  storage.put(key, encoded(commits));
  stamp_update(storage, call.netuid, *uid_of(storage, call.netuid, hotkey), context.block);
  const Hash hash = common::blake2b_256(call.commit.items);
  context.emit(events::TimelockedWeightsCommitted{hotkey, call.netuid, hash, call.reveal_round});
  return {};
}

Outcome commit_mechanism_weights(const Context& context, const AccountId& hotkey,
                                 const calls::CommitMechanismWeights& call) {
  if (call.mecid != 0) return refuse(SubtensorError::kMechanismDoesNotExist);
  return commit_weights(context, hotkey, {call.netuid, call.commit_hash});
}

Outcome reveal_mechanism_weights(const Context& context, const AccountId& hotkey,
                                 const calls::RevealMechanismWeights& call) {
  if (call.mecid != 0) return refuse(SubtensorError::kMechanismDoesNotExist);
  return reveal_weights(context, hotkey,
                        {call.netuid, call.uids, call.values, call.salt, call.version_key});
}

Outcome commit_timelocked_mechanism(const Context& context, const AccountId& hotkey,
                                    const calls::CommitTimelockedMechanism& call) {
  if (call.mecid != 0) return refuse(SubtensorError::kMechanismDoesNotExist);
  return commit_timelocked(
      context, hotkey, {call.netuid, call.commit, call.reveal_round, call.commit_reveal_version});
}

void reveal_timelocked(const Context& context, uint16_t netuid) {
  Storage& storage = context.storage;
  const auto epoch = get_number<uint64_t>(storage, items::kSubnetEpochIndex.key(netuid));
  const uint64_t period = reveal_period(storage, netuid);
  // What could not be opened in its epoch is dropped.
  for (const Bytes& key :
       keys_under(storage.entries(), kTimelockedCommits.key(netuid), std::nullopt, kSequenceMax)) {
    if (Decoder(ByteView(key).last(sizeof(uint64_t))).number<uint64_t>() + period < epoch) {
      storage.erase(key);
    }
  }
  if (epoch < period) return;
  const Bytes key = kTimelockedCommits.key(netuid, epoch - period);
  auto commits = get<Timelocked>(storage, key);
  if (commits.empty()) return;
  std::erase_if(commits,
                [&](const TimelockedCommit& one) { return open_one(context, netuid, one); });
  if (commits.empty()) {
    storage.erase(key);
  } else {
    storage.put(key, encoded(commits));
  }
}

std::map<AccountId, uint64_t> oldest_commits(const Storage& storage, uint16_t netuid) {
  std::map<AccountId, uint64_t> oldest;
  if (!enabled(storage, netuid)) return oldest;
  const auto epoch = get_number<uint64_t>(storage, items::kSubnetEpochIndex.key(netuid));
  const uint64_t period = reveal_period(storage, netuid);
  const auto note = [&](const AccountId& hotkey, uint64_t commit_epoch, uint64_t block) {
    if (commit_epoch + period < epoch) return;
    const auto [at, is_new] = oldest.try_emplace(hotkey, block);
    if (!is_new) at->second = std::min(at->second, block);
  };
  for (const Bytes& key :
       keys_under(storage.entries(), kWeightCommits.key(netuid), std::nullopt, kSequenceMax)) {
    const AccountId hotkey = Decoder(ByteView(key).last(sizeof(AccountId))).account();
    for (const WeightCommit& one : get<Commits>(storage, key)) {
      note(hotkey, std::get<1>(one), std::get<2>(one));
    }
  }
  for (const Bytes& key :
       keys_under(storage.entries(), kTimelockedCommits.key(netuid), std::nullopt, kSequenceMax)) {
    const auto commit_epoch = Decoder(ByteView(key).last(sizeof(uint64_t))).number<uint64_t>();
    for (const TimelockedCommit& one : get<Timelocked>(storage, key)) {
      note(std::get<0>(one), commit_epoch, std::get<1>(one));
    }
  }
  return oldest;
}

}  // namespace chain::embedded
