#include "chain/substrate/subnet_reader.h"

#include <algorithm>

#include "chain/substrate/query.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint16_t kUidsAtOnce = 256;
constexpr size_t kCommitmentsMax = 4096;

Error malformed(std::string_view item) {
  return {Code::kCorrupt, "the node's value of " + std::string(item) + " is malformed"};
}

// The bytes of one field of a commitment: of whatever kind of Data it is, the first bytes in it.
Bytes data_bytes(const Value& data) {
  const Value::Choice* choice = data.choice();
  if (choice == nullptr) return {};
  for (const Value& field : choice->fields.values) {
    if (const Bytes* bytes = field.bytes()) return *bytes;
  }
  return {};
}

std::vector<size_t> ask_rows(Query& query, uint16_t netuid, size_t first, size_t end) {
  std::vector<size_t> places;
  for (size_t uid = first; uid < end; ++uid) {
    places.push_back(query.ask(kSubtensor, "Weights", Json::array({netuid, uid})));
  }
  return places;
}
void take_rows(Query& query, const std::vector<size_t>& places, size_t first, size_t count,
               std::vector<WeightRow>& rows) {
  for (size_t i = 0; i < places.size() && first + i < count; ++i) {
    WeightRow row{{static_cast<uint16_t>(first + i)}, query.row(places[i])};
    if (!row.weights.empty()) rows.push_back(std::move(row));
  }
}

}  // namespace

Result<std::vector<WeightRow>> read_weights(ChainReader& chain, uint16_t netuid, const View& at) {
  Query query(at);
  const size_t count_place = query.ask(kSubtensor, "SubnetworkN", Json::array({netuid}));
  const std::vector<size_t> first = ask_rows(query, netuid, 0, kUidsAtOnce);
  TRY_VOID(query.fetch(chain));
  const size_t count = std::min<size_t>(query.number<uint16_t>(count_place), kNeuronsMax);
  std::vector<WeightRow> out;
  take_rows(query, first, 0, count, out);
  TRY_VOID(query.finish());
  if (count > kUidsAtOnce) {
    Query more(at);
    const std::vector<size_t> rest = ask_rows(more, netuid, kUidsAtOnce, count);
    TRY_VOID(more.fetch(chain));
    take_rows(more, rest, kUidsAtOnce, count, out);
    TRY_VOID(more.finish());
  }
  return out;
}

Result<Commitment> read_commitment(const AccountId& hotkey, const Value& value) {
  const Value* block = value.at("block");
  const Value* info = value.at("info");
  const Value* fields = info ? info->at("fields") : nullptr;
  const Value::List* list = fields ? fields->list() : nullptr;
  const auto number = block ? block->number<uint64_t>() : std::nullopt;
  if (!number || list == nullptr) return malformed("Commitments.CommitmentOf");
  Commitment out{hotkey, {*number}, {}};
  for (const Value& data : *list) out.fields.push_back(data_bytes(data));
  return out;
}

Result<std::vector<Commitment>> read_commitments(ChainReader& chain, uint16_t netuid,
                                                 const View& at) {
  const Metadata& metadata = at.metadata();
  TRY(const Stored stored, find_stored(metadata, "Commitments", "CommitmentOf"));
  TRY(const Bytes prefix, stored_key(metadata, stored, Json::array({netuid})));
  TRY(const std::vector<Bytes> keys, chain.keys(prefix, at.block.hash, kCommitmentsMax));
  TRY(const auto values, chain.values(keys, at.block.hash));
  std::vector<Commitment> out;
  for (size_t i = 0; i < keys.size(); ++i) {
    TRY(const auto parts, read_stored_key(metadata, stored, keys[i]));
    const auto hotkey = parts.size() == 2 && parts[1] ? parts[1]->account() : std::nullopt;
    if (!hotkey || !values[i]) return malformed("Commitments.CommitmentOf");
    TRY(const auto value, read_stored(metadata, stored, values[i]));
    TRY(Commitment commitment, read_commitment(*hotkey, *value));
    out.push_back(std::move(commitment));
  }
  std::sort(out.begin(), out.end(),
            [](const Commitment& a, const Commitment& b) { return a.hotkey < b.hotkey; });
  return out;
}

// What is not in storage has the default that the runtime declares.
Result<Hyperparameters> read_hyperparameters(ChainReader& chain, uint16_t netuid, const View& at) {
  Query query(at);
  const auto ask = [&](const char* item, bool optional = false) {
    return query.ask(kSubtensor, item, Json::array({netuid}), optional);
  };
  const size_t count = ask("SubnetworkN");
  const size_t added = ask("NetworksAdded");
  const size_t tempo = ask("Tempo");
  const size_t kappa = ask("Kappa");
  const size_t immunity = ask("ImmunityPeriod");
  const size_t min_weights = ask("MinAllowedWeights");
  const size_t max_uids = ask("MaxAllowedUids");
  const size_t max_validators = ask("MaxAllowedValidators");
  const size_t rate_limit = ask("WeightsSetRateLimit");
  const size_t version_key = ask("WeightsVersionKey");
  const size_t cutoff_factor = ask("ActivityCutoffFactorMilli", true);
  const size_t cutoff = ask("ActivityCutoff", true);
  const size_t burn = ask("Burn");
  const size_t bonds = ask("BondsMovingAverage");
  const size_t allowed = ask("NetworkRegistrationAllowed");
  const size_t commit_reveal = ask("CommitRevealWeightsEnabled");
  const size_t liquid_alpha = ask("LiquidAlphaOn");
  const size_t yuma3 = ask("Yuma3On", true);
  TRY_VOID(query.fetch(chain));
  if (!query.has(count) && !query.boolean(added)) {
    return Error{Code::kNotFound,
                 "there is no subnet " + std::to_string(netuid) + " on this chain"};
  }
  Hyperparameters out;
  out.tempo = query.number<uint16_t>(tempo);
  out.kappa = query.number<uint16_t>(kappa);
  out.immunity_period = query.number<uint16_t>(immunity);
  out.min_allowed_weights = query.number<uint16_t>(min_weights);
  out.max_allowed_uids = query.number<uint16_t>(max_uids);
  out.max_allowed_validators = query.number<uint16_t>(max_validators);
  out.weights_rate_limit = query.number<uint64_t>(rate_limit);
  out.weights_version_key = query.number<uint64_t>(version_key);
  // Thousandths of a tempo since spec 425; a number of blocks before.
  out.activity_cutoff = query.known(cutoff_factor)
                            ? query.number<uint64_t>(cutoff_factor) * out.tempo / 1000
                            : query.number<uint64_t>(cutoff);
  out.burn_rao = query.number<uint64_t>(burn);
  out.bonds_moving_average = query.number<uint64_t>(bonds);
  out.registration_allowed = query.boolean(allowed);
  out.commit_reveal_enabled = query.boolean(commit_reveal);
  out.liquid_alpha_enabled = query.boolean(liquid_alpha);
  out.yuma3 = query.boolean(yuma3);
  TRY_VOID(query.finish());
  return out;
}

Result<uint64_t> read_balance(ChainReader& chain, const AccountId& account, const View& at) {
  Query query(at);
  const size_t place = query.ask("System", "Account", Json::array({key_of(account)}));
  TRY_VOID(query.fetch(chain));
  const auto value = query.value(place);
  TRY_VOID(query.finish());
  const Value* data = value ? value->at("data") : nullptr;
  const Value* free = data ? data->at("free") : nullptr;
  const auto free_rao = free ? free->number<uint64_t>() : std::nullopt;
  if (!free_rao) return malformed("System.Account");
  return *free_rao;
}

}  // namespace chain::substrate
