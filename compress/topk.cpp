#include "compress/topk.h"

#include <algorithm>

#include "common/check.h"
#include "compress/simd/select.h"

namespace compress {

void top_k(std::span<const float> values, std::span<uint16_t> offsets) {
  CHECK(values.size() <= kTileMax && !offsets.empty() && offsets.size() <= values.size());
  simd::TileValues tile;
  std::copy(values.begin(), values.end(), tile.value);
  for (size_t i = values.size(); i % 64 != 0; ++i) tile.value[i] = 0;
  simd::Selection selection;
  simd::Ahead nothing;
  simd::select(tile, values.size(), offsets.size(), nothing, selection);
  for (size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = static_cast<uint16_t>(selection.offset[i] & 0x7FFFFFFF);
  }
}

}  // namespace compress
