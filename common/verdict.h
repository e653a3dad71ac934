// What a peer did: the outcome of looking at one contribution, as evidence that anybody can check.
//
// A verdict is about the peer, never about us. When it was we who could not ask (network, disk),
// there is no verdict and no evidence: that is an Error (common/result.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace common {

// The numbers stand in score stores and manifests: add at the end, never reuse one.
enum class Verdict : uint8_t {
  kAccepted = 0,         // Counts.
  kMissing = 1,          // No claim in the bucket at the seal deadline.
  kLate = 2,             // It came, but after the deadline.
  kMalformed = 3,        // Not exactly one encoding of what it should be.
  kBadSignature = 4,     // Not signed by the hotkey that holds the uid.
  kWrongWindow = 5,      // Made for another window, uid or network.
  kWrongHparams = 6,     // Made under other hparams.
  kWrongBase = 7,        // Trained from another state root than ours.
  kWrongShape = 8,       // Tensors or sizes are not this model's.
  kOversized = 9,        // Longer than the hparams allow; was not read.
  kNotRevealed = 10,     // Sealed in time, but no valid key came by the reveal deadline.
  kHashMismatch = 11,    // The bytes are not the ones claimed: changed, or the key is wrong.
  kNonFinite = 12,       // NaN or infinity among the values.
  kEmpty = 13,           // Decodes to zero everywhere: nothing was learned.
  kUnassignedData = 14,  // The receipt names samples that were not assigned.
  kCopied = 15,          // Indices overlap with an earlier or another's contribution beyond chance.
  kReplayMismatch = 16,  // Re-executed inner steps give another loss trace than the receipt's.
};

inline constexpr uint8_t kVerdictCount = 17;

// "accepted", "missing", "wrong base", ...
std::string_view name(Verdict verdict);

// The verdict of this number; nothing for a number that is none.
std::optional<Verdict> verdict_of(uint8_t number);

}  // namespace common
