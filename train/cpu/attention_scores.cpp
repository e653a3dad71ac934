#include "train/cpu/attention_scores.h"

#include "train/cpu/tiles.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/attention_scores.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::CappedTag<float, kPanel>;  // Its lanes divide a panel.
using Words = hn::RebindToUnsigned<Wide>;
using Positions = hn::RebindToSigned<Wide>;
using Halves = hn::Rebind<uint16_t, Wide>;
using Floats = hn::Vec<Wide>;

HWY_INLINE int lanes() { return static_cast<int>(hn::Lanes(Wide())); }

// exp(y) for y <= 88, 0 below -87.7: 2^n * e^f with |f| <= ln(2) / 2. Adding kShift leaves n + 127
// in the lowest bits, from where it moves into the exponent. The polynomials are least in relative
// error among those of their degree (Lawson's iteration): 1.9e-9, and 7.5e-5 for what becomes bf16.
template <bool kCoarse>
HWY_INLINE Floats exponential(Floats y) {
  const Wide d;
  constexpr float kShift = 12582912.0F + 127.0F;
  y = hn::Max(y, hn::Set(d, -88.0F));
  const auto shifted = hn::MulAdd(y, hn::Set(d, 1.44269504F), hn::Set(d, kShift));
  const auto n = hn::Sub(shifted, hn::Set(d, kShift));
  const auto f = hn::NegMulAdd(n, hn::Set(d, 0.693147181F), y);
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(Words(), shifted)));
  Floats sum;
  if constexpr (kCoarse) {
    sum = hn::MulAdd(f, hn::Set(d, 0.165667430F), hn::Set(d, 0.504968166F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 1.00016451F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 0.999927938F));
  } else {
    sum = hn::MulAdd(f, hn::Set(d, 0.00138367933F), hn::Set(d, 0.00837485678F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 0.0416682288F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 0.166664198F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 0.499999911F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 1.0F));
    sum = hn::MulAdd(f, sum, hn::Set(d, 1.0F));
  }
  return hn::Mul(sum, power);
}

// bf16 in the upper half of every word, the lower half dirty: to the nearest, ties away from zero,
// which is one instruction. Only what is multiplied again is rounded so.
HWY_INLINE hn::Vec<Words> rounded(Floats x) {
  return hn::Add(hn::BitCast(Words(), x), hn::Set(Words(), 0x8000));
}

// The upper half of `first` below that of `second`.
HWY_INLINE hn::Vec<Words> paired(hn::Vec<Words> first, hn::Vec<Words> second) {
  const auto low = hn::ShiftRight<16>(first);
#if HWY_TARGET == HWY_SCALAR
  return hn::Or(low, hn::And(second, hn::Set(Words(), 0xFFFF0000U)));
#else
  const hn::Repartition<uint16_t, Words> halves;
  return hn::BitCast(Words(), hn::OddEven(hn::BitCast(halves, second), hn::BitCast(halves, low)));
#endif
}

// Two keys' weights of the same columns, as a right operand holds them.
HWY_INLINE void store_pair(hn::Vec<Words> first, hn::Vec<Words> second, Bf16* out) {
  hn::StoreU(paired(first, second), Words(), reinterpret_cast<uint32_t*>(out));
}

// The upper halves of words.
HWY_INLINE void store_upper(hn::Vec<Words> words, Bf16* out) {
  hn::StoreU(hn::TruncateTo(Halves(), hn::ShiftRight<16>(words)), Halves(),
             reinterpret_cast<uint16_t*>(out));
}

// A vector of columns of a tile.
template <bool kMasked>
struct Columns {
  const ScoreTile& tile;
  int column;
  hn::Vec<Positions> first;
  hn::Vec<Positions> last;
  Floats scale;

  HWY_INLINE Columns(const ScoreTile& of, int at)
      : tile(of),
        column(at),
        first(hn::LoadU(Positions(), of.first + at)),
        last(hn::LoadU(Positions(), of.last + at)),
        scale(hn::Set(Wide(), of.scale)) {}

  HWY_INLINE float* at(float* rows, int key) const {
    return rows + static_cast<ptrdiff_t>(key) * kQueries + column;
  }
  // `value` where the column's query sees the key, `other` elsewhere.
  HWY_INLINE Floats seen(int key, Floats value, Floats other) const {
    if constexpr (!kMasked) return value;
    const auto position = hn::Set(Positions(), tile.first_key + key);
    const auto hidden = hn::Or(hn::Gt(first, position), hn::Gt(position, last));
    return hn::IfThenElse(hn::RebindMask(Wide(), hidden), other, value);
  }
  HWY_INLINE Floats score(int key) const {
    return hn::Mul(hn::LoadU(Wide(), at(tile.scores, key)), scale);
  }

