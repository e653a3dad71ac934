#include "deploy/net/plan.h"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/clock.h"
#include "common/files.h"
#include "common/wallet.h"
#include "deploy/net/ports.h"
#include "deploy/net/text.h"

namespace deploy {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Hparams;
using common::Keypair;
using common::Role;
using nlohmann::json;

constexpr uint64_t kSmallFileMax = 1 << 20;
constexpr uint64_t kRao = 1'000'000'000;
constexpr uint64_t kValidatorStakeRao = 10'000 * kRao;

Result<void> write_json(const fs::path& file, const json& value) {
  return common::write_file(file, common::view_of(value.dump(2) + "\n"));
}

Result<fs::path> run_folder(const LocalnetOptions& options, bool& temporary) {
  temporary = options.keep.empty();
  if (!temporary) {
    const fs::path folder = fs::absolute(options.keep).lexically_normal();
    TRY_VOID(common::make_folder(folder));
    return folder;
  }
  std::string pattern = (fs::temp_directory_path() / "muster-localnet-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    return Error{Code::kIo, "no temporary folder can be made in " +
                                fs::temp_directory_path().string() + "; name one with --keep"};
  }
  return fs::path(pattern);
}

// Both keys of a node, or those that are already there.
Result<void> make_wallet(const fs::path& coldkeys, Node& node) {
  const common::WalletLocation cold{coldkeys, node.name, "default"};
  const common::WalletLocation hot{node.wallet_folder(), node.name, "default"};
  struct Half {
    fs::path file;
    common::AccountId& account;
  };
  for (const Half& half :
       {Half{cold.coldkey_file(), node.coldkey}, Half{hot.hotkey_file(), node.hotkey}}) {
    if (!fs::exists(half.file)) {
      const std::string phrase = common::make_mnemonic(12);
      TRY(const Keypair keypair, Keypair::from_mnemonic(phrase));
      TRY_VOID(common::write_keyfile(half.file, keypair, phrase, "", common::Overwrite::kNo));
    }
    TRY(half.account, common::read_public(half.file));
  }
  return {};
}

Result<void> write_node_config(const Plan& plan, const Node& node, const TokenSets& sets) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  json config = {
      {"hparams", plan.hparams_file().string()},
      {"data", node.data_folder().string()},
      {"train_set", sets.train.string()},
      {"heldout_set", sets.heldout.string()},
      {"chain_endpoint", plan.endpoint()},
      {"bucket", "file://" + node.bucket_folder().string()},
      {"wallet",
       {{"path", node.wallet_folder().string()}, {"name", node.name}, {"hotkey", "default"}}},
      {"device", "cpu"},
      {"threads", std::max(1U, cores / std::max(1U, plan.options.miners))},
      {"log_level", "info"}};
  if (!sets.anneal.empty()) config["anneal_set"] = sets.anneal.string();
  return write_json(node.config_file(), config);
}

