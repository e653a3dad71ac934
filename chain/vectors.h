// Replays files of test vectors that the chain's own programs made, so that anybody can ask this
// build whether it still computes what the chain computes.
//
// Three formats (see tests/chain/data/README.md):
//   epoch       {"source", "cases": [{"in": {...}, "out": {...}}]}: epochs of a runtime, bit for
//   bit keys        {"keys": {"<secret URI>": {"sr25519", "ss58", "ed25519"}, ...},
//   "sr25519_example"} extrinsics  {"spec", "genesisHash", "blockHash", "eras", "extrinsics":
//   [...], "hashers": {...}}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace chain {

enum class VectorKind { kEpoch, kKeys, kExtrinsics };

struct Replay {
  size_t cases = 0;
  size_t matching = 0;
  std::vector<std::string> differences;  // One sentence each; in the order of the file.
};

inline constexpr size_t kVectorFileSizeMax = size_t{64} << 20;

// kInvalidArgument, with the place, for text that is not of that format: nothing was compared then.
common::Result<Replay> replay_vectors(VectorKind kind, std::string_view json);

}  // namespace chain
