#include <algorithm>

#include "train/cpu/tiles_kernels.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/tiles_portable.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, kPanel>;
using Words = hn::Rebind<uint32_t, Floats>;
using V = hn::Vec<Floats>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));
constexpr int kVectors = kPanel / kLanes;  // Of one row of one panel.

// The operands are widened in portions that stay in the first two caches.
constexpr int kDepth = 4;         // Tiles of k.
constexpr int kRowPanels = 8;     // Of the left operand.
constexpr int kColumnPanels = 3;  // Of the right one, where registers suffice.

// Left: tile by tile, 16 rows of 32 values.
HWY_INLINE void widen_left(float* out, const Bf16* panel, int depth) {
  const Floats d;
  const hn::Rebind<uint16_t, Floats> halves;
  const auto* from = reinterpret_cast<const uint16_t*>(panel);
  for (int i = 0; i < depth * kTileSize; i += kLanes) {
    const auto wide = hn::PromoteTo(Words(), hn::LoadU(halves, from + i));
    hn::Store(hn::BitCast(d, hn::ShiftLeft<16>(wide)), d, out + i);
  }
}

// Right: k by k, 16 columns of each of `Panels` panels.
template <int Panels>
HWY_INLINE void widen_right(float* out, const Bf16* first, size_t panel_stride, int depth) {
  const Floats d;
  const Words words;
  const auto upper = hn::Set(words, 0xFFFF0000);
  for (int panel = 0; panel < Panels; ++panel) {
    const auto* from =
        reinterpret_cast<const uint32_t*>(first + static_cast<size_t>(panel) * panel_stride);
    for (int pair = 0; pair < depth * kTileDepth / 2; ++pair) {
      float* const even = out + (2 * pair * Panels + panel) * kPanel;
      float* const odd = even + Panels * kPanel;
      for (int i = 0; i < kPanel; i += kLanes) {
        const auto both = hn::LoadU(words, from + pair * kPanel + i);
        hn::Store(hn::BitCast(d, hn::ShiftLeft<16>(both)), d, even + i);
        hn::Store(hn::BitCast(d, hn::And(both, upper)), d, odd + i);
      }
    }
  }
}

// Rows x (Panels * 16) values of `out`, += or =, all of them in registers meanwhile.
template <int Rows, int Panels>
HWY_INLINE void multiply_rows(float* out, ptrdiff_t stride, const float* left, const float* right,
                              int depth, bool adds) {
  const Floats d;
  constexpr int kAcross = Panels * kVectors;
  V sums[Rows][kAcross];
  HWY_UNROLL(16)
  for (int r = 0; r < Rows; ++r) {
    HWY_UNROLL(16)
    for (int c = 0; c < kAcross; ++c) {
      sums[r][c] = adds ? hn::LoadU(d, out + r * stride + c * kLanes) : hn::Zero(d);
    }
  }
  for (int tile = 0; tile < depth; ++tile, left += kTileSize) {
    for (int k = 0; k < kTileDepth; ++k, right += Panels * kPanel) {
      V across[kAcross];
      HWY_UNROLL(16)
      for (int c = 0; c < kAcross; ++c) across[c] = hn::Load(d, right + c * kLanes);
      HWY_UNROLL(16)
      for (int r = 0; r < Rows; ++r) {
        const V down = hn::Set(d, left[r * kTileDepth + k]);
        HWY_UNROLL(16)
        for (int c = 0; c < kAcross; ++c) sums[r][c] = hn::MulAdd(down, across[c], sums[r][c]);
      }
    }
  }
  HWY_UNROLL(16)
  for (int r = 0; r < Rows; ++r) {
    HWY_UNROLL(16)
    for (int c = 0; c < kAcross; ++c) hn::StoreU(sums[r][c], d, out + r * stride + c * kLanes);
  }
}

// The 16 rows of a panel, as many at a time as the registers hold.
template <int Panels>
HWY_INLINE void multiply_panel(float* out, ptrdiff_t stride, const float* left, const float* right,
                               int depth, bool adds) {
  const auto rows = [&]<int Rows>(int first) HWY_ATTR {
    multiply_rows<Rows, Panels>(out + first * stride, stride, left + first * kTileDepth, right,
                                depth, adds);
  };
  if constexpr (kVectors == 1 && Panels == 1) {
    rows.template operator()<16>(0);
  } else if constexpr (kVectors == 1) {
    rows.template operator()<8>(0);
    rows.template operator()<8>(8);
  } else if constexpr (kVectors == 2 || HWY_ARCH_ARM_A64) {
    rows.template operator()<6>(0);
    rows.template operator()<5>(6);
    rows.template operator()<5>(11);
  } else {
    for (int first = 0; first < kPanel; first += 2) rows.template operator()<2>(first);
  }
}

struct Block {
  float* out;
  ptrdiff_t stride;
  const float* left;
  int row_panels;
  int depth;
  bool adds;
};

template <int Panels>
HWY_NOINLINE void multiply_columns(const Block& block, const Bf16* right, size_t panel_stride) {
  alignas(64) float wide[Panels * kPanel * kDepth * kTileDepth];
  widen_right<Panels>(wide, right, panel_stride, block.depth);
  for (int panel = 0; panel < block.row_panels; ++panel) {
    multiply_panel<Panels>(block.out + panel * kPanel * block.stride, block.stride,
                           block.left + panel * block.depth * kTileSize, wide, block.depth,
                           block.adds);
  }
}

void multiply_block(const TileProduct& p, int first_tile, int first_panel) {
  alignas(64) float left[kRowPanels * kDepth * kTileSize];
  Block block{.out = p.out + first_panel * kPanel * p.stride,
              .stride = p.stride,
              .left = left,
              .row_panels = std::min(kRowPanels, p.row_panels - first_panel),
              .depth = std::min(kDepth, p.depth - first_tile),
              .adds = p.adds || first_tile > 0};
  const size_t skip = static_cast<size_t>(first_tile) * kTileSize;
  for (int panel = 0; panel < block.row_panels; ++panel) {
    widen_left(left + panel * block.depth * kTileSize,
               p.left.data + static_cast<size_t>(first_panel + panel) * p.left.panel_stride + skip,
               block.depth);
  }
  int column = 0;
  const auto right = [&] {
    return p.right.data + static_cast<size_t>(column) * p.right.panel_stride + skip;
  };
  if constexpr (kVectors == 1) {
    for (; column + kColumnPanels <= p.column_panels; column += kColumnPanels) {
      multiply_columns<kColumnPanels>(block, right(), p.right.panel_stride);
      block.out += kColumnPanels * kPanel;
    }
  }
  for (; column < p.column_panels; ++column) {
    multiply_columns<1>(block, right(), p.right.panel_stride);
    block.out += kPanel;
  }
}

void multiply_portable(const TileProduct& p) {
  for (int panel = 0; panel < p.row_panels; panel += kRowPanels) {
    for (int tile = 0; tile < p.depth; tile += kDepth) multiply_block(p, tile, panel);
  }
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(multiply_portable);

namespace {
void multiply(const TileProduct& product) { HWY_DYNAMIC_DISPATCH(multiply_portable)(product); }
}  // namespace

TileKernel portable_kernel() {
  return {.name = "portable",
          .runs_here = [] { return true; },
          .begin_thread = [] {},
          .multiply = multiply,
          .block = {.row_panels = 16, .column_panels = 15, .depth = 16}};
}

}  // namespace train::cpu
#endif  // HWY_ONCE
