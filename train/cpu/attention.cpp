#include "train/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "train/cpu/attention_parts.h"
#include "train/cpu/attention_products.h"
#include "train/cpu/attention_rows.h"
#include "train/cpu/attention_scores.h"

namespace train::cpu {
namespace {

void check_shape(const AttentionShape& shape) {
  CHECK(shape.B > 0 && shape.T > 0 && shape.D > 0 && shape.D % 2 == 0);
  CHECK(shape.K > 0 && shape.H > 0 && shape.H % shape.K == 0);
}

size_t tile_size(int width) { return static_cast<size_t>(width) * kQueries; }

ScoreTile score_tile(float* scores, const Piece& piece, const QueryTile& tile, float scale) {
  return {scores + piece.column,
          round_up(piece.keys.size(), kTileDepth),
          piece.columns,
          piece.keys.begin,
          tile.sees.first + piece.column,
          tile.sees.last + piece.column,
          piece.masked,
          scale};
}

template <typename Products>
class Forward {
 public:
  using Number = typename Products::Number;
  using Operand = typename Products::Operand;
  struct Arrays {
    Number* out;
    float* lse;
    const Number* qkv;
  };
  // Of one thread.
  struct Room {
    Number* keys;    // Packed, of a sequence: left operand (keys, D),
    Number* values;  //   and (D, keys).
    Number* query;   // (D, queries)
    Number* weights;
    float* scores;
    float* sums;  // See RunningSoftmax: (D, queries).
    float* top;
    float* sum;

    Room(Carver& carver, const AttentionShape& shape)
        : keys(carver.take<Number>(Products::packed(shape.T, shape.D))),
          values(carver.take<Number>(Products::packed(shape.D, shape.T))),
          query(carver.take<Number>(Products::packed(kQueries, shape.D))),
          weights(carver.take<Number>(Products::kTileWeights)),
          scores(carver.take<float>(tile_size(kKeys))),
          sums(carver.take<float>(tile_size(round_up(shape.D, kPanel)))),
          top(carver.take<float>(kQueries)),
          sum(carver.take<float>(kQueries)) {}
  };

  Forward(const Products& products, const Arrays& arrays, const Unit<Number>& unit,
          const Room& room)
      : products_(products), arrays_(arrays), unit_(unit), room_(room) {}

  void part(Range queries) const {
    const AttentionShape& shape = unit_.shape;
    const Range keys{unit_.first_key(queries.begin), queries.end};
    const Number* key = unit_.key(arrays_.qkv, keys.begin);
    const Number* value = unit_.value(arrays_.qkv, keys.begin);
    const Packed packed{
        keys, products_.left(room_.keys, {key, shape.row(), false}, keys.size(), shape.D),
        products_.left(room_.values, {value, shape.row(), true}, shape.D, keys.size())};
    for (int query = queries.begin; query < queries.end; query += kQueries) {
      const QueryTile tile(query, unit_.start, shape.T);
      for (int member = 0; member < unit_.group(); ++member) {
        clear();
        accumulate(packed, tile, member);
        finish(tile, member);
      }
    }
  }

 private:
  struct Packed {
    Range range;
    Operand keys;
    Operand values;
  };

  void clear() const {
    std::fill_n(room_.top, kQueries, kLowestScore);
    std::fill_n(room_.sum, kQueries, 0.0F);
    std::fill_n(room_.sums, tile_size(unit_.padded()), 0.0F);
  }

