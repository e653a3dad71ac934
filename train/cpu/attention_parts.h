// How attention is cut into work, and where its arrays lie. Shapes and documents decide; threads do
// not.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/backend.h"
#include "train/cpu/attention_products.h"
#include "train/cpu/attention_scores.h"

namespace train::cpu {

// Takes arrays, one after the other, each aligned to 64 bytes, from a room that is large enough.
// Without a room it counts how large that is.
class Carver {
 public:
  explicit Carver(std::byte* room) : room_(room) {}

  template <typename Value>
  Value* take(size_t size) {
    std::byte* const at = room_ == nullptr ? nullptr : room_ + used_;
    used_ += (size * sizeof(Value) + 63) / 64 * 64;
    return reinterpret_cast<Value*>(at);
  }
  size_t used() const { return used_; }

 private:
  std::byte* room_;
  size_t used_ = 0;
};

// Queries, and keys, of a sequence are cut into parts of `edge` positions (a multiple of kKeys).
struct Parts {
  int units;  // Sequences times key heads.
  int edge;
  int count;

  explicit Parts(const AttentionShape& shape) : units(shape.B * shape.K) {
    // Enough for 32 threads, of no fewer positions than pay for packing the keys once more, of no
    // more than leave a part's keys and their gradients in the second cache.
    const int64_t fair = static_cast<int64_t>(shape.T) * units / 32;
    const int wanted = static_cast<int>(std::clamp<int64_t>(fair, 256, 1024));
    const int about = std::max(1, (shape.T + wanted / 2) / wanted);
    edge = round_up((shape.T + about - 1) / about, kKeys);
    count = (shape.T + edge - 1) / edge;
  }
};

// A run of positions.
struct Range {
  int begin;
  int end;
  int size() const { return end - begin; }
};

// One sequence and one of its key heads.
template <typename Number>
struct Unit {
  AttentionShape shape;
  int sequence;
  int kv_head;
  const uint32_t* start;  // document_start of the sequence.
  float scale;

  Unit(int index, const AttentionShape& of, const uint32_t* document_start)
      : shape(of),
        sequence(index / of.K),
        kv_head(index % of.K),
        start(document_start + static_cast<ptrdiff_t>(sequence) * of.T),
        scale(1.0F / std::sqrt(static_cast<float>(of.D))) {}

  int group() const { return shape.H / shape.K; }
  int width() const { return shape.H * shape.D; }  // Of a row of outputs.
  int padded() const { return round_up(shape.D, kPanel); }
  Range part(const Parts& parts, int index) const {
    return {index * parts.edge, std::min((index + 1) * parts.edge, shape.T)};
  }
  // The first key that the query sees, or a few before.
  int first_key(int query) const {
    return static_cast<int>(start[query]) / kTileDepth * kTileDepth;
  }

  ptrdiff_t position(int t) const { return static_cast<ptrdiff_t>(sequence) * shape.T + t; }
  // Of a (B * T, shape.row()) array; `member` counts the heads of the group.
  template <typename Value>
  Value* query(Value* qkv, int t, int member) const {
    return qkv + position(t) * shape.row() + (kv_head * group() + member) * shape.D;
  }
  template <typename Value>
  Value* key(Value* qkv, int t) const {
    return qkv + position(t) * shape.row() + (shape.H + kv_head) * shape.D;
  }
  template <typename Value>
  Value* value(Value* qkv, int t) const {
    return key(qkv, t) + shape.K * shape.D;
  }
  // Of a (B * T, H * D) array.
  template <typename Value>
  Value* output(Value* out, int t, int member) const {
    return out + position(t) * width() + (kv_head * group() + member) * shape.D;
  }
  // Of a (B * T, H) array.
  template <typename Value>
  Value* statistic(Value* lse, int t, int member) const {
    return lse + position(t) * shape.H + kv_head * group() + member;
  }
};

// Some columns of a tile of queries and some keys, to be multiplied in one go.
struct Piece {
  int column;   // The first, a multiple of 32.
  int columns;  // A multiple of 32.
  int rows;     // Of those, so many are within the sequence.
  Range keys;
  bool masked;
};

// kQueries queries, fewer at the end of a sequence.
struct QueryTile {
  int first;
  int rows;
  QueryColumns sees;

  QueryTile(int first_query, const uint32_t* start, int T)
      : first(first_query), rows(std::min(kQueries, T - first_query)) {
    for (int row = 0; row < kQueries; ++row) {
      const int t = first + row;
      sees.first[row] = row < rows ? static_cast<int32_t>(start[t]) : INT32_MAX;
      sees.last[row] = row < rows ? t : -1;
      if (row >= rows) continue;
      CHECK(start[t] <= static_cast<uint32_t>(t) && (row == 0 || start[t - 1] <= start[t]));
    }
  }

  // visit(piece) for every tile of keys within `keys` that some query sees, in two halves where the
  // diagonal goes through. `keys` begins at a multiple of 32.
  template <typename Visit>
  void each_piece(Range keys, const Visit& visit) const {
    const int end = std::min(keys.end, first + rows);
    const int from = std::max(keys.begin, sees.first[0] / kTileDepth * kTileDepth);
    for (int key = from; key < end; key = (key / kKeys + 1) * kKeys) {
      const int until = std::min(end, (key / kKeys + 1) * kKeys);
      if (until <= first + kQueries / 2) {
        visit(piece(0, rows, {key, until}));
        continue;
      }
      if (key < first + kQueries / 2) visit(piece(0, kQueries / 2, {key, first + kQueries / 2}));
      visit(piece(kQueries / 2, rows - kQueries / 2, {key, until}));
    }
  }

 private:
  Piece piece(int column, int size, Range keys) const {
    const int columns = round_up(size, kTileDepth);
    const int until = keys.begin + round_up(keys.size(), kTileDepth);
    const bool masked = columns != size || until - 1 > sees.last[column] ||
                        sees.first[column + size - 1] > keys.begin;
    return {column, columns, size, keys, masked};
  }
};

}  // namespace train::cpu
