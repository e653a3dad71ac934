#include "train/cpu/linear.h"

#include <algorithm>

#include "common/check.h"
#include "train/cpu/linear_rows.h"

namespace train::cpu {
namespace {

constexpr int kPanelsPacked = 32;  // Of one portion, by one task.
// Blocks are made lower until there are so many, for threads to share.
constexpr int kBlocksWanted = 24;
constexpr int kRowPanelsMin = 4;
// An output larger than this will have left the caches before anybody reads it.
constexpr size_t kStreamBytes = size_t{16} << 20;

constexpr int blocks(int panel_count, int each) { return (panel_count + each - 1) / each; }
constexpr size_t tiles_size(int count) { return static_cast<size_t>(count) * kTileSize; }

// Activations are packed and multiplied so many rows at a time, lest the packed ones leave the
// caches before they are read.
constexpr size_t kSlabBytes = size_t{4} << 20;
constexpr int kSlabRowsMin = 1024;
int slab_rows(int K) {
  const size_t rows = kSlabBytes / sizeof(Bf16) / static_cast<size_t>(K) / kSlabRowsMin;
  return std::max(1, static_cast<int>(std::min(rows, size_t{1024}))) * kSlabRowsMin;
}

// How a product is cut, by its shape alone.
struct Cut {
  Cut(TileBlock block, int M, int N)
      : row_panels(block.row_panels), column_panels(block.column_panels) {
    column_blocks = blocks(panels(N), column_panels);
    while (row_panels > kRowPanelsMin &&
           blocks(panels(M), row_panels) * column_blocks < kBlocksWanted) {
      row_panels /= 2;
    }
    row_blocks = blocks(panels(M), row_panels);
  }
  int count() const { return row_blocks * column_blocks; }

  int row_panels;
  int column_panels;
  int row_blocks;
  int column_blocks;
};

}  // namespace

Linear::Linear(Pool& pool, const TileKernel& kernel) : pool_(pool), kernel_(kernel) {
  CHECK(kernel_.runs_here());
  CHECK(kernel_.block.row_panels > 0 && kernel_.block.column_panels > 0 && kernel_.block.depth > 0);
  const auto size = static_cast<size_t>(block_rows()) * static_cast<size_t>(block_columns());
  block_size_ = size * sizeof(float) / sizeof(Line);
  blocks_.resize(block_size_ * static_cast<size_t>(pool_.threads()));
}

size_t Linear::packed_weight_size(int O, int C) {
  return (packed_size(O, C) + packed_size(C, O)) * sizeof(Bf16);
}

template <typename Value>
int Linear::pack_tasks(const Operand<Value>& operand, int K) const {
  return blocks(panels(operand.outer), kPanelsPacked) * blocks(tiles_deep(K), kernel_.block.depth);
}

template <typename Value>
void Linear::pack(const Operand<Value>& operand, int K, int task) const {
  const int groups = blocks(panels(operand.outer), kPanelsPacked);
  const int panel = task % groups * kPanelsPacked;
  const int tile = task / groups * kernel_.block.depth;
  const int tiles = std::min(kernel_.block.depth, tiles_deep(K) - tile);
  const int first = panel * kPanel;
  const int k = tile * kTileDepth;
  const int outer = std::min(kPanelsPacked * kPanel, operand.outer - first);
  const int depth = std::min(tiles * kTileDepth, K - k);
  Bf16* const out = operand.packed + tiles_size(tile) * static_cast<size_t>(panels(operand.outer)) +
                    tiles_size(panel) * static_cast<size_t>(tiles);
  Source<Value> from = operand.from;
  const bool outer_by_rows = operand.left != from.transposed;
  from.data += outer_by_rows ? first * from.stride + k : k * from.stride + first;
  if (operand.left) {
    pack_left(out, from, outer, depth);
  } else {
    pack_right(out, from, depth, outer);
  }
}

void Linear::pack_weight(void* packed, const float* weight, int O, int C) {
  CHECK(reinterpret_cast<uintptr_t>(packed) % alignof(Line) == 0);
  auto* const memory = static_cast<Bf16*>(packed);
  // weight^T (C, O), and weight (O, C).
  const Operand<float> outward{memory, {weight, C, true}, O, false};
  const Operand<float> inward{memory + packed_size(O, C), {weight, C}, C, false};
  const int tasks = pack_tasks(outward, C);
  pool_.each(tasks + pack_tasks(inward, O), [&](int task, int) {
    if (task < tasks) {
      pack(outward, C, task);
    } else {
      pack(inward, O, task - tasks);
    }
  });
}

void Linear::forward(Bf16* out, const Bf16* residual, const Bf16* x, const void* packed, int N,
                     int C, int O) {
  const size_t bytes = static_cast<size_t>(N) * static_cast<size_t>(O) * sizeof(Bf16);
  const bool stream = bytes > kStreamBytes;
  const auto finish = [&](const FinishedBlock& block) {
    for (int row = 0; row < block.rows; ++row) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(block.row + row) * O + block.column;
      round_row(out + at, block.values + row * block.stride,
                residual == nullptr ? nullptr : residual + at, block.columns, stream);
    }
    if (stream) end_stream();
  };
  forward_blocks(finish, x, packed, N, C, O);
}

