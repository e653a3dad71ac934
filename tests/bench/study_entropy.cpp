// Codes for signs, levels and magnitudes; study_indices.cpp has those for indices.
#include "tests/bench/study_entropy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "tests/bench/range_coder.h"
#include "tests/bench/set_code.h"
#include "tests/bench/study_tiles.h"

namespace bench {
namespace {

// --- Signs and levels ---

// One bit a value, adaptive, by the bit before and by how many tiles' values are 1.
Trial bits_of(const std::string& part, const Tiles& tiles,
              const std::function<bool(const TileData&, size_t)>& bit_of) {
  const auto each = [&](const auto& decide) {
    AdaptiveBit model[2][2];  // By the bit before in the tile, and whether it is of the same row.
    for (const TileData& tile : tiles) {
      bool before = false;
      for (size_t i = 0; i < tile.offset.size(); ++i) {
        const bool near = i > 0 && tile.offset[i] / tile.cols == tile.offset[i - 1] / tile.cols;
        const bool bit = bit_of(tile, i);
        if (!decide(model[before][near], bit)) return false;
        before = bit;
      }
    }
    return true;
  };
  return timed(
      part, "range coder, by the one before", tiles,
      [&] {
        RangeEncoder out;
        each([&](AdaptiveBit& model, bool bit) {
          out.put(model, bit);
          return true;
        });
        return out.finish();
      },
      [&](const Bytes& bytes) {
        RangeDecoder in(bytes);
        return each(
            [&](AdaptiveBit& model, bool bit) { return in.take(model) == (bit ? 1u : 0u); });
      });
}

// Which of its values are high, if their number is known: log2 C(n, high).
double level_bound(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    bits += log2_binomial(static_cast<double>(tile.offset.size()), tile.levels.high_count);
  }
  return bits;
}

// As sparseloco has them: of values half of 64 apart, whether any is high, and so on.
double level_pairs(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    for (size_t first = 0; first < tile.offset.size(); first += 64) {
      const size_t count = std::min<size_t>(64, tile.offset.size() - first);
      const size_t pairs = (count + 1) / 2;
      for (size_t i = 0; i < pairs; ++i) {
        const bool one = tile.is_high(first + i);
        const bool other = pairs + i < count && tile.is_high(first + pairs + i);
        bits += one ? 3 : other ? 2 : 1;
      }
    }
  }
  return bits;
}

// Of three at a time: none 1 bit, one of them 3, more 5.
double level_threes(const Tiles& tiles) {
  double bits = 0;
  for (const TileData& tile : tiles) {
    for (size_t first = 0; first < tile.offset.size(); first += 3) {
      size_t high = 0;
      for (size_t i = first; i < std::min(tile.offset.size(), first + 3); ++i) {
        high += tile.is_high(i);
      }
      bits += high == 0 ? 1 : high == 1 ? 3 : 5;
    }
  }
  return bits;
}

// A tile's levels, 64 at a time: how many are high, then which. Kept as words: what is timed is the
// code, not the writing of bits.
Trial enumerated_levels(const Tiles& tiles,
                        const std::function<bool(const TileData&, size_t)>& bit_of) {
  static const SetCode code;
  struct Mask {
    uint64_t set;
    uint32_t size;
  };
  std::vector<Mask> masks;
  double bits = 0;
  for (const TileData& tile : tiles) {
    for (size_t first = 0; first < tile.offset.size(); first += 64) {
      const size_t n = std::min<size_t>(64, tile.offset.size() - first);
      uint64_t set = 0;
      for (size_t i = 0; i < n; ++i) set |= uint64_t{bit_of(tile, first + i)} << i;
      masks.push_back({set, static_cast<uint32_t>(n)});
      const auto ways = code.ways(n, static_cast<size_t>(std::popcount(set)));
      bits += static_cast<double>(std::bit_width(n) + std::bit_width(ways - 1));
    }
  }
  std::vector<uint64_t> numbers(masks.size());
  Trial trial = timed(
      "level", "enumerated, and how many in 7 bits", tiles,
      [&] {
        for (size_t i = 0; i < masks.size(); ++i) numbers[i] = code.number(masks[i].set);
        return Bytes{};
      },
      [&](const Bytes&) {
        for (size_t i = 0; i < masks.size(); ++i) {
          const auto k = static_cast<size_t>(std::popcount(masks[i].set));
          if (code.set(numbers[i], masks[i].size, k) != masks[i].set) return false;
        }
        return true;
      });
  trial.bits = bits / static_cast<double>(value_count(tiles));
  return trial;
}

