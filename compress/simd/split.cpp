#include "compress/simd/split.h"

#include <algorithm>

#include "compress/layout.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/split.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;

constexpr size_t kLanesMax = HWY_MAX_BYTES / sizeof(double);

// gain[s] of each s from 1 to n - 1; -1 where no split may be.
void find_gains(const float* magnitudes, const double* sum, size_t n, double* gain) {
  const Doubles doubles;
  const auto total = hn::Set(doubles, sum[n]);
  const auto size = hn::Set(doubles, static_cast<double>(n));
  size_t s = 1;
  for (; s + hn::Lanes(doubles) <= n; s += hn::Lanes(doubles)) {
    // Not Iota(s): Highway 1.0 writes that to memory number by number.
    const auto count = hn::Add(hn::Iota(doubles, 0), hn::Set(doubles, static_cast<double>(s)));
    const auto high = hn::LoadU(doubles, sum + s);
    const auto low = hn::Sub(total, high);
    const auto high_gain = hn::Div(hn::Mul(high, high), count);
    const auto low_gain = hn::Div(hn::Mul(low, low), hn::Sub(size, count));
    const auto before = hn::PromoteTo(doubles, hn::LoadU(Floats(), magnitudes + s - 1));
    const auto after = hn::PromoteTo(doubles, hn::LoadU(Floats(), magnitudes + s));
    const auto here =
        hn::IfThenElse(hn::Eq(before, after), hn::Set(doubles, -1.0), hn::Add(high_gain, low_gain));
    hn::StoreU(here, doubles, gain + s);
  }
  for (; s < n; ++s) {
    const double low = sum[n] - sum[s];
    const double here =
        sum[s] * sum[s] / static_cast<double>(s) + low * low / static_cast<double>(n - s);
    gain[s] = magnitudes[s - 1] == magnitudes[s] ? -1 : here;
  }
}

size_t best_here(const float* magnitudes, const double* sum, size_t n) {
  alignas(64) double gain[kTileMax + kLanesMax];
  find_gains(magnitudes, sum, n, gain);
  const Doubles doubles;
  std::fill_n(gain + n, hn::Lanes(doubles), -1.0);
  auto most = hn::Set(doubles, -1.0);
  for (size_t s = 1; s < n; s += hn::Lanes(doubles)) {
    most = hn::Max(most, hn::LoadU(doubles, gain + s));
  }
  const double best = hn::GetLane(hn::MaxOfLanes(doubles, most));
  if (!(best > sum[n] * sum[n] / static_cast<double>(n))) return n;
  size_t split = n - 1;
  while (gain[split] != best) --split;
  return split;
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(best_here);

size_t best_split(std::span<const float> magnitudes, std::span<const double> sum) {
  return HWY_DYNAMIC_DISPATCH(best_here)(magnitudes.data(), sum.data(), magnitudes.size());
}

}  // namespace compress::simd
#endif
