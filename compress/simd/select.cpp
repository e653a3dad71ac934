#include "compress/simd/select.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "common/check.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/select.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/lanes.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

constexpr int32_t kMagnitude = 0x7FFFFFFF;

HWY_INLINE Vector magnitudes(const float* values) {
  const auto bits = hn::LoadU(Lanes(), reinterpret_cast<const int32_t*>(values));
  return hn::And(bits, hn::Set(Lanes(), kMagnitude));
}

size_t count_above(const int32_t* bits, size_t vector_count, int32_t limit) {
  const Vector below = hn::Set(Lanes(), limit);
  size_t count = 0;
  for (size_t i = 0; i < vector_count; ++i) {
    count += hn::CountTrue(Lanes(), hn::Gt(hn::Load(Lanes(), bits + i * lanes()), below));
  }
  return count;
}

// The largest number that `keep` of `bits` reach, which lies in [least, most]; with `lowest_bit`
// above 0 the bits below it are not looked for, and the answer may be so much too small.
int32_t rank(const int32_t* bits, size_t vector_count, size_t keep, int32_t least, int32_t most,
             int lowest_bit) {
  const int differing = std::bit_width(static_cast<uint32_t>(least ^ most));
  int32_t at = most >> differing << differing;  // What they have in common.
  for (int bit = differing - 1; bit >= lowest_bit; --bit) {
    const int32_t tried = at | 1 << bit;
    if (count_above(bits, vector_count, tried - 1) >= keep) at = tried;
  }
  return at;
}

// A magnitude that at least `keep` values reach, and not many more: values are dealt into twice as
// many groups as are kept, and the middle one of the groups' maxima is such a magnitude. Of 64 in
// 4,096 at random it is reached by 88.
int32_t threshold(const float* values, size_t vector_count, size_t keep, Ahead& ahead) {
  alignas(64) int32_t maxima[kTileMax];
  const size_t groups = vectors(2 * keep);
  Vector largest = hn::Zero(Lanes());
  Vector least = hn::Set(Lanes(), kMagnitude);
  for (size_t group = 0; group < groups; ++group) {
    Vector most = hn::Zero(Lanes());
    for (size_t i = group; i < vector_count; i += groups) {
      most = hn::Max(most, magnitudes(values + i * lanes()));
      if (i % 2 == 0) ahead.touch();
    }
    hn::Store(most, Lanes(), maxima + group * lanes());
    largest = hn::Max(largest, most);
    least = hn::Min(least, most);
  }
  constexpr int kPrecision = 16;  // Bits that are not worth the search.
  return rank(maxima, groups, keep, hn::GetLane(hn::MinOfLanes(Lanes(), least)),
              hn::GetLane(hn::MaxOfLanes(Lanes(), largest)), kPrecision);
}

// Bit i of word w: value 64 w + i is at least `least`.
void mark(const float* values, size_t words, int32_t least, Ahead& ahead, uint64_t* marked) {
  const Vector below = hn::Set(Lanes(), least - 1);
  for (size_t w = 0; w < words; ++w) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 64; i += lanes()) {
      bits |= bits_of(hn::Gt(magnitudes(values + 64 * w + i), below)) << i;
    }
    marked[w] = bits;
    ahead.touch();
  }
}

// The offsets of marked values. Without a branch that depends on them: it would be mispredicted in
// every other word.
size_t offsets_of(const uint64_t* marked, size_t words, int32_t* offset) {
  uint64_t bits[kTileMax / 64 + 1];  // Of words that are not zero,
  int32_t first[kTileMax / 64 + 1];  //   and the offset of each one's first.
  size_t filled = 0;
  size_t count = 0;
  for (size_t w = 0; w < words; ++w) {
    bits[filled] = marked[w];
    first[filled] = static_cast<int32_t>(64 * w);
    filled += marked[w] != 0;
    count += static_cast<size_t>(std::popcount(marked[w]));
  }
  bits[filled] = 0;
  size_t at = 0;
  uint64_t left = bits[0];
  for (size_t j = 0; j < count; ++j) {
    offset[j] = first[at] + std::countr_zero(left);
    const uint64_t next = bits[at + 1];
    left &= left - 1;
    at += left == 0;
    left = left == 0 ? next : left;
  }
  return count;
}

// Values of at least `least`, in order.
void gather(const float* values, size_t size, int32_t least, Ahead& ahead, Selection& out) {
  uint64_t marked[kTileMax / 64];
  const size_t words = (size + 63) / 64;
  mark(values, words, least, ahead, marked);
  if (size % 64 != 0) marked[words - 1] &= (uint64_t{1} << size % 64) - 1;
  out.count = offsets_of(marked, words, out.offset);
  for (size_t j = 0; j < out.count; ++j) {
    const auto bits = std::bit_cast<int32_t>(values[out.offset[j]]);
    out.bits[j] = bits & kMagnitude;
    out.offset[j] |= bits & ~kMagnitude;
  }
  std::fill_n(out.bits + out.count, kLanesMax, 0);
}

int32_t largest_of(const Selection& candidates) {
  Vector most = hn::Zero(Lanes());
  for (size_t i = 0; i < candidates.count; i += lanes()) {
    most = hn::Max(most, hn::Load(Lanes(), candidates.bits + i));
  }
  return hn::GetLane(hn::MaxOfLanes(Lanes(), most));
}

