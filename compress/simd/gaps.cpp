#include "compress/simd/gaps.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/check.h"
#include "compress/rice.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/gaps.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/lanes.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

// ceil((gap >> bits) / 2)
HWY_INLINE Vector halved(Vector gap, int bits) {
  return hn::ShiftRight<1>(hn::Add(hn::ShiftRightSame(gap, bits), hn::Set(Lanes(), 1)));
}

HWY_INLINE uint32_t sum(Vector v) {
  return static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(Lanes(), v)));
}

// Sum of (gap >> parameter + 1) / 2: what one more bit of remainder would save.
//   gap  (n) and zeros behind up to a whole vector
uint32_t saving(const int32_t* gap, size_t n, uint32_t parameter) {
  Vector total = hn::Zero(Lanes());
  for (size_t i = 0; i < n; i += lanes()) {
    total = hn::Add(total, halved(hn::Load(Lanes(), gap + i), static_cast<int>(parameter)));
  }
  return sum(total);
}

// The first parameter whose step to the next saves no more than it costs, sought from where gaps at
// random would have it.
uint32_t best_parameter(const int32_t* gap, uint32_t n, uint32_t gap_sum) {
  const auto guess = static_cast<uint32_t>(std::bit_width(gap_sum * 7 / 10 / n));
  uint32_t parameter = std::min(guess, kRiceMax);
  while (parameter < kRiceMax && saving(gap, n, parameter) > n) ++parameter;
  while (parameter > 0 && saving(gap, n, parameter - 1) <= n) --parameter;
  return parameter;
}

// Four at a time; behind the last gap are zeros.
void write_remainders(const int32_t* gap, uint32_t n, uint32_t parameter, BitWriter& out) {
  const uint64_t mask = (uint64_t{1} << parameter) - 1;
  for (uint32_t i = 0; i < n; i += 4) {
    uint64_t bits = 0;
    for (uint32_t j = 0; j < 4; ++j) {
      bits |= (static_cast<uint64_t>(gap[i + j]) & mask) << j * parameter;
    }
    out.put(bits, parameter * std::min(n - i, 4u));
  }
}

// Four at a time where they fit, which is nearly always.
void write_quotients(const int32_t* gap, uint32_t n, uint32_t parameter, BitWriter& out) {
  uint32_t i = 0;
  for (; i + 4 <= n; i += 4) {
    uint64_t bits = 0;
    uint32_t size = 0;
    for (uint32_t j = 0; j < 4; ++j) {
      size += static_cast<uint32_t>(gap[i + j]) >> parameter;
      bits |= uint64_t{1} << size % 64;
      ++size;
    }
    if (HWY_LIKELY(size <= BitWriter::kPutMax)) {
      out.put(bits, size);
    } else {
      for (uint32_t j = i; j < i + 4; ++j) {
        out.put_unary(static_cast<uint32_t>(gap[j]) >> parameter);
      }
    }
  }
  for (; i < n; ++i) out.put_unary(static_cast<uint32_t>(gap[i]) >> parameter);
}

uint32_t write_here(const int32_t* offset, uint32_t n, BitWriter& remainders,
                    BitWriter& quotients) {
  alignas(64) int32_t gap[kTileMax + kRoom];
  gap[0] = offset[0];
  for (uint32_t i = 1; i < n; ++i) gap[i] = offset[i] - offset[i - 1] - 1;
  std::fill_n(gap + n, kLanesMax, 0);
  const uint32_t gap_sum = static_cast<uint32_t>(offset[n - 1]) + 1 - n;
  const uint32_t parameter = best_parameter(gap, n, gap_sum);
  write_remainders(gap, n, parameter, remainders);
  write_quotients(gap, n, parameter, quotients);
  return parameter;
}

// The places of the ones in a word, each plus `base`; up to 64 numbers are written.
HWY_INLINE void places_of_ones(uint64_t word, int32_t base, int32_t* out) {
#if COMPRESS_COMPRESSES
  uint8_t bits[8];
  std::memcpy(bits, &word, sizeof bits);
  Vector here = count_from(static_cast<size_t>(base));
  for (size_t i = 0; i < 64; i += lanes()) {
    const auto mask = hn::LoadMaskBits(Lanes(), bits + i / 8);
    hn::StoreU(hn::Compress(here, mask), Lanes(), out);
    out += std::popcount(word >> i & ((uint64_t{1} << lanes()) - 1));
    here = hn::Add(here, hn::Set(Lanes(), static_cast<int32_t>(lanes())));
  }
#else
  for (; word != 0; word &= word - 1) *out++ = base + std::countr_zero(word);
#endif
}

bool stops_here(const GapCode& code, BitCursor& in, int32_t* place) {
  // The last stop bit cannot stand further: quotients sum to no more than the gaps may.
  const uint32_t bits_max = code.count + ((code.tile_size - code.count) >> code.parameter);
  uint32_t found = 0;
  for (uint32_t base = 0; found < code.count; base += 64) {
    if (base >= bits_max || in.at + base >= in.end) return false;
    const uint64_t word = in.word(base);
    places_of_ones(word, static_cast<int32_t>(base), place + found);
    found += static_cast<uint32_t>(std::popcount(word));
  }
  in.at += static_cast<uint32_t>(place[code.count - 1]) + 1;
  return in.ok();
}

