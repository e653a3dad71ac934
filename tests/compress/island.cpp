#include "tests/compress/island.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/hash.h"
#include "common/philox.h"
#include "compress/aggregate.h"
#include "compress/demo.h"
#include "compress/error_feedback.h"
#include "compress/outer_step.h"
#include "tests/compress/stored.h"

namespace compress::testing {
namespace {

constexpr uint64_t kModels = 6;
constexpr uint64_t kWindows = 4;  // Both rules, of each both divisions.

common::ByteView bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

// One network: what a run fixes, and its miners.
class Network {
 public:
  Network(const std::string& codec, uint64_t seed, uint32_t threads)
      : random_(seed),
        params_(codec_params(codec)),
        layout_(layout()),
        codec_(make_codec(params_, threads).value()),
        format_(codec_->format(layout_)),
        theta_(gaussian(layout_.parameter_count(), seed)),
        feedback_(1 + random_.below(7), {layout_.parameter_count(), params_.feedback_decay}) {}

  void window(uint64_t number, common::Hasher& hasher) {
    std::vector<Bytes> bodies;
    for (uint64_t miner = 0; miner < feedback_.size(); ++miner) {
      Bytes body = feedback_[miner].encode(*codec_, delta(miner), layout_);
      hasher.update(body).update(bytes_of(feedback_[miner].values()));
      // Templar's middle level may swallow all of a small model: then it does not count.
      const auto update = codec_->decode(body, layout_);
      CHECK(update || update.error() == Verdict::kEmpty);
      if (update) bodies.push_back(std::move(body));
    }
    const std::vector<float> before = theta_;
    const common::OuterParams params = outer(number);
    step(bodies, params);
    CHECK(same_bits(theta_, stepped_in_memory(before, bodies, params)));
    hasher.update(bytes_of(theta_));
  }

 private:
  // Each of these draws.
  common::CodecParams codec_params(const std::string& name) {
    const uint32_t side = std::vector<uint32_t>{8, 16, 64}[random_.below(3)];
    const auto keep = 1 + static_cast<uint32_t>(random_.below(side * side / 4));
    return {.name = name, .tile = side * side, .keep = keep, .feedback_decay = 0.95};
  }
  Layout layout() {
    std::vector<std::pair<uint32_t, uint32_t>> shapes;
    const uint64_t tensors = 1 + random_.below(4);
    const auto below = [this](uint64_t most) {
      return 1 + static_cast<uint32_t>(random_.below(most));
    };
    for (uint64_t t = 0; t < tensors; ++t) {
      const uint32_t rows = random_.below(3) == 0 ? 1 : below(90);  // Drawn in this order.
      shapes.emplace_back(rows, below(130));
    }
    return layout_of(shapes, params_.tile, params_.keep);
  }
  // Of one of several kinds: ordinary, of many scales, mostly zero, of few different numbers.
  std::vector<float> delta(uint64_t miner) {
    const uint64_t kind = random_.below(4);
    const float scale = 0.001f * static_cast<float>(miner + 1);
    std::vector<float> values = gaussian(layout_.parameter_count(), random_.next32());
    for (float& value : values) {
      value *= scale;
      if (kind == 1 && random_.below(3) == 0) value *= 1.0f / 65536.0f;
      if (kind == 2 && random_.below(20) != 0) value = 0;
      if (kind == 3) value = scale * (static_cast<float>(random_.below(5)) - 2.0f);
    }
    values[random_.below(values.size())] = scale;  // Never all zero.
    return values;
  }
  common::OuterParams outer(uint64_t number) {
    auto params = outer_params(number % 2 == 0 ? "contributors" : "senders",
                               std::vector<double>{0, 0.1, 0.8}[random_.below(3)]);
    params.rule = number / 2 % 2 == 0 ? "average" : "sign";
    return params;
  }

  void step(const std::vector<Bytes>& bodies, const common::OuterParams& params) {
    std::vector<std::unique_ptr<Stored>> stored;
    std::vector<StoredContributor> contributors;
    for (size_t p = 0; p < bodies.size(); ++p) {
      stored.push_back(std::make_unique<Stored>(bodies[p], *format_));
      contributors.push_back(
          {Peers::uid_of(p), Peers::weight_of(p), &stored[p]->body(), &stored[p]->sums()});
    }
    CHECK(outer_step(theta_, contributors, *format_, params, kRate, all_pieces(*format_),
                     codec_->threads())
              .has_value());
  }
  std::vector<float> stepped_in_memory(std::vector<float> theta, const std::vector<Bytes>& bodies,
                                       const common::OuterParams& params) const {
    std::vector<Update> updates;
    for (const Bytes& body : bodies) updates.push_back(*codec_->decode(body, layout_));
    std::vector<Contributor> contributors;
    for (size_t p = 0; p < updates.size(); ++p) {
      contributors.push_back({Peers::uid_of(p), Peers::weight_of(p), &updates[p]});
    }
    std::vector<float> G = aggregate(contributors, layout_, params);
    if (params.rule == "sign") take_signs(G);
    outer_step(theta, G, kRate);
    return theta;
  }

  static constexpr float kRate = 0.7f;

  common::Philox random_;
  common::CodecParams params_;
  Layout layout_;
  std::unique_ptr<Codec> codec_;
  std::unique_ptr<const BodyFormat> format_;
  std::vector<float> theta_;
  std::vector<ErrorFeedback> feedback_;
};

}  // namespace

std::string island_root(const std::string& codec, uint32_t threads) {
  common::Hasher hasher;
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    Network network(codec, seed, threads);
    for (uint64_t number = 0; number < kWindows; ++number) network.window(number, hasher);
  }
  return hasher.finish().hex();
}

}  // namespace compress::testing
