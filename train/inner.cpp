#include "train/inner.h"

#include <fmt/format.h>

#include <cmath>

#include "common/check.h"
#include "common/log.h"
#include "train/batch.h"
#include "train/buffer.h"
#include "train/learning_rate.h"
#include "train/prefetch.h"

namespace train {
namespace {

using common::Code;
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

// A copy of theta that is trained, and its gradient. Where memory is one, the copy is the vector
// that becomes delta.
class Trained {
 public:
  Trained(std::span<const float> theta, Backend& backend)
      : start_(theta),
        backend_(backend),
        here_(theta.begin(), theta.end()),
        there_(backend),
        gradient_(backend) {
    if (!backend.unified_memory()) there_.upload(here_);
    gradient_.reserve(theta.size());
  }

  // Takes a step; the loss before it.
  Result<double> step(Model& model, Optimiser& optimiser, const Batch& batch, double rate) {
    const size_t size = start_.size();
    backend_.clear(gradient_.data(), size * sizeof(float));
    const double loss = model.loss_and_gradient(values(), batch, gradient_.data());
    if (!std::isfinite(loss)) return not_finite("loss", loss, model, batch);
    const double norm = gradient_norm(backend_, gradient_.data(), size);
    if (!std::isfinite(norm)) return not_finite("gradient's norm", norm, model, batch);
    optimiser.step(values(), gradient_.data(), rate, norm);
    return loss;
  }

  // Once, at the end.
  std::vector<float> delta() && {
    if (backend_.unified_memory()) {
      backend_.combine(here_.data(), 1.0F, start_.data(), -1.0F, here_.data(), here_.size());
    } else {
      there_.download(here_);
      for (size_t i = 0; i < here_.size(); ++i) here_[i] = start_[i] - here_[i];
    }
    return std::move(here_);
  }

 private:
  float* values() { return backend_.unified_memory() ? here_.data() : there_.data(); }

  Error not_finite(const char* what, double value, Model& model, const Batch& batch) {
    const std::string why = model.explain_not_finite(values(), batch, gradient_.data());
    return {Code::kRefused, fmt::format("the {} is {}: {}", what, value, why)};
  }

  std::span<const float> start_;
  Backend& backend_;
  std::vector<float> here_;
  Buffer<float> there_;  // Of a machine with memory of its own.
  Buffer<float> gradient_;
};

}  // namespace

Result<PseudoGradient> train_window(std::span<const float> theta, Model& model,
                                    Optimiser& optimiser, const Dataset& dataset,
                                    std::span<const uint64_t> assigned,
                                    const common::Hparams& hparams, common::Window window,
                                    const KeepGoing& keep_going) {
  const common::InnerParams& inner = hparams.inner;
  CHECK(inner.steps > 0 && assigned.size() >= size_t{inner.steps} * inner.sequences_per_step);
  CHECK(optimiser.range() == (ParameterRange{0, theta.size()}));
  Trained trained(theta, optimiser.backend());
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
    auto loss = trained.step(model, optimiser, *batch, learning_rate(inner, window, step));
    if (!loss) return common::within(fmt::format("inner step {}", step), loss.error());
    result.receipt.steps.push_back(
        {step, {samples.begin(), samples.end()}, static_cast<float>(*loss)});
    result.token_count += batch->input.size();
    if (step == 0) result.first_loss = *loss;
    result.last_loss = *loss;
  }
  result.delta = std::move(trained).delta();
  return result;
}

}  // namespace train
