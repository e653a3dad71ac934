#include "tests/compress/island.h"

#include <vector>

#include "common/check.h"
#include "common/hash.h"
#include "common/philox.h"
#include "compress/aggregate.h"
#include "compress/error_feedback.h"
#include "compress/sparseloco.h"
#include "tests/compress/support.h"

namespace compress::testing {
namespace {

common::ByteView bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

std::string island_hash() {
  const Layout layout = layout_of({{200, 150}, {1, 150}, {150, 64}, {1, 5000}});
  const SparseLoco codec;
  common::Hasher hasher;
  std::vector<float> theta = gaussian(layout.parameter_count(), 1);
  std::vector<ErrorFeedback> feedback(6, ErrorFeedback(layout.parameter_count(), 0.95));
  for (uint64_t window = 0; window < 3; ++window) {
    std::vector<Update> updates;
    for (uint64_t miner = 0; miner < feedback.size(); ++miner) {
      std::vector<float> delta = gaussian(layout.parameter_count(), 100 * window + miner);
      for (float& value : delta) value *= 0.001f * static_cast<float>(miner + 1);
      const Bytes body = feedback[miner].encode(codec, delta, layout);
      hasher.update(body);
      auto update = codec.decode(body, layout);
      CHECK(update.has_value());
      updates.push_back(*std::move(update));
    }
    std::vector<Contributor> contributors;
    for (const Update& update : updates) {
      const auto uid = static_cast<uint16_t>(97 * contributors.size() % 61);
      contributors.push_back({.uid = {uid}, .weight = 1.0 - uid / 100.0, .update = &update});
    }
    const auto params = outer_params(window == 1 ? "senders" : "contributors", 0.8);
    outer_step(theta, aggregate(contributors, layout, params), 0.7f);
    hasher.update(bytes_of(theta));
  }
  return hasher.finish().hex();
}

}  // namespace compress::testing
