// How a product of tiles is cut for eight tile registers, whoever has them: the processor
// (tiles_amx.cpp), or plain C++ that does as Intel's manual says, in the tests.
#pragma once

#include "train/cpu/tiles.h"

namespace train::cpu {

// Registers, each of 16 rows of 64 bytes:
//   zero<T>()               T = 0
//   load<T>(from, bytes)    T = 16 rows of 64 bytes, `bytes` from row to row
//   store<T>(to, bytes)     the reverse
//   multiply<D, A, B>()     TDPBF16PS: D (16, 16) fp32 += A, a left tile, times B, a right one
//
// Rows x Columns panels of `out` at once, two by two at the most: their sums are registers 0 to 3,
// left tiles 4 and 5, right tiles 6 and 7. Each tile loaded is then used twice, and four sums hide
// the latency of one (52 cycles for 16, Intel's optimization manual, chapter on AMX).
template <typename Registers, int Rows, int Columns>
void multiply_tiles(float* out, ptrdiff_t stride, const Bf16* left, size_t left_stride,
                    const Bf16* right, size_t right_stride, int depth, bool adds) {
  const ptrdiff_t row_bytes = stride * static_cast<ptrdiff_t>(sizeof(float));
  constexpr ptrdiff_t kTileRowBytes = 64;
  float* const below = out + kPanel * stride;
  if (adds) {
    Registers::template load<0>(out, row_bytes);
    if constexpr (Columns == 2) Registers::template load<1>(out + kPanel, row_bytes);
    if constexpr (Rows == 2) Registers::template load<2>(below, row_bytes);
    if constexpr (Rows == 2 && Columns == 2) Registers::template load<3>(below + kPanel, row_bytes);
  } else {
    Registers::template zero<0>();
    if constexpr (Columns == 2) Registers::template zero<1>();
    if constexpr (Rows == 2) Registers::template zero<2>();
    if constexpr (Rows == 2 && Columns == 2) Registers::template zero<3>();
  }
  for (int tile = 0; tile < depth; ++tile, left += kTileSize, right += kTileSize) {
    Registers::template load<4>(left, kTileRowBytes);
    Registers::template load<6>(right, kTileRowBytes);
    if constexpr (Columns == 2) Registers::template load<7>(right + right_stride, kTileRowBytes);
    Registers::template multiply<0, 4, 6>();
    if constexpr (Columns == 2) Registers::template multiply<1, 4, 7>();
    if constexpr (Rows == 2) {
      Registers::template load<5>(left + left_stride, kTileRowBytes);
      Registers::template multiply<2, 5, 6>();
      if constexpr (Columns == 2) Registers::template multiply<3, 5, 7>();
    }
  }
  Registers::template store<0>(out, row_bytes);
  if constexpr (Columns == 2) Registers::template store<1>(out + kPanel, row_bytes);
  if constexpr (Rows == 2) Registers::template store<2>(below, row_bytes);
  if constexpr (Rows == 2 && Columns == 2) Registers::template store<3>(below + kPanel, row_bytes);
}

// All rows of `Columns` panels of columns: the right operand's stay in the first cache.
template <typename Registers, int Columns>
void multiply_tile_columns(const TileProduct& p, int column) {
  const Bf16* const right = p.right.data + static_cast<size_t>(column) * p.right.panel_stride;
  for (int row = 0; row < p.row_panels; row += 2) {
    const Bf16* const left = p.left.data + static_cast<size_t>(row) * p.left.panel_stride;
    float* const out = p.out + row * kPanel * p.stride + column * kPanel;
    if (p.row_panels - row >= 2) {
      multiply_tiles<Registers, 2, Columns>(out, p.stride, left, p.left.panel_stride, right,
                                            p.right.panel_stride, p.depth, p.adds);
    } else {
      multiply_tiles<Registers, 1, Columns>(out, p.stride, left, p.left.panel_stride, right,
                                            p.right.panel_stride, p.depth, p.adds);
    }
  }
}

// A TileKernel's multiply.
template <typename Registers>
void multiply_by_tiles(const TileProduct& p) {
  int column = 0;
  for (; p.column_panels - column >= 2; column += 2) multiply_tile_columns<Registers, 2>(p, column);
  if (column < p.column_panels) multiply_tile_columns<Registers, 1>(p, column);
}

}  // namespace train::cpu
