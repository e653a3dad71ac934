// What the protocol learns, without chain or network: miners that train a window each, compress
// with error feedback and are averaged, against plain AdamW (or Muon) on the very same samples. One
// JSON line for the held-out loss after each window, one more at the end. Run by hand:
//
//   local_training --train DIR --heldout DIR --miners 4 --windows 12
//   local_training --train DIR --heldout DIR --baseline large --set /inner/learning_rate=0.002
//
// The baselines: "large" takes one step where all miners together take one, on all their samples;
// "small" takes a step on each miner's samples in turn, as one machine with no peers would.
#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/check.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/philox.h"
#include "compress/codec.h"
#include "compress/error_feedback.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/inner.h"
#include "train/replica.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

using common::Hparams;
using common::Uid;
using common::Window;
using nlohmann::json;

struct Options {
  fs::path hparams = fs::path(MUSTER_SOURCE_DIR) / "deploy/hparams/tiny.json";
  fs::path train;
  fs::path heldout;
  uint16_t miners = 4;
  uint64_t windows = 12;
  uint64_t first_window =
      1;  // A subnet's window 0 is over by the time that its nodes have started.
  uint64_t seed = 1;
  uint64_t heldout_sequences = 128;
  uint32_t threads = 1;
  std::string baseline = "none";
  bool judge = false;
  std::vector<std::string> set;
};

template <typename T>
T must(common::Result<T> result) {
  if (result) return std::move(result).value();
  std::cerr << "local_training: " << result.error().message << "\n";
  std::exit(1);
}

// The file with the token sets' hashes, as the local network fills them in, and with every
// "/pointer=value" of the command line.
Hparams read_hparams(const Options& options) {
  constexpr uint64_t kSizeMax = 1 << 20;
  json text = json::parse(common::text_of(must(common::read_file(options.hparams, kSizeMax))));
  text["data"]["train"] = must(train::read_manifest(options.train)).hash().hex();
  text["data"]["heldout"] = must(train::read_manifest(options.heldout)).hash().hex();
  for (const std::string& one : options.set) {
    const size_t equals = one.find('=');
    CHECK_MSG(equals != std::string::npos, "--set takes /pointer=value");
    const std::string value = one.substr(equals + 1);
    const json parsed = json::parse(value, nullptr, /*allow_exceptions=*/false);
    text[json::json_pointer(one.substr(0, equals))] = parsed.is_discarded() ? json(value) : parsed;
  }
  return must(Hparams::parse(text.dump()));
}

// Mean and standard error.
struct Mean {
  explicit Mean(const std::vector<double>& values) : count(static_cast<double>(values.size())) {
    mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    for (const double value : values) error += (value - mean) * (value - mean);
    error = std::sqrt(error / (count - 1) / count);
  }
  double count;
  double mean = 0;
  double error = 0;
};

// What every kind of run needs: model, data, and the same held-out sequences after each window.
class Ground {
 public:
  Ground(const Options& options, const Hparams& hparams)
      : hparams_(hparams),
        seed_(options.seed),
        backend_(must(train::make_backend("cpu", options.threads))),
        model_(hparams.model, *backend_),
        train_(must(train::Dataset::open(options.train, hparams.data.train,
                                         hparams.model.sequence_length))),
        heldout_(read_heldout(options, hparams)) {}

  train::Backend& backend() { return *backend_; }
  train::Model& model() { return model_; }
  const train::Dataset& train_set() const { return train_; }

  std::vector<uint64_t> assigned(Uid uid, Window window) const {
    const common::Hash block = common::Hasher()
                                   .update(common::view_of("block"))
                                   .number(seed_)
                                   .number(window.index)
                                   .finish();
    return train::assignment(hparams_.hash(), block, uid, window, train_.sample_count(),
                             hparams_.inner);
  }

  std::vector<double> losses(std::span<const float> theta) {
    return model_.losses(theta, heldout_);
  }

 private:
  // The same for every seed and every setting of one sequence length.
  static train::Batch read_heldout(const Options& options, const Hparams& hparams) {
    const train::Dataset dataset = must(
        train::Dataset::open(options.heldout, hparams.data.heldout, hparams.model.sequence_length));
    common::Philox random(20'240'701);
    std::vector<std::vector<uint32_t>> runs;
    for (const uint64_t sample : common::sample_without_replacement(
             random, dataset.sample_count(),
             std::min(dataset.sample_count(), options.heldout_sequences))) {
      runs.push_back(dataset.sample(sample).value());
    }
    return train::make_batch(runs, dataset.manifest().end_of_document, hparams.data.document_mask);
  }

