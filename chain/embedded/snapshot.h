// A chain in one file: its state and last blocks, for a copy or a way back.
//
//   "muster-snapshot 1\n" | SCALE {beacon seed Vec<u8>, state Vec<(key, value)>,
//                                  blocks Vec<(block, changes)>} | BLAKE2b-256 of all before
//
// The seed of the ledger's own beacon is in it, and so a snapshot is as secret as the folder.
#pragma once

#include <deque>

#include "chain/embedded/state.h"

namespace chain::embedded {

inline constexpr uint64_t kSnapshotSizeMax = 4ull << 30;

struct Snapshot {
  Bytes beacon_seed;  // Empty if the ledger is no beacon.
  State state;
};

Bytes encode_snapshot(const State& state, ByteView beacon_seed);
// kCorrupt for what is damaged or of another version.
Result<Snapshot> decode_snapshot(ByteView bytes);

}  // namespace chain::embedded
