// Two magnitudes for the values of one tile: the best two in squared error, in 24 bits.
//
//   high = (512 + mantissa) * 2^(exponent - 105)     16 bits: 7 of exponent, 9 of mantissa
//   low  = high * ratio / 256                         8 bits; 0: there is no low value
//
// `high` is 2^-96 to almost 2^32. It has 10 significant bits and `low` has 18, so both are fp32
// exactly, and so are their squares, summed over a tile, in fp64 (49 bits): norms need no care.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace compress {

// Counts are of the sorted magnitudes, from the largest.
struct TwoLevels {
  uint32_t high_count = 0;  // So many are high;
  uint32_t count = 0;       //   so many are sent. The others would be rounded to zero.
  uint16_t high_code = 0;
  uint8_t ratio = 0;

  double high() const;
  double low() const { return high() * ratio * (1.0 / 256); }
};

// `magnitudes` (n) descend and are above zero.
//
// The split is the one of least squared error, of equal ones the latest, never between equal
// values; sums are fp64 in the order given, so every machine finds the same. What would be less
// than 1/512 of `high` is not sent (the error feedback keeps it), two levels that round to one are
// one, and `high` saturates at its largest. Of magnitudes that are two levels already, exactly
// these levels are found: that makes the code canonical.
TwoLevels two_levels(std::span<const float> magnitudes);

namespace magnitude_code {

// A code is a slice of the bits of a double: the 7 low bits of its exponent, moved, and 9 of its
// mantissa.
inline constexpr uint32_t kDropped = 52 - 9;
inline constexpr uint64_t kFirst = (1023 - 96) << 9;

inline double value(uint16_t code) { return std::bit_cast<double>((kFirst + code) << kDropped); }

}  // namespace magnitude_code

inline double TwoLevels::high() const { return magnitude_code::value(high_code); }

}  // namespace compress
