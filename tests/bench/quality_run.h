// One run of the quality study, from the first parameters to its line of results.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/bench/quality_ground.h"
#include "tests/bench/quality_settings.h"

namespace bench {

// What identifies a run in the results: its settings, the text and the arithmetic.
nlohmann::json identity_of(const QualitySettings& settings, const QualityGround& ground,
                           train::Precision precision);

// Trains to the end and measures on the way, kCurvePoints times, evenly in tokens. A run whose
// loss rises far above the first one, or is not finite, ends there as diverged. Nothing if `stop`
// said so between two windows.
std::optional<nlohmann::json> run_quality(const QualitySettings& settings, QualityGround& ground,
                                          const nlohmann::json& identity,
                                          const std::function<bool()>& stop);

inline constexpr uint64_t kCurvePoints = 16;
inline constexpr size_t kCurveSequences = 256;  // The curve's; its last point is not the result.

}  // namespace bench
