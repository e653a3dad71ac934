// A subnet's neurons, in two round trips, by either of two ways.
#include <algorithm>

#include "chain/substrate/query.h"
#include "chain/substrate/subnet_reader.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint16_t kUidsAtOnce = 256;  // Asked for before it is known how many there are.

Error no_subnet(uint16_t netuid) {
  return {Code::kNotFound, "there is no subnet " + std::to_string(netuid) + " on this chain"};
}

// A vector of the chain may be shorter than the subnet: what is not there is `T{}`.
template <typename T>
T at_or_zero(const std::vector<T>& values, size_t i) {
  return i < values.size() ? values[i] : T{};
}

// What the chain keeps in one vector for all neurons, by uid.
struct Columns {
  std::vector<bool> active, permit;
  std::vector<uint16_t> consensus, incentive, dividends, trust;
  std::vector<uint64_t> emission, update;

  void put(size_t i, Neuron& neuron) const {
    neuron.uid = {static_cast<uint16_t>(i)};
    neuron.active = at_or_zero(active, i);
    neuron.validator_permit = at_or_zero(permit, i);
    neuron.consensus = at_or_zero(consensus, i);
    neuron.incentive = at_or_zero(incentive, i);
    neuron.dividends = at_or_zero(dividends, i);
    neuron.validator_trust = at_or_zero(trust, i);
    neuron.emission_rao = at_or_zero(emission, i);
    neuron.last_update = {at_or_zero(update, i)};
  }
};

// -- by storage -----------------------------------------------------------------------------------

// Hotkeys and their registration, for uids from `first`.
struct KeyPlaces {
  std::vector<size_t> key, registered;
};
KeyPlaces ask_keys(Query& query, uint16_t netuid, size_t first, size_t end) {
  KeyPlaces places;
  for (size_t uid = first; uid < end; ++uid) {
    const Json keys = Json::array({netuid, uid});
    places.key.push_back(query.ask(kSubtensor, "Keys", keys));
    places.registered.push_back(query.ask(kSubtensor, "BlockAtRegistration", keys));
  }
  return places;
}
Result<void> take_keys(Query& query, const KeyPlaces& places, size_t first,
                       std::vector<Neuron>& neurons) {
  for (size_t i = 0; i < places.key.size() && first + i < neurons.size(); ++i) {
    // Keys has a default, an account of zeros: nobody. A node that has the count but not the keys
    // proves nothing.
    if (!query.has(places.key[i])) {
      return Error{Code::kCorrupt, "the node has no SubtensorModule.Keys of uid " +
                                       std::to_string(first + i) + ", which it says there is"};
    }
    neurons[first + i].hotkey = query.account(places.key[i]);
    neurons[first + i].registered_at = {query.number<uint64_t>(places.registered[i])};
  }
  return query.finish();
}

void take_vectors(Query& query, const std::vector<size_t>& place, std::vector<Neuron>& neurons) {
  const Columns columns{.active = query.numbers<bool>(place[0]),
                        .permit = query.numbers<bool>(place[1]),
                        .consensus = query.numbers<uint16_t>(place[2]),
                        .incentive = query.numbers<uint16_t>(place[3]),
                        .dividends = query.numbers<uint16_t>(place[4]),
                        .trust = query.numbers<uint16_t>(place[5]),
                        .emission = query.numbers<uint64_t>(place[6]),
                        .update = query.numbers<uint64_t>(place[7])};
  for (size_t i = 0; i < neurons.size(); ++i) columns.put(i, neurons[i]);
}

// Owner and stake, which hang on the hotkeys. `with_owner`: else coldkeys are known already.
Result<void> fill_stakes(ChainReader& chain, uint16_t netuid, const View& at, bool with_owner,
                         std::vector<Neuron>& neurons) {
  Query query(at);
  std::vector<size_t> owner, alpha;
  for (const Neuron& neuron : neurons) {
    const Json hotkey = key_of(neuron.hotkey);
    if (with_owner) owner.push_back(query.ask(kSubtensor, "Owner", Json::array({hotkey})));
    alpha.push_back(query.ask(kSubtensor, "TotalHotkeyAlpha", Json::array({hotkey, netuid})));
  }
  TRY_VOID(query.fetch(chain));
  for (size_t i = 0; i < neurons.size(); ++i) {
    if (with_owner) neurons[i].coldkey = query.account(owner[i]);
    neurons[i].stake_rao = query.number<uint64_t>(alpha[i]);
  }
  return query.finish();
}

// -- by the runtime's own function ----------------------------------------------------------------

// Notes the first field that is not as it should be.
class Fields {
 public:
  explicit Fields(const Value& of) : of_(of) {}

  template <typename T>
  std::vector<T> numbers(std::string_view name) {
    std::vector<T> out;
    for (const Value& one : list(name)) {
      std::optional<T> item;
      if constexpr (std::same_as<T, bool>) {
        item = one.boolean();
      } else {
        item = one.number<T>();
      }
      if (!item) trouble_ = name;
      out.push_back(item.value_or(T{}));
    }
    return out;
  }
  std::vector<AccountId> accounts(std::string_view name) {
    std::vector<AccountId> out;
    for (const Value& one : list(name)) {
      const auto account = one.account();
      if (!account) trouble_ = name;
      out.push_back(account.value_or(AccountId{}));
    }
    return out;
  }
  Result<void> finish() const {
    if (trouble_.empty()) return {};
    return Error{Code::kCorrupt,
                 "the node's metagraph has no " + trouble_ + " as this program knows them"};
  }

 private:
  const Value::List& list(std::string_view name) {
    static const Value::List kNone;
    const Value* field = of_.at(name);
    const Value::List* found = field ? field->list() : nullptr;
    if (found == nullptr || found->size() > kNeuronsMax) {
      trouble_ = name;
      return kNone;
    }
    return *found;
  }

