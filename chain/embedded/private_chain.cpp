#include "chain/embedded/private_chain.h"

#include "chain/embedded/calls.h"
#include "chain/embedded/drand.h"

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
  auto offered = pool_.ready(state_);
  if (auto own = pulses(time)) offered.insert(offered.begin(), *std::move(own));
  const auto made = state_.advance(time, entropy, offered);
  pool_.settle(state_, offered, made.refused);
}

// A bare Drand.write_pulse, if the beacon is ours and somebody waits for it.
std::optional<Bytes> PrivateChain::pulses(Instant time) const {
  if (!secret_) return std::nullopt;
  const auto beacon = beacon_of(state_.storage());
  if (!beacon || beacon->key != secret_->key()) return std::nullopt;
  const auto now_s = static_cast<uint64_t>(time.unix_ms / 1000);
  calls::WritePulse call;
  call.pulses_payload.block_number = state_.head().header.number + 1;
  for (const uint64_t round : rounds_wanted(state_.storage(), beacon->latest_round(now_s))) {
    const auto signature = secret_->sign(round);
    const auto randomness = timelock::randomness_of(signature);
    call.pulses_payload.pulses.push_back(
        {round, {{randomness.begin(), randomness.end()}}, {{signature.begin(), signature.end()}}});
  }
  if (call.pulses_payload.pulses.empty()) return std::nullopt;
  Encoder out;
  out.number(kDrandPallet).number(uint8_t{0});
  put(out, call);
  return substrate::encode_extrinsic({std::nullopt, std::move(out).done()});
}

void PrivateChain::publish(timelock::BeaconSecret secret) {
  const std::lock_guard lock(mutex_);
  secret_.emplace(std::move(secret));
}

Result<void> PrivateChain::set_storage(
    const std::vector<std::pair<Bytes, std::optional<Bytes>>>& entries) {
  const std::lock_guard lock(mutex_);
  return state_.set_storage(entries);
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
