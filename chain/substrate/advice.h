// What a miner, a validator or a staker can do about what the chain says no to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chain/substrate/transport.h"

namespace chain::substrate {

// By the error's name, "SettingWeightsTooFast" or "Token.FundsUnavailable": names stay, numbers
// move. "" if there is nothing to add.
std::string_view advice_for(std::string_view error);

// InvalidTransaction::Custom of subtensor, as its transaction extension gives them: a sentence.
std::string explain_custom_code(uint8_t code);

// What the pool's no means for the one who sent.
enum class PoolNo {
  kFinal,      // The call may not be made so.
  kOutdated,   // Its nonce is taken: sign again.
  kBadProof,   // Signed for another runtime, chain or birth block: sign again, once.
  kThere,      // It is in the pool already: not a no.
  kNotNow,     // It may be later: the pool is full, or the same bytes failed a moment ago.
  kRateLimit,  // Custom 6: so many blocks too early.
};
struct PoolRefusal {
  PoolNo kind = PoolNo::kFinal;
  std::string sentence;  // What was said, and what to do.
};
PoolRefusal read_pool_refusal(const RpcRefusal& refusal, std::string_view call);

}  // namespace chain::substrate