// Numbers of `width` bits, as many as there are lanes at a time.
class Fields {
 public:
  HWY_INLINE Fields(const BitCursor& in, uint32_t width)
      : bytes_(in.bytes + in.at / 8), skipped_(in.at % 8), width_(width) {}

  // Those from number `i` on, which is a multiple of the lanes.
  HWY_INLINE Vector at(size_t i) const {
#if COMPRESS_WIDE
    const hn::RebindToUnsigned<Lanes> unsigned_lanes;
    // A vector's fields fill whole bytes, so all vectors begin at the same bit of a byte.
    const auto bit =
        hn::Add(hn::Mul(hn::Iota(Lanes(), 0), hn::Set(Lanes(), static_cast<int32_t>(width_))),
                hn::Set(Lanes(), static_cast<int32_t>(skipped_)));
    const auto word = hn::ShiftRight<5>(bit);
    const auto shift = hn::BitCast(unsigned_lanes, hn::And(bit, hn::Set(Lanes(), 31)));
    const auto words = hn::BitCast(
        unsigned_lanes, hn::LoadU(hn::Repartition<uint8_t, Lanes>(), bytes_ + i * width_ / 8));
    const auto low = hn::TableLookupLanes(words, hn::IndicesFromVec(unsigned_lanes, word));
    const auto high = hn::TableLookupLanes(
        words, hn::IndicesFromVec(unsigned_lanes, hn::Add(word, hn::Set(Lanes(), 1))));
    const auto rest = hn::Sub(hn::Set(unsigned_lanes, 31), shift);
    const auto bits = hn::Or(hn::Shr(low, shift), hn::Shl(hn::ShiftLeft<1>(high), rest));
    return hn::And(hn::BitCast(Lanes(), bits), hn::Set(Lanes(), (1 << width_) - 1));
#else
    alignas(64) int32_t field[kLanesMax];
    for (size_t j = 0; j < lanes(); ++j) {
      const uint64_t bit = skipped_ + (i + j) * width_;
      uint32_t bits;
      std::memcpy(&bits, bytes_ + bit / 8, sizeof bits);
      field[j] = static_cast<int32_t>(bits >> bit % 8 & ((1u << width_) - 1));
    }
    return hn::Load(Lanes(), field);
#endif
  }

 private:
  const uint8_t* bytes_;
  uint64_t skipped_;
  uint32_t width_;
};

bool steps_here(const GapCode& code, const BitCursor& remainders, const int32_t* place,
                int32_t* step) {
  const uint32_t n = code.count;
  const auto r = static_cast<int>(code.parameter);
  const Fields fields(remainders, code.parameter);
  const Vector one = hn::Set(Lanes(), 1);
  Vector all = hn::Zero(Lanes());
  Vector saved = hn::Zero(Lanes());       // By one more bit,
  Vector saved_less = hn::Zero(Lanes());  //   and by the last one.
  for (uint32_t i = 0; i < n; i += static_cast<uint32_t>(lanes())) {
    const Vector end = hn::LoadU(Lanes(), place + i);
    const Vector start = hn::LoadU(Lanes(), place + i - 1);
    const Vector quotient = hn::Sub(hn::Sub(end, start), one);
    Vector gap = hn::Or(hn::ShiftLeftSame(quotient, r), fields.at(i));
    if (i + lanes() > n) gap = hn::IfThenElseZero(hn::FirstN(Lanes(), n - i), gap);
    all = hn::Add(all, gap);
    saved = hn::Add(saved, halved(gap, r));
    saved_less = hn::Add(saved_less, halved(gap, r > 0 ? r - 1 : 0));
    hn::StoreU(hn::Add(gap, one), Lanes(), step + i);
  }
  const bool enough = code.parameter == kRiceMax || sum(saved) <= n;
  const bool needed = code.parameter == 0 || sum(saved_less) > n;
  return sum(all) + n <= code.tile_size && enough && needed;
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(write_here);
HWY_EXPORT(stops_here);
HWY_EXPORT(steps_here);

uint32_t write_gaps(std::span<const int32_t> offset, BitWriter& remainders, BitWriter& quotients) {
  CHECK(!offset.empty() && offset.size() <= kTileMax);
  return HWY_DYNAMIC_DISPATCH(write_here)(offset.data(), static_cast<uint32_t>(offset.size()),
                                          remainders, quotients);
}

bool read_stop_bits(const GapCode& code, BitCursor& quotients, StopBits& stops) {
  return HWY_DYNAMIC_DISPATCH(stops_here)(code, quotients, stops.place());
}

bool read_steps(const GapCode& code, const BitCursor& remainders, const StopBits& stops,
                std::span<int32_t, kTileMax + kRoom> step) {
  return HWY_DYNAMIC_DISPATCH(steps_here)(code, remainders, stops.place(), step.data());
}

}  // namespace compress::simd
#endif
