// The table of embeddings on a machine: which kernels, in which order.
#pragma once

#include <utility>

#include "train/cuda/room.h"
#include "train/cuda/table_kernels.h"

namespace train::cuda {

template <class Machine, typename Value>
class TableOn {
 public:
  explicit TableOn(Machine& machine) : machine_(machine), room_(machine) {}

  void forward(Value* out, const uint32_t* token, const float* table, int N, int C) {
    const bool together = C % kWidth<Value> == 0 && aligned(out, table);
    machine_.template launch<EmbeddingForward<Value>>(
        N, {.out = out, .token = token, .table = table, .C = C, .together = together});
  }

  void backward(float* d_table, const Value* d_out, const uint32_t* token, int N, int C) {
    if (N == 0) return;
    using Kernel = EmbeddingBackward<Value>;
    const auto [tokens, positions] = sort(token, N);
    const int blocks = blocks_of(C, Kernel::kColumns);
    machine_.template launch<Kernel>(
        int64_t{N} * blocks, {.d_table = d_table,
                              .d_out = d_out,
                              .tokens = tokens,
                              .positions = positions,
                              .N = N,
                              .C = C,
                              .blocks = blocks,
                              .together = C % kWidth<Value> == 0 && aligned(d_table, d_out)});
  }

 private:
  // Tokens in ascending order, and their positions; of equal ones the first comes first.
  std::pair<const uint32_t*, const uint32_t*> sort(const uint32_t* token, int N) {
    const auto size = static_cast<size_t>(N);
    const int blocks = blocks_of(N, kDigits);
    uint32_t* const keys = room_.template of<uint32_t>(4 * size + static_cast<size_t>(blocks) *
                                                                      static_cast<size_t>(kDigits));
    SortArgs args{.keys = token,
                  .values = nullptr,
                  .keys_out = keys,
                  .values_out = keys + size,
                  .counts = keys + 4 * size,
                  .size = N,
                  .blocks = blocks,
                  .shift = 0};
    uint32_t* next = keys + 2 * size;
    for (; args.shift < 32; args.shift += 8) {
      machine_.template launch<CountDigits>(blocks, args);
      machine_.template launch<PlaceDigits>(1, args);
      machine_.template launch<MoveByDigit>(blocks, args);
      args.keys = args.keys_out;
      args.values = args.values_out;
      next = std::exchange(args.keys_out, next);
      args.values_out = args.keys_out + size;
    }
    return {args.keys, args.values};
  }

  Machine& machine_;
  Room<Machine> room_;
};

}  // namespace train::cuda
