#include "compress/simd/unpack.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/unpack.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/blocks.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

bool unpack_here(const PackedTile& tile, TileStreams& from, UnpackedTile& to) {
  const GapVectors gaps(tile.gaps);
  Blocks blocks(gaps, tile, from);
  while (blocks.left()) {
    const uint32_t first = blocks.first();
    if (!blocks.take(to.offset.data() + first, to.negative[first / 64], to.high[first / 64])) {
      return false;
    }
  }
  return blocks.ends_well();
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(unpack_here);

bool unpack(const PackedTile& tile, TileStreams& from, UnpackedTile& to) {
  return HWY_DYNAMIC_DISPATCH(unpack_here)(tile, from, to);
}

}  // namespace compress::simd
#endif
