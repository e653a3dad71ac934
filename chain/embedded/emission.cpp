#include "chain/embedded/emission.h"

#include <algorithm>

#include "chain/embedded/balances.h"
#include "chain/embedded/commit_reveal.h"
#include "chain/embedded/epoch.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"

namespace chain::embedded {
namespace {

using substrate::Uint128;

constexpr int kEpochsPerBlockMax = 2;
constexpr uint64_t kStepBlocksMax = 50'400;  // An epoch runs at least this often.

void add_to(Storage& storage, const Bytes& key, uint64_t amount) {
  put_number(storage, key, get_number<uint64_t>(storage, key) + amount);
}

// Mints one block's alpha, and the TAO that backs it, and sets both aside for the epoch.
void mint(const Context& context, uint16_t netuid) {
  Storage& storage = context.storage;
  const auto emission_rao = get_number<uint64_t>(storage, kAlphaOutEmission.key(netuid));
  if (emission_rao == 0) return;
  mint_issuance(storage, emission_rao);
  for (const Bytes& key :
       {items::kTotalStake.key(), kSubnetTao.key(netuid), kSubnetAlphaOut.key(netuid)}) {
    add_to(storage, key, emission_rao);
  }
  uint64_t owner_rao = 0;
  if (get_number<bool>(storage, kOwnerCutEnabled.key(netuid))) {
    const auto cut = get_number<uint16_t>(storage, kSubnetOwnerCut.key());
    owner_rao = static_cast<uint64_t>(Uint128{emission_rao} * cut / 65'535);
  }
  const uint64_t server_rao = (emission_rao - owner_rao) / 2;
  add_to(storage, kPendingOwnerCut.key(netuid), owner_rao);
  add_to(storage, kPendingServer.key(netuid), server_rao);
  add_to(storage, kPendingValidator.key(netuid), emission_rao - owner_rao - server_rao);
}

}  // namespace

bool epoch_due(const Storage& storage, uint16_t netuid, uint64_t block) {
  const auto tempo = get_number<uint16_t>(storage, items::kTempo.key(netuid));
  if (tempo == 0) return false;
  const auto pending = get_number<uint64_t>(storage, items::kPendingEpochAt.key(netuid));
  if (pending > 0 && block >= pending) return true;
  const Bytes since = items::kBlocksSinceLastStep.key(netuid);
  if (get_number<uint64_t>(storage, since) > kStepBlocksMax) return true;
  return block - get_number<uint64_t>(storage, items::kLastEpochBlock.key(netuid)) >= tempo;
}

void run_block_step(const Context& context) {
  Storage& storage = context.storage;
  const auto netuids = subnets(storage);
  for (const uint16_t netuid : netuids) {
    decay_burn(storage, netuid);
    mint(context, netuid);
    reveal_timelocked(context, netuid);
    add_to(storage, items::kBlocksSinceLastStep.key(netuid), 1);
  }
  int epochs = 0;
  for (const uint16_t netuid : netuids) {
    if (!epoch_due(storage, netuid, context.block)) continue;
    if (epochs++ < kEpochsPerBlockMax) {
      close_epoch(context, netuid);
    } else {
      put_number(storage, items::kPendingEpochAt.key(netuid), context.block + 1);
    }
  }
}

}  // namespace chain::embedded
