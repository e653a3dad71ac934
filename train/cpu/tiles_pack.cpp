#include <algorithm>

#include "train/cpu/tiles.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/tiles_pack.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

// A left tile is 16 rows of 16 pairs (k, k + 1); a right one is 16 pairs of 16 columns. So either
// is the other's transpose, a pair taken as one word, and two ways to read suffice:
//   along the pairs, where k runs with the addresses (left plain, right transposed), and
//   across them, where it runs from row to row of the source (right plain, left transposed).
HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Words = hn::CappedTag<uint32_t, 16>;
using Halves = hn::Rebind<uint16_t, Words>;

// The pairs of a tile, in memory.
struct Tile {
  alignas(64) uint32_t words[16][16];
};

// fp32 bits rounded as to_bf16 does, in the upper half; the lower is of no meaning.
template <typename V>
HWY_INLINE V rounded(V bits) {
  const Words d;
  const hn::RebindToSigned<Words> i;
  const V odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
  const V nearest = hn::Add(hn::Add(bits, hn::Set(d, 0x7FFF)), odd);
  const auto magnitude = hn::BitCast(i, hn::And(bits, hn::Set(d, 0x7FFFFFFF)));
  const auto is_nan = hn::RebindMask(d, hn::Gt(magnitude, hn::Set(i, 0x7F800000)));
  return hn::IfThenElse(is_nan, hn::Or(bits, hn::Set(d, 0x400000)), nearest);
}

HWY_INLINE auto load_words(const float* from) {
  return hn::LoadU(Words(), reinterpret_cast<const uint32_t*>(from));
}
HWY_INLINE auto load_halves(const Bf16* from) {
  return hn::LoadU(Halves(), reinterpret_cast<const uint16_t*>(from));
}

// 32 values of one row.
HWY_INLINE void read_along(uint32_t* pairs, const Bf16* from) {
  std::copy_n(from, 32, reinterpret_cast<Bf16*>(pairs));
}
HWY_INLINE void read_along(uint32_t* pairs, const float* from) {
  const hn::RebindToSigned<Words> i;
  auto* out = reinterpret_cast<uint16_t*>(pairs);
  const size_t lanes = hn::Lanes(Words());
  for (size_t k = 0; k < 32; k += lanes) {
    const auto upper = hn::ShiftRight<16>(rounded(load_words(from + k)));
    hn::StoreU(hn::DemoteTo(Halves(), hn::BitCast(i, upper)), Halves(), out + k);
  }
}

// 16 values of rows k and k + 1.
HWY_INLINE void read_across(uint32_t* pairs, const Bf16* first, const Bf16* second) {
  const Words d;
  for (size_t n = 0; n < 16; n += hn::Lanes(d)) {
    const auto low = hn::PromoteTo(d, load_halves(first + n));
    const auto high = hn::PromoteTo(d, load_halves(second + n));
    hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(high)), d, pairs + n);
  }
}
HWY_INLINE void read_across(uint32_t* pairs, const float* first, const float* second) {
  const Words d;
  for (size_t n = 0; n < 16; n += hn::Lanes(d)) {
    const auto low = hn::ShiftRight<16>(rounded(load_words(first + n)));
    const auto high = hn::And(rounded(load_words(second + n)), hn::Set(d, 0xFFFF0000));
    hn::StoreU(hn::Or(low, high), d, pairs + n);
  }
}

HWY_INLINE void transpose(uint32_t* out, const Tile& tile) {
#if HWY_TARGET == HWY_SCALAR
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) out[j * 16 + i] = tile.words[i][j];
  }
#else
  const hn::FixedTag<uint32_t, 4> d;
  const hn::FixedTag<uint64_t, 2> twice;
  const auto low = [&](auto a, auto b) HWY_ATTR {
    return hn::BitCast(d, hn::InterleaveLower(hn::BitCast(twice, a), hn::BitCast(twice, b)));
  };
  const auto high = [&](auto a, auto b) HWY_ATTR {
    return hn::BitCast(d, hn::InterleaveUpper(twice, hn::BitCast(twice, a), hn::BitCast(twice, b)));
  };
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 16; j += 4) {
      const auto a = hn::Load(d, &tile.words[i][j]);
      const auto b = hn::Load(d, &tile.words[i + 1][j]);
      const auto c = hn::Load(d, &tile.words[i + 2][j]);
      const auto e = hn::Load(d, &tile.words[i + 3][j]);
      const auto ab = hn::InterleaveLower(d, a, b);
      const auto ce = hn::InterleaveLower(d, c, e);
      const auto ab2 = hn::InterleaveUpper(d, a, b);
      const auto ce2 = hn::InterleaveUpper(d, c, e);
      hn::Store(low(ab, ce), d, out + j * 16 + i);
      hn::Store(high(ab, ce), d, out + (j + 1) * 16 + i);
      hn::Store(low(ab2, ce2), d, out + (j + 2) * 16 + i);
      hn::Store(high(ab2, ce2), d, out + (j + 3) * 16 + i);
    }
  }
