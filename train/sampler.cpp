#include "train/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/check.h"

namespace train {

Sampler::Sampler(const SamplingParams& params) : params_(params), random_(params.seed) {
  CHECK(params.temperature >= 0 && params.top_p > 0 && params.top_p <= 1);
}

uint32_t Sampler::next(std::span<const float> logits) {
  CHECK(!logits.empty());
  const auto top = std::max_element(logits.begin(), logits.end());  // The first of equal ones.
  if (params_.temperature == 0) return static_cast<uint32_t>(top - logits.begin());
  order_.resize(logits.size());
  std::iota(order_.begin(), order_.end(), 0U);
  const auto likelier = [&](uint32_t a, uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  const bool cuts = params_.top_k > 0 && params_.top_k < order_.size();
  if (cuts) {
    std::nth_element(order_.begin(), order_.begin() + params_.top_k, order_.end(), likelier);
    order_.resize(params_.top_k);
  }
  if (cuts || params_.top_p < 1) std::sort(order_.begin(), order_.end(), likelier);
  weight_.resize(order_.size());
  double sum = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    weight_[i] = std::exp((double{logits[order_[i]]} - double{*top}) / params_.temperature);
    sum += weight_[i];
  }
  if (params_.top_p < 1) {
    const double wanted = params_.top_p * sum;
    sum = 0;
    size_t kept = 0;
    while (kept < order_.size() && (kept == 0 || sum < wanted)) sum += weight_[kept++];
    order_.resize(kept);
  }
  double left = random_.unit() * sum;
  for (size_t i = 0; i + 1 < order_.size(); ++i) {
    left -= weight_[i];
    if (left < 0) return order_[i];
  }
  return order_.back();
}

}  // namespace train