  void accumulate(const Packed& packed, const QueryTile& tile, int member) const {
    const int D = unit_.shape.D;
    const Operand query = products_.right(
        room_.query, {unit_.query(arrays_.qkv, tile.first, member), unit_.shape.row(), true}, D,
        tile.rows);
    tile.each_piece(packed.range, [&](const Piece& piece) {
      const ScoreTile scores = score_tile(room_.scores, piece, tile, unit_.scale);
      const int key = piece.keys.begin - packed.range.begin;
      const int column = piece.column;
      products_.multiply(scores.scores, kQueries, Products::part(packed.keys, key, 0),
                         Products::part(query, column, 0), piece.keys.size(), piece.columns, D,
                         false);
      const Operand weights = products_.softmax(
          scores, {room_.top + column, room_.sum + column, room_.sums + column, unit_.padded()},
          room_.weights);
      products_.multiply(room_.sums + column, kQueries, Products::part(packed.values, 0, key),
                         weights, D, piece.columns, piece.keys.size(), true);
    });
  }

  void finish(const QueryTile& tile, int member) const {
    for (int row = 0; row < tile.rows; ++row) {
      *unit_.statistic(arrays_.lse, tile.first + row, member) =
          room_.top[row] + std::log(room_.sum[row]);
      room_.sum[row] = 1.0F / room_.sum[row];
    }
    write_transposed(unit_.output(arrays_.out, tile.first, member), unit_.width(), room_.sums,
                     kQueries, room_.sum, tile.rows, unit_.shape.D);
  }

  const Products& products_;
  const Arrays& arrays_;
  const Unit<Number>& unit_;
  const Room& room_;
};

// The gradients of one unit while they are added up.
struct Sums {
  float* query;  // By tile of queries and head: (D padded, kQueries).
  float* key;    // By position: D padded.
  float* value;
  int group;
  int width;

  Sums(Carver& carver, const AttentionShape& shape)
      : query(carver.take<float>(static_cast<size_t>((shape.T + kQueries - 1) / kQueries) *
                                 static_cast<size_t>(shape.H / shape.K) *
                                 tile_size(round_up(shape.D, kPanel)))),
        key(carver.take<float>(rows(shape))),
        value(carver.take<float>(rows(shape))),
        group(shape.H / shape.K),
        width(round_up(shape.D, kPanel)) {}

  static size_t rows(const AttentionShape& shape) {
    return static_cast<size_t>(round_up(shape.T, kTileDepth)) *
           static_cast<size_t>(round_up(shape.D, kPanel));
  }
  float* query_at(int t, int member) const {
    return query + static_cast<size_t>(t / kQueries * group + member) * tile_size(width);
  }
  ptrdiff_t row(int t) const { return static_cast<ptrdiff_t>(t) * width; }
};

template <typename Products>
class Backward {
 public:
  using Number = typename Products::Number;
  using Operand = typename Products::Operand;
  struct Arrays {
    Number* d_qkv;
    const Number* d_out;
    const Number* out;
    const float* lse;
    const Number* qkv;
  };
  // A tile of one head's queries, packed.
  struct Queries {
    Number* query_right;  // (D, queries)
    Number* d_out_right;  //   likewise
    Number* query_rows;   // (queries, D)
    Number* d_out_rows;   //   likewise
    float* lse;
    float* dot;  // Of d_out and out.

    Queries(Carver& carver, const AttentionShape& shape)
        : query_right(carver.take<Number>(Products::packed(kQueries, shape.D))),
          d_out_right(carver.take<Number>(Products::packed(kQueries, shape.D))),
          query_rows(carver.take<Number>(Products::packed(shape.D, kQueries))),
          d_out_rows(carver.take<Number>(Products::packed(shape.D, kQueries))),
          lse(carver.take<float>(kQueries)),
          dot(carver.take<float>(kQueries)) {}
  };
  // Of one thread.
  struct Room {
    Number* keys;         // Packed, of a part: left operands (keys, D),
    Number* values;       //   likewise,
    Number* key_columns;  //   and (D, keys).
    Number* weights;
    float* scores;
    float* d_scores;
    Queries queries;

    Room(Carver& carver, const AttentionShape& shape, const Parts& parts)
        : keys(carver.take<Number>(Products::packed(parts.edge, shape.D))),
          values(carver.take<Number>(Products::packed(parts.edge, shape.D))),
          key_columns(carver.take<Number>(Products::packed(shape.D, parts.edge))),
          weights(carver.take<Number>(Products::kTileWeights)),
          scores(carver.take<float>(tile_size(kKeys))),
          d_scores(carver.take<float>(tile_size(kKeys))),
          queries(carver, shape) {}
  };

