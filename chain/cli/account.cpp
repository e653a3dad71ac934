// muster chain balance, stake: what an account holds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "chain/cli/query.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr size_t kSharesMax = 20'000;  // Of one hotkey, on all subnets.
constexpr size_t kStakersMax = 500;    // Each is a question of its own.

// The addresses that were given, or the wallet's coldkey.
Result<std::vector<AccountId>> accounts_of(const CLI::App& verb) {
  std::vector<AccountId> out;
  if (common::is_given(verb, "ADDRESS")) {
    for (const auto& text : verb.get_option("ADDRESS")->as<std::vector<std::string>>()) {
      TRY(const AccountId account, account_of(text, "ADDRESS"));
      out.push_back(account);
    }
    return out;
  }
  TRY(const auto wallet, wallet_of(verb));
  auto account = common::read_public(wallet.coldkey_file());
  if (!account) return common::within("no ADDRESS is given, and the wallet", account.error());
  out.push_back(*account);
  return out;
}

// -- balance --------------------------------------------------------------------------------------

Result<int> run_balance(const CLI::App& verb) {
  TRY(const auto accounts, accounts_of(verb));
  TRY(auto ledger, connect(verb));
  json out = json::array();
  Table table{{"ADDRESS", ">TAO"}, {}};
  for (const AccountId& account : accounts) {
    TRY(const uint64_t rao, ledger->balance(account));
    out.push_back({{"address", account.ss58()}, {"free_rao", rao}, {"free_tao", tao(rao)}});
    table.rows.push_back({account.ss58(), tao(rao)});
  }
  if (wants_json(verb)) {
    print_json({{"balances", out}});
  } else {
    print(render(table));
  }
  return common::kOk;
}

// -- stake ----------------------------------------------------------------------------------------

constexpr const char* kStakeApi = "StakeInfoRuntimeApi";

struct Stake {
  uint64_t netuid = 0;
  std::string hotkey, coldkey;
  uint64_t stake_rao = 0;
  uint64_t emission_rao = 0;
  bool registered = false;
};

Result<Stake> stake_of(const json& info) {
  Stake out;
  TRY(out.netuid, number_in(info, "netuid"));
  TRY(out.stake_rao, number_in(info, "stake"));
  TRY(out.emission_rao, number_in(info, "emission"));
  const auto text = [&](const char* name) {
    const auto found = info.find(name);
    return found != info.end() && found->is_string() ? found->get<std::string>() : "";
  };
  out.hotkey = text("hotkey");
  out.coldkey = text("coldkey");
  const auto registered = info.find("is_registered");
  out.registered = registered != info.end() && *registered == json(true);
  if (out.hotkey.empty() || out.coldkey.empty()) {
    return Error{Code::kCorrupt, "the node's answer is no stake: it names no keys"};
  }
  return out;
}

// What the coldkey has staked, to whichever hotkeys.
Result<void> add_of_coldkey(Explorer& explorer, const std::string& coldkey,
                            std::vector<Stake>& out) {
  TRY(const json infos,
      explorer.api(kStakeApi, "get_stake_info_for_coldkey", json::array({coldkey}), std::nullopt));
  for (const json& info : infos) {
    TRY(Stake stake, stake_of(info));
    out.push_back(std::move(stake));
  }
  return {};
}

