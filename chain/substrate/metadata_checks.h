// What a description must keep beyond its layout, so that nobody who reads it looks beyond its end.
#pragma once

#include "chain/substrate/metadata.h"

namespace chain::substrate {

// kInvalidArgument, naming the first: a type that is not in the registry, a pallet's calls, events
// or errors that are no enum, two pallets or two of a pallet's items with one name or number, a map
// whose key does not have one part a hasher, an empty name.
Result<void> check_metadata(const Metadata& metadata);

}  // namespace chain::substrate