#endif
}

// One tile of 16 outer values and 32 of k, `stride` from row to row of the source.
template <bool kAlong, bool kTurned, typename Value>
HWY_INLINE void pack_tile(uint32_t* out, const Value* from, ptrdiff_t stride) {
  Tile tile;
  uint32_t* const pairs = kTurned ? tile.words[0] : out;
  for (int i = 0; i < 16; ++i) {
    if constexpr (kAlong) {
      read_along(pairs + 16 * i, from + i * stride);
    } else {
      read_across(pairs + 16 * i, from + 2 * i * stride, from + (2 * i + 1) * stride);
    }
  }
  if constexpr (kTurned) transpose(out, tile);
}

// The same where only `outer` and `deep` values exist; zeros beyond.
template <bool kAlong, bool kTurned, typename Value>
HWY_NOINLINE void pack_edge(uint32_t* out, const Value* from, ptrdiff_t stride, int outer,
                            int deep) {
  Value whole[kTileSize] = {};
  const int rows = kAlong ? outer : deep;
  const int columns = kAlong ? deep : outer;
  const int width = kAlong ? kTileDepth : kPanel;
  for (int i = 0; i < rows; ++i) std::copy_n(from + i * stride, columns, whole + i * width);
  pack_tile<kAlong, kTurned>(out, whole, width);
}

// kAlong: k runs with the addresses; kTurned: but not as the packed tile wants it.
template <bool kAlong, bool kTurned, typename Value>
void pack(Bf16* out, const Value* from, ptrdiff_t stride, int outer, int K) {
  const int deep_tiles = tiles_deep(K);
  const auto one = [&](int panel, int tile) HWY_ATTR {
    const int outer_left = outer - panel * kPanel;
    const int deep_left = K - tile * kTileDepth;
    const ptrdiff_t along = (kAlong ? tile * kTileDepth : panel * kPanel);
    const ptrdiff_t across = (kAlong ? panel * kPanel : tile * kTileDepth);
    const Value* const source = from + across * stride + along;
    auto* const target = reinterpret_cast<uint32_t*>(
        out +
        (static_cast<size_t>(panel) * static_cast<size_t>(deep_tiles) + static_cast<size_t>(tile)) *
            kTileSize);
    if (outer_left >= kPanel && deep_left >= kTileDepth) {
      pack_tile<kAlong, kTurned>(target, source, stride);
    } else {
      pack_edge<kAlong, kTurned>(target, source, stride, std::min(outer_left, kPanel),
                                 std::min(deep_left, kTileDepth));
    }
  };
  // The source is read in the order of its addresses.
  if (kAlong) {
    for (int panel = 0; panel < panels(outer); ++panel) {
      for (int tile = 0; tile < deep_tiles; ++tile) one(panel, tile);
    }
  } else {
    for (int tile = 0; tile < deep_tiles; ++tile) {
      for (int panel = 0; panel < panels(outer); ++panel) one(panel, tile);
    }
  }
}

template <typename Value>
HWY_INLINE void pack_left_any(Bf16* out, Source<Value> from, int M, int K) {
  if (from.transposed) {
    pack<false, true>(out, from.data, from.stride, M, K);
  } else {
    pack<true, false>(out, from.data, from.stride, M, K);
  }
}
template <typename Value>
HWY_INLINE void pack_right_any(Bf16* out, Source<Value> from, int K, int N) {
  if (from.transposed) {
    pack<true, true>(out, from.data, from.stride, N, K);
  } else {
    pack<false, false>(out, from.data, from.stride, N, K);
  }
}

void pack_left_float(Bf16* out, const Source<float>& from, int M, int K) {
  pack_left_any(out, from, M, K);
}
void pack_left_bf16(Bf16* out, const Source<Bf16>& from, int M, int K) {
  pack_left_any(out, from, M, K);
}
void pack_right_float(Bf16* out, const Source<float>& from, int K, int N) {
  pack_right_any(out, from, K, N);
}
void pack_right_bf16(Bf16* out, const Source<Bf16>& from, int K, int N) {
  pack_right_any(out, from, K, N);
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(pack_left_float);
HWY_EXPORT(pack_left_bf16);
HWY_EXPORT(pack_right_float);
HWY_EXPORT(pack_right_bf16);

void pack_left(Bf16* out, Source<float> from, int M, int K) {
  HWY_DYNAMIC_DISPATCH(pack_left_float)(out, from, M, K);
}
void pack_left(Bf16* out, Source<Bf16> from, int M, int K) {
  HWY_DYNAMIC_DISPATCH(pack_left_bf16)(out, from, M, K);
}
void pack_right(Bf16* out, Source<float> from, int K, int N) {
  HWY_DYNAMIC_DISPATCH(pack_right_float)(out, from, K, N);
}
void pack_right(Bf16* out, Source<Bf16> from, int K, int N) {
  HWY_DYNAMIC_DISPATCH(pack_right_bf16)(out, from, K, N);
}

}  // namespace train::cpu
#endif  // HWY_ONCE
