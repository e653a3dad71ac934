// Bodies as sources, for the tests of what streams.
#pragma once

#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "common/byte_source.h"
#include "common/check.h"
#include "compress/aggregate.h"
#include "compress/codec.h"
#include "compress/outer_step.h"
#include "tests/compress/support.h"

namespace compress::testing {

inline const std::vector<std::string> kCodecNames = {"sparseloco", "templar", "demo", "distro",
                                                     "dense"};

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) {
           return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y);
         });
}

// A good body in memory, opened and judged.
class Stored {
 public:
  Stored(ByteView bytes, const BodyFormat& format)
      : source_(bytes), body_(**StoredBody::open(source_, 0, bytes.size(), format)) {
    auto sums = judge_body(body_, format, 1);
    CHECK(sums && *sums);
    sums_ = **std::move(sums);
  }

  const StoredBody& body() const { return body_; }
  const BodySums& sums() const { return sums_; }

 private:
  common::MemorySource source_;
  StoredBody body_;
  BodySums sums_;
};

// One of whose bytes cannot be read.
class FailingSource : public common::ByteSource {
 public:
  FailingSource(ByteView bytes, uint64_t bad) : source_(bytes), bad_(bad) {}

  uint64_t size() const override { return source_.size(); }
  common::Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
    if (bad_ >= offset && bad_ < offset + out.size()) {
      return common::Error{common::Code::kIo, "a bad sector"};
    }
    return source_.read(offset, out);
  }

 private:
  common::MemorySource source_;
  uint64_t bad_;
};

inline std::unique_ptr<Codec> codec_of(const std::string& name) {
  return make_codec({.name = name, .tile = 64, .keep = 5, .feedback_decay = 0.95}).value();
}

// Values of one of several kinds, some of whose tiles are zero.
inline std::vector<float> some_values(uint64_t count, uint64_t seed) {
  std::vector<float> values = gaussian(count, seed);
  for (float& value : values) value *= static_cast<float>(1 + seed % 4);
  if (seed % 5 == 2) std::fill(values.begin(), values.end() - static_cast<ptrdiff_t>(count / 3), 0);
  return values;
}

// One window of some peers.
struct Peers {
  std::vector<Bytes> bodies;
  std::vector<std::unique_ptr<Stored>> stored;
  std::vector<Update> updates;

  Peers(const Codec& codec, const BodyFormat& format, size_t count, uint64_t seed) {
    const Layout& layout = format.layout();
    bodies.reserve(count);
    for (size_t p = 0; p < count; ++p) {
      bodies.push_back(codec.encode(some_values(layout.parameter_count(), seed + p), layout));
      updates.push_back(*codec.decode(bodies.back(), layout));
      stored.push_back(std::make_unique<Stored>(bodies.back(), format));
    }
  }
  static common::Uid uid_of(size_t p) { return {static_cast<uint16_t>(97 * p % 61)}; }
  static double weight_of(size_t p) { return 1.0 - 0.01 * static_cast<double>(p); }

  std::vector<Contributor> in_memory() const {
    std::vector<Contributor> made;
    for (size_t p = 0; p < updates.size(); ++p)
      made.push_back({uid_of(p), weight_of(p), &updates[p]});
    return made;
  }
  std::vector<StoredContributor> on_disk() const {
    std::vector<StoredContributor> made;
    for (size_t p = 0; p < stored.size(); ++p) {
      made.push_back({uid_of(p), weight_of(p), &stored[p]->body(), &stored[p]->sums()});
    }
    return made;
  }
};

}  // namespace compress::testing
