// The default codec: of each tile the largest, as sorted gaps (Rice coded), signs and two
// magnitudes.
//
// Body:  table, one u32 a tile group: its bytes  |  the groups in order
//
// Groups follow from the layout (compress/tile_groups.h), so the table alone tells a rank its byte
// range. The bits of a group are in compress/tile_code.h. At 64 of 4,096 a tile takes 636 bits,
// 9.93 a value, 206 times less than fp32; 2 % over the least for indices (7.36), sign, level and 24
// bits.
//
// Source: SparseLoCo, arXiv:2508.15706, for top-k with error feedback; the format is Muster's own.
#pragma once

#include "compress/codec.h"

namespace compress {

// Time: linear in the parameters. Memory: the body, or the update; a few tiles beside it.
//
// A value that is zero is never sent, nor one that would be rounded to zero: a tile of few values
// that are not zero sends fewer than `keep`. So no two miners seem to agree on where they sent
// nothing.
//
// decode:  kOversized   longer than body_size_max
//          kWrongShape  shorter than the table, or a group shorter or longer than its tiles can be
//          kMalformed   sizes that do not sum to the body; bits that `encode` never writes
//          kEmpty       no value in any tile
//
// kNonFinite never: no bits stand for NaN or infinity.
class SparseLoco : public Codec {
 public:
  // Works on so many threads, a group each at a time; what comes out does not depend on it.
  explicit SparseLoco(uint32_t threads = 1) : threads_(threads) {}

  std::string_view name() const override { return "sparseloco"; }
  Bytes encode(std::span<const float> values, const Layout& layout) const override;
  // One pass over memory: 12 bytes a parameter are moved.
  Bytes encode_feedback(std::span<float> e, float decay, std::span<const float> delta,
                        const Layout& layout) const override;
  Judged<Update> decode(ByteView body, const Layout& layout) const override;
  uint64_t body_size_max(const Layout& layout) const override;

 private:
  uint32_t threads_;
};

}  // namespace compress
