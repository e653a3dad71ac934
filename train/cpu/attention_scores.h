// What is done to the scores of an attention tile between its products, in the widest vectors of
// the machine it runs on. Scores lie by key: row k holds key k's scores with every query, so that a
// query's statistics stay in one lane and nothing is summed across lanes.
//
// Positions are those of a sequence. Sums are taken in an order that the shape alone decides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/bf16.h"

namespace train::cpu {

inline constexpr int kQueries = 64;  // In a tile, side by side: the stride of its scores.
inline constexpr int kKeys = 128;    // In a tile, at most.

// The queries of a tile, by column. Those beyond the sequence's end see nothing.
struct QueryColumns {
  int32_t first[kQueries];  // The keys that the query sees,
  int32_t last[kQueries];   //   both included.
};

// Scores of `keys` keys from `first_key` on with `columns` queries: row k starts at
// scores + k * kQueries. Both sizes are multiples of 32; the arrays of QueryColumns begin at the
// first column of `scores`.
struct ScoreTile {
  float* scores;
  int keys;
  int columns;
  int first_key;
  const int32_t* first;
  const int32_t* last;
  bool masked;  // Whether some query does not see some key. Those scores may hold anything.
  float scale;  // Multiplies the scores.
};

// The softmax of every query over the keys of all tiles so far, and the values it weighs.
struct RunningSoftmax {
  float* top;     // By column: what exponents are taken from; kLowestScore at first.
  float* sum;     // By column: of exp(score - top).
  float* values;  // (width, columns), kQueries apart: sum of exp(score - top) * value.
  int width;
};
inline constexpr float kLowestScore = -3.4028234663852886e38F;

// Puts exp(score - top) in the place of every score that is seen, and 0 in that of every other.
// `top` grows only when a score exceeds it by kSlack, which keeps exponentials within fp32 and
// spares most passes over `values`. NaN or infinity among a query's seen scores makes its sum NaN.
void softmax_tile(const ScoreTile& tile, const RunningSoftmax& running);
// The same, with the exponentials rounded and laid out as the right operand (keys, columns) of a
// TileProduct: panels of 16 columns, kKeys * 16 values apart. The scores are lost.
void softmax_tile(const ScoreTile& tile, const RunningSoftmax& running, Bf16* weights);
inline constexpr float kSlack = 8.0F;

// Back through softmax, with p = exp(scale * score - lse):
//   scores = p,   d_scores = p * (d_scores - dot);   0 where the key is not seen.
// `d_scores` lies as the scores do; lse and dot by column.
void softmax_gradient_tile(const ScoreTile& tile, float* d_scores, const float* lse,
                           const float* dot);
// The same rounded, as operands of TileProducts (scores and d_scores are lost):
struct GradientOperands {
  Bf16* p_left;    // (keys, columns), panels of 16 keys kQueries * 16 values apart.
  Bf16* ds_left;   // Likewise.
  Bf16* ds_right;  // (keys, columns), panels of 16 columns kKeys * 16 values apart.
};
void softmax_gradient_tile(const ScoreTile& tile, const float* d_scores, const float* lse,
                           const float* dot, const GradientOperands& out);

}  // namespace train::cpu
