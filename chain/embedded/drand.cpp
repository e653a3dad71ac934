#include "chain/embedded/drand.h"

#include <algorithm>
#include <set>

#include "chain/embedded/items.h"
#include "chain/embedded/staking.h"

namespace chain::embedded {
namespace {

constexpr uint64_t kForgottenPerBlockMax = 10'000;

Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

bool known(const Storage& storage, uint64_t round) {
  return storage.find(kPulses.key(round)) != nullptr;
}

// Pulses are sparse, and so this walks over rounds that were never stored.
void forget_old(Storage& storage, uint64_t newest) {
  auto oldest = get_number<uint64_t>(storage, kOldestStoredRound.key());
  if (newest <= kPulsesKept) return;
  const uint64_t until = std::min(newest - kPulsesKept, oldest + kForgottenPerBlockMax);
  if (until <= oldest) return;
  for (; oldest < until; ++oldest) storage.erase(kPulses.key(oldest));
  put_number(storage, kOldestStoredRound.key(), oldest);
}

}  // namespace

BeaconConfig beacon_config(const timelock::Beacon& beacon) {
  BeaconConfig config;
  config.public_key.items = copy(beacon.key.bytes());
  config.period = beacon.period_s;
  config.genesis_time = static_cast<uint32_t>(beacon.genesis_s);
  const bool quicknet = beacon.key == timelock::BeaconKey::quicknet();
  // Group hashes name drand's own parties; a ledger that is its own beacon has none.
  const timelock::Digest group = quicknet ? timelock::quicknet_group_hash() : timelock::Digest{};
  const std::string_view id = quicknet ? timelock::kQuicknetId : "";
  config.hash.items = copy(timelock::chain_hash(beacon, group, id));
  config.group_hash.items = copy(group);
  config.scheme_id.items = copy(common::view_of(timelock::kSchemeId));
  config.metadata.beacon_id.items = copy(common::view_of(id));
  return config;
}

std::optional<timelock::Beacon> beacon_of(const Storage& storage) {
  const auto config = get<BeaconConfig>(storage, kBeaconConfig.key());
  const auto key = timelock::BeaconKey::parse(config.public_key.items);
  if (!key || config.period == 0) return std::nullopt;
  return timelock::Beacon{*key, config.period, config.genesis_time};
}

std::optional<timelock::RoundSignature> pulse_signature(const Storage& storage, uint64_t round) {
  if (!known(storage, round)) return std::nullopt;
  const auto pulse = get<Pulse>(storage, kPulses.key(round));
  timelock::RoundSignature signature{};
  CHECK(pulse.signature.items.size() == signature.size());
  std::copy(pulse.signature.items.begin(), pulse.signature.items.end(), signature.begin());
  return signature;
}

bool pulses_hold(const Storage& storage, const calls::WritePulse& call) {
  const auto& pulses = call.pulses_payload.pulses;
  const auto beacon = beacon_of(storage);
  if (!beacon || pulses.empty() || pulses.size() > kPulsesPerCallMax) return false;
  // What is cheap to see goes first: a stranger may send anything, again and again.
  if (std::all_of(pulses.begin(), pulses.end(),
                  [&](const Pulse& one) { return known(storage, one.round); })) {
    return false;
  }
  return std::all_of(pulses.begin(), pulses.end(), [&](const Pulse& one) {
    return known(storage, one.round) ||
           timelock::verify(beacon->key, one.round, one.signature.items).has_value();
  });
}

Outcome write_pulse(const Context& context, const Origin& origin, const calls::WritePulse& call) {
  Storage& storage = context.storage;
  if (origin.account || origin.root) return bad_origin();
  auto last = get_number<uint64_t>(storage, kLastStoredRound.key());
  if (last == 0) put_number(storage, kOldestStoredRound.key(), call.pulses_payload.pulses[0].round);
  events::NewPulse news;
  for (const Pulse& pulse : call.pulses_payload.pulses) {
    if (known(storage, pulse.round)) continue;
    timelock::RoundSignature signature{};
    std::copy_n(pulse.signature.items.begin(), signature.size(), signature.begin());
    // The randomness follows from the signature; what the bringer says it is does not matter.
    Pulse stored{pulse.round, {copy(timelock::randomness_of(signature))}, pulse.signature};
    storage.put(kPulses.key(pulse.round), encoded(stored));
    news.rounds.push_back(pulse.round);
    last = std::max(last, pulse.round);
  }
  put_number(storage, kLastStoredRound.key(), last);
  forget_old(storage, last);
  context.emit(news);
  return {};
}

Outcome set_beacon_config(const Context& context, const Origin& origin,
                          const calls::SetBeaconConfig& call) {
  if (!origin.root) return bad_origin();
  const BeaconConfig& config = call.config_payload.config;
  if (config.period == 0 || !timelock::BeaconKey::parse(config.public_key.items)) {
    return refuse(DrandError::kPulseVerificationError);
  }
  context.storage.put(kBeaconConfig.key(), encoded(config));
  context.emit(events::BeaconConfigChanged{});
  return {};
}

std::vector<uint64_t> rounds_wanted(const Storage& storage, uint64_t latest) {
  std::set<uint64_t> rounds;
  bool listening = false;
  for (const uint16_t netuid : subnets(storage)) {
    listening = listening || get_number<bool>(storage, items::kCommitRevealEnabled.key(netuid));
    for (const Bytes& key : keys_under(storage.entries(), kTimelockedCommits.key(netuid),
                                       std::nullopt, kSequenceMax)) {
      for (const auto& commit : get<std::vector<TimelockedCommit>>(storage, key)) {
        const uint64_t round = std::get<3>(commit);
        if (round <= latest && !known(storage, round)) rounds.insert(round);
      }
    }
  }
  const auto last = get_number<uint64_t>(storage, kLastStoredRound.key());
  if (listening && latest > last) rounds.insert(latest);
  std::vector<uint64_t> out(rounds.begin(), rounds.end());
  if (out.size() > kPulsesPerCallMax) out.resize(kPulsesPerCallMax);
  return out;
}

}  // namespace chain::embedded
