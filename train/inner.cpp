#include "train/inner.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "train/batch.h"

namespace train {
namespace {

Batch read_batch(const Dataset& dataset, std::span<const uint64_t> samples, bool document_mask) {
  std::vector<std::vector<uint32_t>> runs;
  runs.reserve(samples.size());
  for (const uint64_t sample : samples) runs.push_back(dataset.sample(sample));
  return make_batch(runs, dataset.manifest().end_of_document, document_mask);
}

}  // namespace

PseudoGradient train_window(std::span<const float> theta, Model& model, AdamW& optimiser,
                            const Dataset& dataset, std::span<const uint64_t> assigned,
                            const common::Hparams& hparams, common::Window window,
                            const KeepGoing& keep_going) {
  const common::InnerParams& inner = hparams.inner;
  CHECK(inner.steps > 0 && assigned.size() >= size_t{inner.steps} * inner.sequences_per_step);
  std::vector<float> trained(theta.begin(), theta.end());
  std::vector<float> gradient(theta.size());
  PseudoGradient result;
  for (uint32_t step = 0; step < inner.steps; ++step) {
    if (step > 0 && !keep_going(step)) break;
    const auto samples =
        assigned.subspan(size_t{step} * inner.sequences_per_step, inner.sequences_per_step);
    const Batch batch = read_batch(dataset, samples, hparams.data.document_mask);
    std::ranges::fill(gradient, 0.0F);
    const double loss = model.loss_and_gradient(trained, batch, gradient);
    CHECK_MSG(std::isfinite(loss), "the loss is not finite");
    optimiser.step(trained, gradient, learning_rate(inner, window, step));
    result.receipt.steps.push_back(
        {step, {samples.begin(), samples.end()}, static_cast<float>(loss)});
    result.token_count += batch.input.size();
    if (step == 0) result.first_loss = loss;
    result.last_loss = loss;
  }
  result.delta.resize(theta.size());
  for (size_t i = 0; i < theta.size(); ++i) result.delta[i] = theta[i] - trained[i];
  return result;
}

}  // namespace train
