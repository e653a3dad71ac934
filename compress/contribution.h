// What a miner sends: one window's update with all that is needed to judge it, signed.
#pragma once

#include <cstdint>

#include "common/hash.h"
#include "common/keys.h"
#include "common/window.h"
#include "compress/codec.h"

namespace compress {

using common::Hash;

// Fixed size, before the body. Everything a verdict needs without decoding the body.
struct ContributionHeader {
  uint32_t version = 1;
  uint16_t netuid = 0;
  common::Uid uid;
  common::Window window;
  common::AccountId hotkey;
  Hash hparams_hash;
  Hash base_root;  // State root the miner trained from.
  // Merkle root over (step, sample ids, loss before the step), in training order.
  Hash receipt_root;
  uint32_t steps = 0;        // Inner steps taken, 1 to hparams.inner.steps,
  uint64_t token_count = 0;  //   and tokens trained on.
  bool operator==(const ContributionHeader&) const = default;
};

// What a receiver holds a contribution against.
struct Expected {
  uint16_t netuid;
  common::Uid uid;
  common::Window window;
  common::AccountId hotkey;
  Hash hparams_hash;
  Hash base_root;
  uint32_t steps_max;
};

struct Contribution {
  ContributionHeader header;
  Bytes body;  // The codec's.
};

// header | body size (u64) | body | signature over BLAKE2b-256 of all before.  Canonical; the
// header opens with eight bytes that no other signed thing opens with. CHECK that `hotkey` is the
// header's.
Bytes serialise(const Contribution& contribution, const common::Keypair& hotkey);

// The longest serialised contribution of this layout; anything longer is kOversized, unread.
uint64_t contribution_size_max(const Codec& codec, const Layout& layout);

// Strict. In this order: kOversized, kMalformed (steps outside 1 to steps_max or fewer tokens than
// steps, too), kBadSignature (not of the hotkey it names), kWrongWindow (window, uid, netuid or
// that hotkey), kWrongHparams, kWrongBase; the body is not decoded here.
Judged<Contribution> parse_contribution(ByteView bytes, uint64_t size_max,
                                        const Expected& expected);

}  // namespace compress
