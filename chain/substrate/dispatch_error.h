// The chain's noes in words: what it is called there, and what to do about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chain/substrate/events.h"

namespace chain::substrate {

// "NotEnoughStakeToSetWeights" for (7, 10); empty for a pallet or a number that is not known.
// Numbers of spec 424: errors move between runtimes.
std::string_view module_error_name(uint8_t pallet, uint8_t error);
// The number of an error in its pallet; nothing for a name that is none. The inverse, for the
// ledger.
std::optional<uint8_t> module_error_index(uint8_t pallet, std::string_view name);

// "SubtensorModule.SettingWeightsTooFast: wait until weights_rate_limit blocks have passed ...".
std::string explain(const DispatchError& error);

// InvalidTransaction::Custom of subtensor: "hotkey not registered in the subnet: register it
// first".
std::string explain_custom(uint8_t code);

}  // namespace chain::substrate
