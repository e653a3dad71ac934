#include "chain/substrate/weight_rules.h"

#include <algorithm>

#include "chain/substrate/query.h"
#include "chain/timelock/timelock.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint64_t kBlockTimeSample = 16;
constexpr uint64_t kBlockTimeUsualMs = 12'000;

Result<uint16_t> uid_of(ChainReader& chain, uint16_t netuid, const AccountId& hotkey,
                        const View& at) {
  Query query(at);
  const size_t place = query.ask(kSubtensor, "Uids", Json::array({netuid, key_of(hotkey)}));
  TRY_VOID(query.fetch(chain));
  if (!query.has(place)) {
    return Error{Code::kNotFound,
                 "hotkey " + hotkey.ss58() + " is not registered on subnet " +
                     std::to_string(netuid) +
                     " (or was, until another took its slot): `muster register` does that"};
  }
  const auto uid = query.number<uint16_t>(place);
  TRY_VOID(query.finish());
  return uid;
}

// SubnetInfoRuntimeApi.get_next_epoch_start_block, where there is one.
Result<std::optional<uint64_t>> asked_next_epoch(ChainReader& chain, uint16_t netuid,
                                                 const View& at) {
  const ApiMethod* method = at.metadata().api("SubnetInfoRuntimeApi", "get_next_epoch_start_block");
  if (method == nullptr || method->inputs.size() != 1) return std::optional<uint64_t>();
  TRY(const Bytes argument, encode_value(at.metadata(), method->inputs[0].type, netuid, "netuid"));
  TRY(const Bytes answer,
      chain.call("SubnetInfoRuntimeApi_get_next_epoch_start_block", argument, at.block.hash));
  TRY(const Value value,
      decode_value(at.metadata(), method->output, answer, "get_next_epoch_start_block"));
  const Value* some = value.some();
  return some == nullptr ? std::optional<uint64_t>() : some->number<uint64_t>();
}

// Old runtimes: block + netuid + 1 counts, and tempo + 1 is an epoch (spec 293).
uint64_t next_epoch_293(uint64_t block, uint16_t netuid, uint64_t tempo) {
  const uint64_t length = tempo + 1;
  return block + length - (block + netuid + 1) % length;
}

bool has_call(const View& at, std::string_view call) {
  const Pallet* pallet = at.metadata().pallet(kSubtensor);
  return pallet != nullptr && at.metadata().variant(pallet->calls, call) != nullptr;
}

Result<WeightsWay> way_of(const View& at, bool commit_reveal, uint16_t version) {
  if (!commit_reveal) return WeightsWay::kPlain;
  if (version < timelock::kCommitRevealVersion) return WeightsWay::kHashed;
  if (version > timelock::kCommitRevealVersion) {
    return Error{Code::kRefused, "the chain takes weights by commit-reveal version " +
                                     std::to_string(version) + ", this program knows up to " +
                                     std::to_string(timelock::kCommitRevealVersion) +
                                     ": update Muster"};
  }
  return has_call(at, "commit_timelocked_weights") ? WeightsWay::kTimelocked : WeightsWay::kHashed;
}

}  // namespace

std::string_view name(WeightsWay way) {
  constexpr std::string_view kNames[] = {"set_weights", "commit_weights",
                                         "commit_timelocked_weights"};
  return kNames[static_cast<size_t>(way)];
}

uint64_t WeightRules::wait_blocks(uint64_t block) const {
  if (last_update == 0) return 0;
  const uint64_t allowed = last_update + rate_limit;  // The first block that may hold them.
  return allowed > block + 1 ? allowed - block - 1 : 0;
}

Result<WeightRules> read_weight_rules(ChainReader& chain, uint16_t netuid, const AccountId& hotkey,
                                      const View& at) {
  WeightRules out;
  TRY(out.uid, uid_of(chain, netuid, hotkey, at));
  Query query(at);
  const Json keys = Json::array({netuid});
  const size_t enabled = query.ask(kSubtensor, "CommitRevealWeightsEnabled", keys);
  const size_t version = query.ask(kSubtensor, "CommitRevealWeightsVersion", Json::array(), true);
  const size_t period = query.ask(kSubtensor, "RevealPeriodEpochs", keys, true);
  const size_t limit = query.ask(kSubtensor, "WeightsSetRateLimit", keys);
  const size_t tempo = query.ask(kSubtensor, "Tempo", keys);
  const size_t update = query.ask(kSubtensor, "LastUpdate", keys);
  const size_t epoch = query.ask(kSubtensor, "SubnetEpochIndex", keys, true);
  const size_t last_epoch = query.ask(kSubtensor, "LastEpochBlock", keys, true);
  const size_t round = query.ask("Drand", "LastStoredRound", Json::array(), true);
  TRY_VOID(query.fetch(chain));
  out.commit_version = query.number<uint16_t>(version);
  out.reveal_period = std::max<uint64_t>(query.number<uint64_t>(period), 1);
  out.rate_limit = query.number<uint64_t>(limit);
  out.tempo = query.number<uint16_t>(tempo);
  const auto updates = query.numbers<uint64_t>(update);
  if (out.uid < updates.size()) out.last_update = updates[out.uid];
  if (query.known(epoch)) out.epoch = query.number<uint64_t>(epoch);
  out.last_stored_round = query.number<uint64_t>(round);
  TRY(out.way, way_of(at, query.boolean(enabled), out.commit_version));
  const uint64_t block = at.block.number.index;
  out.next_epoch_block = query.known(last_epoch)
                             ? std::max(query.number<uint64_t>(last_epoch) + out.tempo, block + 1)
                             : next_epoch_293(block, netuid, out.tempo);
  TRY_VOID(query.finish());
  TRY(const auto asked, asked_next_epoch(chain, netuid, at));
  if (asked) out.next_epoch_block = *asked;
  return out;
}

Result<uint64_t> block_time_ms(ChainReader& chain, const View& at) {
  const uint64_t height = at.block.number.index;
  const uint64_t count = std::min(height, kBlockTimeSample);
  // The genesis block has no time of its own.
  if (count < 2) return kBlockTimeUsualMs;
  TRY(const View before, chain.block({height - count + 1}));
  const int64_t span = (at.block.time - before.block.time).count();
  return static_cast<uint64_t>(std::max<int64_t>(span / static_cast<int64_t>(count - 1), 1));
}

}  // namespace chain::substrate
