// The beacon whose pulses open time locks: which one the chain listens to, and what it has heard.
//
// A pulse is a BLS signature of its round; anybody may bring one, for it vouches for itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/embedded/calls.h"
#include "chain/embedded/dispatch.h"
#include "chain/timelock/timelock.h"

namespace chain::embedded {

inline constexpr size_t kPulsesPerCallMax = 64;
inline constexpr uint64_t kPulsesKept = 10'000;  // rounds behind the newest

BeaconConfig beacon_config(const timelock::Beacon& beacon);
// Nothing if what the chain holds is no beacon.
std::optional<timelock::Beacon> beacon_of(const Storage& storage);

// Nothing for a round whose pulse has not come.
std::optional<timelock::RoundSignature> pulse_signature(const Storage& storage, uint64_t round);

// True if all are genuine and at least one is new: then a bare extrinsic with them may enter.
bool pulses_hold(const Storage& storage, const calls::WritePulse& call);
// Pre: pulses_hold; for nobody's origin only. Known ones are passed over.
Outcome write_pulse(const Context& context, const Origin& origin, const calls::WritePulse& call);
// Root's.
Outcome set_beacon_config(const Context& context, const Origin& origin,
                          const calls::SetBeaconConfig& call);

// Rounds up to `latest` that somebody waits for, and the latest itself if weights can be committed
// anywhere; ascending, at most kPulsesPerCallMax.
std::vector<uint64_t> rounds_wanted(const Storage& storage, uint64_t latest);

}  // namespace chain::embedded
