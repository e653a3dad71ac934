#include "compress/error_feedback.h"

#include <algorithm>

#include "common/check.h"
#include "compress/aggregate.h"

namespace compress {

ErrorFeedback::ErrorFeedback(uint64_t parameter_count, double decay)
    : values_(parameter_count, 0.0f), decay_(static_cast<float>(decay)) {}

void ErrorFeedback::add(std::span<const float> delta) {
  CHECK(delta.size() == values_.size());
  for (size_t i = 0; i < delta.size(); ++i) values_[i] = decay_ * values_[i] + delta[i];
}

Bytes ErrorFeedback::encode(const Codec& codec, std::span<const float> delta,
                            const Layout& layout) {
  return codec.encode_feedback(values_, decay_, delta, layout);
}

NewPieceMaker ErrorFeedback::encode(const BodyFormat& format, PieceRange range,
                                    std::span<const float> delta) {
  return feedback_from(format, range, values_, decay_, delta);
}

void ErrorFeedback::subtract(const Update& sent, const Layout& layout) {
  const std::vector<float> minus_one(layout.tensors().size(), -1.0f);
  add_to(values_, sent, layout, minus_one);
}

void ErrorFeedback::look_ahead(std::span<float> theta) const { outer_step(theta, values_, 1.0f); }

void ErrorFeedback::reset() { std::fill(values_.begin(), values_.end(), 0.0f); }

}  // namespace compress
