#include "chain/substrate/subnet_reader.h"

#include <algorithm>

#include "chain/substrate/calls.h"
#include "chain/substrate/storage_key.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kNeuronsMax = 4096;  // Of one subnet; the chain allows 256 today.
constexpr size_t kCommitmentsMax = 4096;

Error malformed(std::string_view item) {
  return {Code::kCorrupt, "the node's value of " + std::string(item) + " is malformed"};
}

// Values of many items at one block: ask for all, then take each by the place it was asked at.
class Values {
 public:
  size_t ask(Bytes key) {
    keys_.push_back(std::move(key));
    return keys_.size() - 1;
  }
  Result<void> fetch(ChainReader& chain, const Hash& at) {
    TRY(values_, chain.values(keys_, at));
    return {};
  }
  bool has(size_t place) const { return values_[place].has_value(); }
  // `absent` if there is none, and trouble noted if it does not decode.
  template <typename T>
  T number(size_t place, std::string_view item, T absent) {
    if (!has(place)) return absent;
    Decoder in(*values_[place]);
    const T value = in.number<T>();
    if (!in.at_end()) note(item);
    return value;
  }
  AccountId account(size_t place, std::string_view item) {
    if (!has(place)) return {};
    Decoder in(*values_[place]);
    const AccountId account = in.account();
    if (!in.at_end()) note(item);
    return account;
  }
  template <typename T>
  std::vector<T> vector(size_t place, std::string_view item) {
    if (!has(place)) return {};
    Decoder in(*values_[place]);
    std::vector<T> out = in.numbers<T>(kNeuronsMax);
    if (!in.at_end()) note(item);
    return out;
  }
  std::vector<Weight> row(size_t place, std::string_view item) {
    if (!has(place)) return {};
    Decoder in(*values_[place]);
    auto out = in.sequence(kNeuronsMax, 4, [](Decoder& from) {
      const Uid uid{from.number<uint16_t>()};
      return Weight{uid, from.number<uint16_t>()};
    });
    if (!in.at_end()) note(item);
    return out;
  }
  // Ok, or which item did not decode.
  Result<void> finish() const {
    if (trouble_.empty()) return {};
    return malformed(trouble_);
  }

 private:
  void note(std::string_view item) {
    if (trouble_.empty()) trouble_ = item;
  }

  std::vector<Bytes> keys_;
  std::vector<std::optional<Bytes>> values_;
  std::string trouble_;
};

// A vector of the chain may be shorter than the subnet: what is not there is `T{}`.
template <typename T>
T at_or_zero(const std::vector<T>& values, size_t i) {
  return i < values.size() ? values[i] : T{};
}

// The subnet-wide vectors: one value each neuron, and their count.
Result<std::vector<Neuron>> read_vectors(ChainReader& chain, uint16_t netuid, const Hash& at) {
  Values values;
  const auto ask = [&](const SubnetMap& map) { return values.ask(map.key(netuid)); };
  const size_t count = ask(storage::kSubnetworkN);
  const size_t added = ask(storage::kNetworksAdded);
  const size_t active = ask(storage::kActive);
  const size_t permit = ask(storage::kValidatorPermit);
  const size_t consensus = ask(storage::kConsensus);
  const size_t incentive = ask(storage::kIncentive);
  const size_t dividends = ask(storage::kDividends);
  const size_t trust = ask(storage::kValidatorTrust);
  const size_t emission = ask(storage::kEmission);
  const size_t update = ask(storage::kLastUpdate);
  TRY_VOID(values.fetch(chain, at));
  if (!values.has(count) && !values.number<bool>(added, "NetworksAdded", false)) {
    return Error{Code::kNotFound,
                 "there is no subnet " + std::to_string(netuid) + " on this chain"};
  }
  const auto actives = values.vector<bool>(active, "Active");
  const auto permits = values.vector<bool>(permit, "ValidatorPermit");
  const auto consensuses = values.vector<uint16_t>(consensus, "Consensus");
  const auto incentives = values.vector<uint16_t>(incentive, "Incentive");
  const auto dividendses = values.vector<uint16_t>(dividends, "Dividends");
  const auto trusts = values.vector<uint16_t>(trust, "ValidatorTrust");
  const auto emissions = values.vector<uint64_t>(emission, "Emission");
  const auto updates = values.vector<uint64_t>(update, "LastUpdate");
  std::vector<Neuron> neurons(values.number<uint16_t>(count, "SubnetworkN", 0));
  TRY_VOID(values.finish());
  if (neurons.size() > kNeuronsMax) return malformed("SubnetworkN");
  for (size_t i = 0; i < neurons.size(); ++i) {
    Neuron& neuron = neurons[i];
    neuron.uid = {static_cast<uint16_t>(i)};
    neuron.active = at_or_zero(actives, i);
    neuron.validator_permit = at_or_zero(permits, i);
    neuron.consensus = at_or_zero(consensuses, i);
    neuron.incentive = at_or_zero(incentives, i);
    neuron.dividends = at_or_zero(dividendses, i);
    neuron.validator_trust = at_or_zero(trusts, i);
    neuron.emission_rao = at_or_zero(emissions, i);
    neuron.last_update = {at_or_zero(updates, i)};
  }
  return neurons;
}

