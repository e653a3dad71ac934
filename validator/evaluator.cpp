#include "validator/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "common/check.h"
#include "common/philox.h"
#include "train/prefetch.h"

namespace validator {
namespace {

using ::common::Result;

// Sequences of one set, each read before the trial at most once a window.
class Measured {
 public:
  Measured(const train::Dataset& dataset, train::Model& model, bool document_mask)
      : dataset_(&dataset), model_(model), document_mask_(document_mask) {}

  uint64_t sample_count() const { return dataset_->sample_count(); }
  const std::map<uint64_t, double>& before() const { return before_; }
  // Nothing was read; from now on of this set.
  void begin(const train::Dataset& dataset) {
    dataset_ = &dataset;
    before_.clear();
  }

  Result<std::vector<double>> losses(std::span<const float> theta,
                                     std::span<const uint64_t> samples) {
    if (samples.empty()) return std::vector<double>();
    std::vector<std::vector<uint32_t>> runs;
    train::Prefetcher prefetcher(*dataset_, samples);
    while (runs.size() < samples.size()) {
      TRY(std::vector<uint32_t> run, prefetcher.next());
      runs.push_back(std::move(run));
    }
    const uint32_t end = dataset_->manifest().end_of_document;
    return model_.losses(theta, train::make_batch(runs, end, document_mask_));
  }

  // Pre: `theta` is the state before the window, untouched.
  Result<void> measure_before(std::span<const float> theta, std::span<const uint64_t> samples) {
    std::vector<uint64_t> missing;
    for (const uint64_t sample : samples) {
      if (!before_.contains(sample)) missing.push_back(sample);
    }
    TRY(const std::vector<double> losses_before, losses(theta, missing));
    for (size_t i = 0; i < missing.size(); ++i) before_.emplace(missing[i], losses_before[i]);
    return {};
  }

 private:
  const train::Dataset* dataset_;
  train::Model& model_;
  bool document_mask_;
  std::map<uint64_t, double> before_;
};

// One kind of sequences of one candidate: which come, how far we are, what was measured.
class Series {
 public:
  Series(Measured& measured, std::vector<uint64_t> order, Losses& losses)
      : measured_(measured), order_(std::move(order)), losses_(losses) {}

  // The next `count`, or fewer at the end.
  void take(size_t count) {
    begin_ = end_;
    end_ = std::min(order_.size(), begin_ + count);
  }
  std::span<const uint64_t> taken() const {
    return std::span(order_).subspan(begin_, end_ - begin_);
  }
  Result<void> measure_before(std::span<const float> theta) {
    return measured_.measure_before(theta, taken());
  }
  Result<void> measure_after(std::span<const float> theta) {
    TRY(const std::vector<double> after, measured_.losses(theta, taken()));
    for (size_t i = 0; i < after.size(); ++i) {
      const double before = measured_.before().at(taken()[i]);
      if (!std::isfinite(before)) continue;
      losses_.samples.push_back(taken()[i]);
      losses_.before.push_back(before);
      losses_.after.push_back(std::isfinite(after[i]) ? after[i]
                                                      : std::numeric_limits<double>::infinity());
    }
    return {};
  }
  bool decided(double confidence_z) const {
    const Gain gain = gain_of(losses_);
    return gain.sequences > 0 && std::abs(gain.mean) > confidence_z * gain.error;
  }
  bool at_end() const { return end_ == order_.size(); }

 private:
  Measured& measured_;
  std::vector<uint64_t> order_;
  Losses& losses_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace

struct Evaluator::Impl {
  const common::Hparams& hparams;
  const train::TrainingSets& training_sets;
  const train::Dataset& heldout_set;
  const compress::BodyFormat& format;
  uint32_t threads;
  Measured trained;  // Own and control.
  Measured common;
  Window window;
  Hash seed_block;
  std::vector<uint64_t> common_order;
  std::vector<uint64_t> control_order;
  bool begun = false;

  uint64_t sequences_max() const {
    const common::EvaluationParams& evaluation = hparams.evaluation;
    return std::max<uint64_t>(evaluation.sequences_min,
                              evaluation.tokens_max / hparams.model.sequence_length);
  }

  // Own, and control: together tokens_max.
  uint64_t own_count() const {
    return std::max<uint64_t>(hparams.evaluation.sequences_min, sequences_max() / 2);
  }

