// A whole private chain in this process: its state, what waits for a block, and when blocks are
// made.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "chain/embedded/pool.h"
#include "chain/embedded/state.h"
#include "chain/timelock/timelock.h"
#include "common/clock.h"

namespace chain::embedded {

// All calls may come from any thread; each is one step under one lock.
class PrivateChain {
 public:
  // Blocks are due every `block_time` after genesis's time. Their hashes follow from `seed`: the
  // same sends give the same chain.
  PrivateChain(State state, common::milliseconds block_time, std::string_view seed);

  // Makes every block that is due until `now`, in order; those waiting go into the first of them.
  // Returns the head's number.
  uint64_t advance_to(Instant now);
  // One block now, whatever the time: at one block time after the head.
  uint64_t make_block();
  // The same with time and chance from outside: for the ledger process. Pre: `time` is after the
  // head's. Valid until the next block, for the one thread that makes blocks.
  const SealedBlock& make_block(Instant time, const Hash& entropy);

  // As State::set_storage.
  Result<void> set_storage(const std::vector<std::pair<Bytes, std::optional<Bytes>>>& entries);
  // Brings the pulses of the ledger's own beacon into the blocks from now on, as they are wanted:
  // if the chain listens to this beacon.
  void publish(timelock::BeaconSecret secret);

  tl::expected<Hash, PoolRefusal> submit(const Bytes& extrinsic);
  uint32_t next_nonce(const AccountId& account) const;
  common::milliseconds block_time() const { return block_time_; }

  // Looks at state and pool while nothing moves. Nothing read by reference may leave `look`.
  template <typename Look>
  auto read(Look look) const {
    const std::lock_guard lock(mutex_);
    return look(state_, pool_);
  }

 private:
  void make_block_locked(Instant time);
  void make_block_locked(Instant time, const Hash& entropy);
  std::optional<Bytes> pulses(Instant time) const;

  mutable std::mutex mutex_;
  State state_;
  Pool pool_;
  std::optional<timelock::BeaconSecret> secret_;
  common::milliseconds block_time_;
  Hash seed_;
};

}  // namespace chain::embedded