  Backward(const Products& products, const Arrays& arrays, const Unit<Number>& unit,
           const Room& room, const Sums& sums)
      : products_(products), arrays_(arrays), unit_(unit), room_(room), sums_(sums) {}

  void clear(Range part) const {
    const auto tile = static_cast<ptrdiff_t>(tile_size(sums_.width));
    std::fill(sums_.query_at(part.begin, 0), sums_.query_at(part.end - 1, unit_.group() - 1) + tile,
              0.0F);
    const int end = round_up(part.end, kTileDepth);
    std::fill(sums_.key + sums_.row(part.begin), sums_.key + sums_.row(end), 0.0F);
    std::fill(sums_.value + sums_.row(part.begin), sums_.value + sums_.row(end), 0.0F);
  }

  // Adds what `queries` and `keys` are to each other. Neither is more than a part.
  void accumulate(Range queries, Range keys) const {
    const AttentionShape& shape = unit_.shape;
    keys.begin = std::max(keys.begin, unit_.first_key(queries.begin));
    if (keys.begin >= keys.end) return;
    const Source<Number> key{unit_.key(arrays_.qkv, keys.begin), shape.row(), false};
    const Source<Number> value{unit_.value(arrays_.qkv, keys.begin), shape.row(), false};
    const Packed packed{
        keys, products_.left(room_.keys, key, keys.size(), shape.D),
        products_.left(room_.values, value, keys.size(), shape.D),
        products_.left(room_.key_columns, {key.data, key.stride, true}, shape.D, keys.size())};
    for (int query = queries.begin; query < queries.end; query += kQueries) {
      const QueryTile tile(query, unit_.start, shape.T);
      if (unit_.first_key(query) >= keys.end) break;
      for (int member = 0; member < unit_.group(); ++member) {
        const PackedQueries of = pack(tile, member);
        tile.each_piece(keys, [&](const Piece& piece) { add(packed, of, tile, piece, member); });
      }
    }
  }

  void finish_queries(Range part) const {
    float factor[kQueries];
    std::fill_n(factor, kQueries, unit_.scale);
    for (int t = part.begin; t < part.end; t += kQueries) {
      for (int member = 0; member < unit_.group(); ++member) {
        write_transposed(unit_.query(arrays_.d_qkv, t, member), unit_.shape.row(),
                         sums_.query_at(t, member), kQueries, factor,
                         std::min(kQueries, part.end - t), unit_.shape.D);
      }
    }
  }

  void finish_keys(Range part) const {
    const int D = unit_.shape.D;
    const int t = part.begin;
    write_scaled(unit_.key(arrays_.d_qkv, t), unit_.shape.row(), sums_.key + sums_.row(t),
                 sums_.width, unit_.scale, part.size(), D);
    write_scaled(unit_.value(arrays_.d_qkv, t), unit_.shape.row(), sums_.value + sums_.row(t),
                 sums_.width, 1.0F, part.size(), D);
  }

 private:
  struct Packed {
    Range range;
    Operand keys;
    Operand values;
    Operand key_columns;
  };
  struct PackedQueries {
    Operand query_right;
    Operand d_out_right;
    Operand query_rows;
    Operand d_out_rows;
  };

