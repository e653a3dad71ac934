// Golomb codes for the gaps between sorted offsets: gap / m in unary, and gap % m in binary.
//
// The modulus m is not a choice: it follows from how many of how many values are kept. With offsets
// at random a gap is as likely to be m longer as half as likely to be there at all, if m is ln 2 of
// the mean gap. Of m remainders, `plain` ones take `width` bits and the others one more; that bit
// stands elsewhere, so that a machine can read 64 remainders of one width at once.
//
// For 64 of 4,096 m is 44, and an offset at random costs 7.44 bits; the bound log2(C(4096, 64)) /
// 64 is 7.36, Rice's code (m = 32) costs 7.50. Source: Golomb 1966; Gallager & van Voorhis 1975.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace compress {

struct GapCode {
  uint32_t modulus = 1;
  uint32_t width = 0;
  uint32_t plain = 1;
  // gap / modulus is gap * inverse >> shift, for a gap below 4,096: it is too large by less than
  // gap / 2^12 / modulus.
  uint32_t inverse = (1 << 13) + 1;
  uint32_t shift = 13;

  // Of tiles of `size` values of which `keep` are sent, or fewer.
  static constexpr GapCode of(uint32_t size, uint32_t keep) {
    const uint32_t modulus = std::max(1u, size * 11 / (16 * keep));
    const auto width = static_cast<uint32_t>(std::bit_width(modulus)) - 1;
    const uint32_t shift = 13 + width;
    return {modulus, width, (2u << width) - modulus, (1u << shift) / modulus + 1, shift};
  }

  constexpr uint32_t quotient(uint32_t gap) const { return gap * inverse >> shift; }

  // No `count` sorted offsets below `size` take more: their gaps sum to size - count at most. More
  // offsets never have a lower bound.
  constexpr uint32_t bits_max(uint32_t count, uint32_t size) const {
    const uint32_t longest = width + (plain < 1u << width ? 1 : 0);
    return count * (longest + 1) + (size - count) / modulus;
  }
};

}  // namespace compress
