// What a block says it did, by names: the events of System.Events.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/substrate/value.h"

namespace chain::substrate {

struct Happening {
  std::optional<uint32_t> extrinsic;  // Its place in the block; nothing for the block's own work.
  std::string pallet, name;           // "Balances", "Transfer"
  Value::Fields fields;

  bool is(std::string_view of_pallet, std::string_view of_name) const {
    return pallet == of_pallet && name == of_name;
  }
  // Null if there is no such field.
  const Value* at(std::string_view field) const;
  const Value* at(size_t place) const;
  Json json() const;
};

// The value of System.Events, decoded. kCorrupt for one that is not shaped as frame_system's.
Result<std::vector<Happening>> read_happenings(const Value& events);

// Why a call failed inside (sp_runtime's DispatchError), in a sentence: the module's error by its
// name, and what to do about it, or else what the runtime's own documentation says.
std::string explain_dispatch(const Metadata& metadata, const Value& dispatch_error);
// "SubtensorModule.SettingWeightsTooFast"; "" for an error that is no module's.
std::string module_error(const Metadata& metadata, const Value& dispatch_error);

// The failure of one extrinsic: its own, or one that a call around another swallowed (Sudo.Sudid,
// Utility.BatchInterrupted, Proxy.ProxyExecuted, Multisig). Null if there is none.
const Value* failure_of(const std::vector<Happening>& events);

}  // namespace chain::substrate
