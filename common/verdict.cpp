#include "common/verdict.h"

#include <array>

namespace common {
namespace {

constexpr std::array<std::string_view, kVerdictCount> kNames = {
    "accepted",     "missing",         "late",       "malformed",   "bad signature",
    "wrong window", "wrong hparams",   "wrong base", "wrong shape", "oversized",
    "not revealed", "hash mismatch",   "non-finite", "empty",       "unassigned data",
    "copied",       "replay mismatch",
};

}  // namespace

std::string_view name(Verdict verdict) { return kNames[static_cast<uint8_t>(verdict)]; }

std::optional<Verdict> verdict_of(uint8_t number) {
  if (number >= kVerdictCount) return std::nullopt;
  return static_cast<Verdict>(number);
}

}  // namespace common
