// A runtime's metadata as chain::Forms shows it.
#pragma once

#include "chain/explorer.h"
#include "chain/substrate/runtime.h"

namespace chain::substrate {

Forms forms_of(const Runtime& runtime);

}  // namespace chain::substrate
