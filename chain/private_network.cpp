#include "chain/private_network.h"

#include "chain/embedded/in_process.h"
#include "chain/embedded/private_chain.h"

namespace chain {

struct PrivateNetwork::Parts {
  Parts(const embedded::Genesis& genesis, common::milliseconds block_time, std::string_view seed,
        timelock::BeaconSecret beacon)
      : netuid(genesis.netuid),
        chain(embedded::State::from_genesis(embedded::with_beacon(genesis, beacon.key())),
              block_time, seed) {
    chain.publish(std::move(beacon));
  }
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
  const Hash beacon_seed = common::Hasher()
                               .update(common::view_of("private network's beacon"))
                               .update(common::view_of(seed))
                               .finish();
  return PrivateNetwork(std::make_unique<Parts>(
      genesis, block_time, seed, timelock::BeaconSecret::from_seed(beacon_seed.bytes)));
}

void PrivateNetwork::advance_to(Instant now) { parts_->chain.advance_to(now); }
void PrivateNetwork::make_block() { parts_->chain.make_block(); }

Result<std::unique_ptr<Ledger>> PrivateNetwork::ledger(common::Clock& clock) {
  return embedded::in_process_ledger(parts_->chain, parts_->netuid, clock);
}

}  // namespace chain