  PackedQueries pack(const QueryTile& tile, int member) const {
    const Queries& room = room_.queries;
    const int D = unit_.shape.D;
    const Number* query = unit_.query(arrays_.qkv, tile.first, member);
    const Number* d_out = unit_.output(arrays_.d_out, tile.first, member);
    const Number* out = unit_.output(arrays_.out, tile.first, member);
    const int width = unit_.width();
    dot_rows(room.dot, d_out, out, width, tile.rows, D);
    for (int row = 0; row < tile.rows; ++row) {
      room.lse[row] = *unit_.statistic(arrays_.lse, tile.first + row, member);
    }
    std::fill(room.dot + tile.rows, room.dot + kQueries, 0.0F);
    std::fill(room.lse + tile.rows, room.lse + kQueries, 0.0F);
    const int row = unit_.shape.row();
    return {products_.right(room.query_right, {query, row, true}, D, tile.rows),
            products_.right(room.d_out_right, {d_out, width, true}, D, tile.rows),
            products_.right(room.query_rows, {query, row, false}, tile.rows, D),
            products_.right(room.d_out_rows, {d_out, width, false}, tile.rows, D)};
  }

  void add(const Packed& packed, const PackedQueries& of, const QueryTile& tile, const Piece& piece,
           int member) const {
    const int D = unit_.shape.D;
    const int column = piece.column;
    const int key = piece.keys.begin - packed.range.begin;
    const int keys = piece.keys.size();
    const ScoreTile scores = score_tile(room_.scores, piece, tile, unit_.scale);
    float* const d_scores = room_.d_scores + column;
    products_.multiply(scores.scores, kQueries, Products::part(packed.keys, key, 0),
                       Products::part(of.query_right, column, 0), keys, piece.columns, D, false);
    products_.multiply(d_scores, kQueries, Products::part(packed.values, key, 0),
                       Products::part(of.d_out_right, column, 0), keys, piece.columns, D, false);
    const auto gradients = products_.gradients(scores, d_scores, room_.queries.lse + column,
                                               room_.queries.dot + column, room_.weights);
    const ptrdiff_t row = sums_.row(piece.keys.begin);
    products_.multiply(sums_.value + row, sums_.width, gradients.p_left,
                       Products::part(of.d_out_rows, 0, column), keys, D, piece.rows, true);
    products_.multiply(sums_.key + row, sums_.width, gradients.ds_left,
                       Products::part(of.query_rows, 0, column), keys, D, piece.rows, true);
    products_.multiply(sums_.query_at(tile.first, member) + column, kQueries,
                       Products::part(packed.key_columns, 0, key), gradients.ds_right, D,
                       piece.columns, keys, true);
  }

