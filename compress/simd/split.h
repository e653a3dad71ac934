// Where sorted magnitudes part into high and low ones.
#pragma once

#include <cstddef>
#include <span>

namespace compress::simd {

// The number of high ones of `magnitudes` (n, descending): at the split of greatest gain
//
//   gain(s) = H^2 / s + L^2 / (n - s)      H = sum[s], L = sum[n] - H      gain(n) = sum[n]^2 / n
//
// of equal gains the latest, but n only if none is greater; never between equal magnitudes.
//   sum  (n + 1)  of the first s, fp64
size_t best_split(std::span<const float> magnitudes, std::span<const double> sum);

}  // namespace compress::simd
