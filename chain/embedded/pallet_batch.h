// Utility and Sudo: calls within calls.
#pragma once

#include "chain/embedded/calls.h"
#include "chain/embedded/runtime.h"

namespace chain::embedded {

inline constexpr uint32_t kBatchCallsMax = 10'922;

// One after the other. `batch` ends at the first that fails and keeps what came before it;
// `batch_all` fails with it; `force_batch` goes on. TooManyCalls.
Outcome batch(const Context& context, const Origin& origin, const calls::Batch& call);
Outcome batch_all(const Context& context, const Origin& origin, const calls::Batch& call);
Outcome force_batch(const Context& context, const Origin& origin, const calls::Batch& call);

// RequireSudo unless the caller holds Sudo.Key. What the call within said stands in Sudid.
Outcome sudo(const Context& context, const AccountId& caller, const calls::Sudo& call);
Outcome set_sudo_key(const Context& context, const Origin& origin, const calls::SetSudoKey& call);

}  // namespace chain::embedded
