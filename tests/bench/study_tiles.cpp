#include "tests/bench/study_tiles.h"

#include <algorithm>

#include "common/check.h"
#include "common/clock.h"
#include "compress/band.h"
#include "compress/topk.h"

namespace bench {
namespace {

// Of as many as fit a fifth of a second. The clock has milliseconds.
double mean_seconds(const std::function<void()>& work) {
  constexpr common::milliseconds kEnough{200};
  common::Clock& clock = common::system_clock();
  const common::Instant start = clock.now();
  int count = 0;
  for (; clock.now() - start < kEnough; ++count) work();
  return static_cast<double>((clock.now() - start).count()) / 1e3 / count;
}

}  // namespace

Tiles tiles_of(const StudyInput& input) {
  Tiles tiles;
  std::vector<float> values;
  for (size_t t = 0; t < input.layout.tensors().size(); ++t) {
    const compress::Tensor& tensor = input.layout.tensors()[t];
    const auto of = std::span(input.values).subspan(tensor.offset, tensor.size());
    const uint64_t count = input.layout.first_tile(t + 1) - input.layout.first_tile(t);
    for (uint64_t i = 0; i < count; ++i) {
      const compress::Tile tile = input.layout.tile(t, i);
      compress::gather_tile(of, tensor.cols, tile, values);
      TileData data{tile.rows, tile.cols, std::vector<uint16_t>(tile.keep), {}, {}, {}};
      compress::top_k(values, data.offset);
      std::erase_if(data.offset, [&](uint16_t at) { return values[at] == 0; });
      if (data.offset.empty()) continue;
      for (const uint16_t at : data.offset) {
        data.value.push_back(values[at]);
        data.descending.push_back(std::fabs(values[at]));
      }
      std::sort(data.descending.begin(), data.descending.end(), std::greater<>());
      data.levels = compress::two_levels(data.descending);
      if (data.levels.count == data.offset.size()) tiles.push_back(std::move(data));
    }
  }
  return tiles;
}

uint64_t value_count(const Tiles& tiles) {
  uint64_t count = 0;
  for (const TileData& tile : tiles) count += tile.offset.size();
  return count;
}

Trial timed(std::string part, std::string code, const Tiles& tiles,
            const std::function<Bytes()>& encode, const std::function<bool(const Bytes&)>& decode) {
  Bytes bytes;
  const double encode_s = mean_seconds([&] { bytes = encode(); });
  const double decode_s = mean_seconds([&] { CHECK_MSG(decode(bytes), code); });
  return {.part = std::move(part),
          .code = std::move(code),
          .bits = 8.0 * static_cast<double>(bytes.size()) / static_cast<double>(value_count(tiles)),
          .encode_s = encode_s,
          .decode_s = decode_s};
}

Trial counted(std::string part, std::string code, const Tiles& tiles, double bits) {
  return {.part = std::move(part),
          .code = std::move(code),
          .bits = bits / static_cast<double>(value_count(tiles))};
}

double log2_binomial(double n, double k) {
  return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2.0);
}

}  // namespace bench
