// A private subnet on one machine, before it runs: who is in it, where everything lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/hparams.h"
#include "common/keys.h"
#include "common/peer.h"
#include "common/result.h"

namespace deploy {

using common::Result;

// What the command line asks for.
struct LocalnetOptions {
  uint32_t miners = 4;
  uint32_t validators = 2;
  uint64_t windows = 12;
  uint64_t block_ms = 250;
  uint16_t port = 0;  // 0: one that is free.
  std::filesystem::path
      data;  // Text or token sets, train/, heldout/ (and anneal/); empty: Debian's.
  std::filesystem::path keep;  // The run's folder, kept; empty: a temporary one, removed.
  std::filesystem::path
      hparams;  // The template; empty: the kept folder's, else the scripts' tiny.json.
  std::filesystem::path scripts;   // deploy/
  std::filesystem::path programs;  // Where muster, muster-miner and muster-validator are.
  bool json = false;
};

// One process of the subnet and all that is its own.
struct Node {
  std::string name;  // "miner-2"
  common::Role role = common::Role::kNone;
  std::filesystem::path folder;  // node.json, data/, bucket/, wallets/ (the hotkey), log
  common::AccountId hotkey;
  common::AccountId coldkey;

  std::filesystem::path config_file() const { return folder / "node.json"; }
  std::filesystem::path data_folder() const { return folder / "data"; }
  std::filesystem::path bucket_folder() const { return folder / "bucket"; }
  std::filesystem::path wallet_folder() const { return folder / "wallets"; }
  std::filesystem::path log_file() const { return folder / "log"; }
};

struct Plan {
  LocalnetOptions options;
  std::filesystem::path folder;            // Of the run.
  bool temporary = false;                  // Remove it at the end.
  std::optional<common::FolderLock> lock;  // One run at a time in it.
  uint16_t port = 0;
  common::Hparams hparams;
  std::vector<Node> nodes;  // Validators first, then miners.

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port); }
  std::filesystem::path ledger_folder() const { return folder / "ledger"; }
  // Wallets with the coldkeys: apart from the nodes, which need none to run.
  std::filesystem::path coldkey_folder() const { return folder / "coldkeys"; }
  std::filesystem::path genesis_file() const { return folder / "genesis.json"; }
  std::filesystem::path hparams_file() const { return folder / "hparams.json"; }
};

// Makes or finds everything a run needs: folder, token sets, hparams.json, genesis.json, and for
// each node a wallet, a bucket and node.json. A kept folder is used as it is; kConflict if it was
// made with other options, kAlreadyExists if another run has it. Says on standard error what takes
// long.
Result<Plan> make_plan(const LocalnetOptions& options);

}  // namespace deploy
