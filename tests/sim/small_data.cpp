#include "tests/sim/small_data.h"

#include <array>
#include <optional>
#include <string>

#include "common/check.h"
#include "common/files.h"
#include "common/philox.h"
#include "train/tokenize.h"

namespace sim {
namespace {

namespace fs = std::filesystem;

using common::Hash;
using common::Philox;
using common::Result;

template <typename T>
T must(Result<T> result) {
  CHECK_MSG(result.has_value(), result.error().message);
  return std::move(result).value();
}

// Subject, verb, object, drawn anew: easy to learn, never twice the same text.
std::string sentences(uint64_t seed, int count) {
  constexpr std::array<std::string_view, 4> kWho = {"the cat ", "a dog ", "my owl ", "one fox "};
  constexpr std::array<std::string_view, 4> kDoes = {"sees ", "likes ", "finds ", "hears "};
  Philox random(seed);
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += kWho[random.below(4)];
    text += kDoes[random.below(4)];
    text += kWho[random.below(4)];
    text.back() = '.';
    text += i % 20 == 19 ? "\n\f\n" : "\n";
  }
  return text;
}

train::Dataset make_set(const fs::path& folder, uint64_t seed, int count, uint32_t length,
                        Hash& hash) {
  const fs::path text = folder / "text.txt";
  CHECK(common::write_file(text, common::view_of(sentences(seed, count))).has_value());
  train::TokenizeOptions options;
  options.texts = {text};
  options.out = folder / "tokens";
  options.tokenizer = "bytes";
  hash = must(train::tokenize(options)).manifest.hash();
  return must(train::Dataset::open(options.out, hash, length));
}

common::Hparams small_hparams() {
  common::Hparams hparams =
      must(common::Hparams::load(fs::path(MUSTER_SOURCE_DIR) / "tests/data/hparams.json"));
  hparams.schedule = {.blocks_per_window = 20,
                      .seal_block = 10,
                      .reveal_block = 12,
                      .manifest_block = 14,
                      .lead_timeout_blocks = 2,
                      .manifest_quorum = 0};
  hparams.model = {.vocabulary = 257,
                   .dim = 16,
                   .layers = 1,
                   .heads = 2,
                   .kv_heads = 1,
                   .hidden = 32,
                   .sequence_length = 16,
                   .rope_theta = 10'000,
                   .rope_factor = 1,
                   .rope_low_frequency = 1,
                   .rope_high_frequency = 4,
                   .rope_original_length = 8192,
                   .norm_epsilon = 1e-5,
                   .tied_embeddings = true,
                   .init_seed = 1,
                   .init_std = 0.02};
  hparams.inner.steps = 2;
  hparams.inner.sequences_per_step = 4;
  hparams.evaluation.sequences_min = 4;
  hparams.evaluation.sequences_batch = 4;
  hparams.evaluation.tokens_max = 128;
  hparams.checkpoint = {.windows = 2, .keep = 2, .full_root_windows = 2};
  return hparams;
}

}  // namespace

SmallData make_small_data(const fs::path& folder, uint64_t anneal_window) {
  common::Hparams hparams = small_hparams();
  const uint32_t length = hparams.model.sequence_length;
  train::Dataset train_set = make_set(folder / "train", 1, 400, length, hparams.data.train);
  train::Dataset heldout_set = make_set(folder / "heldout", 2, 100, length, hparams.data.heldout);
  std::optional<train::Dataset> anneal_set;
  if (anneal_window > 0) {
    hparams.inner.anneal_window = anneal_window;
    hparams.inner.anneal_windows = 100;
    hparams.inner.anneal_warmup_steps = 2;
    hparams.inner.anneal_ratio = 0.25;
    anneal_set = make_set(folder / "anneal", 3, 4000, length, hparams.data.anneal);
  }
  return {train::TrainingSets(hparams.inner, std::move(train_set), std::move(anneal_set)),
          std::move(heldout_set), std::move(hparams)};
}

SmallModel::SmallModel(const common::Hparams& hparams)
    : backend(must(train::make_backend("cpu", 1))),
      model(hparams.model, *backend),
      codec(must(compress::make_codec(hparams.codec))) {}

SmallMachines::SmallMachines(const common::Hparams& hparams, size_t count) {
  while (backends.size() < count) backends.push_back(must(train::make_backend("cpu", 1)));
  if (count == 1) {
    learner = train::make_learner(hparams, *backends.front(), {});
    return;
  }
  constexpr common::milliseconds kPatience{60'000};
  auto ranks = std::make_unique<train::ThreadRanks>(static_cast<int>(count), kPatience);
  learner =
      train::make_learner(hparams, backends, std::move(ranks), train::Sharding::kParameters, {});
}

}  // namespace sim
