#include "tests/bench/quality_learner.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "compress/aggregate.h"
#include "compress/demo.h"
#include "compress/error_feedback.h"
#include "tests/bench/quality_topk.h"
#include "train/inner.h"
#include "train/learning_rate.h"

namespace bench {
namespace {

using common::Result;

// One process, on what the miners of a subnet would read, in the same order: a step takes what all
// of them would take in one.
class OneMachine final : public QualityLearner {
 public:
  OneMachine(const QualitySettings& settings, QualityGround& ground)
      : settings_(settings),
        ground_(ground),
        hparams_(ground.hparams()),
        layout_(train::parameter_layout(hparams_.model, hparams_.codec)),
        theta_(train::initial_parameters(hparams_.model, layout_)) {
    hparams_.inner.sequences_per_step *= settings.miners;
    optimiser_ = train::make_optimiser(layout_, hparams_.inner, ground.backend());
  }

  std::span<const float> theta() const override { return theta_; }

  Result<QualityWindow> step(uint64_t window) override {
    TRY(const train::PseudoGradient gradient,
        train::train_window(theta_, ground_.model(), *optimiser_, ground_.train_set(),
                            assigned(window), hparams_, {window}, [](uint32_t) { return true; }));
    for (size_t i = 0; i < theta_.size(); ++i) theta_[i] -= gradient.delta[i];
    return QualityWindow{.train_loss = gradient.last_loss, .tokens = gradient.token_count};
  }

 private:
  // Step by step, the samples of each miner.
  std::vector<uint64_t> assigned(uint64_t window) const {
    std::vector<std::vector<uint64_t>> of_miner;
    for (uint16_t uid = 0; uid < settings_.miners; ++uid) {
      of_miner.push_back(ground_.assigned(uid, window));
    }
    std::vector<uint64_t> samples;
    for (size_t at = 0; at < of_miner.front().size(); at += settings_.sequences) {
      for (const std::vector<uint64_t>& one : of_miner) {
        const auto of_step = std::span(one).subspan(at, settings_.sequences);
        samples.insert(samples.end(), of_step.begin(), of_step.end());
      }
    }
    return samples;
  }

  QualitySettings settings_;
  QualityGround& ground_;
  common::Hparams hparams_;
  compress::Layout layout_;
  std::vector<float> theta_;
  std::unique_ptr<train::Optimiser> optimiser_;
};

std::vector<compress::Contributor> contributors_of(std::span<const compress::Update> updates) {
  std::vector<compress::Contributor> contributors;
  for (uint16_t uid = 0; uid < updates.size(); ++uid) {
    contributors.push_back({{uid}, 1.0, &updates[uid]});
  }
  return contributors;
}

std::unique_ptr<compress::Codec> codec_of(const common::CodecParams& params) {
  auto codec = compress::make_codec(params);
  CHECK(codec.has_value());
  return std::move(codec).value();
}

// The protocol: inner steps, error feedback, codec, aggregate, outer step, here with Nesterov's
// momentum where it is asked for.
class Subnet final : public QualityLearner {
 public:
  Subnet(const QualitySettings& settings, QualityGround& ground)
      : settings_(settings),
        ground_(ground),
        layout_(train::parameter_layout(ground.hparams().model, ground.hparams().codec)),
        theta_(train::initial_parameters(ground.hparams().model, layout_)),
        codec_(codec_of(ground.hparams().codec)) {
    // Nothing is held back of a dense delta but rounding.
    const double decay = settings.method == "dense" ? 0 : settings.feedback_decay;
    for (uint32_t uid = 0; uid < settings.miners; ++uid) {
      optimisers_.push_back(
          train::make_optimiser(layout_, ground.hparams().inner, ground.backend()));
      feedbacks_.emplace_back(theta_.size(), decay);
      if (settings.smooth > 0) averages_.emplace_back(theta_.size(), settings.smooth);
    }
    if (settings.outer_momentum > 0) momentum_.assign(theta_.size(), 0.0f);
  }

  std::span<const float> theta() const override { return theta_; }

  Result<QualityWindow> step(uint64_t window) override {
    QualityWindow done;
    std::vector<compress::Update> updates;
    for (uint16_t uid = 0; uid < settings_.miners; ++uid) {
      TRY(compress::Update update, contribute(uid, window, done));
      updates.push_back(std::move(update));
    }
    std::vector<float> G =
        compress::aggregate(contributors_of(updates), layout_, ground_.hparams().outer);
    if (!momentum_.empty()) add_momentum(G);
    const auto rate = static_cast<float>(settings_.outer_rate_at(window));
    compress::outer_step(theta_, G, rate);
    if (settings_.forget > 0) {
      for (float& value : G) value *= rate * static_cast<float>(settings_.forget);
      for (compress::ErrorFeedback& feedback : feedbacks_) forget(feedback, G);
    }
    return done;
  }

