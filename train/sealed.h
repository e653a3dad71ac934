// The small signed objects of one window's contribution: all that a miner publishes besides the
// sealed bytes, made once and kept on its disk, so that a restart publishes the same again instead
// of a second, different claim.
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
  uint64_t sealed_size = 0;  // Of the sealed contribution, which lies in a file of its own,
  common::Hash sealed_root;  //   and its root (train/seal.h). Published before the deadline, and
  common::Bytes claim;       //   its claim, signed;
  common::Bytes receipt;     // after the deadline the receipt, and
  common::Bytes key;         //   the key, signed.

  // For the miner's own disk.
  common::Bytes serialise() const;
  static common::Result<Sealed> parse(common::ByteView bytes);
};

// Of a contribution (serialised and signed) that was sealed under `key`.
Sealed make_sealed(const SealSummary& summary, const SealKey& key, const Receipt& receipt,
                   const Origin& origin, const common::Hash& base_root,
                   const common::Keypair& hotkey);

// Seals `contribution` under a fresh key, in memory: for what is small.
struct SealedBytes {
  Sealed sealed;
  common::Bytes contribution;  // Sealed.
};
SealedBytes make_sealed(common::ByteView contribution, const Receipt& receipt, const Origin& origin,
                        const common::Hash& base_root, const common::Keypair& hotkey);

}  // namespace train
