// chain::Ledger over a node's JSON-RPC: Bittensor's node, or our own ledger process.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "chain/ledger.h"
#include "chain/substrate/chain_reader.h"
#include "chain/substrate/rpc_client.h"
#include "chain/substrate/submitter.h"
#include "chain/substrate/weight_setter.h"

namespace chain::substrate {

// Reads and writes for several threads at once; set_weights and tend for one at a time. Writes of
// one key must not run in two of these at once: they would take the same nonce.
class SubstrateLedger final : public Ledger {
 public:
  // Asks nothing yet: `make` is the way to one that is known to work. `state_folder` keeps the
  // salts of hashed weight commits.
  SubstrateLedger(std::unique_ptr<Transport> transport, uint16_t netuid, common::Clock& clock,
                  const RpcOptions& options, std::filesystem::path state_folder)
      : rpc_(std::move(transport), clock, options),
        chain_(rpc_),
        submitter_(chain_, clock),
        weight_setter_(chain_, submitter_, clock, netuid, std::move(state_folder)),
        netuid_(netuid) {}

  // Asks the node for its head and its runtime, so that a wrong endpoint is known now. `clock`
  // outlives it.
  static Result<std::unique_ptr<SubstrateLedger>> make(
      std::unique_ptr<Transport> transport, uint16_t netuid, common::Clock& clock,
      const RpcOptions& options = {}, std::filesystem::path state_folder = default_state_folder());

  Result<Block> head() override;
  Result<Block> block(BlockNumber number) override;
  Result<Metagraph> metagraph(std::optional<BlockNumber> at) override;
  Result<std::vector<WeightRow>> weights() override;
  Result<std::vector<Commitment>> commitments(std::optional<BlockNumber> at) override;
  Result<Hyperparameters> hyperparameters() override;
  Result<uint64_t> balance(const AccountId& account) override;

  Result<Uid> register_neuron(const Keypair& coldkey, const AccountId& hotkey) override;
  Result<void> add_stake(const Keypair& coldkey, const AccountId& hotkey,
                         uint64_t amount_rao) override;
  Result<void> transfer(const Keypair& from, const AccountId& to, uint64_t amount_rao) override;
  Result<void> commit(const Keypair& hotkey, std::span<const Bytes> fields) override;
  Result<void> set_weights(const Keypair& hotkey, std::span<const Weight> weights,
                           uint64_t version_key) override;
  Result<void> tend(const Keypair& hotkey) override { return weight_setter_.reveal_due(hotkey); }
  Result<void> serve_axon(const Keypair& hotkey, const Axon& axon) override;

 private:
  Result<void> submit(const Keypair& key, const NamedCall& call);
  Result<View> at(std::optional<BlockNumber> number) {
    return number ? chain_.block(*number) : chain_.head();
  }

  RpcClient rpc_;
  ChainReader chain_;
  Submitter submitter_;
  WeightSetter weight_setter_;
  uint16_t netuid_;
};

}  // namespace chain::substrate
