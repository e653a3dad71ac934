// Products with weights in bf16, summed in fp32, by one of the kernels of tiles.h, on the threads
// of a pool.
//
//   N positions; C values in, O values out; all row-major: x (N, C), out and d_out (N, O), weight
//   (O, C). Addresses need no alignment; but rows of `out` aligned to 64 bytes are written faster.
//
// A product is cut into blocks of `out` by its shape alone, each summed in one order, so the bits
// do not depend on the number of threads. Activations are packed here, a slab of rows at a time,
// then its blocks are shared out. Scratch memory grows to the largest product met and is kept;
// beyond that no call asks for memory:
//   a block of fp32 a thread (384 or 512 KiB), and for
//   forward, backward_input    a slab: 4 MiB, or 1024 rows where that is more
//   backward_weight            both operands whole: (O + C) * N bf16
// Measured, packing included, as a share of the kernel's peak on registers (AMD Zen 5, avx512_bf16;
// tests/bench/product_bench.cpp): forward 0.84 to 0.96, backward_input 0.86 to 0.94,
// backward_weight 0.77 to 0.94; less, 0.73, back from a vocabulary of 32000. Not reentrant, like
// the pool.
#pragma once

#include <cstddef>
#include <vector>

#include "train/bf16.h"
#include "train/cpu/pool.h"
#include "train/cpu/tiles.h"

namespace train::cpu {

// A block of x weight^T that is complete; the padding is cut off.
struct FinishedBlock {
  const float* values;  // (rows, columns), `stride` values from row to row; dead after the call.
  ptrdiff_t stride;
  int row;     // Of its first value, among N;
  int column;  //   among O.
  int rows;
  int columns;
  int worker;  // Whose scratch memory the callback may use, as in Pool::each.
};

class Linear {
 public:
  Linear(Pool& pool, const TileKernel& kernel);

  // Bytes of a weight packed for both directions: as the right operand of x weight^T and of d_out
  // weight.
  static size_t packed_weight_size(int O, int C);
  // Once for each change of `weight`.  Pre: `packed` is aligned to 64 bytes.
  void pack_weight(void* packed, const float* weight, int O, int C);

  // out = x weight^T (+ residual, unless it is null; may be `out` itself), rounded once.
  void forward(Bf16* out, const Bf16* residual, const Bf16* x, const void* packed, int N, int C,
               int O);
  // Calls finish(const FinishedBlock&) once for each block of x weight^T, on the worker that made
  // it, instead of writing any. A block has block_rows() rows at the most; and block_columns()
  // columns, but for the last.
  template <typename Finish>
  void forward_blocks(const Finish& finish, const Bf16* x, const void* packed, int N, int C,
                      int O) {
    multiply(x, static_cast<const Bf16*>(packed), N, C, O, ending(finish));
  }
  int block_rows() const { return kernel_.block.row_panels * kPanel; }
  int block_columns() const { return kernel_.block.column_panels * kPanel; }

  // d_x = d_out weight
  void backward_input(Bf16* d_x, const Bf16* d_out, const void* packed, int N, int C, int O);
  // d_weight += d_out^T x
  void backward_weight(float* d_weight, const Bf16* d_out, const Bf16* x, int N, int C, int O);

 private:
  // What becomes of a block: call(context, block).
  struct Ending {
    void (*call)(const void* context, const FinishedBlock& block);
    const void* context;
  };
  template <typename Finish>
  static Ending ending(const Finish& finish) {
    return {[](const void* context, const FinishedBlock& block) {
              (*static_cast<const Finish*>(context))(block);
            },
            &finish};
  }
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  // An operand (outer, K) of a product, packed in portions of the kernel's depth, one after the
  // other; each portion panel by panel. So what is multiplied together lies together.
  template <typename Value>
  struct Operand {
    Bf16* packed;
    Source<Value> from;
    int outer;
    bool left;
  };

  template <typename Value>
  int pack_tasks(const Operand<Value>& operand, int K) const;
  template <typename Value>
  void pack(const Operand<Value>& operand, int K, int task) const;
  // left right, where left (M, K) is plain and `right` (K, N) is packed.
  void multiply(const Bf16* left, const Bf16* right, int M, int K, int N, const Ending& ending);
  // The same of two packed operands.
  void multiply_packed(const Bf16* left, const Bf16* right, int M, int K, int N, int first_row,
                       const Ending& ending);
  void reserve(size_t packed_size);

  Pool& pool_;
  const TileKernel& kernel_;
  std::vector<Line> packed_;  // Activations as operands, of the present product.
  size_t block_size_;         // Lines.
  std::vector<Line> blocks_;  // The fp32 sums of a block, for each worker.
};

}  // namespace train::cpu
