#include "train/cpu/backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/check.h"
#include "train/batch.h"
#include "train/cpu/attention.h"
#include "train/cpu/gemm.h"
#include "train/cpu/kernels.h"
#include "train/cpu/pool.h"

namespace train {
namespace {

using cpu::add_row;
using cpu::gemm;

// Blocks of work. They decide the order of sums, and so the bits; threads only choose among them.
constexpr int kRows = 128;           // Of a product's output, by
constexpr int kColumns = 256;        //   columns.
constexpr int kWeightRows = 64;      // Of a weight's gradient: fewer, since their sums are long.
constexpr int kElementRows = 64;     // Rows of element-wise work.
constexpr int kTableColumns = 32;    // Of the embeddings' gradient.
constexpr int kLossPositions = 256;  // Whose logits exist at once.

constexpr size_t kAlignment = 64;

int blocks(int size, int block) { return (size + block - 1) / block; }

// Row `n` of a matrix of `width` columns.
template <typename Float>
Float* row_of(Float* data, int n, int width) {
  return data + static_cast<ptrdiff_t>(n) * width;
}

// Block `index` of an (M, N) output cut into blocks of (rows, columns).
struct Block {
  int row, column, rows, columns;

  Block(int index, int M, int N, int block_rows, int block_columns)
      : row(index / blocks(N, block_columns) * block_rows),
        column(index % blocks(N, block_columns) * block_columns),
        rows(std::min(block_rows, M - row)),
        columns(std::min(block_columns, N - column)) {}

  static int count(int M, int N, int block_rows, int block_columns) {
    return blocks(M, block_rows) * blocks(N, block_columns);
  }
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads) : pool_(threads), attention_(pool_) {}

  std::string name() const override { return "cpu:" + std::to_string(pool_.threads()); }
  int positions_at_once() const override { return 1024; }
  bool unified_memory() const override { return true; }

  void* allocate(size_t size_bytes) override {
    const size_t whole = (std::max(size_bytes, size_t{1}) + kAlignment - 1) / kAlignment;
    void* memory = std::aligned_alloc(kAlignment, whole * kAlignment);
    CHECK_MSG(memory != nullptr, "out of memory");
    return memory;
  }
  void release(void* memory) override { std::free(memory); }
  void upload(void* to, const void* from, size_t size_bytes) override {
    if (size_bytes > 0) std::memcpy(to, from, size_bytes);
  }
  void download(void* to, const void* from, size_t size_bytes) override {
    upload(to, from, size_bytes);
  }
  void clear(void* memory, size_t size_bytes) override {
    if (size_bytes > 0) std::memset(memory, 0, size_bytes);
  }

  void embedding_forward(float* out, const uint32_t* token, const float* table, int N,
                         int C) override {
    for (int n = 0; n < N; ++n) {
      std::copy_n(row_of(table, static_cast<int>(token[n]), C), C, row_of(out, n, C));
    }
  }

  // By columns, so that tokens that come twice are added in order, whoever does it.
  void embedding_backward(float* d_table, const float* d_out, const uint32_t* token, int N,
                          int C) override {
    pool_.each(blocks(C, kTableColumns), [&](int index, int) {
      const int first = index * kTableColumns;
      const int size = std::min(kTableColumns, C - first);
      for (int n = 0; n < N; ++n) {
        add_row(row_of(d_table, static_cast<int>(token[n]), C) + first, row_of(d_out, n, C) + first,
                size);
      }
    });
  }

  void rmsnorm_forward(float* out, float* rstd, const float* x, const float* weight, int N, int C,
                       float epsilon) override {
    each_row(N, [&](int n) {
      rstd[n] = cpu::rmsnorm_row(row_of(out, n, C), row_of(x, n, C), weight, C, epsilon);
    });
  }

  void rmsnorm_backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                        const float* weight, const float* rstd, int N, int C) override {
    const int count = blocks(N, kElementRows);
    grow(partial_, static_cast<size_t>(count) * static_cast<size_t>(C));
    pool_.each(count, [&](int block, int) {
      float* sum = row_of(partial_.data(), block, C);
      std::fill_n(sum, C, 0.0F);
      for (int n = block * kElementRows; n < std::min(N, (block + 1) * kElementRows); ++n) {
        cpu::rmsnorm_backward_row(row_of(d_x, n, C), sum, row_of(d_out, n, C), row_of(x, n, C),
                                  weight, rstd[n], C);
      }
    });
    for (int block = 0; block < count; ++block) {
      add_row(d_weight, row_of(partial_.data(), block, C), C);
    }
  }

