#include "train/score_text.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "common/check.h"
#include "train/batch.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

// Runs of T + 1 tokens, scored when there are enough for a batch.
class Scorer {
 public:
  Scorer(Model& model, std::span<const float> theta, uint32_t end_of_document,
         const ScoreOptions& options)
      : model_(model),
        theta_(theta),
        end_of_document_(end_of_document),
        T_(options.sequence_length),
        at_once_(std::max(1U, options.positions_at_once / options.sequence_length)) {
    CHECK(T_ > 0);
  }

  // A token, and whether to score it when it is foretold.
  void add(uint32_t token, bool scored) {
    tokens_.push_back(token);
    scored_.push_back(scored);
    if (tokens_.size() == size_t{T_} + 1) cut(token, scored);
  }
  void add_run(std::vector<uint32_t> run) {
    CHECK(run.size() == size_t{T_} + 1);
    runs_.push_back(std::move(run));
    targets_.emplace_back(T_, true);
    if (runs_.size() == at_once_) flush();
  }
  void finish() {
    if (tokens_.size() > 1) {
      tokens_.resize(size_t{T_} + 1, end_of_document_);
      scored_.resize(size_t{T_} + 1, false);
      cut(0, false);
    }
    flush();
  }
  double nats() const { return nats_; }
  uint64_t count() const { return count_; }

 private:
  // The run is full; the next begins with its last token.
  void cut(uint32_t last, bool scored) {
    const std::vector<bool> targets(scored_.begin() + 1, scored_.end());
    if (std::ranges::find(targets, true) != targets.end()) {
      runs_.push_back(std::move(tokens_));
      targets_.push_back(targets);
    }
    tokens_ = {last};
    scored_ = {scored};
    if (runs_.size() == at_once_) flush();
  }
  void flush() {
    if (runs_.empty()) return;
    Batch batch = make_batch(runs_, end_of_document_, /*document_mask=*/true);
    std::vector<double> counts;
    for (size_t b = 0; b < runs_.size(); ++b) {
      double count = 0;
      for (size_t t = 0; t < T_; ++t) {
        if (targets_[b][t]) ++count;
        if (!targets_[b][t]) batch.target[b * T_ + t] = kNoTarget;
      }
      counts.push_back(count);
    }
    const std::vector<double> losses = model_.losses(theta_, batch);
    for (size_t b = 0; b < losses.size(); ++b) {
      nats_ += losses[b] * counts[b];
      count_ += static_cast<uint64_t>(counts[b]);
    }
    runs_.clear();
    targets_.clear();
  }

  Model& model_;
  std::span<const float> theta_;
  uint32_t end_of_document_;
  uint32_t T_;
  size_t at_once_;
  std::vector<uint32_t> tokens_;  // The run that is being filled.
  std::vector<bool> scored_;
  std::vector<std::vector<uint32_t>> runs_;  // (at_once, T + 1)
  std::vector<std::vector<bool>> targets_;   // (at_once, T)
  double nats_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

double TextScore::loss() const { return nats / static_cast<double>(tokens); }
double TextScore::perplexity() const { return std::exp(loss()); }
double TextScore::bits_per_byte() const { return nats / std::numbers::ln2 / bytes; }

Result<TextScore> score_text(Model& model, std::span<const float> theta, const Tokenizer& tokenizer,
                             TextReader& text, const ScoreOptions& options) {
  const uint32_t end = tokenizer.end_of_document();
  Scorer scorer(model, theta, end, options);
  TextScore score;
  bool begins = true;
  if (!options.begin_token) scorer.add(end, false);
  while (true) {
    TRY(const std::optional<TextPiece> piece, text.next());
    if (!piece) break;
    if (begins && options.begin_token) scorer.add(*options.begin_token, false);
    for (const uint32_t token : tokenizer.encode(piece->text)) scorer.add(token, true);
    score.bytes += static_cast<double>(piece->text.size());
    begins = piece->document_ends;
    if (piece->document_ends) {
      scorer.add(end, true);
      ++score.documents;
    }
    if (options.progress) options.progress(text.bytes_read(), text.bytes_total());
  }
  scorer.finish();
  if (scorer.count() == 0) return Error{Code::kInvalidArgument, "the text is empty"};
  score.nats = scorer.nats();
  score.tokens = scorer.count();
  return score;
}

Result<TextScore> score_dataset(Model& model, std::span<const float> theta, const Dataset& dataset,
                                const ScoreOptions& options) {
  const DatasetManifest& manifest = dataset.manifest();
  Scorer scorer(model, theta, manifest.end_of_document, options);
  TextScore score;
  const uint64_t count = std::min(options.samples_max, dataset.sample_count());
  for (uint64_t sample = 0; sample < count; ++sample) {
    TRY(std::vector<uint32_t> run, dataset.sample(sample));
    score.documents +=
        static_cast<uint64_t>(std::count(run.begin() + 1, run.end(), manifest.end_of_document));
    scorer.add_run(std::move(run));
    if (options.progress) options.progress(sample + 1, count);
  }
  scorer.finish();
  score.nats = scorer.nats();
  score.tokens = scorer.count();
  score.bytes = static_cast<double>(manifest.text_bytes) * static_cast<double>(score.tokens) /
                static_cast<double>(manifest.token_count());
  return score;
}

}  // namespace train
