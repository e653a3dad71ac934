#include "train/inner.h"

#include <fmt/format.h>

#include "common/check.h"
#include "common/log.h"
#include "train/batch.h"
#include "train/learning_rate.h"
#include "train/prefetch.h"

namespace train {
namespace {

using common::Error;
using common::Result;

// The next `count` samples.
Result<Batch> read_batch(Prefetcher& samples, size_t count, uint32_t end_of_document,
                         bool document_mask) {
  std::vector<std::vector<uint32_t>> runs;
  runs.reserve(count);
  while (runs.size() < count) {
    TRY(std::vector<uint32_t> run, samples.next());
    runs.push_back(std::move(run));
  }
  return make_batch(runs, end_of_document, document_mask);
}

}  // namespace

Result<PseudoGradient> train_window(std::span<const float> theta, Learner& learner,
                                    const Dataset& dataset, std::span<const uint64_t> assigned,
                                    const common::Hparams& hparams, common::Window window,
                                    const KeepGoing& keep_going) {
  const common::InnerParams& inner = hparams.inner;
  CHECK(inner.steps > 0 && assigned.size() >= size_t{inner.steps} * inner.sequences_per_step);
  TRY_VOID(learner.begin(theta));
  PseudoGradient result;
  Prefetcher prefetcher(dataset, assigned.first(size_t{inner.steps} * inner.sequences_per_step));
  for (uint32_t step = 0; step < inner.steps; ++step) {
    if (step > 0 && !keep_going(step)) break;
    const auto samples =
        assigned.subspan(size_t{step} * inner.sequences_per_step, inner.sequences_per_step);
    const auto batch = read_batch(prefetcher, samples.size(), dataset.manifest().end_of_document,
                                  hparams.data.document_mask);
    if (!batch && step == 0) return batch.error();
    if (!batch) {
      common::log_warning("window {}: training ends before step {}, its data cannot be read: {}",
                          window.index, step, batch.error().message);
      break;
    }
    auto loss = learner.step(*batch, learning_rate(inner, window, step));
    if (!loss) return common::within(fmt::format("inner step {}", step), loss.error());
    result.receipt.steps.push_back(
        {step, {samples.begin(), samples.end()}, static_cast<float>(*loss)});
    result.token_count += batch->input.size();
    if (step == 0) result.first_loss = *loss;
    result.last_loss = *loss;
  }
  TRY(result.delta, learner.finish());
  return result;
}

Result<PseudoGradient> train_window(std::span<const float> theta, Model& model,
                                    Optimiser& optimiser, const Dataset& dataset,
                                    std::span<const uint64_t> assigned,
                                    const common::Hparams& hparams, common::Window window,
                                    const KeepGoing& keep_going) {
  const auto learner = make_learner(model, optimiser);
  return train_window(theta, *learner, dataset, assigned, hparams, window, keep_going);
}

}  // namespace train
