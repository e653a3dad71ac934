// The default codec: of each tile the largest, as sorted gaps (Golomb coded), signs and two
// magnitudes.
//
// A piece is a tile group (compress/tile_groups.h); its bits are in compress/tile_code.h. At 64 of
// 4,096 a tile takes 604 bits, 9.43 a value, 217 times less than fp32: 7.43 for where it is (at
// random 7.36 are the least), 1 for its sign, 0.86 for its level and 0.14 for the two magnitudes.
//
// Source: SparseLoCo, arXiv:2508.15706, for top-k with error feedback; the format is Muster's own.
#pragma once

#include "compress/codec.h"

namespace compress {

// Time: linear in the parameters. Memory of a thread, encoding: three times the longest encoding
// of a piece (0.3 MB at 64 of 4,096) and a few tiles; decoding: 20 bytes a value that is sent of
// the largest piece (1.3 MB) and a few tiles; summing: a few tiles.
//
// A value that is zero is never sent, nor one that would be rounded to zero: a tile of few values
// that are not zero sends fewer than `keep`. So no two miners seem to agree on where they sent
// nothing.
//
// A piece that is refused is kMalformed: bits that `encode` never writes. kNonFinite never: no bits
// stand for NaN or infinity.
class SparseLoco : public Codec {
 public:
  using Codec::Codec;

  std::string_view name() const override { return "sparseloco"; }
  std::unique_ptr<const BodyFormat> format(const Layout& layout) const override;
};

}  // namespace compress
