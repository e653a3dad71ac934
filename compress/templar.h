// The codec of Templar, whose runs are compared with: 12 bits an index, one of four levels a
// tensor.
//
// A piece is a tensor, and there is no table:
//   offsets of what is kept, ascending in each tile, tile after tile    12 bits each (pack12.h)
//   codes, 0 to 3                                                       a byte each
//   m, s, L[0..3]                                                       six fp32
//
//   m    = mean(v)                                     over what is kept of the tensor
//   c    = v - m
//   s    = 6 / 4 * ||c|| / sqrt(n - 1)                 1 if that is zero or not finite
//   q    = clamp(round_half_even(c / s + 2), 0, 3)
//   L[j] = mean of c where q == j                      0 for no c
//   sent:  L[q] + m
//
// 20 bits a value, as Templar's runs have it (the paper's 14 are with two bits a code). One scale a
// tensor, and a middle level: of tiles with small values both signs fall into it.
//
// Elements are fp32, as there. The order of its sums and of its top-k is PyTorch's affair, so here
// one was chosen: sums are fp64, by tile and ascending offset, rounded to fp32 once; ties of
// magnitude go to the lower offset. Tiles are Muster's (compress/layout.h): those of Templar where
// 64 divides both dimensions; its vectors are sent whole, ours by tiles as all else.
//
// Source: github.com/tplr-ai/templar (MIT), compress.py, as run for Covenant-72B, arXiv:2603.08163.
#pragma once

#include "compress/codec.h"

namespace compress {

// Magnitudes above 2^126 are sent as 2^126: so no sum of them leaves fp32.
//
// A body of another size than the layout's is kOversized or kWrongShape. A piece that is refused:
//          kNonFinite  a parameter, or what is sent for a code
//          kMalformed  offsets that do not ascend in their tile, padding, a code above 3, a level
//                      in another bin than its own or of no value
//
// Memory of a thread: 11 bytes a value that is sent of the largest tensor; its levels are those of
// a whole tensor, so no smaller part can be worked on alone.
//
// A function of the update, but not one-to-one: m, s and L are means of what is not sent, so that
// nobody can tell whether they are the right ones.
class Templar : public Codec {
 public:
  using Codec::Codec;

  std::string_view name() const override { return "templar"; }
  std::unique_ptr<const BodyFormat> format(const Layout& layout) const override;
};

// The quantiser alone.
inline constexpr uint8_t kTemplarLevels = 4;
struct TemplarLevels {
  float mean = 0;
  float scale = 1;
  float level[kTemplarLevels] = {};

  // The bin of `centred`, a value less the mean.
  uint8_t code(float centred) const;
  float value(uint8_t code) const { return level[code] + mean; }
};
// codes (n) of values (n), finite and at most 2^126.
TemplarLevels templar_quantise(std::span<const float> values, std::span<uint8_t> codes);

}  // namespace compress
