#include "train/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "train/cpu/gemm.h"
#include "train/cpu/kernels.h"

namespace train::cpu {
namespace {

constexpr int kQueries = 64;  // In a tile. Its scores are kQueries * T values.

// `rows` queries from `first_query` on, and the keys that any of them may see, from `first_key` on.
struct Tile {
  int first_query;
  int rows;
  int first_key;
  int keys;
  const uint32_t* start;  // document_start of the first query.

  // Query `row` sees the keys [from, until) of the tile.
  int from(int row) const { return static_cast<int>(start[row]) - first_key; }
  int until(int row) const { return first_query + row + 1 - first_key; }
};

Tile tile_at(int first_query, const uint32_t* document_start, int T) {
  const int rows = std::min(kQueries, T - first_query);
  const uint32_t* start = document_start + first_query;
  const int first_key = static_cast<int>(start[0]);
  const Tile tile{first_query, rows, first_key, first_query + rows - first_key, start};
  for (int row = 0; row < rows; ++row) {
    CHECK(tile.from(row) >= 0 && tile.from(row) < tile.until(row));
  }
  return tile;
}

// Zeros where query `row` must not look.
void mask(float* scores, const Tile& tile, int row) {
  std::fill(scores, scores + tile.from(row), 0.0F);
  std::fill(scores + tile.until(row), scores + tile.keys, 0.0F);
}

// Where the heads of one sequence lie in a (B * T, shape.row()) array.
template <typename Float>
struct Heads {
  Float* data;
  int row;
  AttentionShape shape;

  Heads(Float* qkv, int sequence, const AttentionShape& of)
      : data(qkv + static_cast<ptrdiff_t>(sequence) * of.T * of.row()), row(of.row()), shape(of) {}

  Float* at(int position, int column) const {
    return data + static_cast<ptrdiff_t>(position) * row + column;
  }
  Float* query(int t, int head) const { return at(t, head * shape.D); }
  Float* key(int t, int head) const { return at(t, (shape.H + head) * shape.D); }
  Float* value(int t, int head) const { return at(t, (shape.H + shape.K + head) * shape.D); }
};

// One sequence's outputs (T, H * D) and lse (T, H).
template <typename Float>
Float* row_at(Float* data, int position, int width, int column) {
  return data + static_cast<ptrdiff_t>(position) * width + column;
}

struct Task {
  AttentionShape shape;
  int sequence;
  int kv_head;
  const uint32_t* start;
  int position;  // Of the sequence's first token in the batch.
  int width;     // Of outputs.
  float scale;

  Task(int index, const AttentionShape& of, const uint32_t* document_start)
      : shape(of),
        sequence(index / of.K),
        kv_head(index % of.K),
        start(document_start + static_cast<ptrdiff_t>(sequence) * of.T),
        position(sequence * of.T),
        width(of.H * of.D),
        scale(1.0F / std::sqrt(static_cast<float>(of.D))) {}

