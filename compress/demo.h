// The codecs of DeMo and DisTrO: of each tile's DCT the largest coefficients.
//
// A piece is a tile group (compress/tile_groups.h), padded to a byte. The bits of a tile:
//    1   1: n is the tile's `keep`; 0: then 12 bits of n, which is less
//   12 n offsets of coefficients, ascending, row by row
//   16 n the coefficients in bf16; or 1 n their signs, 1: negative, and each is +1 or -1
//
// No coefficient that is sent is zero; n is less than `keep` only if so few are not. At 64 of 4,096
// a value takes 28 bits; DisTrO's 4 of 4,096 with signs take 13 and a quarter.
//
// In all, of a miner and of the network:
//
//   M = beta * M + delta;   c = the largest coefficients of DCT(M);   M = M - IDCT(c)
//   theta = theta - outer_lr * sign(IDCT(mean of c))
//
// Three things are not as in the default codec. What leaves M are the coefficients before they are
// rounded, or made signs (encode_feedback). The step is a sign: take_signs between aggregate and
// outer_step. And the mean is over coefficients: over contributors it is the same either side
// of the transform, but over the senders of a coefficient only on its own side; for that aggregate
// decode_coefficients of all, then to_parameters once.
//
// Sources: DeMo, arXiv:2411.19870; DisTrO's report, Nous Research 2024, and Psyche's distro.rs.
#pragma once

#include "compress/codec.h"

namespace compress {

// Magnitudes above 2^100 are taken as 2^100, so that no sum overflows. Memory of a thread,
// decoding: 8 bytes a value of the largest piece (34 MB at tiles of 4,096), for every parameter is
// sent, as the inverse transform is; judging: 4; encoding: a piece's longest encoding.
//
// A piece that is refused:  kNonFinite  a coefficient is NaN or infinity
//                           kMalformed  anything else that `encode` never writes
// kEmpty: no coefficient, or none that a parameter feels.
//
// Canonical in coefficients: encode_coefficients(decode_coefficients(x)) is x.
class Demo : public Codec {
 public:
  enum class Values { kBf16, kSign };

  explicit Demo(Values values, uint32_t threads = 1) : Codec(threads), values_(values) {}

  std::string_view name() const override { return values_ == Values::kBf16 ? "demo" : "distro"; }
  std::unique_ptr<const BodyFormat> format(const Layout& layout) const override;

  // coefficients (N), in the place of the parameters; finite (CHECK), at most 2^107.
  Bytes encode_coefficients(std::span<const float> coefficients, const Layout& layout) const;
  // Indices are those of the coefficients.
  Judged<Update> decode_coefficients(ByteView body, const Layout& layout) const;

 private:
  uint32_t value_bits() const { return values_ == Values::kBf16 ? 16 : 1; }

  Values values_;
};

// The DCT of each tile and its inverse, in place. (N)
void to_coefficients(std::span<float> values, const Layout& layout);
void to_parameters(std::span<float> coefficients, const Layout& layout);

// -1, 0 or 1 for each. (N)
void take_signs(std::span<float> values);

}  // namespace compress