  const Hparams& hparams_;
  uint64_t seed_;
  std::unique_ptr<train::Backend> backend_;
  train::Model model_;
  train::Dataset train_;
  train::Batch heldout_;
};

// What a window did, beside the held-out loss.
struct Outcome {
  double train_loss = 0;  // Of the last step, mean over miners.
  uint64_t tokens = 0;
  uint64_t bytes_sent = 0;  // Codec bodies and receipts, of all miners.
  json gains = json::array();
};

class Subnet {
 public:
  Subnet(const Options& options, const Hparams& hparams, Ground& ground)
      : hparams_(hparams),
        ground_(ground),
        judge_(options.judge),
        replica_(train::Replica::genesis(hparams, {options.first_window})),
        codec_(must(compress::make_codec(hparams.codec))) {
    const uint64_t size = replica_.layout().parameter_count();
    for (uint16_t uid = 0; uid < options.miners; ++uid) {
      optimisers_.push_back(
          train::make_optimiser(replica_.layout(), hparams.inner, ground.backend()));
      feedbacks_.emplace_back(size, hparams.codec.feedback_decay);
    }
  }

  std::span<const float> theta() const { return replica_.theta(); }

  Outcome step(Window window) {
    Outcome outcome;
    std::vector<compress::Update> updates;
    for (uint16_t uid = 0; uid < optimisers_.size(); ++uid) {
      updates.push_back(contribute({uid}, window, outcome));
    }
    std::vector<compress::Contributor> contributors;
    for (uint16_t uid = 0; uid < updates.size(); ++uid) {
      contributors.push_back({{uid}, 1.0, &updates[uid]});
    }
    if (judge_) judge(contributors, outcome);
    replica_.apply(window, common::Hash{}, contributors);
    return outcome;
  }

 private:
  compress::Update contribute(Uid uid, Window window, Outcome& outcome) {
    const train::PseudoGradient gradient =
        train::train_window(theta(), ground_.model(), *optimisers_[uid.index], ground_.train_set(),
                            ground_.assigned(uid, window), hparams_, window,
                            [](uint32_t) { return true; })
            .value();
    compress::ErrorFeedback& feedback = feedbacks_[uid.index];
    feedback.add(gradient.delta);
    const common::Bytes body = codec_->encode(feedback.values(), replica_.layout());
    auto sent = codec_->decode(body, replica_.layout());
    CHECK_MSG(sent.has_value(), "our own contribution does not decode");
    feedback.subtract(*sent, replica_.layout());
    outcome.train_loss += gradient.last_loss / static_cast<double>(optimisers_.size());
    outcome.tokens += gradient.token_count;
    outcome.bytes_sent += body.size() + gradient.receipt.serialise().size();
    return std::move(sent).value();
  }

  // What each contribution alone does to the held-out loss, in standard errors too.
  void judge(std::span<const compress::Contributor> contributors, Outcome& outcome) {
    const auto clip = compress::clip_factors(contributors, hparams_.outer);
    const std::vector<double> before = ground_.losses(theta());
    for (size_t i = 0; i < contributors.size(); ++i) {
      const train::Trial trial(replica_, *contributors[i].update, clip[i],
                               hparams_.evaluation.step);
      std::vector<double> gains = ground_.losses(theta());
      for (size_t j = 0; j < gains.size(); ++j) gains[j] = before[j] - gains[j];
      const Mean gain(gains);
      outcome.gains.push_back({{"mean", gain.mean}, {"z", gain.mean / gain.error}});
    }
  }

  const Hparams& hparams_;
  Ground& ground_;
  bool judge_;
  train::Replica replica_;
  std::unique_ptr<compress::Codec> codec_;
  std::vector<std::unique_ptr<train::Optimiser>> optimisers_;
  std::vector<compress::ErrorFeedback> feedbacks_;
};

