#include "chain/embedded/private_chain.h"

namespace chain::embedded {

PrivateChain::PrivateChain(State state, common::milliseconds block_time, std::string_view seed)
    : state_(std::move(state)),
      block_time_(block_time),
      seed_(common::blake2b_256(common::view_of(seed))) {
  CHECK(block_time.count() > 0);
}

uint64_t PrivateChain::advance_to(Instant now) {
  const std::lock_guard lock(mutex_);
  for (Instant due = state_.head().time + block_time_; due <= now;
       due = state_.head().time + block_time_) {
    make_block_locked(due);
  }
  return state_.head().header.number;
}

uint64_t PrivateChain::make_block() {
  const std::lock_guard lock(mutex_);
  make_block_locked(state_.head().time + block_time_);
  return state_.head().header.number;
}

const SealedBlock& PrivateChain::make_block(Instant time, const Hash& entropy) {
  const std::lock_guard lock(mutex_);
  make_block_locked(time, entropy);
  return state_.head();
}

void PrivateChain::make_block_locked(Instant time) {
  const uint32_t next = state_.head().header.number + 1;
  make_block_locked(time, common::Hasher().update(seed_.bytes).number(next).finish());
}

void PrivateChain::make_block_locked(Instant time, const Hash& entropy) {
  const auto offered = pool_.ready(state_);
  const auto made = state_.advance(time, entropy, offered);
  pool_.settle(state_, offered, made.refused);
}

tl::expected<Hash, PoolRefusal> PrivateChain::submit(const Bytes& extrinsic) {
  const std::lock_guard lock(mutex_);
  return pool_.submit(state_, extrinsic);
}

uint32_t PrivateChain::next_nonce(const AccountId& account) const {
  const std::lock_guard lock(mutex_);
  return pool_.next_nonce(state_, account);
}

}  // namespace chain::embedded
