// Every value, in bf16: what nothing is lost of but digits.
//
// Body:  N times two bytes, in the order of the flat array. Nothing else: a rank's range is twice
// its range of parameters.
//
// The baseline of all comparisons. With H > 1 it is DiLoCo; with H = 1 and an outer rate of 1 all
// nodes move by the mean of their AdamW steps, which is all-reduce with AdamW as far as those are
// alike. Source: Douillard et al. 2023, arXiv:2311.08105.
#pragma once

#include "compress/codec.h"

namespace compress {

// Values are rounded to the nearest bf16, ties to even; beyond its range to its largest number,
// and -0 to 0. The update holds every index, 8 bytes a value, for it has no other form.
//
// decode:  kOversized, kWrongShape  longer or shorter than 2 N
//          kNonFinite               NaN or infinity
//          kMalformed               a negative zero, which `encode` never writes
//          kEmpty                   zeros only
class Dense : public Codec {
 public:
  std::string_view name() const override { return "dense"; }
  Bytes encode(std::span<const float> values, const Layout& layout) const override;
  Judged<Update> decode(ByteView body, const Layout& layout) const override;
  uint64_t body_size_max(const Layout& layout) const override;
};

}  // namespace compress
