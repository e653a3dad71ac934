#include "chain/substrate/substrate_ledger.h"

#include <algorithm>

#include "chain/substrate/storage_key.h"
#include "chain/substrate/subnet_reader.h"
#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

// The runtimes whose calls and events are those of the tables here.
constexpr uint32_t kSpecFirst = 424;
constexpr uint32_t kSpecLast = 425;
constexpr std::string_view kSubtensorSpec = "node-subtensor";

constexpr uint32_t kAxonVersion = 1;
constexpr uint8_t kIpv4 = 4;

Error bad_input(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

}  // namespace

Result<std::unique_ptr<SubstrateLedger>> SubstrateLedger::make(std::unique_ptr<Transport> transport,
                                                               uint16_t netuid,
                                                               common::Clock& clock,
                                                               const RpcOptions& options) {
  auto ledger = std::make_unique<SubstrateLedger>(std::move(transport), netuid, clock, options);
  TRY(const RuntimeVersion runtime, ledger->chain_.runtime_version());
  const bool known = runtime.spec_version >= kSpecFirst && runtime.spec_version <= kSpecLast;
  if (runtime.spec_name == kSubtensorSpec && !known) {
    common::log_warning("the chain runs spec {}, this program knows {} to {}: calls may be refused",
                        runtime.spec_version, kSpecFirst, kSpecLast);
  }
  return ledger;
}

Result<Metagraph> SubstrateLedger::metagraph(std::optional<BlockNumber> at) {
  TRY(const Block block, at ? chain_.block(*at) : chain_.head());
  return read_metagraph(chain_, netuid_, block);
}

Result<std::vector<WeightRow>> SubstrateLedger::weights() {
  TRY(const Hash head, chain_.head_hash());
  return read_weights(chain_, netuid_, head);
}

Result<std::vector<Commitment>> SubstrateLedger::commitments(std::optional<BlockNumber> at) {
  TRY(const Block block, at ? chain_.block(*at) : chain_.head());
  return read_commitments(chain_, netuid_, block.hash);
}

Result<Hyperparameters> SubstrateLedger::hyperparameters() {
  TRY(const Hash head, chain_.head_hash());
  return read_hyperparameters(chain_, netuid_, head);
}

Result<uint64_t> SubstrateLedger::balance(const AccountId& account) {
  TRY(const Hash head, chain_.head_hash());
  return read_balance(chain_, account, head);
}

Result<void> SubstrateLedger::submit(const Keypair& key, const Call& call) {
  TRY_VOID(submitter_.submit(key, call));
  return {};
}

Result<Uid> SubstrateLedger::register_neuron(const Keypair& coldkey, const AccountId& hotkey) {
  TRY(const Outcome outcome, submitter_.submit(coldkey, BurnedRegister{netuid_, hotkey}));
  // Read back at that very block: a later registration could already have taken the slot.
  TRY(const auto value, chain_.value(storage::kUids.key(netuid_, hotkey), outcome.block));
  Decoder in(value ? ByteView(*value) : ByteView());
  const Uid uid{in.number<uint16_t>()};
  if (!in.at_end()) return Error{Code::kCorrupt, "the node's value of Uids is malformed"};
  return uid;
}

Result<void> SubstrateLedger::add_stake(const Keypair& coldkey, const AccountId& hotkey,
                                        uint64_t amount_rao) {
  return submit(coldkey, AddStake{hotkey, netuid_, amount_rao});
}

Result<void> SubstrateLedger::transfer(const Keypair& from, const AccountId& to,
                                       uint64_t amount_rao) {
  return submit(from, TransferKeepAlive{to, amount_rao});
}

Result<void> SubstrateLedger::commit(const Keypair& hotkey, std::span<const Bytes> fields) {
  if (fields.size() > kCommitmentFieldsMax)
    return bad_input("a commitment has at most three fields");
  SetCommitment call{netuid_, {}};
  for (const Bytes& field : fields) {
    if (field.size() > kDataSizeMax) return bad_input("a commitment's field has at most 512 bytes");
    call.fields.push_back(Data::of(field));
  }
  return submit(hotkey, call);
}

Result<void> SubstrateLedger::set_weights(const Keypair& hotkey, std::span<const Weight> weights,
                                          uint64_t version_key) {
  if (weights.size() > kWeightsMax) return bad_input("more weights than a subnet can have neurons");
  SetWeights call{netuid_, {}, {}, version_key};
  for (const Weight& weight : weights) {
    call.uids.push_back(weight.uid.index);
    call.values.push_back(weight.value);
  }
  return submit(hotkey, call);
}

Result<void> SubstrateLedger::serve_axon(const Keypair& hotkey, const Axon& axon) {
  ServeAxon call;
  call.netuid = netuid_;
  call.version = kAxonVersion;
  call.ip = axon.ip;
  call.port = axon.port;
  call.ip_type = kIpv4;
  return submit(hotkey, call);
}

}  // namespace chain::substrate
