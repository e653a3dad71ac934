#include "common/node_flags.h"

#include <CLI/CLI.hpp>

#include "common/files.h"
#include "common/log.h"
#include "common/terminal.h"
#include "common/verb.h"

namespace common {
namespace {

constexpr uint64_t kStatusMax = 4 << 20;
constexpr unsigned kPatienceDefault_s = 30;
constexpr unsigned kPatienceMax_s = 86'400;

std::filesystem::path status_file(const NodeConfig& config) { return config.data / "status.json"; }

}  // namespace

void add_node_flags(CLI::App& verb) {
  verb.add_option("--config,-c", "node.json: paths, bucket, wallet, device")->required();
  verb.add_option("--initial-model",
                  "Overrides the folder of the model that the network begins with");
  verb.add_option("--wallet.name,--wallet-name,--wallet_name", "Overrides the wallet's name");
  verb.add_option("--wallet.hotkey,--wallet-hotkey,--wallet_hotkey,--hotkey",
                  "Overrides the hotkey's name");
  verb.add_option("--wallet.path,--wallet-path,--wallet_path", "Overrides where wallets lie");
  verb.add_option("--subtensor.network,--network", "Overrides the chain: finney, test or local");
  verb.add_option("--subtensor.chain_endpoint,--chain",
                  "Overrides the chain's address: http://host:port");
  verb.add_option("--netuid,-n", "Checked against the hparams' netuid")
      ->check(CLI::Range(0, 65535));
  verb.add_option("--patience", "Seconds to wait for a ledger that does not answer (30)")
      ->check(CLI::Range(0U, kPatienceMax_s));
  verb.add_option("--device",
                  "Overrides the device: cpu, cuda:0, or several that train together, cuda:0-7");
  verb.add_option("--precision", "Overrides the precision: auto, fp32 or bf16")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}));
  add_switch(verb, "--recompute", "Less memory, a little slower: see recompute in node.json");
  verb.add_option("--log-level", "trace, debug, info, warning or error");
  add_switch(verb, "--logging.debug", "More logs");
  add_switch(verb, "--logging.trace", "All logs");
  verb.add_option("--password-file",
                  "File with the password of an encrypted hotkey (or set BT_PW_...)");
}

Result<NodeConfig> config_of(const CLI::App& verb) {
  TRY(NodeConfig config, NodeConfig::load(given(verb, "--config")));
  const auto take = [&verb](const char* flag, auto& into) {
    if (is_given(verb, flag)) into = given(verb, flag);
  };
  take("--initial-model", config.initial_model);
  take("--wallet.name", config.wallet.name);
  take("--wallet.hotkey", config.wallet.hotkey);
  take("--wallet.path", config.wallet.path);
  take("--subtensor.network", config.chain_endpoint);
  take("--subtensor.chain_endpoint", config.chain_endpoint);
  take("--device", config.device);
  take("--precision", config.precision);
  take("--log-level", config.log_level);
  if (is_given(verb, "--recompute")) config.recompute = true;
  if (is_given(verb, "--logging.debug")) config.log_level = "debug";
  if (is_given(verb, "--logging.trace")) config.log_level = "trace";
  return config;
}

Result<void> check_netuid(const CLI::App& verb, uint16_t netuid) {
  if (!is_given(verb, "--netuid") || given(verb, "--netuid") == std::to_string(netuid)) return {};
  return Error{Code::kInvalidArgument, "--netuid " + given(verb, "--netuid") +
                                           ", but the hparams are of netuid " +
                                           std::to_string(netuid)};
}

milliseconds patience_of(const CLI::App& verb) {
  const unsigned seconds = is_given(verb, "--patience")
                               ? verb.get_option("--patience")->as<unsigned>()
                               : kPatienceDefault_s;
  return milliseconds(1000 * int64_t{seconds});
}

Result<Keypair> read_hotkey(const NodeConfig& config, const CLI::App& verb) {
  const WalletLocation wallet = config.wallet.resolved();
  const auto exposed = is_unencrypted(wallet.coldkey_file());
  if (exposed && *exposed) {
    log_warning("an unencrypted coldkey lies in {}; a running node needs only the hotkey",
                wallet.coldkey_file().string());
  }
  auto hotkey = read_keyfile(wallet.hotkey_file(), ask_password(given(verb, "--password-file")));
  if (!hotkey && hotkey.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, "there is no hotkey at " + wallet.hotkey_file().string() +
                                      "; 'muster wallet new' makes one"};
  }
  return hotkey;
}

void write_status(const NodeConfig& config, const nlohmann::json& status) {
  const auto written = write_file(status_file(config), view_of(status.dump(1) + "\n"));
  if (!written) log_warning("status: {}", written.error().message);
}

Result<nlohmann::json> read_status(const NodeConfig& config) {
  auto bytes = read_file(status_file(config), kStatusMax);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return Error{Code::kNotFound,
                 status_file(config).string() + " is not there: this node has not run yet"};
  }
  if (!bytes) return bytes.error();
  auto status = nlohmann::json::parse(text_of(*bytes), nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) {
    return Error{Code::kCorrupt, status_file(config).string() + " is not a status file"};
  }
  return status;
}

}  // namespace common