Result<void> fill_keys(ChainReader& chain, uint16_t netuid, const Hash& at,
                       std::vector<Neuron>& neurons) {
  Values values;
  for (const Neuron& neuron : neurons) {
    values.ask(storage::kKeys.key(netuid, neuron.uid.index));
    values.ask(storage::kBlockAtRegistration.key(netuid, neuron.uid.index));
  }
  TRY_VOID(values.fetch(chain, at));
  for (size_t i = 0; i < neurons.size(); ++i) {
    if (!values.has(2 * i)) return malformed("Keys");
    neurons[i].hotkey = values.account(2 * i, "Keys");
    neurons[i].registered_at = {values.number<uint64_t>(2 * i + 1, "BlockAtRegistration", 0)};
  }
  return values.finish();
}

Result<void> fill_owners(ChainReader& chain, uint16_t netuid, const Hash& at,
                         std::vector<Neuron>& neurons) {
  Values values;
  for (const Neuron& neuron : neurons) {
    values.ask(storage::kOwner.key(neuron.hotkey));
    values.ask(storage::kTotalHotkeyAlpha.key(neuron.hotkey, netuid));
  }
  TRY_VOID(values.fetch(chain, at));
  for (size_t i = 0; i < neurons.size(); ++i) {
    neurons[i].coldkey = values.account(2 * i, "Owner");
    neurons[i].stake_rao = values.number<uint64_t>(2 * i + 1, "TotalHotkeyAlpha", 0);
  }
  return values.finish();
}

}  // namespace

Result<Metagraph> read_metagraph(ChainReader& chain, uint16_t netuid, const Block& at) {
  Metagraph out{netuid, at, {}};
  TRY(out.neurons, read_vectors(chain, netuid, at.hash));
  TRY_VOID(fill_keys(chain, netuid, at.hash, out.neurons));
  TRY_VOID(fill_owners(chain, netuid, at.hash, out.neurons));
  return out;
}

Result<std::vector<WeightRow>> read_weights(ChainReader& chain, uint16_t netuid, const Hash& at) {
  Values size;
  const size_t place = size.ask(storage::kSubnetworkN.key(netuid));
  TRY_VOID(size.fetch(chain, at));
  const auto count = size.number<uint16_t>(place, "SubnetworkN", 0);
  if (count > kNeuronsMax) return malformed("SubnetworkN");
  TRY_VOID(size.finish());
  Values rows;
  for (uint16_t uid = 0; uid < count; ++uid) rows.ask(storage::kWeights.key(netuid, uid));
  TRY_VOID(rows.fetch(chain, at));
  std::vector<WeightRow> out;
  for (uint16_t uid = 0; uid < count; ++uid) {
    WeightRow row{{uid}, rows.row(uid, "Weights")};
    if (!row.weights.empty()) out.push_back(std::move(row));
  }
  TRY_VOID(rows.finish());
  return out;
}

Result<Commitment> decode_commitment(const AccountId& hotkey, ByteView value) {
  Decoder in(value);
  in.number<uint64_t>();  // The deposit: none is taken.
  Commitment out{hotkey, {in.number<uint32_t>()}, {}};
  for (Data& data : in.sequence(kCommitmentFieldsMax, 1, decode_data)) {
    out.fields.push_back(std::move(data.bytes));
  }
  if (!in.at_end()) return malformed("CommitmentOf");
  return out;
}

