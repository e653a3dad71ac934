#include "chain/private_network.h"

#include "chain/embedded/in_process.h"
#include "chain/embedded/private_chain.h"

namespace chain {

struct PrivateNetwork::Parts {
  Parts(const embedded::Genesis& genesis, common::milliseconds block_time, std::string_view seed)
      : netuid(genesis.netuid), chain(embedded::State::from_genesis(genesis), block_time, seed) {}
  uint16_t netuid;
  embedded::PrivateChain chain;
};

PrivateNetwork::PrivateNetwork(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PrivateNetwork::PrivateNetwork(PrivateNetwork&&) noexcept = default;
PrivateNetwork& PrivateNetwork::operator=(PrivateNetwork&&) noexcept = default;
PrivateNetwork::~PrivateNetwork() = default;

Result<PrivateNetwork> PrivateNetwork::make(std::string_view genesis_json,
                                            common::milliseconds block_time,
                                            std::string_view seed) {
  TRY(const embedded::Genesis genesis, embedded::parse_genesis(genesis_json));
  return PrivateNetwork(std::make_unique<Parts>(genesis, block_time, seed));
}

void PrivateNetwork::advance_to(Instant now) { parts_->chain.advance_to(now); }
void PrivateNetwork::make_block() { parts_->chain.make_block(); }

Result<std::unique_ptr<Ledger>> PrivateNetwork::ledger(common::Clock& clock) {
  return embedded::in_process_ledger(parts_->chain, parts_->netuid, clock);
}

}  // namespace chain
