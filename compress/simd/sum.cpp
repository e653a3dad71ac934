#include "compress/simd/sum.h"

#include <algorithm>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/sum.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/lanes.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;

// The values with their signs; room for a whole vector behind the last.
void spell_out(const SentTile& sent, float* value) {
#if COMPRESS_WIDE
  const auto low = hn::Set(Floats(), sent.low_value);
  const auto high = hn::Set(Floats(), sent.high_value);
  const auto* high_bits = reinterpret_cast<const uint8_t*>(sent.high);
  const auto* negative_bits = reinterpret_cast<const uint8_t*>(sent.negative);
  for (size_t i = 0; i < sent.count; i += lanes()) {
    const auto is_high = hn::LoadMaskBits(Floats(), high_bits + i / 8);
    const auto is_negative = hn::LoadMaskBits(Floats(), negative_bits + i / 8);
    const auto magnitude = hn::IfThenElse(is_high, high, low);
    hn::Store(hn::IfThenElse(is_negative, hn::Neg(magnitude), magnitude), Floats(), value + i);
  }
#else
  const float values[4] = {sent.low_value, sent.high_value, -sent.low_value, -sent.high_value};
  for (uint32_t i = 0; i < sent.count; ++i) {
    const uint64_t is_high = sent.high[i / 64] >> i % 64 & 1;
    value[i] = values[is_high + 2 * (sent.negative[i / 64] >> i % 64 & 1)];
  }
#endif
}

void add_here(const SentTile& sent, bool count_senders, TileSum& sum) {
  alignas(64) float value[kTileMax + kRoom];
  spell_out(sent, value);
  uint32_t at = ~0u;
  if (!count_senders) {
    for (uint32_t i = 0; i < sent.count; ++i) {
      at += static_cast<uint32_t>(sent.step[i]);
      sum.value[at] += value[i];
    }
    return;
  }
  for (uint32_t i = 0; i < sent.count; ++i) {
    at += static_cast<uint32_t>(sent.step[i]);
    sum.value[at] += value[i];
    ++sum.senders[at];
  }
}

void take_here(float factor, uint32_t rows, uint32_t cols, uint64_t stride, float* from,
               float* to) {
  const auto share = hn::Set(Floats(), factor);
  for (uint32_t r = 0; r < rows; ++r, from += cols, to += stride) {
    uint32_t i = 0;
    for (; i + lanes() <= cols; i += static_cast<uint32_t>(lanes())) {
      hn::StoreU(hn::Mul(hn::LoadU(Floats(), from + i), share), Floats(), to + i);
      hn::StoreU(hn::Zero(Floats()), Floats(), from + i);
    }
    for (; i < cols; ++i) {
      to[i] = from[i] * factor;
      from[i] = 0;
    }
  }
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(add_here);
HWY_EXPORT(take_here);

void add_sent(const SentTile& sent, bool count_senders, TileSum& sum) {
  HWY_DYNAMIC_DISPATCH(add_here)(sent, count_senders, sum);
}

void take_sum(float factor, uint32_t rows, uint32_t cols, uint64_t stride, float* sum, float* to) {
  HWY_DYNAMIC_DISPATCH(take_here)(factor, rows, cols, stride, sum, to);
}

void take_sum_by_senders(const float* factor, uint32_t rows, uint32_t cols, uint64_t stride,
                         float* sum, uint16_t* senders, float* to) {
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t c = 0; c < cols; ++c) {
      const uint32_t at = r * cols + c;
      to[r * stride + c] = sum[at] * factor[senders[at]];
    }
  }
  std::fill_n(sum, rows * cols, 0.0f);
  std::fill_n(senders, rows * cols, uint16_t{0});
}

}  // namespace compress::simd
#endif
