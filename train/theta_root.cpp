#include "train/theta_root.h"

namespace train {
namespace {

common::ByteView bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

void ThetaHasher::update(std::span<const float> values) { tree_.update(bytes_of(values)); }

common::Hash theta_root(std::span<const float> theta) { return common::tree_hash(bytes_of(theta)); }

}  // namespace train
