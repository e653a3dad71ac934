#include "train/node_parts.h"

#include <fmt/format.h>

#include "train/genesis.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

// A set in a bucket is kept, in part, below the data folder, which the node has locked.
DatasetCache cache_of(const common::NodeConfig& config, const char* set) {
  return {config.data / "cache" / set, uint64_t{config.data_cache_mb} * 1'000'000};
}

// Nothing for "auto": the machine decides.
std::optional<Precision> precision_of(std::string_view name) {
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16") return Precision::kBf16;
  return std::nullopt;
}

Result<Dataset> open_set(const common::NodeConfig& config, const common::Hparams& hparams,
                         const char* name, const std::string& address, const common::Hash& hash) {
  return Dataset::open(address, hash, hparams.model.sequence_length, cache_of(config, name));
}

// The set of the annealing, if there will be one. From the start: who finds out that it is missing
// when it begins has lost that window.
Result<std::optional<Dataset>> open_anneal(const common::NodeConfig& config,
                                           const common::Hparams& hparams, const Dataset& main) {
  if (hparams.inner.anneal_window == 0) return std::optional<Dataset>();
  if (config.anneal_set.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("node.json names no anneal_set; from window {} on the network trains "
                             "on the data set {}: fetch it, and set anneal_set to its folder or "
                             "bucket",
                             hparams.inner.anneal_window, hparams.data.anneal.hex())};
  }
  TRY(Dataset anneal, open_set(config, hparams, "anneal", config.anneal_set, hparams.data.anneal));
  const DatasetManifest& a = anneal.manifest();
  const DatasetManifest& b = main.manifest();
  if (a.tokenizer != b.tokenizer || a.tokenizer_hash != b.tokenizer_hash ||
      a.vocabulary != b.vocabulary || a.end_of_document != b.end_of_document) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("the data sets in {} and {} were made by different tokenizers: whoever "
                    "made the hparams should tokenize both with the same",
                    config.train_set, config.anneal_set)};
  }
  return std::optional(std::move(anneal));
}

// What this version cannot run yet: a sentence each.
Result<void> check_runs(const common::NodeConfig& config, const common::Hparams& hparams) {
  const auto refuse = [&config](const std::string& why) {
    return Error{Code::kInvalidArgument, config.hparams.string() + ": " + why};
  };
  if (hparams.schedule.manifest_quorum > 0) {
    return refuse(
        "schedule.manifest_quorum above 0 asks for co-signatures, which this version does not "
        "make; set it to 0");
  }
  // Whoever sends every value looks like a copier of everybody to the validators' overlap.
  if (hparams.codec.name != "sparseloco" && hparams.codec.name != "templar") {
    return refuse("codec.name: validators cannot judge updates of '" + hparams.codec.name +
                  "' yet; take sparseloco or templar");
  }
  return {};
}

}  // namespace

Result<NodeParts> open_node(const common::NodeConfig& config) {
  TRY_VOID(common::make_folder(config.data));
  TRY(common::FolderLock lock, common::FolderLock::take(config.data));
  TRY(common::Hparams hparams, common::Hparams::load(config.hparams));
  TRY_VOID(check_runs(config, hparams));
  TRY_VOID(check_initial_model(hparams, config.initial_model));
  TRY(Dataset main, open_set(config, hparams, "train", config.train_set, hparams.data.train));
  TRY(std::optional<Dataset> anneal, open_anneal(config, hparams, main));
  TrainingSets training_sets(hparams.inner, std::move(main), std::move(anneal));
  TRY(std::vector<std::unique_ptr<Backend>> machines,
      make_backends(config.device, config.threads, precision_of(config.precision)));
  TRY(std::unique_ptr<compress::Codec> codec, compress::make_codec(hparams.codec));
  TRY(std::unique_ptr<common::ObjectStore> bucket, common::open_store(config.bucket, true));
  const std::string local_address = "file://" + (config.data / "local").string();
  TRY(std::unique_ptr<common::ObjectStore> local, common::open_store(local_address, true));
  return NodeParts{std::move(lock),     std::move(hparams), std::move(training_sets),
                   std::move(machines), std::move(codec),   std::move(bucket),
                   std::move(local)};
}

Result<std::unique_ptr<Model>> open_model(const common::NodeConfig& config, const NodeParts& node) {
  if (node.machines.size() > 1) {
    return Error{Code::kInvalidArgument, "device '" + config.device +
                                             "': a validator judges on one; name one of them, and "
                                             "run a validator on each other if you like"};
  }
  return std::make_unique<Model>(node.hparams.model, *node.machines.front(),
                                 ModelOptions{.recompute = config.recompute});
}

Result<Dataset> open_heldout(const common::NodeConfig& config, const common::Hparams& hparams) {
  if (config.heldout_set.empty()) {
    return Error{Code::kInvalidArgument,
                 "node.json names no heldout_set; a validator judges on it"};
  }
  return open_set(config, hparams, "heldout", config.heldout_set, hparams.data.heldout);
}

OpenStore peer_store_opener() {
  return [](std::string_view address) { return common::open_store(address, /*writable=*/false); };
}

}  // namespace train
