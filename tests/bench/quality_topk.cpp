#include "tests/bench/quality_topk.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "common/philox.h"
#include "compress/band.h"
#include "compress/topk.h"

namespace bench {

namespace {

// An update of what choose(of_tile, tile, offsets) leaves in `offsets` of each tile, with the
// values that it leaves in of_tile.
template <typename Choose>
compress::Update update_of(std::span<const float> values, const compress::Layout& layout,
                           Choose choose) {
  compress::Update update;
  std::vector<float> of_tile;
  std::vector<uint16_t> offsets;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const compress::Tensor& tensor = layout.tensors()[t];
    const auto of_tensor = values.subspan(tensor.offset, tensor.size());
    std::vector<std::pair<uint32_t, float>> sent;
    const uint64_t count = layout.first_tile(t + 1) - layout.first_tile(t);
    for (uint64_t i = 0; i < count; ++i) {
      const compress::Tile tile = layout.tile(t, i);
      compress::gather_tile(of_tensor, tensor.cols, tile, of_tile);
      choose(of_tile, tile, offsets);
      for (const uint32_t at : offsets) {
        if (of_tile[at] == 0) continue;
        const uint32_t row = tile.row + at / tile.cols;
        sent.emplace_back(row * tensor.cols + tile.col + at % tile.cols, of_tile[at]);
      }
    }
    std::sort(sent.begin(), sent.end());
    compress::SparseTensor& out = update.tensors.emplace_back();
    double squares = 0;
    for (const auto& [index, value] : sent) {
      out.index.push_back(index);
      out.value.push_back(value);
      squares += double{value} * double{value};
    }
    out.norm = std::sqrt(squares);
  }
  return update;
}

// Of the values at `offsets`: the sign, and the mean of the magnitudes on the same side of their
// mean.
void to_two_magnitudes(std::span<float> values, std::span<const uint16_t> offsets) {
  double sum = 0;
  for (const uint16_t at : offsets) sum += std::fabs(values[at]);
  const double middle = sum / static_cast<double>(offsets.size());
  double total[2] = {0, 0};
  double count[2] = {0, 0};
  for (const uint16_t at : offsets) {
    const size_t side = std::fabs(values[at]) > middle;
    total[side] += std::fabs(values[at]);
    count[side] += 1;
  }
  for (const uint16_t at : offsets) {
    const size_t side = std::fabs(values[at]) > middle;
    values[at] = std::copysign(static_cast<float>(total[side] / count[side]), values[at]);
  }
}

std::vector<uint16_t> places_in_turn() {
  std::vector<uint16_t> places(compress::kTileMax);
  common::Philox random(20'240'702);
  const auto order = common::sample_without_replacement(random, places.size(), places.size());
  std::transform(order.begin(), order.end(), places.begin(),
                 [](uint64_t place) { return static_cast<uint16_t>(place); });
  return places;
}

}  // namespace

compress::Update largest_of(std::span<const float> values, const compress::Layout& layout) {
  return update_of(
      values, layout,
      [](std::span<float> of_tile, const compress::Tile& tile, std::vector<uint16_t>& offsets) {
        offsets.resize(tile.keep);
        compress::top_k(of_tile, offsets);
      });
}

compress::Update masked(std::span<const float> values, const compress::Layout& layout,
                        uint32_t keep, uint64_t window) {
  static const std::vector<uint16_t> places = places_in_turn();
  return update_of(
      values, layout,
      [&](std::span<float> of_tile, const compress::Tile&, std::vector<uint16_t>& offsets) {
        offsets.clear();
        for (uint64_t i = 0; i < keep; ++i) {
          const uint16_t place = places[(window * keep + i) % places.size()];
          if (place < of_tile.size()) offsets.push_back(place);
        }
        if (!offsets.empty()) to_two_magnitudes(of_tile, offsets);
      });
}

uint64_t masked_size_bytes(const compress::Update& update, const compress::Layout& layout) {
  return (update.value_count() * 2 + layout.tile_count() * 32 + 7) / 8;
}

uint64_t plain_size_bytes(const compress::Update& update, const compress::Layout& layout) {
  constexpr uint64_t kIndexBits = 12;
  constexpr uint64_t kValueBits = 32;
  const uint64_t bits =
      update.value_count() * (kIndexBits + kValueBits) + layout.tile_count() * kIndexBits;
  return (bits + 7) / 8;
}

}  // namespace bench
