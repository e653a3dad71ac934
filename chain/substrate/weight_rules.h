// How a subnet takes weights, and from whom, at one block.
#pragma once

#include <optional>

#include "chain/substrate/chain_reader.h"

namespace chain::substrate {

enum class WeightsWay : uint8_t {
  kPlain,       // set_weights
  kHashed,      // commit_weights, and reveal_weights an epoch later
  kTimelocked,  // commit_timelocked_weights: the chain opens it itself
};
std::string_view name(WeightsWay way);

struct WeightRules {
  WeightsWay way = WeightsWay::kPlain;
  uint16_t commit_version = 0;  // CommitRevealWeightsVersion
  uint64_t reveal_period = 1;   // Epochs from the commit's to the one that reveals it.
  uint64_t rate_limit = 0;      // Blocks.
  uint16_t tempo = 0;
  uint16_t uid = 0;                // The hotkey's.
  uint64_t last_update = 0;        // When it last set or committed weights; 0: never.
  std::optional<uint64_t> epoch;   // SubnetEpochIndex, where the runtime counts epochs (spec 424).
  uint64_t next_epoch_block = 0;   // The first block of the next epoch.
  uint64_t last_stored_round = 0;  // Of the chain's beacon.

  // How many blocks after `block` weights may be set; 0: in the next.
  uint64_t wait_blocks(uint64_t block) const;
};

// Two round trips. kNotFound if the hotkey is not (any more) registered on the subnet, in a
// sentence for its owner; kRefused for a commit version that is not known here.
Result<WeightRules> read_weight_rules(ChainReader& chain, uint16_t netuid, const AccountId& hotkey,
                                      const View& at);

// The chain's time between two blocks, as its last ones show it; at least 1.
Result<uint64_t> block_time_ms(ChainReader& chain, const View& at);

}  // namespace chain::substrate
