// Products of bf16 matrices, summed in fp32, on the calling thread: operands packed into tiles of 1
// KiB, as AMX reads them and as AVX-512's pairwise products like them.
//
//   left  (M, K)   panels of 16 rows, one after the other. A panel is K / 32 tiles; a tile is
//                  16 rows of 32 values of k, row by row.
//   right (K, N)   panels of 16 columns. A panel is K / 32 tiles; a tile is 16 pairs of k, each
//                  16 columns of 2 values: (k, n), (k + 1, n), (k, n + 1), ...
//
// M and N are padded to 16, K to 32, with zeros. Packed operands are aligned to 64 bytes.
//
// Which kernel runs is chosen once (train/cpu/processor.h); each gives the same bits at every call,
// whatever part of a product it is asked for, as long as the tiles of k come in the same portions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "train/bf16.h"

namespace train::cpu {

inline constexpr int kPanel = 16;      // Rows of a left panel, columns of a right one.
inline constexpr int kTileDepth = 32;  // Values of k in a tile.
inline constexpr int kTileSize = kPanel * kTileDepth;  // Values in a tile.

constexpr int panels(int outer) { return (outer + kPanel - 1) / kPanel; }
constexpr int tiles_deep(int K) { return (K + kTileDepth - 1) / kTileDepth; }
// Values of a packed operand with `outer` rows (left) or columns (right).
constexpr size_t packed_size(int outer, int K) {
  return static_cast<size_t>(panels(outer)) * static_cast<size_t>(tiles_deep(K)) * kTileSize;
}

// A matrix to be packed: value (i, j) is data[i * stride + j], or, `transposed`, data[j * stride +
// i].
template <typename Value>  // float or Bf16
struct Source {
  const Value* data;
  ptrdiff_t stride;
  bool transposed = false;
};

// out = `from`, as the left operand (M, K) or the right operand (K, N). fp32 is rounded to bf16.
void pack_left(Bf16* out, Source<float> from, int M, int K);
void pack_left(Bf16* out, Source<Bf16> from, int M, int K);
void pack_right(Bf16* out, Source<float> from, int K, int N);
void pack_right(Bf16* out, Source<Bf16> from, int K, int N);

// Panels of an operand, whole or a run of its tiles of k: `panel_stride` values from one panel to
// the next.
struct Panels {
  const Bf16* data;
  size_t panel_stride;
};

// out (16 * row_panels, 16 * column_panels), row-major, `stride` values from row to row,
//   = left right, over `depth` tiles of k;  or, `adds`, += .
// Neither operand's numbers are looked at: infinity times the padding's zero is a caller's NaN.
struct TileProduct {
  float* out;
  ptrdiff_t stride;
  Panels left;
  Panels right;
  int row_panels;
  int column_panels;
  int depth;
  bool adds;
};

// How much of a product suits a kernel at once: what keeps its operands and sums in the caches.
struct TileBlock {
  int row_panels;
  int column_panels;
  int depth;
};

// One way to compute a TileProduct.
struct TileKernel {
  std::string_view name;  // "amx", "avx512_bf16", "portable"
  // Whether this processor and its operating system allow it.
  bool (*runs_here)();
  // Called once by every thread before its first product; allows the thread to use the registers.
  void (*begin_thread)();
  void (*multiply)(const TileProduct& product);
  TileBlock block;
};

// All that were built in, fastest first; the last is "portable", which runs everywhere: fp32
// products of the widened values, in the widest vectors of the machine.
const std::vector<TileKernel>& tile_kernels();

}  // namespace train::cpu
