#include "compress/clip.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "common/check.h"

namespace compress {
namespace {

// What norms are clipped to: their lower median, but at least `floor` times their mean.
double norm_limit(std::vector<double> norms, double floor) {
  double sum = 0;
  for (const double norm : norms) sum += norm;
  const double mean = sum / static_cast<double>(norms.size());
  const auto median = norms.begin() + static_cast<std::ptrdiff_t>((norms.size() - 1) / 2);
  std::nth_element(norms.begin(), median, norms.end());
  return std::max(*median, floor * mean);
}

}  // namespace

std::vector<double> clip_factors_of(std::span<const double> norms, double norm_floor) {
  if (norms.empty()) return {};
  const double limit = norm_limit({norms.begin(), norms.end()}, norm_floor);
  std::vector<double> factors(norms.size(), 1.0);
  for (size_t i = 0; i < norms.size(); ++i) {
    // Also guards the division: a norm of zero is never above the limit.
    if (norms[i] > limit) factors[i] = limit / norms[i];
  }
  return factors;
}

std::vector<size_t> order_by_uid(std::span<const common::Uid> uids) {
  std::vector<size_t> order(uids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return uids[a] < uids[b]; });
  for (size_t i = 1; i < order.size(); ++i) CHECK(uids[order[i - 1]] < uids[order[i]]);
  return order;
}

}  // namespace compress
