// Every value, in bf16: what nothing is lost of but digits.
//
// A piece is 2^20 values, or what is left: two bytes each, in the order of the flat array. There is
// no table, so a body is N times two bytes and a rank's range twice its range of parameters.
//
// The baseline of all comparisons. With H > 1 it is DiLoCo; with H = 1 and an outer rate of 1 all
// nodes move by the mean of their AdamW steps, which is all-reduce with AdamW as far as those are
// alike. Source: Douillard et al. 2023, arXiv:2311.08105.
#pragma once

#include "compress/codec.h"

namespace compress {

// Values are rounded to the nearest bf16, ties to even; beyond its range to its largest number,
// and -0 to 0. An update holds every index, 8 bytes a value, for it has no other form; of a piece
// that is 8 MB.
//
// A body of another size is kOversized or kWrongShape. A piece that is refused:
//          kNonFinite  NaN or infinity
//          kMalformed  otherwise a negative zero, which `encode` never writes
class Dense : public Codec {
 public:
  using Codec::Codec;

  std::string_view name() const override { return "dense"; }
  std::unique_ptr<const BodyFormat> format(const Layout& layout) const override;
};

}  // namespace compress
