#include "train/cpu/linear_rows.h"

#include <hwy/cache_control.h>

#include <cstdint>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/linear_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Words = hn::Rebind<uint32_t, Floats>;
using Halves = hn::Rebind<uint16_t, Floats>;

template <typename V>
HWY_INLINE auto rounded(V values) {
  const Words d;
  const hn::RebindToSigned<Words> i;
  const auto bits = hn::BitCast(d, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
  const auto nearest = hn::Add(hn::Add(bits, hn::Set(d, 0x7FFF)), odd);
  const auto magnitude = hn::BitCast(i, hn::And(bits, hn::Set(d, 0x7FFFFFFF)));
  const auto is_nan = hn::RebindMask(d, hn::Gt(magnitude, hn::Set(i, 0x7F800000)));
  const auto whole = hn::IfThenElse(is_nan, hn::Or(bits, hn::Set(d, 0x400000)), nearest);
  return hn::DemoteTo(Halves(), hn::BitCast(i, hn::ShiftRight<16>(whole)));
}

template <bool kResidual, bool kStream>
HWY_INLINE void round_vectors(Bf16* out, const float* sums, const Bf16* residual, int size) {
  const Floats d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  auto* to = reinterpret_cast<uint16_t*>(out);
  const auto* more = reinterpret_cast<const uint16_t*>(residual);
  int i = 0;
  for (; i + lanes <= size; i += lanes) {
    auto sum = hn::LoadU(d, sums + i);
    if constexpr (kResidual) {
      const auto wide = hn::PromoteTo(Words(), hn::LoadU(Halves(), more + i));
      sum = hn::Add(sum, hn::BitCast(d, hn::ShiftLeft<16>(wide)));
    }
    if constexpr (kStream) {
      hn::Stream(rounded(sum), Halves(), to + i);
    } else {
      hn::StoreU(rounded(sum), Halves(), to + i);
    }
  }
  for (; i < size; ++i) out[i] = to_bf16(sums[i] + (kResidual ? to_float(residual[i]) : 0.0F));
}

void round_to_bf16(Bf16* out, const float* sums, const Bf16* residual, int size, bool stream) {
  const bool aligned = reinterpret_cast<uintptr_t>(out) % (2 * hn::Lanes(Floats())) == 0;
  if (residual != nullptr) {
    round_vectors<true, false>(out, sums, residual, size);  // Often in place: it is in the cache.
  } else if (stream && aligned) {
    round_vectors<false, true>(out, sums, residual, size);
  } else {
    round_vectors<false, false>(out, sums, residual, size);
  }
}

void add_sums(float* out, const float* sums, int size) {
  const Floats d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::LoadU(d, sums + i)), d, out + i);
  }
  for (; i < size; ++i) out[i] += sums[i];
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(round_to_bf16);
HWY_EXPORT(add_sums);

void round_row(Bf16* out, const float* sums, const Bf16* residual, int size, bool stream) {
  HWY_DYNAMIC_DISPATCH(round_to_bf16)(out, sums, residual, size, stream);
}
void end_stream() { hwy::FlushStream(); }
void add_sums_row(float* out, const float* sums, int size) {
  HWY_DYNAMIC_DISPATCH(add_sums)(out, sums, size);
}

}  // namespace train::cpu
#endif  // HWY_ONCE
