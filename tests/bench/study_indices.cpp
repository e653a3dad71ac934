// Codes for which values of a tile are sent.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "compress/golomb.h"
#include "tests/bench/range_coder.h"
#include "tests/bench/set_code.h"
#include "tests/bench/study_tiles.h"

namespace bench {
namespace {

double bound_bits(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    bits += log2_binomial(tile.size(), static_cast<double>(tile.offset.size()));
  }
  return bits;
}

std::vector<uint16_t> gaps_of(const TileData& tile) {
  std::vector<uint16_t> gaps;
  uint32_t next = 0;
  for (const uint16_t at : tile.offset) {
    gaps.push_back(static_cast<uint16_t>(at - next));
    next = at + 1u;
  }
  return gaps;
}

double rice(const std::vector<uint16_t>& gaps, uint32_t parameter) {
  double bits = 0;
  for (const uint16_t gap : gaps) bits += 1 + parameter + (gap >> parameter);
  return bits;
}

// The best parameter of each tile, and 4 bits of it; or one that follows from the density: ln 2
// times the mean gap, to the nearest power of two.
double rice_bits(const Tiles& tiles, bool by_tile) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    const auto gaps = gaps_of(tile);
    const double mean = tile.size() / static_cast<double>(gaps.size());
    const auto fixed = static_cast<uint32_t>(std::max(0.0, std::round(std::log2(0.69 * mean))));
    double least = rice(gaps, fixed);
    for (uint32_t r = 0; by_tile && r < 12; ++r) least = std::min(least, rice(gaps, r));
    bits += least + (by_tile ? 4 : 0);
  }
  return bits;
}

// As sparseloco has them: the modulus follows from the density.
double golomb_bits(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    const auto gaps = gaps_of(tile);
    const auto code = compress::GapCode::of(tile.size(), static_cast<uint32_t>(gaps.size()));
    for (const uint16_t gap : gaps) {
      bits += 1 + gap / code.modulus + code.width + (gap % code.modulus >= code.plain);
    }
  }
  return bits;
}

// What gaps would take if it were known how often each occurs among 1,024 tiles.
double entropy_bits(const Tiles& tiles) {
  constexpr size_t kTogether = 1024;
  double bits = 0;
  for (size_t first = 0; first < tiles.size(); first += kTogether) {
    std::map<uint16_t, double> counts;
    double all = 0;
    for (size_t i = first; i < std::min(tiles.size(), first + kTogether); ++i) {
      for (const uint16_t gap : gaps_of(tiles[i])) ++counts[gap], ++all;
    }
    for (const auto& [gap, count] : counts) bits -= count * std::log2(count / all);
  }
  return bits;
}

// High and low values as two sets of offsets, each in Golomb's code, which tells the levels too;
// and how many are high, in 6 bits.
double two_sets_bits(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    TileData part[2] = {{tile.rows, tile.cols, {}, {}, {}, {}},
                        {tile.rows, tile.cols, {}, {}, {}, {}}};
    for (size_t i = 0; i < tile.offset.size(); ++i) {
      part[tile.is_high(i)].offset.push_back(tile.offset[i]);
    }
    bits += 6;
    for (const TileData& one : part) {
      if (!one.offset.empty()) bits += golomb_bits({one});
    }
  }
  return bits;
}

// The low bits plain, the high ones as unary steps: n (low + 1) + (size >> low).
double elias_fano_bits(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    const auto n = static_cast<double>(tile.offset.size());
    double least = 1e18;
    for (uint32_t low = 0; low < 12; ++low) {
      least = std::min(least, n * (low + 1) + (tile.size() >> low));
    }
    bits += least;
  }
  return bits;
}

// Gaps by their distribution for offsets at random: geometric, 16 bits of precision, one table for
// each density there is.
class GapTable {
 public:
  static constexpr uint32_t kBits = 16;
  static constexpr uint32_t kEscape = 511;  // Gaps from here: this symbol, then 12 plain bits.

