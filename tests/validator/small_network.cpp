#include "tests/validator/small_network.h"

#include "common/check.h"
#include "common/files.h"
#include "common/philox.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

constexpr uint32_t kVocabulary = 64;
constexpr uint32_t kLength = 32;
constexpr uint32_t kSuccessors = 3;

common::Hparams small_hparams(uint64_t anneal_window) {
  common::Hparams hparams = tiny_hparams();
  hparams.model.vocabulary = kVocabulary;
  hparams.model.dim = 32;
  hparams.model.layers = 1;
  hparams.model.heads = 2;
  hparams.model.kv_heads = 1;
  hparams.model.hidden = 64;
  hparams.model.sequence_length = kLength;
  hparams.inner.steps = 6;
  hparams.inner.sequences_per_step = 8;
  hparams.inner.learning_rate = 0.02;
  hparams.inner.warmup_windows = 0;
  hparams.codec.tile = 256;
  hparams.codec.keep = 32;
  hparams.evaluation.tokens_max = kLength * 48;
  hparams.inner.anneal_window = anneal_window;
  hparams.inner.anneal_windows = 100;
  hparams.inner.anneal_ratio = 1;
  return hparams;
}

// Half of what follows a token is the language's habit, half is the sample's own: so that a model
// learns the language from any sample, and a sample's own turns only from itself.
std::vector<uint16_t> text(uint64_t seed, size_t samples) {
  common::Philox random(seed);
  std::vector<uint16_t> tokens = {1};
  for (size_t sample = 0; sample < samples; ++sample) {
    const auto habit = static_cast<uint32_t>(random.below(kVocabulary));
    for (uint32_t t = 0; t < kLength; ++t) {
      const uint32_t last = tokens.back();
      const auto way = static_cast<uint32_t>(random.below(2 * kSuccessors));
      const uint32_t next = way < kSuccessors ? last * 5 + 7 * way : habit + way;
      tokens.push_back(static_cast<uint16_t>(1 + next % (kVocabulary - 1)));
    }
  }
  return tokens;
}

train::Dataset made_set(const std::filesystem::path& folder, uint64_t seed, size_t samples) {
  const std::vector<uint16_t> tokens = text(seed, samples);
  const common::ByteView bytes{reinterpret_cast<const uint8_t*>(tokens.data()),
                               tokens.size() * sizeof(uint16_t)};
  train::DatasetManifest manifest;
  manifest.tokenizer = "sentencepiece";
  manifest.tokenizer_hash = digest(1);
  manifest.vocabulary = kVocabulary;
  manifest.token_bytes = 2;
  manifest.text_bytes = tokens.size();
  manifest.document_count = 1;
  const common::Bytes hashes = train::chunk_hashes(bytes, manifest.chunk_bytes);
  manifest.shards.push_back({"00000.tokens", tokens.size(), common::blake2b_256(hashes)});
  CHECK(common::write_file(folder / "00000.tokens", bytes).has_value());
  CHECK(common::write_file(folder / "manifest.json", common::view_of(manifest.canonical()))
            .has_value());
  auto set = train::Dataset::open(folder, manifest.hash(), kLength);
  CHECK_MSG(set.has_value(), set ? "" : set.error().message);
  return std::move(*set);
}

train::TrainingSets made_sets(const common::InnerParams& inner,
                              const std::filesystem::path& folder) {
  std::optional<train::Dataset> anneal;
  if (inner.anneal_window > 0) anneal = made_set(folder / "anneal", 3, 8000);
  return {inner, made_set(folder / "train", 1, 4000), std::move(anneal)};
}

}  // namespace

SmallNetwork::SmallNetwork(uint64_t anneal_window)
    : hparams_(small_hparams(anneal_window)),
      backend_(*train::make_backend("cpu", 1)),
      model_(hparams_.model, *backend_),
      training_sets_(made_sets(hparams_.inner, folder_.path())),
      heldout_set_(made_set(folder_ / "heldout", 2, 500)),
      replica_(train::Replica::genesis(hparams_, {0})),
      codec_(*compress::make_codec(hparams_.codec)),
      layout_(replica_.layout()),
      format_(codec_->format(layout_)) {}

std::vector<uint64_t> SmallNetwork::assigned(common::Uid uid, common::Window window) const {
  return train::assignment(hparams_.hash(), digest(window.index), uid, window,
                           training_sets_.of(window).sample_count(), hparams_.inner);
}

Contribution SmallNetwork::train(common::Uid data, common::Uid claimed, common::Window window) {
  const auto optimiser = train::make_optimiser(replica_.layout(), hparams_.inner, *backend_);
  train::PseudoGradient trained =
      train::train_window(replica_.theta(), model_, *optimiser, training_sets_.of(window),
                          assigned(data, window), hparams_, window, [](uint32_t) { return true; })
          .value();
  const std::vector<uint64_t> claims = assigned(claimed, window);
  size_t next = 0;
  for (train::ReceiptStep& step : trained.receipt.steps) {
    for (uint64_t& sample : step.samples) sample = claims[next++];
  }
  return encoded(trained.delta, std::move(trained.receipt));
}

Contribution SmallNetwork::noise(common::Uid uid, common::Window window, float scale) {
  common::Philox random(common::Hasher().number(uid.index).number(window.index).finish());
  std::vector<float> delta(replica_.layout().parameter_count());
  for (float& value : delta) value = scale * static_cast<float>(random.normal());
  train::Receipt receipt;
  receipt.steps.push_back({0, assigned(uid, window), 4.0F});
  return encoded(delta, std::move(receipt));
}

Contribution SmallNetwork::encoded(std::span<const float> delta, train::Receipt receipt) const {
  common::Bytes body = codec_->encode(delta, layout_);
  auto update = codec_->decode(body, layout_);
  CHECK(update.has_value());
  return {std::make_unique<train::JudgedBody>(*format_, std::move(body)), std::move(*update),
          std::move(receipt)};
}

}  // namespace validator
