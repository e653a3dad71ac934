// How long each event is: enough to step over those whose meaning is not needed.
//
// A layout is one letter a field:
//   1 2 4 8 G  an integer, a bool or a plain enum of that many bytes (G: 16)
//   A t        32 bytes (an account, a hash); 20 bytes (an Ethereum address)
//   v q h c k  Vec of bytes, of u64, of hashes, of (u64, account), of Compact<u16>
//   o p O      Option of u32, of u64, of an account
//   d r i      DispatchError, Result<(), DispatchError>, DispatchEventInfo
// Read out of the metadata of spec 424. Clients that read a node's metadata will not need it.
#pragma once

#include <optional>
#include <string_view>

#include "chain/substrate/scale.h"

namespace chain::substrate {

// Nothing for an event that is not in the table.
std::optional<std::string_view> event_layout(uint8_t pallet, uint8_t variant);

// Reads over the fields of `layout`; the decoder has failed if they are not there.
void skip_fields(Decoder& in, std::string_view layout);

}  // namespace chain::substrate