  HWY_INLINE Floats largest() const {
    auto top = hn::Set(Wide(), kLowestScore);
    auto other = top;
    for (int key = 0; key < tile.keys; key += 2) {
      top = hn::Max(top, seen(key, hn::LoadU(Wide(), at(tile.scores, key)), top));
      other = hn::Max(other, seen(key + 1, hn::LoadU(Wide(), at(tile.scores, key + 1)), other));
    }
    top = hn::Max(top, other);
    const auto lowest = hn::Set(Wide(), kLowestScore);
    return hn::IfThenElse(hn::Eq(top, lowest), lowest, hn::Mul(top, scale));
  }
};

// Raises `top` where it must be raised, and returns it.
HWY_INLINE Floats raise_top(const RunningSoftmax& running, int column, Floats largest) {
  const Wide d;
  const auto before = hn::LoadU(d, running.top + column);
  const auto raised = hn::Gt(largest, hn::Add(before, hn::Set(d, kSlack)));
  const auto top = hn::IfThenElse(raised, largest, before);
  if (hn::AllFalse(d, raised)) return top;
  const auto kept = exponential<false>(hn::Sub(before, top));
  hn::StoreU(top, d, running.top + column);
  hn::StoreU(hn::Mul(hn::LoadU(d, running.sum + column), kept), d, running.sum + column);
  for (int i = 0; i < running.width; ++i) {
    float* row = running.values + static_cast<ptrdiff_t>(i) * kQueries + column;
    hn::StoreU(hn::Mul(hn::LoadU(d, row), kept), d, row);
  }
  return top;
}

// The maximum and the exponential lose NaN on the way; 0 * x brings it, or infinity, back.
template <bool kCoarse>
HWY_INLINE Floats weight(Floats score, Floats top) {
  const auto below = hn::Sub(score, top);
  return hn::MulAdd(below, hn::Zero(Wide()), exponential<kCoarse>(below));
}

template <bool kMasked>
HWY_INLINE void softmax_columns(const ScoreTile& tile, const RunningSoftmax& running, int column) {
  const Wide d;
  const Columns<kMasked> columns(tile, column);
  const auto top = raise_top(running, column, columns.largest());
  auto sum = hn::LoadU(d, running.sum + column);
  auto other = hn::Zero(d);
  for (int key = 0; key < tile.keys; key += 2) {
    const auto p = columns.seen(key, weight<false>(columns.score(key), top), hn::Zero(d));
    const auto q = columns.seen(key + 1, weight<false>(columns.score(key + 1), top), hn::Zero(d));
    sum = hn::Add(sum, p);
    other = hn::Add(other, q);
    hn::StoreU(p, d, columns.at(tile.scores, key));
    hn::StoreU(q, d, columns.at(tile.scores, key + 1));
  }
  hn::StoreU(hn::Add(sum, other), d, running.sum + column);
}

template <bool kMasked>
HWY_INLINE void softmax_columns(const ScoreTile& tile, const RunningSoftmax& running, Bf16* weights,
                                int column) {
  const Wide d;
  const Columns<kMasked> columns(tile, column);
  const auto top = raise_top(running, column, columns.largest());
  auto sum = hn::LoadU(d, running.sum + column);
  auto other = hn::Zero(d);
  Bf16* out = weights + column / kPanel * kKeys * kPanel + column % kPanel * 2;
  for (int key = 0; key < tile.keys; key += 2, out += 2 * kPanel) {
    const auto p = columns.seen(key, weight<true>(columns.score(key), top), hn::Zero(d));
    const auto q = columns.seen(key + 1, weight<true>(columns.score(key + 1), top), hn::Zero(d));
    sum = hn::Add(sum, p);
    other = hn::Add(other, q);
    store_pair(rounded(p), rounded(q), out);
  }
  hn::StoreU(hn::Add(sum, other), d, running.sum + column);
}

void softmax(const ScoreTile& tile, const RunningSoftmax& running) {
  for (int column = 0; column < tile.columns; column += lanes()) {
    tile.masked ? softmax_columns<true>(tile, running, column)
                : softmax_columns<false>(tile, running, column);
  }
}

void softmax_bf16(const ScoreTile& tile, const RunningSoftmax& running, Bf16* weights) {
  for (int column = 0; column < tile.columns; column += lanes()) {
    tile.masked ? softmax_columns<true>(tile, running, weights, column)
                : softmax_columns<false>(tile, running, weights, column);
  }
}