// What anybody has staked to the hotkey. Shares are kept in one of two maps, the older of which is
// moved into the newer bit by bit.
Result<void> add_of_hotkey(Explorer& explorer, const std::string& hotkey, uint16_t netuid,
                           std::vector<Stake>& out) {
  std::set<std::string> stakers;
  for (const char* map : {"AlphaV2", "Alpha"}) {
    const auto entries =
        explorer.entries("SubtensorModule", map, json::array({hotkey}), std::nullopt, kSharesMax);
    if (!entries && entries.error().code == Code::kNotFound) continue;
    if (!entries) return entries.error();
    for (const StorageEntry& entry : *entries) {
      if (entry.keys.size() == 3 && entry.keys[1].is_string() && entry.keys[2] == json(netuid)) {
        stakers.insert(entry.keys[1].get<std::string>());
      }
    }
  }
  if (stakers.size() > kStakersMax) {
    return Error{Code::kExhausted, "hotkey " + hotkey + " has " + std::to_string(stakers.size()) +
                                       " stakers there, which are too many to list: ask for some "
                                       "of them by their coldkeys"};
  }
  for (const std::string& coldkey : stakers) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const Stake& it) {
      return it.hotkey == hotkey && it.coldkey == coldkey && it.netuid == netuid;
    });
    if (known) continue;
    TRY(const json info, explorer.api(kStakeApi, "get_stake_info_for_hotkey_coldkey_netuid",
                                      json::array({hotkey, coldkey, netuid}), std::nullopt));
    if (info.is_null()) continue;
    TRY(Stake stake, stake_of(info));
    out.push_back(std::move(stake));
  }
  return {};
}

json stake_json(const Stake& stake) {
  return {{"netuid", stake.netuid},
          {"hotkey", stake.hotkey},
          {"coldkey", stake.coldkey},
          {"stake_rao", stake.stake_rao},
          {"emission_rao", stake.emission_rao},
          {"registered", stake.registered}};
}

std::string brief_text(const std::string& address) {
  const auto account = AccountId::from_ss58(address);
  return account ? brief(*account) : short_text(address, 20);
}

Result<int> run_stake(const CLI::App& verb) {
  TRY(const auto accounts, accounts_of(verb));
  TRY(Explorer explorer, explore(verb));
  const uint16_t netuid = netuid_of(verb);
  std::vector<Stake> stakes;
  for (const AccountId& account : accounts) {
    TRY_VOID(add_of_coldkey(explorer, account.ss58(), stakes));
    TRY_VOID(add_of_hotkey(explorer, account.ss58(), netuid, stakes));
  }
  const bool all = common::is_given(verb, "--all");
  std::erase_if(
      stakes, [&](const Stake& it) { return it.stake_rao == 0 || (!all && it.netuid != netuid); });
  json out = json::array();
  Table table{{">NETUID", "HOTKEY", "COLDKEY", ">STAKE", ">EMISSION", "REGISTERED"}, {}};
  for (const Stake& stake : stakes) {
    out.push_back(stake_json(stake));
    table.rows.push_back({std::to_string(stake.netuid), brief_text(stake.hotkey),
                          brief_text(stake.coldkey), tao(stake.stake_rao), tao(stake.emission_rao),
                          yes_no(stake.registered)});
  }
  if (wants_json(verb)) {
    print_json({{"stakes", out}});
  } else if (stakes.empty()) {
    print("Nothing is staked by or to " + std::string(accounts.size() == 1 ? "it" : "them") +
          (all ? "" : " on subnet " + std::to_string(netuid) + " (--all shows every subnet)") +
          ".\n");
  } else {
    print(render(table));
  }
  return common::kOk;
}

}  // namespace

void add_account_verbs(CLI::App& chain, int& exit_code) {
  CLI::App& balance = add_query(
      chain, exit_code,
      {"balance", "Free TAO of accounts", "muster chain balance --wallet.name alice"}, run_balance);
  balance.add_option("ADDRESS", "Accounts (else the wallet's coldkey)")
      ->expected(1, 100)
      ->allow_extra_args();
  add_wallet_flags(balance);
  CLI::App& stake =
      add_query(chain, exit_code,
                {"stake", "What is staked by a coldkey or to a hotkey, in alpha of the subnet",
                 "muster chain stake --wallet.name alice --netuid 1"},
                run_stake);
  stake.add_option("ADDRESS", "Coldkeys or hotkeys (else the wallet's coldkey)")
      ->expected(1, 100)
      ->allow_extra_args();
  common::add_switch(stake, "--all", "A coldkey's stake on every subnet");
  add_wallet_flags(stake);
}

}  // namespace chain::cli
