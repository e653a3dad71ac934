// The runtime's APIs, by who asks: the rows of runtime_apis().
#pragma once

#include <vector>

#include "chain/embedded/runtime.h"

namespace chain::embedded {

// Core, Metadata, AccountNonceApi, TransactionPaymentApi and TransactionPaymentCallApi.
std::vector<ApiRow> core_apis();
// NeuronInfo-, SubnetInfo-, StakeInfo-, SubnetRegistration-, DelegateInfo- and SwapRuntimeApi.
std::vector<ApiRow> subnet_apis();

}  // namespace chain::embedded
