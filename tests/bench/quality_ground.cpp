#include "tests/bench/quality_ground.h"

#include <cstdlib>
#include <iostream>

#include "common/check.h"
#include "common/philox.h"
#include "train/assignment.h"
#include "train/tokenize.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Result;

Result<void> tokenize(const fs::path& text, const fs::path& out, const std::string& tokenizer) {
  std::cerr << "quality: tokenizing " << text.string() << "\n";
  train::TokenizeOptions options;
  options.texts = {text};
  options.out = out;
  options.tokenizer = tokenizer;
  options.vocabulary = kQualityVocabulary;
  TRY_VOID(train::tokenize(options));
  return {};
}

Result<train::Dataset> open_set(const fs::path& folder) {
  TRY(const train::DatasetManifest manifest, train::read_manifest(folder));
  if (manifest.vocabulary != kQualityVocabulary) {
    return Error{Code::kInvalidArgument, folder.string() + ": its vocabulary is not " +
                                             std::to_string(kQualityVocabulary) + " tokens"};
  }
  return train::Dataset::open(folder, manifest.hash(), kQualitySequenceLength);
}

std::vector<std::vector<uint32_t>> runs_of(const train::Dataset& set,
                                           std::span<const uint64_t> samples) {
  std::vector<std::vector<uint32_t>> runs;
  for (const uint64_t sample : samples) runs.push_back(set.sample(sample).value());
  return runs;
}

}  // namespace

Result<void> prepare_tokens(const fs::path& folder) {
  if (fs::exists(folder / "train/manifest.json") && fs::exists(folder / "heldout/manifest.json")) {
    return {};
  }
  const fs::path text = folder.parent_path();
  if (!fs::exists(text / "train") || !fs::exists(text / "heldout")) {
    const std::string script = MUSTER_SOURCE_DIR "/tests/bench/quality_text.py";
    std::cerr << "quality: making the text: " << script << " " << text.string() << "\n";
    fs::create_directories(text);
    // The path is the user's own argument, quoted for the shell.
    if (std::system(("'" + script + "' '" + text.string() + "' >&2").c_str()) != 0) {
      return Error{Code::kUnavailable, "the text was not made; " + script +
                                           " --help says what it needs, and --tokens names a "
                                           "folder that holds train and heldout already"};
    }
  }
  if (!fs::exists(folder / "train/manifest.json")) {
    TRY_VOID(tokenize(text / "train", folder / "train", "sentencepiece"));
  }
  return tokenize(text / "heldout", folder / "heldout",
                  (folder / "train/tokenizer.model").string());
}

Result<std::unique_ptr<QualityGround>> QualityGround::open(const fs::path& folder,
                                                           const QualitySettings& settings,
                                                           train::Precision precision) {
  TRY(auto backend, train::make_backend("cpu", 1, precision));
  TRY(train::Dataset train, open_set(folder / "train"));
  TRY(const train::Dataset heldout, open_set(folder / "heldout"));
  if (heldout.sample_count() < kHeldOut) {
    return Error{Code::kInvalidArgument, folder.string() + "/heldout is too short"};
  }
  return std::make_unique<QualityGround>(settings.hparams(), settings.seed, std::move(backend),
                                         std::move(train), heldout);
}

QualityGround::QualityGround(common::Hparams hparams, uint64_t seed,
                             std::unique_ptr<train::Backend> backend, train::Dataset train,
                             const train::Dataset& heldout)
    : hparams_(std::move(hparams)),
      seed_(seed),
      backend_(std::move(backend)),
      model_(hparams_.model, *backend_),
      train_(std::move(train)),
      heldout_hash_(heldout.manifest().hash()) {
  common::Philox random(20'240'701);
  const std::vector<uint64_t> samples =
      common::sample_without_replacement(random, heldout.sample_count(), kHeldOut);
  for (size_t at = 0; at < kHeldOut; at += kHeldOutBatch) {
    heldout_.push_back(
        train::make_batch(runs_of(heldout, std::span(samples).subspan(at, kHeldOutBatch)),
                          heldout.manifest().end_of_document, hparams_.data.document_mask));
  }
}

std::string QualityGround::data_name() const {
  return train_.manifest().hash().brief() + "-" + heldout_hash_.brief();
}

std::vector<uint64_t> QualityGround::assigned(uint16_t uid, uint64_t window) const {
  const common::Hash block =
      common::Hasher().update(common::view_of("block")).number(seed_).number(window).finish();
  return train::assignment(common::Hash{}, block, {uid}, {window}, train_.sample_count(),
                           hparams_.inner);
}

train::Batch QualityGround::batch(std::span<const uint64_t> samples) const {
  return train::make_batch(runs_of(train_, samples), train_.manifest().end_of_document,
                           hparams_.data.document_mask);
}

std::vector<double> QualityGround::losses(std::span<const float> theta, size_t count) {
  CHECK(count <= kHeldOut && count % kHeldOutBatch == 0);
  std::vector<double> all;
  for (size_t i = 0; i < count / kHeldOutBatch; ++i) {
    const std::vector<double> some = model_.losses(theta, heldout_[i]);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace bench
