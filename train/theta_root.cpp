#include "train/theta_root.h"

#include <algorithm>

namespace train {
namespace {

constexpr size_t kLeafSize = 1 << 20;

}  // namespace

void ThetaHasher::update(std::span<const float> values) {
  common::ByteView bytes{reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kLeafSize - leaf_bytes_));
    leaf_.update(part);
    leaf_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
    if (leaf_bytes_ < kLeafSize) continue;
    leaves_.push_back(leaf_.finish());
    leaf_ = common::Hasher();
    leaf_bytes_ = 0;
  }
}

common::Hash ThetaHasher::finish() {
  if (leaf_bytes_ > 0) leaves_.push_back(leaf_.finish());
  return common::merkle_root(leaves_);
}

common::Hash theta_root(std::span<const float> theta) {
  ThetaHasher hasher;
  hasher.update(theta);
  return hasher.finish();
}

}  // namespace train
