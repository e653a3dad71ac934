#include "compress/aggregate.h"

#include <cmath>
#include <limits>

#include "common/check.h"
#include "compress/clip.h"

namespace compress {
namespace {

std::vector<size_t> order_of(std::span<const Contributor> contributors) {
  std::vector<common::Uid> uids;
  for (const Contributor& contributor : contributors) uids.push_back(contributor.uid);
  return order_by_uid(uids);
}

// min(1, limit / norm) of each contributor for each tensor, in fp64: [contributor][tensor], as they
// came.
using Factors = std::vector<std::vector<double>>;

Factors factors_of(std::span<const Contributor> contributors, std::span<const size_t> order,
                   const common::OuterParams& params) {
  if (contributors.empty()) return {};
  const size_t tensor_count = contributors[0].update->tensors.size();
  Factors factors(contributors.size(), std::vector<double>(tensor_count, 1.0));
  std::vector<double> norms(contributors.size());
  for (size_t t = 0; t < tensor_count; ++t) {
    for (size_t i = 0; i < order.size(); ++i) {
      const Update& update = *contributors[order[i]].update;
      CHECK(update.tensors.size() == tensor_count);
      norms[i] = update.tensors[t].norm;
    }
    const std::vector<double> clipped = clip_factors_of(norms, params.norm_floor);
    for (size_t i = 0; i < order.size(); ++i) factors[order[i]][t] = clipped[i];
  }
  return factors;
}

// Adds scale * value of one contributor to a tensor, and counts it as a sender of each coordinate
// it sent.
//   sum  (size of the tensor)     senders  the same, or empty: not asked for
void add_sent(const SparseTensor& sent, float scale, std::span<float> sum,
              std::span<uint16_t> senders) {
  for (size_t i = 0; i < sent.index.size(); ++i) sum[sent.index[i]] += scale * sent.value[i];
  if (senders.empty()) return;
  for (const uint32_t at : sent.index) ++senders[at];
}

void divide_by_senders(std::span<float> sum, std::span<const uint16_t> senders) {
  for (size_t j = 0; j < sum.size(); ++j) {
    if (senders[j] > 1) sum[j] *= static_cast<float>(1.0 / senders[j]);
  }
}

}  // namespace

std::vector<std::vector<float>> clip_factors(std::span<const Contributor> contributors,
                                             const common::OuterParams& params) {
  std::vector<std::vector<float>> rounded;
  for (const std::vector<double>& row : factors_of(contributors, order_of(contributors), params)) {
    std::vector<float>& out = rounded.emplace_back();
    for (const double factor : row) out.push_back(static_cast<float>(factor));
  }
  return rounded;
}

std::vector<float> aggregate(std::span<const Contributor> contributors, const Layout& layout,
                             const common::OuterParams& params) {
  const bool by_senders = params.divide == "senders";
  CHECK(by_senders || params.divide == "contributors");
  CHECK(contributors.size() <= std::numeric_limits<uint16_t>::max());
  std::vector<float> G(layout.parameter_count(), 0.0f);
  if (contributors.empty()) return G;

  const std::vector<size_t> order = order_of(contributors);
  const Factors factors = factors_of(contributors, order, params);
  const auto share = static_cast<float>(1.0 / static_cast<double>(contributors.size()));
  std::vector<uint16_t> senders;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const Tensor& tensor = layout.tensors()[t];
    const auto sum = std::span(G).subspan(tensor.offset, tensor.size());
    if (by_senders) senders.assign(tensor.size(), 0);
    for (const size_t p : order) {
      CHECK(contributors[p].update->tensors.size() == layout.tensors().size());
      CHECK(std::isfinite(contributors[p].weight));
      const auto scale = static_cast<float>(factors[p][t] * contributors[p].weight);
      add_sent(contributors[p].update->tensors[t], scale, sum, senders);
    }
    if (by_senders) {
      divide_by_senders(sum, senders);
    } else {
      for (float& value : sum) value *= share;
    }
  }
  return G;
}

void outer_step(std::span<float> theta, std::span<const float> G, float learning_rate) {
  CHECK(theta.size() == G.size());
  for (size_t i = 0; i < theta.size(); ++i) theta[i] -= learning_rate * G[i];
}

}  // namespace compress