// One process, its optimiser on what the miners of a subnet would read, in the same order.
class Baseline {
 public:
  Baseline(const Options& options, const Hparams& hparams, Ground& ground)
      : hparams_(hparams),
        ground_(ground),
        miners_(options.miners),
        sequences_per_step_(hparams.inner.sequences_per_step),
        layout_(train::parameter_layout(hparams.model, hparams.codec)),
        theta_(train::initial_parameters(hparams.model, layout_)),
        optimiser_(train::make_optimiser(layout_, hparams.inner, ground.backend())) {
    common::InnerParams& inner = hparams_.inner;
    if (options.baseline == "large") inner.sequences_per_step *= miners_;
    if (options.baseline == "small") inner.steps *= miners_;
  }

  std::span<const float> theta() const { return theta_; }

  Outcome step(Window window) {
    const train::PseudoGradient gradient =
        train::train_window(theta_, ground_.model(), *optimiser_, ground_.train_set(),
                            assigned(window), hparams_, window, [](uint32_t) { return true; })
            .value();
    for (size_t i = 0; i < theta_.size(); ++i) theta_[i] -= gradient.delta[i];
    return {.train_loss = gradient.last_loss, .tokens = gradient.token_count};
  }

 private:
  // Step by step, the samples of each miner.
  std::vector<uint64_t> assigned(Window window) const {
    std::vector<std::vector<uint64_t>> of_miner;
    for (uint16_t uid = 0; uid < miners_; ++uid)
      of_miner.push_back(ground_.assigned({uid}, window));
    std::vector<uint64_t> samples;
    for (size_t at = 0; at < of_miner.front().size(); at += sequences_per_step_) {
      for (const std::vector<uint64_t>& one : of_miner) {
        const auto of_step = std::span(one).subspan(at, sequences_per_step_);
        samples.insert(samples.end(), of_step.begin(), of_step.end());
      }
    }
    return samples;
  }

  Hparams hparams_;
  Ground& ground_;
  uint16_t miners_;
  uint32_t sequences_per_step_;  // Of one miner.
  compress::Layout layout_;
  std::vector<float> theta_;
  std::unique_ptr<train::Optimiser> optimiser_;
};

// Trains and reports; `Learner` is Subnet or Baseline.
template <typename Learner>
void run(const Options& options, Ground& ground, Learner learner) {
  common::Clock& clock = common::system_clock();
  const common::Instant start = clock.now();
  const auto report = [&](json line) {
    const Mean heldout(ground.losses(learner.theta()));
    line["heldout_loss"] = heldout.mean;
    line["standard_error"] = heldout.error;
    line["seconds"] = static_cast<double>((clock.now() - start).count()) / 1000.0;
    std::cout << line.dump() << std::endl;
  };
  uint64_t tokens = 0;
  uint64_t bytes_sent = 0;
  report({{"windows", 0}});
  for (uint64_t i = 0; i < options.windows; ++i) {
    const Outcome outcome = learner.step({options.first_window + i});
    tokens += outcome.tokens;
    bytes_sent += outcome.bytes_sent;
    json line = {{"windows", i + 1}, {"train_loss", outcome.train_loss}};
    if (!outcome.gains.empty()) line["gains"] = outcome.gains;
    report(std::move(line));
  }
  report({{"final", true},
          {"baseline", options.baseline},
          {"parameters", learner.theta().size()},
          {"tokens", tokens},
          {"bytes_sent", bytes_sent},
          {"set", options.set}});
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--hparams", options.hparams, "The network's numbers")->capture_default_str();
  app.add_option("--train", options.train, "Token set to learn from")->required();
  app.add_option("--heldout", options.heldout, "Token set to be measured on")->required();
  app.add_option("--miners", options.miners)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--windows", options.windows)->capture_default_str();
  app.add_option("--first-window", options.first_window, "Where the learning rate's clock starts")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the assignments")->capture_default_str();
  app.add_option("--heldout-sequences", options.heldout_sequences)
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--baseline", options.baseline, "One machine alone instead: none, large or small")
      ->check(CLI::IsMember({"none", "large", "small"}))
      ->capture_default_str();
  app.add_flag("--judge", options.judge, "Also what each contribution alone does to the loss");
  app.add_option("--set", options.set, "/pointer=value into the numbers; may be repeated");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  CLI::App app("What the protocol learns, against plain AdamW on the same tokens");
  bench::add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  const common::Hparams hparams = bench::read_hparams(options);
  bench::Ground ground(options, hparams);
  if (options.baseline == "none") {
    bench::run(options, ground, bench::Subnet(options, hparams, ground));
  } else {
    bench::run(options, ground, bench::Baseline(options, hparams, ground));
  }
  return 0;
}
