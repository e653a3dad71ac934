// A block of the ledger: its header, what it held and what it changed.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/embedded/storage.h"
#include "common/clock.h"

namespace chain::embedded {

using common::Instant;

// Hashed as Substrate does it, so that any client can check the chain of blocks.
struct Header {
  Hash parent;
  uint32_t number = 0;
  Hash state_root;            // BLAKE2b-256 of the parent's state root and this block's change set.
  Hash extrinsics_root;       // Merkle root over the extrinsics' hashes.
  std::vector<Bytes> digest;  // Items, encoded: when (PreRuntime "aura") and a seal.

  bool operator==(const Header&) const = default;
};

Bytes encode_header(const Header& header);
// BLAKE2b-256 of the encoded header: the block's name.
Hash header_hash(const Header& header);

// PreRuntime("aura", time) and Seal("aura", entropy): the seal makes that nobody knows a block's
// hash before it is there.
std::vector<Bytes> make_digest(Instant time, const Hash& entropy);

Hash next_state_root(const Hash& parent, const ChangeSet& changes);

struct SealedBlock {
  Header header;
  Hash hash;
  Instant time;
  std::vector<Bytes> extrinsics;       // The first is Timestamp.set.
  std::vector<Hash> extrinsic_hashes;  // Their names.
  ChangeSet changes;                   // Of state, against the parent.
};

// For the store: a block without its changes, and the changes. `decode_...` yields nothing for
// bytes that are not exactly one of them.
Bytes encode_block(const SealedBlock& block);
std::optional<SealedBlock> decode_block(ByteView bytes);
Bytes encode_changes(const ChangeSet& changes);
std::optional<ChangeSet> decode_changes(ByteView bytes);

}  // namespace chain::embedded
