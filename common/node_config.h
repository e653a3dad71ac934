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
  std::filesystem::path train_set;    // needed: folder with manifest.json and token shards
  std::filesystem::path heldout_set;  // needed by validators
  std::string chain_endpoint;  // "http://127.0.0.1:9944"; names finney, test, local (default) too
  std::string bucket;          // needed: where this node writes, "file:///abs/path"
  std::string public_bucket;   // what peers are told; default: the same
  WalletLocation wallet;
  std::string device;     // "cpu" (default), "cuda:0"
  uint32_t threads = 0;   // 0: all cores
  std::string log_level;  // "info" by default: trace, debug, info, warning, error

  // kInvalidArgument with a sentence that names the field and, for an unknown key, the nearest
  // known one.
  static Result<NodeConfig> parse(std::string_view json, const std::filesystem::path& folder);
  static Result<NodeConfig> load(const std::filesystem::path& file);
};

}  // namespace common
