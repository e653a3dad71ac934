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
  kUnknown = 254,  // A bare extrinsic that nobody vouches for.
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

// The pool's number for an error that it looks for before it takes a call in: 1 for AmountTooLow,
// and so on; nothing for an error that only the block tells.
std::optional<uint8_t> custom_code(const DispatchError& error);

}  // namespace chain::embedded