  explicit GapTable(double density) : first_(kEscape + 2) {
    // Every symbol has one of 65,536 shares at least.
    const double spare = (1u << kBits) - (kEscape + 1.0);
    for (uint32_t gap = 0; gap <= kEscape; ++gap) {
      const double below = 1 - std::pow(1 - density, gap);
      first_[gap] = gap + static_cast<uint32_t>(spare * below);
    }
    first_[kEscape + 1] = 1u << kBits;
    symbol_of_.resize(1u << (kBits - kSlice));
    for (uint32_t slice = 0, gap = 0; slice < symbol_of_.size(); ++slice) {
      while (first_[gap + 1] <= slice << kSlice) ++gap;
      symbol_of_[slice] = static_cast<uint16_t>(gap);
    }
  }
  void put(RangeEncoder& out, uint32_t gap) const {
    const uint32_t symbol = std::min(gap, kEscape);
    out.put(first_[symbol], first_[symbol + 1] - first_[symbol], kBits);
    if (symbol == kEscape) out.put(gap, 1, 12);
  }
  uint32_t take(RangeDecoder& in) const {
    const uint32_t at = std::min(in.peek(kBits), (1u << kBits) - 1);
    uint32_t symbol = symbol_of_[at >> kSlice];
    while (first_[symbol + 1] <= at) ++symbol;
    in.take(first_[symbol], first_[symbol + 1] - first_[symbol]);
    if (symbol < kEscape) return symbol;
    const uint32_t gap = in.peek(12);
    in.take(gap, 1);
    return gap;
  }

 private:
  static constexpr uint32_t kSlice = 4;
  std::vector<uint32_t> first_;
  std::vector<uint16_t> symbol_of_;  // The first one that a slice of 16 shares meets.
};

double density(const Tiles& tiles) {
  double size = 0;
  for (const TileData& tile : tiles) size += tile.size();
  return static_cast<double>(value_count(tiles)) / size;
}

Trial range_gaps(const Tiles& tiles) {
  const GapTable table(density(tiles));
  return timed(
      "index", "range coder, geometric gaps", tiles,
      [&] {
        RangeEncoder out;
        for (const TileData& tile : tiles) {
          for (const uint16_t gap : gaps_of(tile)) table.put(out, gap);
        }
        return out.finish();
      },
      [&](const Bytes& bytes) {
        RangeDecoder in(bytes);
        for (const TileData& tile : tiles) {
          uint32_t next = 0;
          for (const uint16_t at : tile.offset) {
            next += table.take(in);
            if (next++ != at) return false;
          }
        }
        return true;
      });
}

// One decision a parameter: how likely it is sent, given how many of its row and column were sent
// in the tile before, and how many are left of this tile's.
class BitmapModel {
 public:
  BitmapModel() : bits_(9 * 9 * kLeft) {
    for (AdaptiveBit& bit : bits_) bit.zero = 64500;
  }
  void start(const TileData& tile) {
    if (tile.rows != rows_.size() || tile.cols != cols_.size()) {
      rows_.assign(tile.rows, 0);
      cols_.assign(tile.cols, 0);
    }
    seen_rows_.assign(tile.rows, 0);
    seen_cols_.assign(tile.cols, 0);
    left_ = static_cast<uint32_t>(tile.offset.size());
    tile_ = &tile;
  }
  AdaptiveBit& at(uint32_t row, uint32_t col) {
    const uint32_t rest = tile_->size() - row * tile_->cols - col;
    // In half octaves of what would be even.
    const double ratio = 64.0 * left_ / rest;
    const auto octave = static_cast<uint32_t>(
        std::clamp(std::lround(2 * std::log2(ratio + 0.05) + 8), 0L, long{kLeft} - 1));
    const uint32_t r = std::min(rows_[row], 8u);
    const uint32_t c = std::min(cols_[col], 8u);
    return bits_[(r * 9 + c) * kLeft + octave];
  }
  void sent(uint32_t row, uint32_t col) {
    --left_;
    ++seen_rows_[row];
    ++seen_cols_[col];
  }
  // A moving average in quarters, so that what a row holds is remembered beyond one tile.
  void end() {
    const auto mix = [](std::vector<uint32_t>& old, const std::vector<uint32_t>& seen) {
      for (size_t i = 0; i < old.size(); ++i) old[i] = (3 * old[i] + 4 * seen[i] + 2) / 4;
    };
    mix(rows_, seen_rows_);
    mix(cols_, seen_cols_);
  }
  bool done() const { return left_ == 0; }

