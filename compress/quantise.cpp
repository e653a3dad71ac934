#include "compress/quantise.h"

#include <bit>

#include "compress/simd/values.h"

namespace compress {
namespace {

// Drops what is less than `least`.
void drop_below(float least, simd::Selection& selection) {
  size_t next = 0;
  for (size_t i = 0; i < selection.count; ++i) {
    selection.bits[next] = selection.bits[i];
    selection.offset[next] = selection.offset[i];
    if (std::bit_cast<float>(selection.bits[i]) >= least) ++next;
  }
  selection.count = next;
}

}  // namespace

const CodedTile& Quantiser::quantise(const simd::TileValues& values, uint32_t size, uint32_t keep,
                                     simd::Ahead& ahead) {
  simd::select(values, size, keep, ahead, selection_);
  simd::sort_descending({selection_.bits, keep}, ahead, sorted_);
  size_t count = keep;
  while (count > 0 && sorted_[count - 1] == 0) --count;
  coded_.levels = {};
  if (count == 0) return coded_;
  coded_.levels = two_levels(std::span(sorted_).first(count));
  const TwoLevels& levels = coded_.levels;
  if (levels.count == 0) return coded_;
  // Equal magnitudes are never on both sides of a split, so the least of each side tells the sides
  // apart.
  if (levels.count < keep) drop_below(sorted_[levels.count - 1], selection_);
  simd::flags_of(selection_, sorted_[levels.high_count - 1], coded_.offset.data(),
                 coded_.negative.data(), coded_.high.data());
  return coded_;
}

}  // namespace compress