// Keeps what is above `last`, and of what equals it the first `equal_wanted`.
void keep_some(Selection& candidates, int32_t last, size_t equal_wanted) {
  size_t next = 0;
  for (size_t i = 0; i < candidates.count; ++i) {
    const int32_t bits = candidates.bits[i];
    const bool equal = bits == last;
    const bool taken = bits > last || (equal && equal_wanted > 0);
    if (equal && taken) --equal_wanted;
    candidates.bits[next] = bits;
    candidates.offset[next] = candidates.offset[i];
    if (taken) ++next;
  }
  candidates.count = next;
}

// The same where all that equal it are wanted.
void keep_all(Selection& candidates, int32_t last) {
  size_t next = 0;
#if COMPRESS_COMPRESSES
  const Vector below = hn::Set(Lanes(), last - 1);
  for (size_t i = 0; i < candidates.count; i += lanes()) {
    const Vector bits = hn::Load(Lanes(), candidates.bits + i);
    const Vector offset = hn::Load(Lanes(), candidates.offset + i);
    const auto taken = hn::Gt(bits, below);
    // What is written behind the taken ones lies where was read already.
    hn::StoreU(hn::Compress(bits, taken), Lanes(), candidates.bits + next);
    hn::StoreU(hn::Compress(offset, taken), Lanes(), candidates.offset + next);
    next += hn::CountTrue(Lanes(), taken);
  }
#else
  for (size_t i = 0; i < candidates.count; ++i) {
    const int32_t bits = candidates.bits[i];
    candidates.bits[next] = bits;
    candidates.offset[next] = candidates.offset[i];
    next += bits >= last;
  }
#endif
  candidates.count = next;
}

void select_here(const float* values, size_t size, size_t keep, Ahead& ahead, Selection& out) {
  const size_t vector_count = vectors(size);
  // Fewer values than groups: all are candidates.
  const bool sparse = vector_count >= 2 * vectors(2 * keep);
  const int32_t least = sparse ? threshold(values, vector_count, keep, ahead) : 0;
  gather(values, size, least, ahead, out);
  const int32_t largest = largest_of(out);
  CHECK_MSG(largest <= 0x7F7FFFFF, "NaN or infinity in our own update");
  const size_t candidate_vectors = vectors(out.count);
  const int32_t last = rank(out.bits, candidate_vectors, keep, least, largest, 0);
  // The padding behind the candidates is zero, and would reach a `last` of zero.
  if (last > 0 && count_above(out.bits, candidate_vectors, last - 1) == keep) {
    return keep_all(out, last);
  }
  keep_some(out, last, keep - count_above(out.bits, candidate_vectors, last));
}

// One more in each lane where `bits` is above the limit.
HWY_INLINE Vector count_if_above(Vector count, int32_t bits, Vector limit) {
  const auto above = hn::Gt(hn::Set(Lanes(), bits), limit);
  return hn::IfThenElse(above, hn::Add(count, hn::Set(Lanes(), 1)), count);
}

// Each value's place is the number of those before it in the order: greater ones, and equal ones
// at a lower index. Twice the comparisons that a network needs, and no shuffles.
//   bits  (n) and as much behind them as fills a vector
void place_each(const int32_t* bits, size_t n, Ahead& ahead, float* sorted) {
  alignas(64) int32_t place[kLanesMax] = {};
  for (size_t first = 0; first < n; first += lanes()) {
    const Vector mine = hn::Load(Lanes(), bits + first);
    // j >= v is j > v - 1.
    const Vector mine_less = hn::Sub(mine, hn::Set(Lanes(), 1));
    const size_t end = std::min(n, first + lanes());
    // Two sums, so that one does not wait for the other.
    Vector before = hn::Zero(Lanes());
    Vector behind = hn::Zero(Lanes());
    for (size_t j = 0; j < first; ++j) before = count_if_above(before, bits[j], mine_less);
    for (size_t j = end; j < n; ++j) behind = count_if_above(behind, bits[j], mine);
    const Vector index = count_from(first);
    for (size_t j = first; j < end; ++j) {
      const auto later = hn::Gt(index, hn::Set(Lanes(), static_cast<int32_t>(j)));
      before = count_if_above(before, bits[j], hn::IfThenElse(later, mine_less, mine));
      ahead.touch();
    }
    hn::Store(hn::Add(before, behind), Lanes(), place);
    for (size_t i = first; i < end; ++i) sorted[place[i - first]] = std::bit_cast<float>(bits[i]);
  }
}

constexpr size_t kPlacedMax = 128;

void sort_here(const int32_t* bits, size_t n, Ahead& ahead, float* sorted) {
  if (n <= kPlacedMax) {
    alignas(64) int32_t padded[kPlacedMax + kLanesMax];
    std::memcpy(padded, bits, n * sizeof *bits);
    std::fill_n(padded + n, kLanesMax, -1);
    return place_each(padded, n, ahead, sorted);
  }
  std::memcpy(sorted, bits, n * sizeof *bits);
  std::sort(sorted, sorted + n, std::greater<>());
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(select_here);
HWY_EXPORT(sort_here);

void select(const TileValues& values, size_t size, size_t keep, Ahead& ahead, Selection& out) {
  HWY_DYNAMIC_DISPATCH(select_here)(values.value, size, keep, ahead, out);
}

void sort_descending(std::span<const int32_t> bits, Ahead& ahead, std::span<float> sorted) {
  HWY_DYNAMIC_DISPATCH(sort_here)(bits.data(), bits.size(), ahead, sorted.data());
}

}  // namespace compress::simd
#endif