  const Products& products_;
  const Arrays& arrays_;
  const Unit<Number>& unit_;
  const Room& room_;
  const Sums& sums_;
};

// Calls task(index, carver, worker) as Pool::each does, where carver has the thread's `size_bytes`.
template <typename Task>
void each_in_room(Pool& pool, std::byte* rooms, size_t size_bytes, int count, const Task& task) {
  pool.each(count, [&](int index, int worker) {
    Carver carver(rooms + static_cast<size_t>(worker) * size_bytes);
    task(index, carver, worker);
  });
}

template <typename Products, typename Grow>
void run_forward(Pool& pool, const Products& products,
                 const typename Forward<Products>::Arrays& arrays, const uint32_t* document_start,
                 const AttentionShape& shape, const Grow& grow_rooms) {
  using Number = typename Products::Number;
  check_shape(shape);
  const Parts parts(shape);
  Carver counter(nullptr);
  const typename Forward<Products>::Room counted(counter, shape);
  std::byte* const rooms = grow_rooms(counter.used() * static_cast<size_t>(pool.threads()));
  each_in_room(pool, rooms, counter.used(), parts.units * parts.count,
               [&](int index, Carver& carver, int /*worker*/) {
                 products.begin_thread();
                 const typename Forward<Products>::Room room(carver, shape);
                 const Unit<Number> unit(index % parts.units, shape, document_start);
                 // The last part sees most keys: first, so that none waits for it.
                 const int part = parts.count - 1 - index / parts.units;
                 Forward<Products>(products, arrays, unit, room).part(unit.part(parts, part));
               });
}

// Round r adds for every part of the queries the part of the keys that lies r parts before it: no
// two units of a round share queries or keys, and each gradient's order of addition is fixed.
template <typename Products, typename Grow, typename GrowSums>
void run_backward(Pool& pool, const Products& products,
                  const typename Backward<Products>::Arrays& arrays, const uint32_t* document_start,
                  const AttentionShape& shape, const Grow& grow_rooms, const GrowSums& grow_sums) {
  using Number = typename Products::Number;
  check_shape(shape);
  const Parts parts(shape);
  Carver counter(nullptr);
  const typename Backward<Products>::Room counted(counter, shape, parts);
  std::byte* const rooms = grow_rooms(counter.used() * static_cast<size_t>(pool.threads()));
  Carver sums_counter(nullptr);
  const Sums counted_sums(sums_counter, shape);
  const bool at_once = parts.count == 1;
  const int kept = at_once ? pool.threads() : parts.units;
  std::byte* const all_sums = grow_sums(sums_counter.used() * static_cast<size_t>(kept));
  for (int round = 0; round < parts.count; ++round) {
    each_in_room(pool, rooms, counter.used(), parts.units * (parts.count - round),
                 [&](int index, Carver& carver, int worker) {
                   products.begin_thread();
                   const typename Backward<Products>::Room room(carver, shape, parts);
                   const Unit<Number> unit(index % parts.units, shape, document_start);
                   const int slot = at_once ? worker : index % parts.units;
                   Carver sums_carver(all_sums + static_cast<size_t>(slot) * sums_counter.used());
                   const Sums sums(sums_carver, shape);
                   const Backward<Products> backward(products, arrays, unit, room, sums);
                   const int part = round + index / parts.units;
                   const Range queries = unit.part(parts, part);
                   const Range keys = unit.part(parts, part - round);
                   if (round == 0) backward.clear(queries);
                   backward.accumulate(queries, keys);
                   if (part == round) backward.finish_queries(queries);
                   if (part == parts.count - 1) backward.finish_keys(keys);
                 });
  }
}

}  // namespace

const TileKernel& Attention::kernel() const {
  CHECK(kernel_ != nullptr);
  return *kernel_;
}

std::byte* Attention::grow(std::vector<Line>& lines, size_t size_bytes) {
  const size_t needed = (size_bytes + sizeof(Line) - 1) / sizeof(Line);
  if (lines.size() < needed) {
    lines.clear();
    lines.resize(needed);
  }
  return lines.data()->bytes;
}

void Attention::forward(float* out, float* lse, const float* qkv, const uint32_t* document_start,
                        const AttentionShape& shape) {
  run_forward<FloatProducts>(pool_, {}, {out, lse, qkv}, document_start, shape,
                             [&](size_t size) { return grow(rooms_, size); });
}

void Attention::forward(Bf16* out, float* lse, const Bf16* qkv, const uint32_t* document_start,
                        const AttentionShape& shape) {
  run_forward<Bf16Products>(pool_, Bf16Products(kernel()), {out, lse, qkv}, document_start, shape,
                            [&](size_t size) { return grow(rooms_, size); });
}

void Attention::backward(float* d_qkv, const float* d_out, const float* out, const float* lse,
                         const float* qkv, const uint32_t* document_start,
                         const AttentionShape& shape) {
  run_backward<FloatProducts>(
      pool_, {}, {d_qkv, d_out, out, lse, qkv}, document_start, shape,
      [&](size_t size) { return grow(rooms_, size); },
      [&](size_t size) { return grow(sums_, size); });
}

void Attention::backward(Bf16* d_qkv, const Bf16* d_out, const Bf16* out, const float* lse,
                         const Bf16* qkv, const uint32_t* document_start,
                         const AttentionShape& shape) {
  run_backward<Bf16Products>(
      pool_, Bf16Products(kernel()), {d_qkv, d_out, out, lse, qkv}, document_start, shape,
      [&](size_t size) { return grow(rooms_, size); },
      [&](size_t size) { return grow(sums_, size); });
}

}  // namespace train::cpu
