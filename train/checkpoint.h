// A replica on disk or in a bucket: theta as safetensors (Hugging Face names) and manifest.json
// with the state root, so that a late joiner starts from it and other people's tools open it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/hparams.h"
#include "common/keys.h"
#include "common/object_store.h"
#include "common/result.h"
#include "common/window.h"
#include "train/replica.h"

namespace train {

// In a bucket: checkpoint/<window>/model.safetensors and checkpoint/<window>/manifest.json (written
// last, so that a checkpoint without a manifest is none). `window` is the one to be applied next.
common::Result<void> save_checkpoint(common::ObjectStore& bucket, const Replica& replica,
                                     const common::Hparams& hparams, const common::Keypair& signer);

// The newest checkpoint of the bucket whose next window is at most `until`, checked: hparams hash,
// signature of `signer` if given, hash of the file, shapes, Merkle root of theta, all values
// finite. One that fails is passed over, eight of them at most. kNotFound if there is none,
// kUnavailable or kTimeout if the bucket does not answer.
common::Result<Replica> load_checkpoint(common::ObjectStore& bucket, const common::Hparams& hparams,
                                        common::Window until,
                                        const std::optional<common::AccountId>& signer);

// Keeps the newest `keep`; the manifest goes first, so that what a kill leaves behind is no
// checkpoint, and goes the next time.
common::Result<void> prune_checkpoints(common::ObjectStore& bucket, uint64_t keep);

}  // namespace train