  const Value& of_;
  std::string trouble_;
};

Result<std::vector<Neuron>> neurons_of(const Value& metagraph, const std::vector<uint16_t>& trust) {
  Fields fields(metagraph);
  const auto hotkeys = fields.accounts("hotkeys");
  const auto coldkeys = fields.accounts("coldkeys");
  const Columns columns{.active = fields.numbers<bool>("active"),
                        .permit = fields.numbers<bool>("validator_permit"),
                        .consensus = fields.numbers<uint16_t>("consensus"),
                        .incentive = fields.numbers<uint16_t>("incentives"),
                        .dividends = fields.numbers<uint16_t>("dividends"),
                        .trust = trust,
                        .emission = fields.numbers<uint64_t>("emission"),
                        .update = fields.numbers<uint64_t>("last_update")};
  const auto registered = fields.numbers<uint64_t>("block_at_registration");
  TRY_VOID(fields.finish());
  std::vector<Neuron> neurons(hotkeys.size());
  for (size_t i = 0; i < neurons.size(); ++i) {
    Neuron& neuron = neurons[i];
    columns.put(i, neuron);
    neuron.hotkey = hotkeys[i];
    neuron.coldkey = at_or_zero(coldkeys, i);
    neuron.registered_at = {at_or_zero(registered, i)};
  }
  return neurons;
}

}  // namespace

Result<Metagraph> read_metagraph_by_storage(ChainReader& chain, uint16_t netuid, const View& at) {
  Query query(at);
  const Json keys = Json::array({netuid});
  const size_t count = query.ask(kSubtensor, "SubnetworkN", keys);
  const size_t added = query.ask(kSubtensor, "NetworksAdded", keys);
  std::vector<size_t> places;
  for (const char* item : {"Active", "ValidatorPermit", "Consensus", "Incentive", "Dividends",
                           "ValidatorTrust", "Emission", "LastUpdate"}) {
    places.push_back(query.ask(kSubtensor, item, keys));
  }
  const KeyPlaces first = ask_keys(query, netuid, 0, kUidsAtOnce);
  TRY_VOID(query.fetch(chain));
  if (!query.has(count) && !query.boolean(added)) return no_subnet(netuid);
  Metagraph out{netuid, at.block, {}};
  out.neurons.resize(std::min<size_t>(query.number<uint16_t>(count), kNeuronsMax));
  take_vectors(query, places, out.neurons);
  TRY_VOID(take_keys(query, first, 0, out.neurons));
  if (out.neurons.size() > kUidsAtOnce) {
    Query more(at);
    const KeyPlaces rest = ask_keys(more, netuid, kUidsAtOnce, out.neurons.size());
    TRY_VOID(more.fetch(chain));
    TRY_VOID(take_keys(more, rest, kUidsAtOnce, out.neurons));
  }
  TRY_VOID(fill_stakes(chain, netuid, at, /*with_owner=*/true, out.neurons));
  return out;
}

// The runtime's answer lacks the validators' trust, and its stakes count parents' and children's:
// these two come from storage, as the other way has them.
Result<Metagraph> read_metagraph_by_api(ChainReader& chain, uint16_t netuid, const View& at) {
  const Metadata& metadata = at.metadata();
  const ApiMethod* method = metadata.api("SubnetInfoRuntimeApi", "get_metagraph");
  CHECK(method != nullptr && method->inputs.size() == 1);
  TRY(const Bytes argument, encode_value(metadata, method->inputs[0].type, netuid, "netuid"));
  TRY(const Stored trust, find_stored(metadata, kSubtensor, "ValidatorTrust"));
  TRY(const Bytes trust_key, stored_key(metadata, trust, Json::array({netuid})));
  const std::string block = hex0x(at.block.hash.bytes);
  const RpcRequest requests[] = {
      {"state_call", Json::array({"SubnetInfoRuntimeApi_get_metagraph", hex0x(argument), block})},
      {"state_getStorage", Json::array({hex0x(trust_key), block})},
  };
  TRY(const std::vector<Json> answers, chain.rpc().read_all(requests));
  std::vector<std::optional<Bytes>> bytes;
  for (const Json& answer : answers) {
    const auto* text = answer.get_ptr<const Json::string_t*>();
    bytes.push_back(text == nullptr ? std::nullopt : common::from_hex(*text));
  }
  if (!bytes[0]) return Error{Code::kCorrupt, "the node's answer is no metagraph"};
  TRY(const Value answer, decode_value(metadata, method->output, *bytes[0], "the metagraph"));
  const Value* metagraph = answer.some();
  if (metagraph == nullptr) return no_subnet(netuid);
  TRY(const auto trust_value, read_stored(metadata, trust, bytes[1]));
  std::vector<uint16_t> trusts;
  if (const Value::List* list = trust_value ? trust_value->list() : nullptr) {
    for (const Value& one : *list) trusts.push_back(one.number<uint16_t>().value_or(0));
  }
  Metagraph out{netuid, at.block, {}};
  TRY(out.neurons, neurons_of(*metagraph, trusts));
  TRY_VOID(fill_stakes(chain, netuid, at, /*with_owner=*/false, out.neurons));
  return out;
}

Result<Metagraph> read_metagraph(ChainReader& chain, uint16_t netuid, const View& at) {
  const ApiMethod* method = at.metadata().api("SubnetInfoRuntimeApi", "get_metagraph");
  if (method == nullptr || method->inputs.size() != 1) {
    return read_metagraph_by_storage(chain, netuid, at);
  }
  return read_metagraph_by_api(chain, netuid, at);
}

}  // namespace chain::substrate
