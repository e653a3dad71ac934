// What is this machine's alone (node.json): paths, addresses, wallet, bucket, device. Flags
// override it.
//
// Relative paths are relative to the file. Every field but those marked "needed" may be left out.
// An unknown key is an error with "did you mean".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/result.h"
#include "common/wallet.h"

namespace common {

struct NodeConfig {
  std::filesystem::path hparams;  // needed: the network's hparams.json
  std::filesystem::path data;  // needed: this node's folder: state, scores, status; made if absent
  // needed: where manifest.json and the token shards lie: a folder, or a bucket's address
  // ("file:///abs/path"), of which ranges are fetched as they are needed
  std::string train_set;
  std::string anneal_set;         // needed if the hparams name data.anneal; the same
  std::string heldout_set;        // needed by validators; the same
  uint32_t data_cache_mb = 8192;  // of each set in a bucket, so much is kept below `data`
  // needed where hparams.model.initial_theta is not zero and nobody has a checkpoint yet: the
  // Hugging Face folder of the model that the network begins with
  std::filesystem::path initial_model;
  std::string chain_endpoint;  // "http://127.0.0.1:9944"; names finney, test, local (default) too
  std::string bucket;          // needed: where this node writes, "file:///abs/path"
  std::string public_bucket;   // what peers are told; default: the same
  WalletLocation wallet;
  // "cpu" (default), "cuda:0"; several train one model together: "cuda:0-7" (common/devices.h)
  std::string device;
  uint32_t threads = 0;   // 0: all cores
  std::string precision;  // "auto" (default: the faster on this machine), "fp32", "bf16"
  // Keep only each layer's input for the backward pass: a third of the memory for a little time.
  bool recompute = false;
  std::string log_level;  // "info" by default: trace, debug, info, warning, error

  // kInvalidArgument with a sentence that names the field and, for an unknown key, the nearest
  // known one.
  static Result<NodeConfig> parse(std::string_view json, const std::filesystem::path& folder);
  static Result<NodeConfig> load(const std::filesystem::path& file);
};

}  // namespace common
