// Kernels of the table of embeddings. Its gradient is added up row by row, each in ascending order
// of positions: positions are sorted by token first (a stable radix sort, 8 bits at a time).
#pragma once

#include "train/cuda/both.h"

namespace train::cuda {

// out[n,:] = table[token[n],:]: a block for each position.
template <typename Value>
struct EmbeddingForward : NoShared {
  static constexpr int kThreads = 128;
  struct Args {
    Value* out;
    const uint32_t* token;
    const float* table;
    int C;
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    const int64_t n = block.index();
    const float* const from = args.table + int64_t{args.token[n]} * args.C;
    block.step([&](int t) {
      for (int i = t * W; i < args.C; i += kThreads * W) {
        float x[W];
        load(x, from + i, args.C - i, args.together);
        store(args.out + n * args.C + i, x, args.C - i, args.together);
      }
    });
  }
};

inline constexpr int kDigits = 256;  // And as many keys a block.

// Keys with what belongs to them, in the order they have so far.
struct SortArgs {
  const uint32_t* keys;
  const uint32_t* values;  // Null: 0, 1, 2, ...
  uint32_t* keys_out;
  uint32_t* values_out;
  uint32_t* counts;  // (kDigits, blocks)
  int size;
  int blocks;
  int shift;  // Of the digit.

  MUSTER_BOTH uint32_t digit(int i) const { return keys[i] >> shift & (kDigits - 1); }
};

struct SharedDigits {
  static constexpr int kThreads = kDigits;
  using Args = SortArgs;
  static size_t shared_bytes(const Args&) { return kDigits * sizeof(uint32_t); }

  // The digits of a block's keys; kDigits where there is none.
  template <class Block>
  MUSTER_BOTH static uint32_t* digits(Block& block, const Args& args, uint8_t* shared) {
    uint32_t* const all = reinterpret_cast<uint32_t*>(shared);
    block.each([&](int t) {
      const int i = block.index() * kThreads + t;
      all[t] = i < args.size ? args.digit(i) : kDigits;
    });
    return all;
  }
};

// counts[d, block] = how many of the block's keys have digit d: thread d counts.
struct CountDigits : SharedDigits {
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    const uint32_t* const all = digits(block, args, shared);
    block.step([&](int t) {
      uint32_t count = 0;
      for (int i = 0; i < kThreads; ++i) count += all[i] == static_cast<uint32_t>(t) ? 1 : 0;
      args.counts[int64_t{t} * args.blocks + block.index()] = count;
    });
  }
};

// counts become the places of the first of them: their exclusive sums. One block, a thread a digit.
struct PlaceDigits : SharedDigits {
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    uint32_t* const totals = reinterpret_cast<uint32_t*>(shared);
    block.each([&](int t) {
      uint32_t total = 0;
      for (int b = 0; b < args.blocks; ++b) total += args.counts[int64_t{t} * args.blocks + b];
      totals[t] = total;
    });
    block.step([&](int t) {
      uint32_t place = 0;
      for (int digit = 0; digit < t; ++digit) place += totals[digit];
      for (int b = 0; b < args.blocks; ++b) {
        uint32_t& at = args.counts[int64_t{t} * args.blocks + b];
        const uint32_t count = at;
        at = place;
        place += count;
      }
    });
  }
};

// Keys go to their places, equal digits in the order they had.
struct MoveByDigit : SharedDigits {
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared) {
    const uint32_t* const all = digits(block, args, shared);
    block.step([&](int t) {
      const int i = block.index() * kThreads + t;
      if (i >= args.size) return;
      uint32_t place = args.counts[int64_t{all[t]} * args.blocks + block.index()];
      for (int before = 0; before < t; ++before) place += all[before] == all[t] ? 1 : 0;
      args.keys_out[place] = args.keys[i];
      args.values_out[place] = args.values != nullptr ? args.values[i] : static_cast<uint32_t>(i);
    });
  }
};

// d_table[token,:] += d_out[n,:]: some columns of a place in the sorted order for each block, which
// does nothing unless its token begins there.
template <typename Value>
struct EmbeddingBackward : NoShared {
  static constexpr int kThreads = 128;
  static constexpr int kColumns = kThreads * kWidth<Value>;
  struct Args {
    float* d_table;
    const Value* d_out;
    const uint32_t* tokens;     // (N) ascending
    const uint32_t* positions;  // (N) theirs
    int N;
    int C;
    int blocks;  // A row's.
    bool together;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    constexpr int W = kWidth<Value>;
    const int at = block.index() / args.blocks;
    const uint32_t token = args.tokens[at];
    if (at > 0 && args.tokens[at - 1] == token) return;
    block.step([&](int t) {
      const int c = block.index() % args.blocks * kColumns + t * W;
      if (c >= args.C) return;
      const int left = args.C - c;
      float* const to = args.d_table + int64_t{token} * args.C + c;
      float sums[W];
      load(sums, to, left, args.together);
      for (int i = at; i < args.N && args.tokens[i] == token; ++i) {
        float x[W];
        load(x, args.d_out + int64_t{args.positions[i]} * args.C + c, left, args.together);
        MUSTER_UNROLL
        for (int j = 0; j < W; ++j) sums[j] += x[j];
      }
      store(to, sums, left, args.together);
    });
  }
};

}  // namespace train::cuda
