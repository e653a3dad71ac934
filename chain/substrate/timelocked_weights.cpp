// Weights that the chain itself will open: for which round of its beacon, and under which key.
#include <algorithm>

#include "chain/substrate/networks.h"
#include "chain/substrate/query.h"
#include "chain/substrate/weight_setter.h"
#include "chain/timelock/timelock.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

// What the chain calls its beacon; a node of a public network is not asked, for whoever chooses the
// beacon can read the weights before their time.
Result<timelock::Beacon> beacon_of(ChainReader& chain, const View& at) {
  TRY(const Hash genesis, chain.genesis());
  if (is_public_network(genesis)) return timelock::Beacon::quicknet();
  Query query(at);
  const size_t place = query.ask("Drand", "BeaconConfig", Json::array(), true);
  TRY_VOID(query.fetch(chain));
  const auto config = query.value(place);
  TRY_VOID(query.finish());
  if (!config) return timelock::Beacon::quicknet();
  const Value* key = config->at("public_key");
  const Value* period = config->at("period");
  const Value* genesis_time = config->at("genesis_time");
  const auto period_s = period ? period->number<uint32_t>() : std::nullopt;
  const auto genesis_s = genesis_time ? genesis_time->number<uint64_t>() : std::nullopt;
  const Error wrong{Code::kCorrupt, "the node's value of Drand.BeaconConfig is no beacon"};
  if (key == nullptr || key->bytes() == nullptr || !period_s || *period_s == 0 || !genesis_s) {
    return wrong;
  }
  const auto parsed = timelock::BeaconKey::parse(*key->bytes());
  if (!parsed) return wrong;
  return timelock::Beacon{*parsed, *period_s, *genesis_s};
}

}  // namespace

Result<TimelockedWeights> timelock_weights(ChainReader& chain, uint16_t netuid,
                                           const AccountId& hotkey, std::span<const Weight> weights,
                                           uint64_t version_key, const View& at,
                                           const WeightRules& rules) {
  TRY(const timelock::Beacon beacon, beacon_of(chain, at));
  TRY(const uint64_t block_ms, block_time_ms(chain, at));
  const uint64_t block = at.block.number.index;
  // Runtimes that count epochs also want to know who committed, and schedule as spec 425 does.
  const bool modern = rules.epoch.has_value();
  const uint64_t first_reveal =
      modern
          ? timelock::first_reveal_block(rules.next_epoch_block, rules.tempo, rules.reveal_period)
          : timelock::first_reveal_block_293(block, netuid, rules.tempo, rules.reveal_period);
  // The chain's own time: a wrong clock here must not choose a wrong round.
  const auto now_ms = static_cast<uint64_t>(std::max<int64_t>(at.block.time.unix_ms, 0));
  TimelockedWeights out;
  out.reveal_round = std::max(timelock::reveal_round(beacon, now_ms, block, first_reveal, block_ms),
                              rules.last_stored_round + 1);
  timelock::WeightsPayload payload;
  if (modern) payload.hotkey = hotkey;
  for (const Weight& weight : weights) {
    payload.uids.push_back(weight.uid.index);
    payload.values.push_back(weight.value);
  }
  payload.version_key = version_key;
  TRY(out.commit, timelock::encrypt(payload.encode(), out.reveal_round, beacon.key));
  return out;
}

}  // namespace chain::substrate
