#include "chain/substrate/substrate_ledger.h"

#include "chain/substrate/query.h"
#include "chain/substrate/subnet_reader.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint32_t kAxonVersion = 1;
constexpr uint8_t kIpv4 = 4;
constexpr uint8_t kAxonProtocol = 4;
constexpr size_t kCommitmentFieldsMax = 3;
constexpr size_t kRawSizeMax = 128;
constexpr size_t kDataSizeMax = 512;

Error bad_input(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Data::RawN up to 128 bytes, BigRaw beyond.
Json data_json(const Bytes& field) {
  const std::string kind =
      field.size() <= kRawSizeMax ? "Raw" + std::to_string(field.size()) : "BigRaw";
  return {{kind, hex0x(field)}};
}

}  // namespace

Result<std::unique_ptr<SubstrateLedger>> SubstrateLedger::make(std::unique_ptr<Transport> transport,
                                                               uint16_t netuid,
                                                               common::Clock& clock,
                                                               const RpcOptions& options,
                                                               std::filesystem::path state_folder) {
  auto ledger = std::make_unique<SubstrateLedger>(std::move(transport), netuid, clock, options,
                                                  std::move(state_folder));
  TRY_VOID(ledger->chain_.head());
  return ledger;
}

Result<Block> SubstrateLedger::head() {
  TRY(const View view, chain_.head());
  return view.block;
}

Result<Block> SubstrateLedger::block(BlockNumber number) {
  TRY(const View view, chain_.block(number));
  return view.block;
}

Result<Metagraph> SubstrateLedger::metagraph(std::optional<BlockNumber> number) {
  TRY(const View view, at(number));
  return read_metagraph(chain_, netuid_, view);
}

Result<std::vector<WeightRow>> SubstrateLedger::weights() {
  TRY(const View view, chain_.head());
  return read_weights(chain_, netuid_, view);
}

Result<std::vector<Commitment>> SubstrateLedger::commitments(std::optional<BlockNumber> number) {
  TRY(const View view, at(number));
  return read_commitments(chain_, netuid_, view);
}

Result<Hyperparameters> SubstrateLedger::hyperparameters() {
  TRY(const View view, chain_.head());
  return read_hyperparameters(chain_, netuid_, view);
}

Result<uint64_t> SubstrateLedger::balance(const AccountId& account) {
  TRY(const View view, chain_.head());
  return read_balance(chain_, account, view);
}

Result<void> SubstrateLedger::submit(const Keypair& key, const NamedCall& call) {
  TRY_VOID(submitter_.submit(key, call));
  return {};
}

// Final, because a uid that a fork took away would be a lie to whoever works under it.
Result<Uid> SubstrateLedger::register_neuron(const Keypair& coldkey, const AccountId& hotkey) {
  SubmitOptions options;
  options.finalized = true;
  TRY(const Outcome outcome,
      submitter_.submit(
          coldkey,
          {"SubtensorModule", "burned_register", {{"netuid", netuid_}, {"hotkey", hotkey.ss58()}}},
          options));
  // Read back at that very block: a later registration could already have taken the slot.
  Query query(outcome.at);
  const size_t place = query.ask(kSubtensor, "Uids", Json::array({netuid_, key_of(hotkey)}));
  TRY_VOID(query.fetch(chain_));
  if (!query.has(place))
    return Error{Code::kCorrupt, "registered, but the node knows no uid of it"};
  const Uid uid{query.number<uint16_t>(place)};
  TRY_VOID(query.finish());
  return uid;
}

Result<void> SubstrateLedger::add_stake(const Keypair& coldkey, const AccountId& hotkey,
                                        uint64_t amount_rao) {
  return submit(coldkey,
                {"SubtensorModule",
                 "add_stake",
                 {{"hotkey", hotkey.ss58()}, {"netuid", netuid_}, {"amount_staked", amount_rao}}});
}

Result<void> SubstrateLedger::transfer(const Keypair& from, const AccountId& to,
                                       uint64_t amount_rao) {
  return submit(from,
                {"Balances", "transfer_keep_alive", {{"dest", to.ss58()}, {"value", amount_rao}}});
}

Result<void> SubstrateLedger::commit(const Keypair& hotkey, std::span<const Bytes> fields) {
  if (fields.size() > kCommitmentFieldsMax)
    return bad_input("a commitment has at most three fields");
  Json data = Json::array();
  for (const Bytes& field : fields) {
    if (field.size() > kDataSizeMax) return bad_input("a commitment's field has at most 512 bytes");
    data.push_back(data_json(field));
  }
  return submit(
      hotkey,
      {"Commitments", "set_commitment", {{"netuid", netuid_}, {"info", {{"fields", data}}}}});
}

Result<void> SubstrateLedger::set_weights(const Keypair& hotkey, std::span<const Weight> weights,
                                          uint64_t version_key) {
  if (weights.size() > kNeuronsMax) return bad_input("more weights than a subnet can have neurons");
  return weight_setter_.set(hotkey, weights, version_key);
}

Result<void> SubstrateLedger::serve_axon(const Keypair& hotkey, const Axon& axon) {
  return submit(hotkey, {"SubtensorModule",
                         "serve_axon",
                         {{"netuid", netuid_},
                          {"version", kAxonVersion},
                          {"ip", axon.ip},
                          {"port", axon.port},
                          {"ip_type", kIpv4},
                          {"protocol", kAxonProtocol},
                          {"placeholder1", 0},
                          {"placeholder2", 0}}});
}

}  // namespace chain::substrate