  std::optional<std::vector<float>> flushed() const override {
    if (settings_.method == "dense") return std::nullopt;
    std::vector<float> theta = theta_;
    const float share = 1.0f / static_cast<float>(feedbacks_.size());
    for (const compress::ErrorFeedback& feedback : feedbacks_) {
      compress::outer_step(theta, feedback.values(), share);
    }
    return theta;
  }

 private:
  Result<compress::Update> contribute(uint16_t uid, uint64_t window, QualityWindow& done) {
    compress::ErrorFeedback& feedback = feedbacks_[uid];
    std::vector<float> start = theta_;
    if (settings_.look_ahead > 0) {
      compress::outer_step(start, feedback.values(), static_cast<float>(settings_.look_ahead));
    }
    TRY(const train::PseudoGradient gradient,
        train::train_window(start, ground_.model(), *optimisers_[uid], ground_.train_set(),
                            ground_.assigned(uid, window), ground_.hparams(), {window},
                            [](uint32_t) { return true; }));
    done.train_loss += gradient.last_loss / static_cast<double>(settings_.miners);
    done.tokens += gradient.token_count;
    return send(uid, gradient.delta, window, done);
  }

  compress::Update send(uint16_t uid, std::span<const float> delta, uint64_t window,
                        QualityWindow& done) {
    compress::ErrorFeedback& feedback = feedbacks_[uid];
    if (settings_.smooth > 0) return send_average(uid, delta, done);
    if (settings_.method == "mask") {
      feedback.add(delta);
      compress::Update sent = masked(feedback.values(), layout_, settings_.keep, window);
      feedback.subtract(sent, layout_);
      done.bytes_sent += masked_size_bytes(sent, layout_);
      return sent;
    }
    if (settings_.method == "topk") {
      feedback.add(delta);
      compress::Update sent = largest_of(feedback.values(), layout_);
      feedback.subtract(sent, layout_);
      done.bytes_sent += plain_size_bytes(sent, layout_);
      return sent;
    }
    const common::Bytes body = feedback.encode(*codec_, delta, layout_);
    auto sent = codec_->decode(body, layout_);
    CHECK_MSG(sent.has_value(), "our own contribution does not decode");
    done.bytes_sent += body.size();
    return std::move(sent).value();
  }

  // What is sent is of the residual's moving average.
  compress::Update send_average(uint16_t uid, std::span<const float> delta, QualityWindow& done) {
    feedbacks_[uid].add(delta);
    std::vector<float> fresh(feedbacks_[uid].values().begin(), feedbacks_[uid].values().end());
    for (float& value : fresh) value *= static_cast<float>(1 - settings_.smooth);
    averages_[uid].add(fresh);
    const common::Bytes body = codec_->encode(averages_[uid].values(), layout_);
    auto sent = codec_->decode(body, layout_);
    CHECK_MSG(sent.has_value(), "our own contribution does not decode");
    feedbacks_[uid].subtract(*sent, layout_);
    averages_[uid].subtract(*sent, layout_);
    done.bytes_sent += body.size();
    return std::move(sent).value();
  }

  // Takes `step` off the residual, down to zero, where they have one sign.
  void forget(compress::ErrorFeedback& feedback, std::span<const float> step) const {
    compress::Update off;
    for (const compress::Tensor& tensor : layout_.tensors()) {
      compress::SparseTensor& of_tensor = off.tensors.emplace_back();
      for (uint32_t i = 0; i < tensor.size(); ++i) {
        const float move = step[tensor.offset + i];
        const float held = feedback.values()[tensor.offset + i];
        if (move == 0 || move * held <= 0) continue;
        of_tensor.index.push_back(i);
        of_tensor.value.push_back(std::copysign(std::min(std::fabs(move), std::fabs(held)), held));
      }
    }
    feedback.subtract(off, layout_);
  }

  // As torch.optim.SGD with nesterov=True, and so DiLoCo:  m = mu m + G;  the step is G + mu m.
  void add_momentum(std::span<float> G) {
    const auto mu = static_cast<float>(settings_.outer_momentum);
    for (size_t i = 0; i < G.size(); ++i) {
      momentum_[i] = mu * momentum_[i] + G[i];
      G[i] += mu * momentum_[i];
    }
  }

