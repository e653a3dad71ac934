// The tiles that the study's codes are tried on, and how a code is timed.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compress/two_levels.h"
#include "tests/bench/study_entropy.h"

namespace bench {

using Bytes = std::vector<uint8_t>;

// One tile as sparseloco sees it.
struct TileData {
  uint32_t rows = 0;
  uint32_t cols = 0;
  std::vector<uint16_t> offset;
  std::vector<float> value;       // As `offset`.
  std::vector<float> descending;  // Magnitudes.
  compress::TwoLevels levels;

  uint32_t size() const { return rows * cols; }
  bool is_high(size_t i) const { return std::fabs(value[i]) >= descending[levels.high_count - 1]; }
};

using Tiles = std::vector<TileData>;

// Those that send something; a whole tile's levels each.
Tiles tiles_of(const StudyInput& input);
uint64_t value_count(const Tiles& tiles);

// Runs both ways as often as fits a fifth of a second each, checks them, times them.
Trial timed(std::string part, std::string code, const Tiles& tiles,
            const std::function<Bytes()>& encode, const std::function<bool(const Bytes&)>& decode);
Trial counted(std::string part, std::string code, const Tiles& tiles, double bits);

double log2_binomial(double n, double k);

// The codes of each part; those of study_indices.cpp and of study_entropy.cpp.
std::vector<Trial> try_indices(const Tiles& tiles);

}  // namespace bench