  void linear_forward(float* out, const float* residual, const float* x, const float* weight, int N,
                      int C, int O) override {
    pool_.each(Block::count(N, O, kRows, kColumns), [&](int index, int) {
      const Block block(index, N, O, kRows, kColumns);
      float* target = row_of(out, block.row, O) + block.column;
      if (residual != nullptr && residual != out) {
        for (int n = 0; n < block.rows; ++n) {
          std::copy_n(row_of(residual, block.row + n, O) + block.column, block.columns,
                      row_of(target, n, O));
        }
      }
      gemm(target, O, {row_of(x, block.row, C), C}, {row_of(weight, block.column, C), C, true},
           block.rows, block.columns, C, 1.0F, residual != nullptr ? 1.0F : 0.0F);
    });
  }

  void linear_backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                       const float* weight, int N, int C, int O) override {
    const int x_count = Block::count(N, C, kRows, kColumns);
    const int weight_count = Block::count(O, C, kWeightRows, kColumns);
    pool_.each(x_count + weight_count, [&](int index, int) {
      if (index < x_count) {
        const Block block(index, N, C, kRows, kColumns);
        gemm(row_of(d_x, block.row, C) + block.column, C, {row_of(d_out, block.row, O), O},
             {weight + block.column, C}, block.rows, block.columns, O);
      } else {
        const Block block(index - x_count, O, C, kWeightRows, kColumns);
        gemm(row_of(d_weight, block.row, C) + block.column, C, {d_out + block.row, O, true},
             {x + block.column, C}, block.rows, block.columns, N, 1.0F, 1.0F);
      }
    });
  }

  void rope(float* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
            bool inverse) override {
    const int half = shape.D / 2;
    each_row(shape.positions(), [&](int n) {
      const int t = n % shape.T;
      cpu::rope_row(row_of(qkv, n, shape.row()), row_of(cosine, t, half), row_of(sine, t, half),
                    shape.H + shape.K, shape.D, inverse ? -1.0F : 1.0F);
    });
  }

  void attention_forward(float* out, float* lse, const float* qkv, const uint32_t* document_start,
                         const AttentionShape& shape) override {
    attention_.forward(out, lse, qkv, document_start, shape);
  }

  void attention_backward(float* d_qkv, const float* d_out, const float* out, const float* lse,
                          const float* qkv, const uint32_t* document_start,
                          const AttentionShape& shape) override {
    attention_.backward(d_qkv, d_out, out, lse, qkv, document_start, shape);
  }

  void swiglu_forward(float* out, const float* gate_up, int N, int F) override {
    each_row(N, [&](int n) {
      const float* gate = row_of(gate_up, n, 2 * F);
      cpu::swiglu_row(row_of(out, n, F), gate, gate + F, F);
    });
  }

  void swiglu_backward(float* d_gate_up, const float* d_out, const float* gate_up, int N,
                       int F) override {
    each_row(N, [&](int n) {
      const float* gate = row_of(gate_up, n, 2 * F);
      float* d_gate = row_of(d_gate_up, n, 2 * F);
      cpu::swiglu_backward_row(d_gate, d_gate + F, row_of(d_out, n, F), gate, gate + F, F);
    });
  }

  void vocabulary_loss(float* losses, float* d_x, float* d_weight, const float* x,
                       const float* weight, const uint32_t* target, int N, int C, int V,
                       float scale) override {
    grow(logits_, static_cast<size_t>(std::min(N, kLossPositions)) * static_cast<size_t>(V));
    for (int first = 0; first < N; first += kLossPositions) {
      const int count = std::min(kLossPositions, N - first);
      const float* x_rows = row_of(x, first, C);
      linear_forward(logits_.data(), nullptr, x_rows, weight, count, C, V);
      each_row(count, [&](int n) {
        losses[first + n] = row_loss(row_of(logits_.data(), n, V), target[first + n], V, scale);
      });
      if (d_x != nullptr) {
        linear_backward(row_of(d_x, first, C), d_weight, logits_.data(), x_rows, weight, count, C,
                        V);
      }
    }
  }

 private:
  // The loss; its gradient times `scale` replaces the logits.
  static float row_loss(float* logits, uint32_t target, int V, float scale) {
    if (target == kNoTarget) {
      std::fill_n(logits, V, 0.0F);
      return 0.0F;
    }
    const float chosen = logits[target];
    const float lse = cpu::softmax_row(logits, V, scale);
    logits[target] -= scale;
    return lse - chosen;
  }

  static void grow(std::vector<float>& scratch, size_t size) {
    if (scratch.size() < size) scratch.resize(size);
  }

  template <typename Visit>
  void each_row(int N, const Visit& visit) {
    pool_.each(blocks(N, kElementRows), [&](int block, int) {
      const int end = std::min(N, (block + 1) * kElementRows);
      for (int n = block * kElementRows; n < end; ++n) visit(n);
    });
  }

  cpu::Pool pool_;
  cpu::Attention attention_;
  std::vector<float> partial_;  // Sums of blocks of rows.
  std::vector<float> logits_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace train