Result<std::vector<Commitment>> read_commitments(ChainReader& chain, uint16_t netuid,
                                                 const Hash& at) {
  TRY(const std::vector<Bytes> keys,
      chain.keys(storage::kCommitmentOf.prefix(netuid), at, kCommitmentsMax));
  TRY(const auto values, chain.values(keys, at));
  std::vector<Commitment> out;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto hotkey = storage::kCommitmentOf.account_of(keys[i]);
    if (!hotkey || !values[i]) return malformed("CommitmentOf");
    TRY(Commitment commitment, decode_commitment(*hotkey, *values[i]));
    out.push_back(std::move(commitment));
  }
  std::sort(out.begin(), out.end(),
            [](const Commitment& a, const Commitment& b) { return a.hotkey < b.hotkey; });
  return out;
}

// What is not in storage has the default that the pallet declares (spec 424).
Result<Hyperparameters> read_hyperparameters(ChainReader& chain, uint16_t netuid, const Hash& at) {
  Values values;
  const auto ask = [&](const SubnetMap& map) { return values.ask(map.key(netuid)); };
  const size_t count = ask(storage::kSubnetworkN);
  const size_t added = ask(storage::kNetworksAdded);
  const size_t tempo = ask(storage::kTempo);
  const size_t kappa = ask(storage::kKappa);
  const size_t immunity = ask(storage::kImmunityPeriod);
  const size_t min_weights = ask(storage::kMinAllowedWeights);
  const size_t max_uids = ask(storage::kMaxAllowedUids);
  const size_t max_validators = ask(storage::kMaxAllowedValidators);
  const size_t rate_limit = ask(storage::kWeightsSetRateLimit);
  const size_t version_key = ask(storage::kWeightsVersionKey);
  const size_t cutoff_factor = ask(storage::kActivityCutoffFactorMilli);
  const size_t burn = ask(storage::kBurn);
  const size_t bonds = ask(storage::kBondsMovingAverage);
  const size_t allowed = ask(storage::kRegistrationAllowed);
  const size_t commit_reveal = ask(storage::kCommitRevealEnabled);
  const size_t liquid_alpha = ask(storage::kLiquidAlphaOn);
  const size_t yuma3 = ask(storage::kYuma3On);
  TRY_VOID(values.fetch(chain, at));
  if (!values.has(count) && !values.number<bool>(added, "NetworksAdded", false)) {
    return Error{Code::kNotFound,
                 "there is no subnet " + std::to_string(netuid) + " on this chain"};
  }
  Hyperparameters out;
  out.tempo = values.number<uint16_t>(tempo, "Tempo", 360);
  out.kappa = values.number<uint16_t>(kappa, "Kappa", 32767);
  out.immunity_period = values.number<uint16_t>(immunity, "ImmunityPeriod", 4096);
  out.min_allowed_weights = values.number<uint16_t>(min_weights, "MinAllowedWeights", 1024);
  out.max_allowed_uids = values.number<uint16_t>(max_uids, "MaxAllowedUids", 256);
  out.max_allowed_validators = values.number<uint16_t>(max_validators, "MaxAllowedValidators", 128);
  out.weights_rate_limit = values.number<uint64_t>(rate_limit, "WeightsSetRateLimit", 100);
  out.weights_version_key = values.number<uint64_t>(version_key, "WeightsVersionKey", 0);
  const auto factor = values.number<uint32_t>(cutoff_factor, "ActivityCutoffFactorMilli", 13'889);
  out.activity_cutoff = static_cast<uint64_t>(factor) * out.tempo / 1000;
  out.burn_rao = values.number<uint64_t>(burn, "Burn", 100'000'000);
  out.bonds_moving_average = values.number<uint64_t>(bonds, "BondsMovingAverage", 900'000);
  out.registration_allowed = values.number<bool>(allowed, "NetworkRegistrationAllowed", true);
  out.commit_reveal_enabled =
      values.number<bool>(commit_reveal, "CommitRevealWeightsEnabled", true);
  out.liquid_alpha_enabled = values.number<bool>(liquid_alpha, "LiquidAlphaOn", false);
  out.yuma3 = values.number<bool>(yuma3, "Yuma3On", false);
  TRY_VOID(values.finish());
  return out;
}

Result<uint64_t> read_balance(ChainReader& chain, const AccountId& account, const Hash& at) {
  TRY(const std::optional<Bytes> value, chain.value(storage::kAccount.key(account), at));
  if (!value) return 0;
  Decoder in(*value);
  in.raw(4 * sizeof(uint32_t));  // nonce, consumers, providers, sufficients
  const auto free_rao = in.number<uint64_t>();
  in.raw(2 * sizeof(uint64_t) + sizeof(Uint128));  // reserved, frozen, flags
  if (!in.at_end()) return malformed("System.Account");
  return free_rao;
}

}  // namespace chain::substrate
