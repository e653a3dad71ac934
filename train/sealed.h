// One window's contribution, sealed and signed: all that a miner publishes, made once and kept on
// its disk, so that a restart publishes the same bytes again instead of a second, different claim.
#pragma once

#include "common/bytes.h"
#include "common/keys.h"
#include "common/result.h"
#include "common/window.h"
#include "train/assignment.h"
#include "train/messages.h"

namespace train {

struct Sealed {
  common::Window window;
  common::Bytes contribution;  // Sealed. Published before the deadline, and
  common::Bytes claim;         //   its claim, signed;
  common::Bytes receipt;       // after the deadline the receipt, and
  common::Bytes key;           //   the key, signed.

  // For the miner's own disk.
  common::Bytes serialise() const;
  static common::Result<Sealed> parse(common::ByteView bytes);
};

// Seals `contribution` (serialised and signed) under a fresh key.
Sealed make_sealed(common::ByteView contribution, const Receipt& receipt, const Origin& origin,
                   const common::Hash& base_root, const common::Keypair& hotkey);

}  // namespace train
