#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "common/check.h"
#include "train/buffer.h"
#include "train/learner.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

// A copy of theta that is trained, and its gradient. Where memory is one, the copy is the vector
// that becomes the difference.
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
  std::vector<float> difference() && {
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

class OneMachine : public Learner {
 public:
  OneMachine(Model& model, Optimiser& optimiser) : model_(model), optimiser_(optimiser) {}

  Result<void> begin(std::span<const float> theta) override {
    CHECK(optimiser_.range() == (ParameterRange{0, theta.size()}));
    trained_.reset();  // Before memory is asked for again.
    trained_.emplace(theta, optimiser_.backend());
    return {};
  }
  Result<double> step(const Batch& batch, double rate) override {
    CHECK(trained_.has_value());
    return trained_->step(model_, optimiser_, batch, rate);
  }
  Result<std::vector<float>> finish() override {
    CHECK(trained_.has_value());
    std::vector<float> difference = std::move(*trained_).difference();
    trained_.reset();
    return difference;
  }
  OptimiserParts optimiser() override { return optimiser_; }

 private:
  Model& model_;
  Optimiser& optimiser_;
  std::optional<Trained> trained_;
};

struct Owned {
  Owned(const common::Hparams& hparams, Backend& backend, const ModelOptions& options)
      : model(hparams.model, backend, options),
        optimiser(make_optimiser(parameter_layout(hparams.model, hparams.codec), hparams.inner,
                                 backend)) {}
  Model model;
  std::unique_ptr<Optimiser> optimiser;
};

// Owned comes first, so that it is there before it is referred to.
class OwnMachine final : private Owned, public OneMachine {
 public:
  OwnMachine(const common::Hparams& hparams, Backend& backend, const ModelOptions& options)
      : Owned(hparams, backend, options), OneMachine(Owned::model, *Owned::optimiser) {}
};

}  // namespace

std::unique_ptr<Learner> make_learner(Model& model, Optimiser& optimiser) {
  return std::make_unique<OneMachine>(model, optimiser);
}

std::unique_ptr<Learner> make_learner(const common::Hparams& hparams, Backend& backend,
                                      const ModelOptions& options) {
  return std::make_unique<OwnMachine>(hparams, backend, options);
}

}  // namespace train
