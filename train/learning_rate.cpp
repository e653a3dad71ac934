#include "train/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace train {
namespace {

// Everything in inner steps.
double main_rate(const common::InnerParams& params, double now) {
  const auto steps = static_cast<double>(params.steps);
  const double flat = static_cast<double>(params.flat_window) * steps;
  const double flat_steps = static_cast<double>(params.flat_windows) * steps;
  const double time = now - std::clamp(now - flat, 0.0, flat_steps);
  const double warmup = static_cast<double>(params.warmup_windows) * steps;
  const double decay = static_cast<double>(params.decay_windows) * steps;
  if (time < warmup) return params.learning_rate * (time + 1) / warmup;
  const double way = time < decay ? (time - warmup) / (decay - warmup) : 1.0;
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * way));
  return params.learning_rate * (params.final_ratio + (1.0 - params.final_ratio) * cosine);
}

double anneal_rate(const common::InnerParams& params, double since) {
  const double peak = params.learning_rate * params.anneal_ratio;
  const auto warmup = static_cast<double>(params.anneal_warmup_steps);
  const double total = static_cast<double>(params.anneal_windows) * params.steps;
  if (since < warmup) return peak * (since + 1) / warmup;
  return since < total ? peak * (total - since) / (total - warmup) : 0.0;
}

}  // namespace

bool anneals(const common::InnerParams& params, common::Window window) {
  return params.anneal_window > 0 && window.index >= params.anneal_window;
}

double learning_rate(const common::InnerParams& params, common::Window window, uint32_t step) {
  const auto steps_since = [&](uint64_t first) {
    return static_cast<double>(window.index - first) * params.steps + step;
  };
  return anneals(params, window) ? anneal_rate(params, steps_since(params.anneal_window))
                                 : main_rate(params, steps_since(0));
}

}  // namespace train
