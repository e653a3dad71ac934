// Whether an extrinsic may enter a block, before anybody looks at what it does; and why not.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "chain/embedded/dispatch.h"
#include "chain/substrate/extrinsic.h"

namespace chain::embedded {

// Substrate's InvalidTransaction by its numbers, and one kind of our own for bytes that are no
// extrinsic.
enum class Invalid : uint8_t {
  kCall = 0,  // A call the ledger does not have, or may not take from anybody.
  kPayment = 1,
  kFuture = 2,
  kStale = 3,
  kBadProof = 4,
  kAncientBirthBlock = 5,
  kExhaustsResources = 6,
  kCustom = 7,
  kBadMandatory = 8,
  kMalformed = 255,
};
struct Refusal {
  Invalid kind = Invalid::kCall;
  uint8_t custom = 0;  // kCustom: the chain's number, see explain_custom.
  bool operator==(const Refusal&) const = default;

  // "Custom error: 10", "Transaction is outdated": what Substrate's nodes put into `data`.
  std::string text() const;
};

// What an extrinsic that may enter says about itself.
struct Admission {
  AccountId account;
  uint32_t nonce = 0;
  uint32_t ahead = 0;  // How many of the account must come before it.
  uint64_t death = 0;  // The first block that must not hold it.
  uint64_t tip_rao = 0;
};
using Validity = tl::expected<Admission, Refusal>;

// What a call costs: Bittensor's weights in round numbers.
substrate::DispatchInfo dispatch_info(const substrate::Call& call);
// One rao a byte, and half a rao for every thousand of ref_time; 0 for calls that are free.
uint64_t fee_rao(const substrate::DispatchInfo& info, size_t size_bytes);

// The call's own checks, in as far as the chain makes them at its pool: the refusal, if there is
// one.
std::optional<Refusal> pool_check(const Storage& storage, uint64_t block, const AccountId& origin,
                                  const substrate::Call& call);
// Does it. What a failed call did must be rolled back by the caller.
Outcome dispatch(const Context& context, const AccountId& origin, const substrate::Call& call);

}  // namespace chain::embedded
