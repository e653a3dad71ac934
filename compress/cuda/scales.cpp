#include "compress/cuda/scales.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "compress/clip.h"

namespace compress::cuda {

std::vector<CudaContributor> in_order(std::span<const CudaContributor> contributors) {
  std::vector<common::Uid> uids;
  for (const CudaContributor& contributor : contributors) uids.push_back(contributor.uid);
  std::vector<CudaContributor> ordered;
  for (const size_t i : order_by_uid(uids)) ordered.push_back(contributors[i]);
  return ordered;
}

std::vector<float> scales_of(std::span<const CudaContributor> contributors, double norm_floor) {
  const size_t tensors = contributors.empty() ? 0 : contributors[0].sums->norms.size();
  std::vector<float> scales(contributors.size() * tensors);
  std::vector<double> norms(contributors.size());
  for (size_t t = 0; t < tensors; ++t) {
    for (size_t i = 0; i < contributors.size(); ++i) {
      CHECK(contributors[i].sums->norms.size() == tensors);
      CHECK(std::isfinite(contributors[i].weight));
      norms[i] = contributors[i].sums->norms[t];
    }
    const std::vector<double> factors = clip_factors_of(norms, norm_floor);
    for (size_t i = 0; i < contributors.size(); ++i) {
      scales[i * tensors + t] = static_cast<float>(factors[i] * contributors[i].weight);
    }
  }
  return scales;
}

std::vector<float> shares_of(size_t most) {
  std::vector<float> shares;
  for (size_t senders = 0; senders <= most; ++senders) {
    const double divisor = static_cast<double>(std::max<size_t>(senders, 1));
    shares.push_back(static_cast<float>(1.0 / divisor));
  }
  return shares;
}

}  // namespace compress::cuda
