// muster register, stake, transfer: what costs TAO. Each shows what it would do and asks first.
#include <CLI/CLI.hpp>

#include "chain/cli/coldkey.h"
#include "chain/cli/flags.h"
#include "chain/cli/output.h"
#include "chain/commands.h"
#include "common/terminal.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

using common::WalletLocation;

Result<Keypair> coldkey_of(const CLI::App& verb, const WalletLocation& wallet) {
  warn_of_plain_coldkey(wallet.coldkey_file());
  return common::read_keyfile(wallet.coldkey_file(), common::ask_password(password_file_of(verb)));
}

// What is on the table: who pays, how much, and what is left to pay with.
struct Deal {
  std::string what;
  AccountId payer;
  uint64_t cost_rao = 0;
  std::string cost_note;
};

// Asks for consent, having seen that the payer can pay.
Result<void> agree(const CLI::App& verb, Ledger& ledger, const Deal& deal) {
  TRY(const uint64_t balance_rao, ledger.balance(deal.payer));
  if (balance_rao < deal.cost_rao) {
    return Error{Code::kRefused, deal.what + " costs " + tao(deal.cost_rao) + " TAO, and coldkey " +
                                     deal.payer.ss58() + " holds " + tao(balance_rao) +
                                     ": send it some first"};
  }
  const std::string shown = deal.what + "\n" +
                            render_fields({{"  coldkey", deal.payer.ss58()},
                                           {"  cost", tao(deal.cost_rao) + " TAO" + deal.cost_note},
                                           {"  balance", tao(balance_rao) + " TAO"}});
  return common::confirm(shown, has_consent(verb));
}

// -- register -------------------------------------------------------------------------------------

Result<int> run_register(const CLI::App& verb) {
  TRY(const WalletLocation wallet, wallet_of(verb));
  TRY(const AccountId hotkey, common::read_public(wallet.hotkey_file()));
  TRY(const AccountId payer, common::read_public(wallet.coldkey_file()));
  TRY(auto ledger, connect(verb));
  TRY(const Metagraph metagraph, ledger->metagraph(std::nullopt));
  const std::string subnet = "subnet " + std::to_string(netuid_of(verb));
  if (const Neuron* neuron = metagraph.find(hotkey)) {
    return Error{Code::kAlreadyExists, "hotkey " + hotkey.ss58() + " already is uid " +
                                           std::to_string(neuron->uid.index) + " on " + subnet};
  }
  TRY(const Hyperparameters rules, ledger->hyperparameters());
  TRY_VOID(agree(verb, *ledger,
                 {"Registering hotkey " + hotkey.ss58() + " on " + subnet, payer, rules.burn_rao,
                  " (burned; as of now)"}));
  TRY(const Keypair coldkey, coldkey_of(verb, wallet));
  TRY(const Uid uid, ledger->register_neuron(coldkey, hotkey));
  if (wants_json(verb)) {
    print_json({{"uid", uid.index},
                {"netuid", netuid_of(verb)},
                {"hotkey", hotkey.ss58()},
                {"coldkey", payer.ss58()}});
  } else {
    print("Hotkey " + hotkey.ss58() + " is uid " + std::to_string(uid.index) + " on " + subnet +
          ".\n");
  }
  return common::kOk;
}

// -- stake ----------------------------------------------------------------------------------------

// The hotkey that is staked to: --to, or the wallet's own.
Result<AccountId> staked_hotkey(const CLI::App& verb, const WalletLocation& wallet) {
  const std::string to = common::given(verb, "--to");
  return to.empty() ? common::read_public(wallet.hotkey_file()) : account_of(to, "--to");
}

Result<int> run_stake(const CLI::App& verb) {
  TRY(const uint64_t amount_rao, amount_of(common::given(verb, "--amount")));
  TRY(const WalletLocation wallet, wallet_of(verb));
  TRY(const AccountId hotkey, staked_hotkey(verb, wallet));
  TRY(const AccountId payer, common::read_public(wallet.coldkey_file()));
  TRY(auto ledger, connect(verb));
  const std::string subnet = "subnet " + std::to_string(netuid_of(verb));
  TRY_VOID(agree(verb, *ledger,
                 {"Staking to hotkey " + hotkey.ss58() + " on " + subnet, payer, amount_rao,
                  " and a small fee"}));
  TRY(const Keypair coldkey, coldkey_of(verb, wallet));
  TRY_VOID(ledger->add_stake(coldkey, hotkey, amount_rao));
  if (wants_json(verb)) {
    print_json({{"netuid", netuid_of(verb)},
                {"hotkey", hotkey.ss58()},
                {"coldkey", payer.ss58()},
                {"amount_rao", amount_rao}});
  } else {
    print("Staked " + tao(amount_rao) + " TAO to " + hotkey.ss58() + " on " + subnet + ".\n");
  }
  return common::kOk;
}

// -- transfer -------------------------------------------------------------------------------------

Result<int> run_transfer(const CLI::App& verb) {
  TRY(const uint64_t amount_rao, amount_of(common::given(verb, "--amount")));
  TRY(const AccountId to, account_of(common::given(verb, "--dest"), "--dest"));
  TRY(const WalletLocation wallet, wallet_of(verb));
  TRY(const AccountId payer, common::read_public(wallet.coldkey_file()));
  TRY(auto ledger, connect(verb));
  TRY_VOID(
      agree(verb, *ledger, {"Sending TAO to " + to.ss58(), payer, amount_rao, " and a small fee"}));
  TRY(const Keypair coldkey, coldkey_of(verb, wallet));
  TRY_VOID(ledger->transfer(coldkey, to, amount_rao));
  if (wants_json(verb)) {
    print_json({{"from", payer.ss58()}, {"to", to.ss58()}, {"amount_rao", amount_rao}});
  } else {
    print("Sent " + tao(amount_rao) + " TAO to " + to.ss58() + ".\n");
  }
  return common::kOk;
}

CLI::App& add_payment(CLI::App& muster, int& exit_code, const common::VerbText& text,
                      common::Body body) {
  CLI::App& verb = common::add_verb(muster, exit_code, text, body);
  add_chain_flags(verb);
  add_wallet_flags(verb);
  add_password_flag(verb);
  add_consent_flag(verb);
  add_json_flag(verb);
  return verb;
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_payment_verbs(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  add_payment(muster, exit_code,
              {"register", "Register the wallet's hotkey on a subnet; the coldkey pays the burn",
               "muster register --netuid 1 --wallet.name alice --wallet.hotkey miner-1"},
              run_register);
  CLI::App& stake =
      add_payment(muster, exit_code,
                  {"stake", "Stake TAO of the wallet's coldkey to its hotkey, or to another's",
                   "muster stake --amount 100 --netuid 1 --wallet.name alice"},
                  run_stake);
  stake.add_option("--amount,-a", "TAO, such as 12.5")->required();
  stake.add_option("--to,--hotkey-ss58-address", "Address of another hotkey");
  CLI::App& transfer = add_payment(
      muster, exit_code,
      {"transfer", "Send TAO of the wallet's coldkey to an account",
       "muster transfer --dest 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --amount 1.5"},
      run_transfer);
  transfer.add_option("--amount,-a", "TAO, such as 12.5")->required();
  transfer.add_option("--dest,--to", "Address of the account that receives it")->required();
}

}  // namespace chain
