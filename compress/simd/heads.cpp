#include "compress/simd/heads.h"

#include <utility>

#include "compress/rice.h"
#include "compress/tile_widths.h"
#include "compress/two_levels.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/heads.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/levels.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

// Whether and how a tile is not whole; `count` is its keep before. False for what is never written.
HWY_INLINE bool take_count(BitCursor& in, uint16_t& count, bool& some_partial) {
  if (in.take(1) != 0) return true;
  some_partial = true;
  const bool some = in.take(1) != 0;
  const auto here = some ? static_cast<uint16_t>(in.take(kCountBits)) : uint16_t{0};
  const bool right = some == (here != 0) && here < count;
  count = here;
  return right;
}

struct Steps {
  uint32_t high;
  uint32_t ratio;
};

constexpr uint32_t kHighStepMax = 2 * magnitude_code::kLargest;
constexpr uint32_t kRatioStepMax = 2 * (magnitude_code::kRatios - 1);

// Above the most if they are.
HWY_INLINE Steps take_steps(const HeadCode& code, BitCursor& in) {
  // Of 57 bits, nearly always.
  constexpr uint32_t kZeros = 16;
  constexpr uint64_t kGuard = uint64_t{1} << 63;
  const uint64_t word = bits_from(in.bytes, in.at);
  const auto high_zeros = static_cast<uint32_t>(std::countr_zero(word | kGuard));
  const uint64_t high = word >> 1 >> high_zeros;
  const uint64_t ratio_word = high >> code.high_parameter;
  const auto ratio_zeros = static_cast<uint32_t>(std::countr_zero(ratio_word | kGuard));
  const uint64_t ratio = ratio_word >> 1 >> ratio_zeros;
  if (HWY_UNLIKELY(high_zeros > kZeros || ratio_zeros > kZeros)) {
    const uint32_t step = take_rice(in, code.high_parameter, kHighStepMax);
    return {step, take_rice(in, code.ratio_parameter, kRatioStepMax)};
  }
  in.at += high_zeros + ratio_zeros + 2 + code.high_parameter + code.ratio_parameter;
  const auto low = [](uint64_t bits, uint32_t width) {
    return static_cast<uint32_t>(bits) & ((1u << width) - 1);
  };
  return {high_zeros << code.high_parameter | low(high, code.high_parameter),
          ratio_zeros << code.ratio_parameter | low(ratio, code.ratio_parameter)};
}

// `value` and a step; false where that leads out of 0 to `most`.
template <typename Number>
HWY_INLINE bool add_step(uint32_t step, uint32_t most, Number& value) {
  const int32_t next = value + unzigzag(step);
  value = static_cast<Number>(next);
  return step <= 2 * most && static_cast<uint32_t>(next) <= most;
}

HWY_INLINE uint16_t count_high(uint32_t count, BitCursor& in) {
  uint32_t sum = 0;
  for (uint32_t first = 0; first < count && in.ok(); first += 64) {
    sum += take_high_count(in, std::min(64u, count - first));
  }
  return static_cast<uint16_t>(sum);
}

bool heads_here(const HeadCode& code, BitCursor& in_heads, BitCursor* in_levels, TileHead* heads,
                size_t count) {
  BitCursor in = in_heads;
  BitCursor levels = in_levels != nullptr ? *in_levels : in;
  RiceCheck high_check(code.high_parameter);
  RiceCheck ratio_check(code.ratio_parameter);
  uint16_t high_code = 0;
  uint8_t ratio = 0;
  bool first = true;
  bool some_partial = false;
  for (size_t i = 0; i < count; ++i) {
    TileHead& head = heads[i];
    if (!code.all_whole && !take_count(in, head.count, some_partial)) return false;
    head.high_count = head.count;
    if (head.count == 0) {
      // Two bits each, and more of them than the slack behind the end has.
      if (!in.ok()) return false;
      continue;
    }
    if (std::exchange(first, false)) {
      high_code = static_cast<uint16_t>(in.take(magnitude_code::kBits));
      ratio = static_cast<uint8_t>(in.take(magnitude_code::kRatioBits));
    } else {
      const Steps steps = take_steps(code, in);
      if (!add_step(steps.high, magnitude_code::kLargest, high_code)) return false;
      if (!add_step(steps.ratio, magnitude_code::kRatios - 1, ratio)) return false;
      high_check.add(steps.high);
      ratio_check.add(steps.ratio);
    }
    if (!in.ok()) return false;
    head.high_code = high_code;
    head.ratio = ratio;
    if (in_levels == nullptr || ratio == 0) continue;
    head.high_count = count_high(head.count, levels);
    // One level alone is written as a high one, without a ratio.
    if (head.high_count == 0 || head.high_count == head.count || !levels.ok()) return false;
  }
  in_heads = in;
  if (in_levels != nullptr) *in_levels = levels;
  return code.all_whole != some_partial && high_check.is_best() && ratio_check.is_best();
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(heads_here);

bool read_heads(const HeadCode& code, BitCursor& in, BitCursor* levels, std::span<TileHead> heads) {
  return HWY_DYNAMIC_DISPATCH(heads_here)(code, in, levels, heads.data(), heads.size());
}

}  // namespace compress::simd
#endif