 private:
  static constexpr uint32_t kLeft = 24;
  std::vector<AdaptiveBit> bits_;
  std::vector<uint32_t> rows_, cols_, seen_rows_, seen_cols_;
  uint32_t left_ = 0;
  const TileData* tile_ = nullptr;
};

// Calls decide(model, whether) at every place until all of a tile are told; false if one says no.
template <typename Decide>
bool walk(const Tiles& tiles, Decide decide) {
  BitmapModel model;
  for (const TileData& tile : tiles) {
    model.start(tile);
    size_t next = 0;
    for (uint32_t row = 0; row < tile.rows; ++row) {
      for (uint32_t col = 0; col < tile.cols && !model.done(); ++col) {
        const bool sent = tile.offset[next] == row * tile.cols + col;
        if (!decide(model.at(row, col), sent)) return false;
        next += sent;
        if (sent) model.sent(row, col);
      }
    }
    model.end();
  }
  return true;
}

Trial bitmap(const Tiles& tiles) {
  return timed(
      "index", "range coder, bitmap by rows and columns", tiles,
      [&] {
        RangeEncoder out;
        walk(tiles, [&](AdaptiveBit& bit, bool sent) {
          out.put(bit, sent);
          return true;
        });
        return out.finish();
      },
      [&](const Bytes& bytes) {
        RangeDecoder in(bytes);
        return walk(tiles,
                    [&](AdaptiveBit& bit, bool sent) { return in.take(bit) == (sent ? 1u : 0u); });
      });
}

// How many each row holds, as likely as it was after rows that held as many in the tiles before;
// then the columns of each row, all sets alike.
class RowModel {
 public:
  static constexpr uint32_t kBits = 15;
  static constexpr uint32_t kCounts = 16;  // The last: so many or more, then 7 plain bits.

  RowModel() {
    for (auto& context : first_) {
      for (uint32_t i = 0; i <= kCounts; ++i) context[i] = i << (kBits - 4);
    }
  }
  void start(const TileData& tile) {
    if (averages_.size() != tile.rows) averages_.assign(tile.rows, 16);
  }
  void put(RangeEncoder& out, uint32_t row, uint32_t count) {
    auto& first = first_[context(row)];
    const uint32_t symbol = std::min(count, kCounts - 1);
    out.put(first[symbol], first[symbol + 1] - first[symbol], kBits);
    if (symbol == kCounts - 1) out.put(count, 1, 7);
    learn(first, row, symbol);
  }
  uint32_t take(RangeDecoder& in, uint32_t row) {
    auto& first = first_[context(row)];
    const uint32_t at = std::min(in.peek(kBits), (1u << kBits) - 1);
    uint32_t symbol = 0;
    while (first[symbol + 1] <= at) ++symbol;
    in.take(first[symbol], first[symbol + 1] - first[symbol]);
    uint32_t count = symbol;
    if (symbol == kCounts - 1) {
      count = in.peek(7);
      in.take(count, 1);
    }
    learn(first, row, symbol);
    return count;
  }

 private:
  static constexpr uint32_t kContexts = 16;
  using Shares = std::array<uint32_t, kCounts + 1>;

  // Sixteenths of a value, on a scale that widens.
  uint32_t context(uint32_t row) const {
    const uint32_t average = averages_[row];
    return std::min<uint32_t>(kContexts - 1,
                              static_cast<uint32_t>(std::bit_width(average * average / 16)));
  }
  // Each border moves a 64th of the way to where it would be were `symbol` certain.
  void learn(Shares& first, uint32_t row, uint32_t symbol) {
    for (uint32_t i = 1; i < kCounts; ++i) {
      const uint32_t certain = i <= symbol ? i : (1u << kBits) - (kCounts - i);
      first[i] = certain > first[i] ? first[i] + (certain - first[i]) / 64
                                    : first[i] - (first[i] - certain) / 64;
    }
    averages_[row] = (averages_[row] * 7 + symbol * 16) / 8;
  }