// p and d_scores of one key.
struct Gradient {
  Floats p;
  Floats ds;
};

template <bool kMasked, bool kCoarse>
HWY_INLINE Gradient gradient(const Columns<kMasked>& columns, int key, const float* d_scores,
                             Floats lse, Floats dot) {
  const Wide d;
  const auto p = weight<kCoarse>(columns.score(key), lse);
  const auto d_p = hn::LoadU(d, d_scores + static_cast<ptrdiff_t>(key) * kQueries + columns.column);
  return {columns.seen(key, p, hn::Zero(d)),
          columns.seen(key, hn::Mul(p, hn::Sub(d_p, dot)), hn::Zero(d))};
}

template <bool kMasked>
HWY_INLINE void gradient_columns(const ScoreTile& tile, float* d_scores, const float* lse,
                                 const float* dot, int column) {
  const Wide d;
  const Columns<kMasked> columns(tile, column);
  const auto lse_here = hn::LoadU(d, lse + column);
  const auto dot_here = hn::LoadU(d, dot + column);
  for (int key = 0; key < tile.keys; ++key) {
    const auto [p, ds] = gradient<kMasked, false>(columns, key, d_scores, lse_here, dot_here);
    hn::StoreU(p, d, columns.at(tile.scores, key));
    hn::StoreU(ds, d, columns.at(d_scores, key));
  }
}

template <bool kMasked>
HWY_INLINE void gradient_columns(const ScoreTile& tile, const float* d_scores, const float* lse,
                                 const float* dot, const GradientOperands& out, int column) {
  const Wide d;
  const Columns<kMasked> columns(tile, column);
  const auto lse_here = hn::LoadU(d, lse + column);
  const auto dot_here = hn::LoadU(d, dot + column);
  Bf16* right = out.ds_right + column / kPanel * kKeys * kPanel + column % kPanel * 2;
  const ptrdiff_t left = column / kTileDepth * kTileSize + column % kTileDepth;
  for (int key = 0; key < tile.keys; key += 2, right += 2 * kPanel) {
    const ptrdiff_t row = left + key / kPanel * kPanel * kQueries + key % kPanel * kTileDepth;
    const auto one = gradient<kMasked, true>(columns, key, d_scores, lse_here, dot_here);
    const auto two = gradient<kMasked, true>(columns, key + 1, d_scores, lse_here, dot_here);
    store_upper(rounded(one.p), out.p_left + row);
    store_upper(rounded(two.p), out.p_left + row + kTileDepth);
    const auto ds_one = rounded(one.ds);
    const auto ds_two = rounded(two.ds);
    store_upper(ds_one, out.ds_left + row);
    store_upper(ds_two, out.ds_left + row + kTileDepth);
    store_pair(ds_one, ds_two, right);
  }
}

void softmax_gradient(const ScoreTile& tile, float* d_scores, const float* lse, const float* dot) {
  for (int column = 0; column < tile.columns; column += lanes()) {
    tile.masked ? gradient_columns<true>(tile, d_scores, lse, dot, column)
                : gradient_columns<false>(tile, d_scores, lse, dot, column);
  }
}

void softmax_gradient_bf16(const ScoreTile& tile, const float* d_scores, const float* lse,
                           const float* dot, const GradientOperands& out) {
  for (int column = 0; column < tile.columns; column += lanes()) {
    tile.masked ? gradient_columns<true>(tile, d_scores, lse, dot, out, column)
                : gradient_columns<false>(tile, d_scores, lse, dot, out, column);
  }
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(softmax);
HWY_EXPORT(softmax_bf16);
HWY_EXPORT(softmax_gradient);
HWY_EXPORT(softmax_gradient_bf16);

void softmax_tile(const ScoreTile& tile, const RunningSoftmax& running) {
  HWY_DYNAMIC_DISPATCH(softmax)(tile, running);
}

void softmax_tile(const ScoreTile& tile, const RunningSoftmax& running, Bf16* weights) {
  HWY_DYNAMIC_DISPATCH(softmax_bf16)(tile, running, weights);
}

void softmax_gradient_tile(const ScoreTile& tile, float* d_scores, const float* lse,
                           const float* dot) {
  HWY_DYNAMIC_DISPATCH(softmax_gradient)(tile, d_scores, lse, dot);
}

void softmax_gradient_tile(const ScoreTile& tile, const float* d_scores, const float* lse,
                           const float* dot, const GradientOperands& out) {
  HWY_DYNAMIC_DISPATCH(softmax_gradient_bf16)(tile, d_scores, lse, dot, out);
}

}  // namespace train::cpu
#endif
