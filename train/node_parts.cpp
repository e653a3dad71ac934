#include "train/node_parts.h"

namespace train {

using common::Code;
using common::Error;
using common::Result;

Result<NodeParts> open_node(const common::NodeConfig& config) {
  TRY_VOID(common::make_folder(config.data));
  TRY(common::FolderLock lock, common::FolderLock::take(config.data));
  TRY(common::Hparams hparams, common::Hparams::load(config.hparams));
  if (hparams.schedule.manifest_quorum > 0) {
    return Error{Code::kInvalidArgument,
                 config.hparams.string() +
                     ": schedule.manifest_quorum above 0 asks for co-signatures, which this "
                     "version does not make; set it to 0"};
  }
  TRY(Dataset train_set,
      Dataset::open(config.train_set, hparams.data.train, hparams.model.sequence_length));
  TRY(std::unique_ptr<Backend> backend, make_backend(config.device, config.threads));
  auto model = std::make_unique<Model>(hparams.model, *backend);
  TRY(std::unique_ptr<compress::Codec> codec, compress::make_codec(hparams.codec));
  TRY(std::unique_ptr<common::ObjectStore> bucket, common::open_store(config.bucket, true));
  const std::string local_address = "file://" + (config.data / "local").string();
  TRY(std::unique_ptr<common::ObjectStore> local, common::open_store(local_address, true));
  return NodeParts{std::move(lock),  std::move(hparams), std::move(train_set), std::move(backend),
                   std::move(model), std::move(codec),   std::move(bucket),    std::move(local)};
}

Result<Dataset> open_heldout(const common::NodeConfig& config, const common::Hparams& hparams) {
  if (config.heldout_set.empty()) {
    return Error{Code::kInvalidArgument,
                 "node.json names no heldout_set; a validator judges on it"};
  }
  return Dataset::open(config.heldout_set, hparams.data.heldout, hparams.model.sequence_length);
}

OpenStore peer_store_opener() {
  return [](std::string_view address) { return common::open_store(address, /*writable=*/false); };
}

}  // namespace train