  std::array<Shares, kContexts> first_{};
  std::vector<uint32_t> averages_;
};

// Not a vector's: those are few, and left out.
bool in_rows(const TileData& tile) { return tile.cols <= 64; }

// Calls each(model, tile, row, columns of the row as bits), until it says no.
template <typename Each>
bool each_row(const Tiles& tiles, const Each& each) {
  RowModel model;
  for (const TileData& tile : tiles) {
    if (!in_rows(tile)) continue;
    model.start(tile);
    size_t next = 0;
    for (uint32_t row = 0; row < tile.rows; ++row) {
      uint64_t columns = 0;
      for (; next < tile.offset.size() && tile.offset[next] / tile.cols == row; ++next) {
        columns |= uint64_t{1} << tile.offset[next] % tile.cols;
      }
      if (!each(model, tile, row, columns)) return false;
    }
  }
  return true;
}

// One of `ways` sets, in as few bits as 16 at a time allow.
void put_set(RangeEncoder& out, uint64_t number, uint64_t ways) {
  for (; ways > 1u << 16; ways = (ways >> 16) + 1, number >>= 16) {
    out.put(static_cast<uint32_t>(number & 0xFFFF), 1, 16);
  }
  if (ways > 1) out.put_of(static_cast<uint32_t>(number), static_cast<uint32_t>(ways));
}
uint64_t take_set(RangeDecoder& in, uint64_t ways) {
  uint64_t number = 0;
  uint32_t shift = 0;
  for (; ways > 1u << 16; ways = (ways >> 16) + 1, shift += 16) {
    const uint32_t low = in.peek(16);
    in.take(low, 1);
    number |= uint64_t{low} << shift;
  }
  if (ways > 1) number |= uint64_t{in.take_of(static_cast<uint32_t>(ways))} << shift;
  return number;
}

Trial rows_then_columns(const Tiles& tiles) {
  static const SetCode code;
  uint64_t coded = 0;
  for (const TileData& tile : tiles) coded += in_rows(tile) ? tile.offset.size() : 0;
  Trial trial = timed(
      "index", "range coder, rows' counts, then columns", tiles,
      [&] {
        RangeEncoder out;
        each_row(tiles, [&](RowModel& model, const TileData& tile, uint32_t row, uint64_t set) {
          const auto count = static_cast<uint32_t>(std::popcount(set));
          model.put(out, row, count);
          put_set(out, code.number(set), code.ways(tile.cols, count));
          return true;
        });
        return out.finish();
      },
      [&](const Bytes& bytes) {
        RangeDecoder in(bytes);
        return each_row(tiles,
                        [&](RowModel& model, const TileData& tile, uint32_t row, uint64_t set) {
                          const uint32_t count = model.take(in, row);
                          const uint64_t number = take_set(in, code.ways(tile.cols, count));
                          return code.set(number, tile.cols, count) == set;
                        });
      });
  if (coded == 0) return counted("index", trial.code, tiles, 0);
  trial.bits *= static_cast<double>(value_count(tiles)) / static_cast<double>(coded);
  return trial;
}

}  // namespace

std::vector<Trial> try_indices(const Tiles& tiles) {
  return {
      counted("index", "bound, offsets at random", tiles, bound_bits(tiles)),
      counted("index", "Rice, parameter by tile (and its 4 bits)", tiles, rice_bits(tiles, true)),
      counted("index", "Rice, parameter by density", tiles, rice_bits(tiles, false)),
      counted("index", "Golomb, modulus by density (sparseloco)", tiles, golomb_bits(tiles)),
      counted("index", "entropy of the gaps of 1,024 tiles", tiles, entropy_bits(tiles)),
      counted("index", "Elias-Fano", tiles, elias_fano_bits(tiles)),
      counted("index+level", "two sets, Golomb, and one's size", tiles, two_sets_bits(tiles)),
      range_gaps(tiles),
      rows_then_columns(tiles),
      bitmap(tiles),
  };
}

}  // namespace bench