// The owner's keys are made for the genesis and nobody runs it: weights on uid 0 are burned.
json genesis_of(const Plan& plan, const Node& owner) {
  json accounts = json::object();
  for (const Node& node : plan.nodes) {
    const bool validates = node.role == Role::kValidator;
    accounts[node.coldkey.ss58()] = validates ? 2 * kValidatorStakeRao : 1000 * kRao;
  }
  return {{"chain", "Muster local network"},
          {"time_unix_ms", common::system_clock().now().unix_ms},
          {"netuid", plan.hparams.netuid},
          {"owner_coldkey", owner.coldkey.ss58()},
          {"owner_hotkey", owner.hotkey.ss58()},
          {"emission_rao_per_block", kRao},
          {"rules",
           {{"tempo", 20},
            {"weights_rate_limit", 0},
            {"immunity_period", 60'000},
            {"stake_threshold_rao", 1000 * kRao},
            {"burn_rao", kRao},
            {"max_allowed_validators", 64}}},
          {"accounts", accounts}};
}

Node make_node(const fs::path& folder, std::string name, Role role) {
  const fs::path own = folder / name;
  return {.name = std::move(name), .role = role, .folder = own};
}

Result<void> make_nodes(Plan& plan) {
  for (uint32_t i = 0; i < plan.options.validators; ++i) {
    plan.nodes.push_back(
        make_node(plan.folder, "validator-" + std::to_string(i), Role::kValidator));
  }
  for (uint32_t i = 0; i < plan.options.miners; ++i) {
    plan.nodes.push_back(make_node(plan.folder, "miner-" + std::to_string(i), Role::kMiner));
  }
  for (Node& node : plan.nodes) {
    TRY_VOID(common::make_folder(node.bucket_folder()));
    TRY_VOID(make_wallet(plan.coldkey_folder(), node));
  }
  return {};
}

// A network that goes on keeps its numbers, whatever the template says by now.
fs::path hparams_template(const LocalnetOptions& options) {
  if (!options.hparams.empty()) return options.hparams;
  const fs::path kept = options.keep / "hparams.json";
  if (!options.keep.empty() && fs::exists(kept)) return kept;
  return options.scripts / "hparams" / "tiny.json";
}

// The template with the data sets' hashes; in a kept folder, what stands there must be the same.
Result<void> settle_hparams(Plan& plan, const TokenSets& sets) {
  TRY(plan.hparams, Hparams::load(plan.options.hparams));
  plan.hparams.data.train = sets.train_hash;
  plan.hparams.data.heldout = sets.heldout_hash;
  plan.hparams.data.anneal = sets.anneal_hash;
  if (fs::exists(plan.hparams_file())) {
    TRY(const Hparams kept, Hparams::load(plan.hparams_file()));
    if (kept.hash() != plan.hparams.hash()) {
      return Error{Code::kConflict,
                   plan.hparams_file().string() + " differs from " + plan.options.hparams.string() +
                       " with today's data; choose another --keep folder, or remove this one"};
    }
    return {};
  }
  const json pretty = json::parse(plan.hparams.canonical());
  return write_json(plan.hparams_file(), pretty);
}

Result<void> settle_genesis(const Plan& plan) {
  if (fs::exists(plan.genesis_file())) {
    TRY(const common::Bytes text, common::read_file(plan.genesis_file(), kSmallFileMax));
    const json kept = json::parse(common::text_of(text), nullptr, false);
    if (kept.is_object() && kept.value("accounts", json::object()).size() == plan.nodes.size()) {
      return {};
    }
    return Error{Code::kConflict, plan.folder.string() +
                                      " holds a subnet with another number of nodes; give the "
                                      "same --miners and --validators, or another --keep folder"};
  }
  Node owner = make_node(plan.folder, "owner", Role::kNone);
  TRY_VOID(make_wallet(plan.coldkey_folder(), owner));
  return write_json(plan.genesis_file(), genesis_of(plan, owner));
}

}  // namespace

Result<Plan> make_plan(const LocalnetOptions& options) {
  Plan plan;
  plan.options = options;
  plan.options.hparams = hparams_template(options);
  if (options.port != 0) TRY_VOID(check_port(options.port));
  // Before there is a folder: it takes a while the first time, and is where input may be wrong.
  TRY(const TokenSets sets, prepare_token_sets(plan.options));
  TRY(plan.folder, run_folder(options, plan.temporary));
  TRY(plan.lock, common::FolderLock::take(plan.folder));
  TRY(plan.port, options.port != 0 ? Result<uint16_t>(options.port) : free_port());
  TRY_VOID(settle_hparams(plan, sets));
  TRY_VOID(make_nodes(plan));
  TRY_VOID(settle_genesis(plan));
  for (const Node& node : plan.nodes) TRY_VOID(write_node_config(plan, node, sets));
  return plan;
}

}  // namespace deploy
