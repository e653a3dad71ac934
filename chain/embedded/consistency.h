// Whether the ledger can go on with its storage: asked after somebody wrote to it by hand.
#pragma once

#include <optional>
#include <string>

#include "chain/embedded/storage.h"

namespace chain::embedded {

// In a sentence, what is wrong with what was written since `mark`, or with how things fit together
// now; nothing if all is well. TotalIssuance is set to what there is. The ledger trusts its storage
// everywhere else, and so whoever wrote must take it back if this finds a fault.
std::optional<std::string> storage_fault(Storage& storage, size_t mark);

}  // namespace chain::embedded