// --- Magnitudes ---

double squared_error(std::span<const float> descending, const compress::TwoLevels& levels) {
  double error = 0;
  for (size_t i = 0; i < descending.size(); ++i) {
    const double sent = i < levels.high_count ? levels.high() : i < levels.count ? levels.low() : 0;
    error += std::pow(double{descending[i]} - sent, 2);
  }
  return error;
}

// Two magnitudes for `together` tiles, 20 bits.
Trial shared(const Tiles& tiles, size_t together) {
  double error = 0, energy = 0;
  for (size_t first = 0; first < tiles.size(); first += together) {
    std::vector<float> all;
    for (size_t i = first; i < std::min(tiles.size(), first + together); ++i) {
      all.insert(all.end(), tiles[i].descending.begin(), tiles[i].descending.end());
    }
    std::sort(all.begin(), all.end(), std::greater<>());
    error += squared_error(all, compress::two_levels(all));
    for (const float magnitude : all) energy += std::pow(double{magnitude}, 2);
  }
  const size_t pairs = (tiles.size() + together - 1) / together;
  Trial trial = counted("magnitudes", "one pair for " + std::to_string(together) + " tiles", tiles,
                        20.0 * static_cast<double>(pairs));
  trial.error = error / energy;
  return trial;
}

// The pair of each tile, as steps from the tile before, each of the two in zigzag Rice of the best
// parameter; by `dropped` bits fewer than sparseloco's, which is at 0.
Trial differences(const Tiles& tiles, uint32_t dropped) {
  double error = 0, energy = 0;
  std::vector<uint32_t> steps[2];
  int32_t before[2] = {0, 0};
  for (const TileData& tile : tiles) {
    compress::TwoLevels levels = tile.levels;
    const uint32_t half = dropped == 0 ? 0 : 1u << (dropped - 1);
    const int32_t now[2] = {static_cast<int32_t>((levels.high_code + half) >> dropped),
                            static_cast<int32_t>((levels.ratio + half) >> dropped)};
    for (size_t i = 0; i < 2; ++i) {
      const int32_t step = now[i] - before[i];
      steps[i].push_back(static_cast<uint32_t>(step < 0 ? -2 * step - 1 : 2 * step));
      before[i] = now[i];
    }
    levels.high_code = static_cast<uint16_t>(now[0] << dropped);
    levels.ratio = static_cast<uint8_t>(std::min(now[1] << dropped, 63));
    error += squared_error(tile.descending, levels);
    for (const float magnitude : tile.descending) energy += std::pow(double{magnitude}, 2);
  }
  double bits = 0;
  for (const std::vector<uint32_t>& of : steps) {
    double least = 1e18;
    for (uint32_t r = 0; r < 16; ++r) {
      double sum = 0;
      for (const uint32_t step : of) sum += 1 + r + (step >> r);
      least = std::min(least, sum);
    }
    bits += least;
  }
  Trial trial =
      counted("magnitudes", "steps from tile to tile, " + std::to_string(dropped) + " bits fewer",
              tiles, bits);
  trial.error = error / energy;
  return trial;
}

}  // namespace

std::vector<Trial> try_codes(const StudyInput& input) {
  const Tiles tiles = tiles_of(input);
  if (tiles.empty()) return {};
  const auto is_negative = [](const TileData& tile, size_t i) { return tile.value[i] < 0; };
  const auto is_high = [](const TileData& tile, size_t i) { return tile.is_high(i); };
  const auto values = static_cast<double>(value_count(tiles));
  std::vector<Trial> trials = try_indices(tiles);
  for (Trial& trial : std::vector<Trial>{
           counted("sign", "plain", tiles, values),
           bits_of("sign", tiles, is_negative),
           counted("level", "plain", tiles, values),
           counted("level", "bound, number of high ones known", tiles, level_bound(tiles)),
           counted("level", "pairs (sparseloco)", tiles, level_pairs(tiles)),
           counted("level", "threes", tiles, level_threes(tiles)),
           enumerated_levels(tiles, is_high),
           bits_of("level", tiles, is_high),
           shared(tiles, 1),
           shared(tiles, 4),
           shared(tiles, 16),
           shared(tiles, 64),
           differences(tiles, 0),
           differences(tiles, 1),
           differences(tiles, 2),
       }) {
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace bench
