// The manifest: which contributions count in a window, the same for everybody.
//
// Made by the lead validator, anchored on the chain by its hash; every node applies exactly what it
// names. It also carries the verdict on each contribution that does not count, so that it can be
// disputed.
#pragma once

#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/keys.h"
#include "common/verdict.h"
#include "common/window.h"

namespace train {

struct ManifestEntry {
  common::Uid uid;
  common::AccountId hotkey;
  common::Verdict verdict = common::Verdict::kAccepted;
  // Of accepted ones; zero otherwise.
  common::Hash plain_digest;  // Tree hash of the opened contribution: what the mirror holds.
  uint64_t plain_size = 0;
  // weight_p of the aggregate, 0 to 1. An accepted entry of weight 0 is judged and may earn, but
  // does not count: there are more contributions than contributors_max (W19).
  float weight = 0.0F;
  bool operator==(const ManifestEntry&) const = default;
};

struct Manifest {
  uint16_t netuid = 0;
  common::Window window;
  common::Hash hparams_hash;
  common::Hash base_root;  // The state root it is to be applied to: manifests form a chain.
  common::Uid lead;
  common::AccountId lead_hotkey;
  std::vector<ManifestEntry> entries;  // By ascending uid, each once.
  bool operator==(const Manifest&) const = default;

  // The entries that count: accepted, with a weight above 0.
  std::vector<ManifestEntry> counting() const;
  // BLAKE2b-256 of the unsigned text: what is anchored and goes into the state root.
  common::Hash hash() const;
};

inline constexpr size_t kManifestEntriesMax = 4096;
inline constexpr size_t kManifestSizeMax = 128 + kManifestEntriesMax * 96 + 256;

// CHECK that the entries are ones that `open_manifest` accepts, and that `lead` is lead_hotkey.
common::Bytes sign(const Manifest& manifest, const common::Keypair& lead);
// Nothing unless it is exactly one canonical manifest with a good signature of its lead_hotkey.
std::optional<Manifest> open_manifest(common::ByteView bytes);

}  // namespace train