  QualitySettings settings_;
  QualityGround& ground_;
  compress::Layout layout_;
  std::vector<float> theta_;
  std::unique_ptr<compress::Codec> codec_;  // topk does not use it.
  std::vector<std::unique_ptr<train::Optimiser>> optimisers_;
  std::vector<compress::ErrorFeedback> feedbacks_;
  std::vector<compress::ErrorFeedback> averages_;  // Of the residuals; with `smooth` only.
  std::vector<float> momentum_;
};

// DeMo: M = decay M + rate g; the largest of its coefficients leave it and are sent; theta moves by
// the rate against the signs of their mean. The gradient is clipped to the norm 1. In coefficients,
// so that the mean may be over those who sent one. Source: arXiv:2411.19870.
class SignSubnet final : public QualityLearner {
 public:
  SignSubnet(const QualitySettings& settings, QualityGround& ground)
      : settings_(settings),
        ground_(ground),
        layout_(train::parameter_layout(ground.hparams().model, ground.hparams().codec)),
        theta_(train::initial_parameters(ground.hparams().model, layout_)),
        gradient_(theta_.size()),
        codec_(settings.method == "demo" ? compress::Demo::Values::kBf16
                                         : compress::Demo::Values::kSign) {
    for (uint32_t uid = 0; uid < settings.miners; ++uid) {
      momenta_.emplace_back(theta_.size(), settings.feedback_decay);
    }
  }

  std::span<const float> theta() const override { return theta_; }

  Result<QualityWindow> step(uint64_t window) override {
    const double rate = train::learning_rate(ground_.hparams().inner, {window}, 0);
    QualityWindow done;
    std::vector<compress::Update> updates;
    for (uint16_t uid = 0; uid < settings_.miners; ++uid) {
      TRY_VOID(take_gradient(uid, window, rate, done));
      const common::Bytes body = momenta_[uid].encode(codec_, gradient_, layout_);
      auto sent = codec_.decode_coefficients(body, layout_);
      CHECK_MSG(sent.has_value(), "our own contribution does not decode");
      updates.push_back(std::move(sent).value());
      done.bytes_sent += body.size();
    }
    std::vector<float> G =
        compress::aggregate(contributors_of(updates), layout_, ground_.hparams().outer);
    compress::to_parameters(G, layout_);
    compress::take_signs(G);
    decay_weights(rate);
    compress::outer_step(theta_, G, static_cast<float>(rate));
    return done;
  }

 private:
  // rate * the clipped gradient of a miner's batch, in gradient_.
  Result<void> take_gradient(uint16_t uid, uint64_t window, double rate, QualityWindow& done) {
    std::fill(gradient_.begin(), gradient_.end(), 0.0f);
    const train::Batch batch = ground_.batch(ground_.assigned(uid, window));
    const double loss = ground_.model().loss_and_gradient(theta_.data(), batch, gradient_.data());
    const double norm = train::gradient_norm(ground_.backend(), gradient_.data(), gradient_.size());
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      return common::Error{common::Code::kRefused, "loss or gradient is not finite"};
    }
    const auto scale = static_cast<float>(rate / std::max(norm, 1.0));
    for (float& value : gradient_) value *= scale;
    done.train_loss += loss / static_cast<double>(settings_.miners);
    done.tokens += batch.input.size();
    return {};
  }

  void decay_weights(double rate) {
    const auto kept = static_cast<float>(1 - rate * settings_.weight_decay);
    for (const compress::Tensor& tensor : layout_.tensors()) {
      if (tensor.is_vector()) continue;
      for (float& value : std::span(theta_).subspan(tensor.offset, tensor.size())) value *= kept;
    }
  }

  QualitySettings settings_;
  QualityGround& ground_;
  compress::Layout layout_;
  std::vector<float> theta_;
  std::vector<float> gradient_;
  compress::Demo codec_;
  std::vector<compress::ErrorFeedback> momenta_;
};

}  // namespace

std::unique_ptr<QualityLearner> make_learner(const QualitySettings& settings,
                                             QualityGround& ground) {
  if (!settings.exchanges()) return std::make_unique<OneMachine>(settings, ground);
  if (settings.by_signs()) return std::make_unique<SignSubnet>(settings, ground);
  return std::make_unique<Subnet>(settings, ground);
}

}  // namespace bench
