#include "chain/cli/flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "chain/cli/output.h"
#include "common/clock.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr const char* kPatience = "--patience";
constexpr uint16_t kNetuidDefault = 1;
constexpr unsigned kPatienceDefault_s = 5;
constexpr unsigned kPatienceMax_s = 3600;
constexpr common::milliseconds kBetweenAttempts{500};

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

Result<void> check_name(const std::string& name, const char* flag) {
  if (name.find('/') == std::string::npos && name != "." && name != "..") return {};
  return Error{Code::kInvalidArgument,
               std::string(flag) + ": '" + name + "' is no name (--wallet.path takes a folder)"};
}

// Flags first, then Bittensor's variables, then the node on this machine. A flag that names one of
// the two leaves out the other's variable.
std::string endpoint_of(const CLI::App& verb) {
  std::string address = common::given(verb, "--subtensor.chain_endpoint");
  std::string network = common::given(verb, "--subtensor.network");
  if (address.empty() && network.empty()) {
    address = environment("BT_SUBTENSOR_CHAIN_ENDPOINT");
    network = environment("BT_SUBTENSOR_NETWORK");
  }
  if (address.empty()) return network.empty() ? "local" : network;
  const bool one_of_each = network.find(',') == std::string::npos &&
                           address.find(',') == std::string::npos && !network.empty();
  return one_of_each ? network + "@" + address : address;
}

bool is_passing(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

Error nobody_answers(const Error& error, const std::string& endpoint, unsigned patience_s) {
  return {error.code, "no ledger answers at " + endpoint + " within " + std::to_string(patience_s) +
                          " s: " + error.message +
                          "; start one with `muster ledger` (see `muster ledger --help`), or name "
                          "another with --subtensor.chain_endpoint"};
}

// `open(endpoint)`, again and again for --patience seconds.
template <typename Open>
auto patiently(const CLI::App& verb, const Open& open) -> decltype(open(std::string())) {
  const std::string endpoint = endpoint_of(verb);
  const unsigned patience_s = common::is_given(verb, kPatience)
                                  ? verb.get_option(kPatience)->as<unsigned>()
                                  : kPatienceDefault_s;
  common::Clock& clock = common::system_clock();
  const Instant deadline = clock.now() + common::milliseconds(1000 * int64_t{patience_s});
  while (true) {
    auto opened = open(endpoint);
    if (opened || !is_passing(opened.error())) return opened;
    if (clock.now() >= deadline || !clock.sleep(kBetweenAttempts)) {
      return nobody_answers(opened.error(), endpoint, patience_s);
    }
  }
}

}  // namespace

void add_json_flag(CLI::App& verb) {
  common::add_switch(verb, "--json,--json-output", "Print JSON instead of a table");
}

bool wants_json(const CLI::App& verb) { return common::is_given(verb, "--json"); }

void add_wallet_flags(CLI::App& verb) {
  verb.add_option("--wallet.path,--wallet-path,--wallet_path,-p",
                  "Folder of wallets (BT_WALLET_PATH, else ~/.bittensor/wallets)");
  verb.add_option("--wallet.name,--wallet-name,--wallet_name,--name",
                  "Which wallet (BT_WALLET_NAME, else default)");
  verb.add_option("--wallet.hotkey,--wallet-hotkey,--wallet_hotkey,--hotkey,-H",
                  "Which of its hotkeys (BT_WALLET_HOTKEY, else default)");
}

Result<common::WalletLocation> wallet_of(const CLI::App& verb) {
  const common::WalletLocation location{common::given(verb, "--wallet.path"),
                                        common::given(verb, "--wallet.name"),
                                        common::given(verb, "--wallet.hotkey")};
  TRY_VOID(check_name(location.name, "--wallet.name"));
  TRY_VOID(check_name(location.hotkey, "--wallet.hotkey"));
  return location.resolved();
}

void add_password_flag(CLI::App& verb) {
  verb.add_option("--password-file",
                  "File whose first line is the coldkey's password (else BT_PW_..., else asked)");
}

std::filesystem::path password_file_of(const CLI::App& verb) {
  return common::given(verb, "--password-file");
}

void add_consent_flag(CLI::App& verb) {
  common::add_switch(verb, "--yes,-y,--no-prompt", "Do not ask before it is done");
}

bool has_consent(const CLI::App& verb) { return common::is_given(verb, "--yes"); }

void add_endpoint_flags(CLI::App& verb) {
  verb.add_option("--subtensor.chain_endpoint,--chain",
                  "The ledger's address: http://host:port or ws://host:port");
  verb.add_option(
      "--subtensor.network,--network",
      "Or a network's name: finney, test, local (default); with an address: its network");
  verb.add_option(kPatience, "Seconds to wait for a ledger that does not answer (5)")
      ->check(CLI::Range(0U, kPatienceMax_s));
}

void add_chain_flags(CLI::App& verb) {
  add_endpoint_flags(verb);
  verb.add_option("--netuid,-n", "Which subnet (1)")->check(CLI::Range(0, 65'535));
}

uint16_t netuid_of(const CLI::App& verb) {
  const CLI::Option* option = verb.get_option_no_throw("--netuid");
  return option != nullptr && option->count() > 0 ? option->as<uint16_t>() : kNetuidDefault;
}

Result<std::unique_ptr<Ledger>> connect(const CLI::App& verb) {
  const uint16_t netuid = netuid_of(verb);
  return patiently(verb, [netuid](const std::string& endpoint) -> Result<std::unique_ptr<Ledger>> {
    TRY(auto ledger, open_ledger(endpoint, netuid, common::system_clock()));
    TRY(const Block head, ledger->head());
    static_cast<void>(head);
    return ledger;
  });
}

Result<Explorer> explore(const CLI::App& verb) {
  return patiently(verb, [](const std::string& endpoint) {
    return open_explorer(endpoint, common::system_clock());
  });
}

void add_block_flag(CLI::App& verb) {
  verb.add_option("--block", "After this block (a recent one) rather than the newest")
      ->check(CLI::NonNegativeNumber);
}

std::optional<BlockNumber> block_of(const CLI::App& verb) {
  if (!common::is_given(verb, "--block")) return std::nullopt;
  return BlockNumber{verb.get_option("--block")->as<uint64_t>()};
}

Result<AccountId> account_of(const std::string& address, const char* flag) {
  if (const auto account = AccountId::from_ss58(address)) return *account;
  return Error{Code::kInvalidArgument,
               std::string(flag) + ": '" + address +
                   "' is no SS58 address (48 characters that start with 5; check for a typo)"};
}

Result<uint64_t> amount_of(const std::string& text) {
  const auto rao = parse_tao(text);
  if (rao && *rao > 0) return *rao;
  return Error{
      Code::kInvalidArgument,
      "--amount: '" + text +
          "' is no amount of TAO: write it like 12.5, above 0, with at most nine decimals"};
}

}  // namespace chain::cli