void Linear::backward_input(Bf16* d_x, const Bf16* d_out, const void* packed, int N, int C, int O) {
  const auto* inward = static_cast<const Bf16*>(packed) + packed_size(O, C);
  forward(d_x, nullptr, d_out, inward, N, O, C);
}

void Linear::backward_weight(float* d_weight, const Bf16* d_out, const Bf16* x, int N, int C,
                             int O) {
  CHECK(N > 0 && C > 0 && O > 0);
  reserve(packed_size(O, N) + packed_size(C, N));
  auto* const memory = reinterpret_cast<Bf16*>(packed_.data());
  const Operand<Bf16> left{memory, {d_out, O, true}, O, true};
  const Operand<Bf16> right{memory + packed_size(O, N), {x, C}, C, false};
  const int tasks = pack_tasks(left, N);
  pool_.each(tasks + pack_tasks(right, N), [&](int task, int) {
    if (task < tasks) {
      pack(left, N, task);
    } else {
      pack(right, N, task - tasks);
    }
  });
  const auto add = [&](const FinishedBlock& block) {
    for (int row = 0; row < block.rows; ++row) {
      add_sums_row(d_weight + static_cast<ptrdiff_t>(block.row + row) * C + block.column,
                   block.values + row * block.stride, block.columns);
    }
  };
  multiply_packed(left.packed, right.packed, O, N, C, 0, ending(add));
}

void Linear::multiply(const Bf16* left, const Bf16* right, int M, int K, int N,
                      const Ending& ending) {
  CHECK(M > 0 && K > 0 && N > 0);
  CHECK(reinterpret_cast<uintptr_t>(right) % alignof(Line) == 0);
  const int slab = slab_rows(K);
  reserve(packed_size(std::min(slab, M), K));
  for (int row = 0; row < M; row += slab) {
    const int rows = std::min(slab, M - row);
    const Operand<Bf16> operand{reinterpret_cast<Bf16*>(packed_.data()),
                                {left + static_cast<ptrdiff_t>(row) * K, K},
                                rows,
                                true};
    pool_.each(pack_tasks(operand, K), [&](int task, int) { pack(operand, K, task); });
    multiply_packed(operand.packed, right, rows, K, N, row, ending);
  }
}

void Linear::multiply_packed(const Bf16* left, const Bf16* right, int M, int K, int N,
                             int first_row, const Ending& ending) {
  const Cut cut(kernel_.block, M, N);
  pool_.each(cut.count(), [&](int task, int worker) {
    kernel_.begin_thread();
    const int row_panel = task % cut.row_blocks * cut.row_panels;
    const int column_panel = task / cut.row_blocks * cut.column_panels;
    auto* const sums =
        reinterpret_cast<float*>(blocks_.data() + static_cast<size_t>(worker) * block_size_);
    TileProduct product{
        .out = sums,
        .stride = cut.column_panels * kPanel,
        .row_panels = std::min(cut.row_panels, panels(M) - row_panel),
        .column_panels = std::min(cut.column_panels, panels(N) - column_panel),
    };
    for (int tile = 0; tile < tiles_deep(K); tile += kernel_.block.depth) {
      product.depth = std::min(kernel_.block.depth, tiles_deep(K) - tile);
      product.adds = tile > 0;
      const auto part = [&](const Bf16* packed, int outer, int panel) {
        return Panels{packed + tiles_size(tile) * static_cast<size_t>(panels(outer)) +
                          tiles_size(product.depth) * static_cast<size_t>(panel),
                      tiles_size(product.depth)};
      };
      product.left = part(left, M, row_panel);
      product.right = part(right, N, column_panel);
      kernel_.multiply(product);
    }
    ending.call(ending.context,
                {.values = sums,
                 .stride = product.stride,
                 .row = first_row + row_panel * kPanel,
                 .column = column_panel * kPanel,
                 .rows = std::min(product.row_panels * kPanel, M - row_panel * kPanel),
                 .columns = std::min(product.column_panels * kPanel, N - column_panel * kPanel),
                 .worker = worker});
  });
}

void Linear::reserve(size_t packed_size) {
  const size_t lines = packed_size * sizeof(Bf16) / sizeof(Line);
  if (lines > packed_.size()) {
    packed_ = {};  // First, so that old and new are never held at once.
    packed_.resize(lines);
  }
}

}  // namespace train::cpu