  // Up to `count` of [0, population), for one purpose; nobody's depend on who else is judged.
  std::vector<uint64_t> drawn(std::string_view purpose, uint64_t number, uint64_t population,
                              uint64_t count) const {
    ::common::Philox random(::common::Hasher()
                                .update(::common::view_of(purpose))
                                .number(window.index)
                                .update(seed_block.bytes)
                                .number(number)
                                .finish());
    return ::common::sample_without_replacement(random, population, std::min(population, count));
  }

  std::vector<uint64_t> own_order(const Candidate& candidate) const {
    std::vector<uint64_t> pool;
    for (const train::ReceiptStep& step : candidate.receipt->steps) {
      for (const uint64_t sample : step.samples) {
        if (sample < trained.sample_count()) pool.push_back(sample);
      }
    }
    std::sort(pool.begin(), pool.end());
    pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
    std::vector<uint64_t> order = drawn("own", candidate.uid.index, pool.size(), own_count());
    for (uint64_t& sample : order) sample = pool[sample];
    return order;
  }

  // One more batch: before on the untouched state, after under a trial.
  Result<void> extend(train::Replica& replica, const Candidate& candidate, Series& series,
                      size_t count) const {
    series.take(count);
    TRY_VOID(series.measure_before(replica.theta()));
    TRY(train::Trial trial, train::Trial::put_on(replica, *candidate.body, format, candidate.clip,
                                                 hparams.evaluation.step, threads));
    const auto measured = series.measure_after(replica.theta());
    TRY_VOID(trial.take_off());
    return measured;
  }

  Result<void> measure(train::Replica& replica, const Candidate& candidate, Losses& on_heldout,
                       OwnLosses& own) {
    const ::common::EvaluationParams& evaluation = hparams.evaluation;
    Series on_common(common, common_order, on_heldout);
    Series on_own(trained, own_order(candidate), own.trained);
    Series on_control(trained, control_order, own.control);
    TRY_VOID(extend(replica, candidate, on_common, evaluation.sequences_min));
    while (!on_common.at_end() && !on_common.decided(evaluation.confidence_z)) {
      TRY_VOID(extend(replica, candidate, on_common, evaluation.sequences_batch));
    }
    for (Series* series : {&on_own, &on_control}) {
      while (!series->at_end()) {
        TRY_VOID(extend(replica, candidate, *series, evaluation.sequences_batch));
      }
    }
    return {};
  }
};

Evaluator::Evaluator(const common::Hparams& hparams, train::Model& model,
                     const train::TrainingSets& training_sets, const train::Dataset& heldout_set,
                     const compress::BodyFormat& format, uint32_t threads)
    : impl_(std::make_unique<Impl>(
          Impl{.hparams = hparams,
               .training_sets = training_sets,
               .heldout_set = heldout_set,
               .format = format,
               .threads = threads,
               .trained = Measured(training_sets.of({0}), model, hparams.data.document_mask),
               .common = Measured(heldout_set, model, hparams.data.document_mask),
               .window = {},
               .seed_block = {},
               .common_order = {},
               .control_order = {}})) {}

Evaluator::~Evaluator() = default;

void Evaluator::begin(Window window, const Hash& seed_block) {
  impl_->window = window;
  impl_->seed_block = seed_block;
  impl_->trained.begin(impl_->training_sets.of(window));
  impl_->common.begin(impl_->heldout_set);
  impl_->common_order =
      impl_->drawn("common", 0, impl_->common.sample_count(), impl_->sequences_max());
  impl_->control_order =
      impl_->drawn("control", 0, impl_->trained.sample_count(), impl_->own_count());
  impl_->begun = true;
}

Result<void> Evaluator::judge(train::Replica& replica, const Candidate& candidate, Losses& common,
                              OwnLosses& own) {
  CHECK(impl_->begun && candidate.body != nullptr && candidate.receipt != nullptr);
  common = {};
  own = {};
  auto measured = impl_->measure(replica, candidate, common, own);
  if (!measured) {
    common = {};
    own = {};
  }
  return measured;
}

double Evaluator::heldout_loss() const {
  double sum = 0;
  for (const auto& [sample, loss] : impl_->common.before()) sum += loss;
  const size_t count = impl_->common.before().size();
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace validator