  int first_head() const { return kv_head * (shape.H / shape.K); }
  int end_head() const { return first_head() + shape.H / shape.K; }
};

// scores (rows, keys), T apart = scale * q k^T
void score(float* scores, const Heads<const float>& heads, const Task& task, const Tile& tile,
           int head) {
  gemm(scores, task.shape.T, {heads.query(tile.first_query, head), heads.row},
       {heads.key(tile.first_key, task.kv_head), heads.row, true}, tile.rows, tile.keys,
       task.shape.D, task.scale);
}

void forward_tile(float* out, float* lse, float* scores, const Heads<const float>& heads,
                  const Task& task, const Tile& tile, int head) {
  const auto& [B, T, H, K, D] = task.shape;
  score(scores, heads, task, tile, head);
  for (int row = 0; row < tile.rows; ++row) {
    float* p = row_at(scores, row, T, 0);
    mask(p, tile, row);
    const int position = task.position + tile.first_query + row;
    *row_at(lse, position, H, head) =
        softmax_row(p + tile.from(row), tile.until(row) - tile.from(row), 1.0F);
  }
  gemm(row_at(out, task.position + tile.first_query, task.width, head * D), task.width, {scores, T},
       {heads.value(tile.first_key, task.kv_head), heads.row}, tile.rows, D, tile.keys);
}

struct Kept {  // From the forward pass, and the gradient that came back.
  const float* d_out;
  const float* out;
  const float* lse;
};

void backward_tile(const Heads<float>& d_heads, const Kept& kept, float* p, float* d_p,
                   const Heads<const float>& heads, const Task& task, const Tile& tile, int head) {
  const auto& [B, T, H, K, D] = task.shape;
  const int first = task.position + tile.first_query;
  const Matrix d_out{row_at(kept.d_out, first, task.width, head * D), task.width};
  score(p, heads, task, tile, head);
  gemm(d_p, T, d_out, {heads.value(tile.first_key, task.kv_head), heads.row, true}, tile.rows,
       tile.keys, D);
  for (int row = 0; row < tile.rows; ++row) {
    float* p_row = row_at(p, row, T, 0);
    float* d_p_row = row_at(d_p, row, T, 0);
    const int from = tile.from(row);
    const int size = tile.until(row) - from;
    mask(p_row, tile, row);
    mask(d_p_row, tile, row);
    exp_row(p_row + from, *row_at(kept.lse, first + row, H, head), size);
    const float dot = dot_row(row_at(kept.d_out, first + row, task.width, head * D),
                              row_at(kept.out, first + row, task.width, head * D), D);
    softmax_backward_row(d_p_row + from, p_row + from, dot, task.scale, size);
  }
  const Matrix query{heads.query(tile.first_query, head), heads.row};
  const Matrix key{heads.key(tile.first_key, task.kv_head), heads.row};
  gemm(d_heads.query(tile.first_query, head), heads.row, {d_p, T}, key, tile.rows, D, tile.keys);
  gemm(d_heads.key(tile.first_key, task.kv_head), heads.row, {d_p, T, true}, query, tile.keys, D,
       tile.rows, 1.0F, 1.0F);
  gemm(d_heads.value(tile.first_key, task.kv_head), heads.row, {p, T, true}, d_out, tile.keys, D,
       tile.rows, 1.0F, 1.0F);
}

size_t tile_size(const AttentionShape& shape) {
  return static_cast<size_t>(std::min(kQueries, shape.T)) * static_cast<size_t>(shape.T);
}

void check_shape(const AttentionShape& shape) {
  CHECK(shape.B > 0 && shape.T > 0 && shape.D > 0 && shape.D % 2 == 0);
  CHECK(shape.K > 0 && shape.H > 0 && shape.H % shape.K == 0);
}

}  // namespace

float* Attention::scratch(int worker) {
  return scratch_.data() + static_cast<size_t>(worker) * scratch_size_;
}

void Attention::forward(float* out, float* lse, const float* qkv, const uint32_t* document_start,
                        const AttentionShape& shape) {
  check_shape(shape);
  scratch_size_ = std::max(scratch_size_, 2 * tile_size(shape));
  scratch_.resize(scratch_size_ * static_cast<size_t>(pool_.threads()));
  pool_.each(shape.B * shape.K, [&](int index, int worker) {
    const Task task(index, shape, document_start);
    const Heads<const float> heads(qkv, task.sequence, shape);
    for (int head = task.first_head(); head < task.end_head(); ++head) {
      for (int t = 0; t < shape.T; t += kQueries) {
        forward_tile(out, lse, scratch(worker), heads, task, tile_at(t, task.start, shape.T), head);
      }
    }
  });
}

void Attention::backward(float* d_qkv, const float* d_out, const float* out, const float* lse,
                         const float* qkv, const uint32_t* document_start,
                         const AttentionShape& shape) {
  check_shape(shape);
  scratch_size_ = std::max(scratch_size_, 2 * tile_size(shape));
  scratch_.resize(scratch_size_ * static_cast<size_t>(pool_.threads()));
  const Kept kept{d_out, out, lse};
  pool_.each(shape.B * shape.K, [&](int index, int worker) {
    const Task task(index, shape, document_start);
    const Heads<const float> heads(qkv, task.sequence, shape);
    const Heads<float> d_heads(d_qkv, task.sequence, shape);
    for (int t = 0; t < shape.T; ++t) {
      std::fill_n(d_heads.key(t, task.kv_head), shape.D, 0.0F);
      std::fill_n(d_heads.value(t, task.kv_head), shape.D, 0.0F);
    }
    for (int head = task.first_head(); head < task.end_head(); ++head) {
      for (int t = 0; t < shape.T; t += kQueries) {
        backward_tile(d_heads, kept, scratch(worker), scratch(worker) + tile_size(shape), heads,
                      task, tile_at(t, task.start, shape.T), head);
      }
    }
  });
}

}  // namespace train::cpu
