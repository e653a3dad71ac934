// muster chain: what the ledger says of a subnet.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "chain/cli/flags.h"
#include "chain/cli/output.h"
#include "chain/commands.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

json block_json(const Block& block) {
  return {{"number", block.number.index},
          {"hash", "0x" + block.hash.hex()},
          {"unix_ms", block.time.unix_ms}};
}

json neuron_json(const Neuron& neuron) {
  return {{"uid", neuron.uid.index},
          {"hotkey", neuron.hotkey.ss58()},
          {"coldkey", neuron.coldkey.ss58()},
          {"stake_rao", neuron.stake_rao},
          {"active", neuron.active},
          {"validator_permit", neuron.validator_permit},
          {"consensus", neuron.consensus},
          {"incentive", neuron.incentive},
          {"dividends", neuron.dividends},
          {"validator_trust", neuron.validator_trust},
          {"emission_rao", neuron.emission_rao},
          {"last_update", neuron.last_update.index},
          {"registered_at", neuron.registered_at.index}};
}

std::string heading(const Metagraph& metagraph) {
  return "Subnet " + std::to_string(metagraph.netuid) + " at block " +
         std::to_string(metagraph.at.number.index) + ", " +
         std::to_string(metagraph.neurons.size()) + " neurons\n";
}

// -- metagraph, neuron ----------------------------------------------------------------------------

Result<int> run_metagraph(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  std::optional<BlockNumber> at;
  if (common::is_given(verb, "--block"))
    at = BlockNumber{verb.get_option("--block")->as<uint64_t>()};
  TRY(const Metagraph metagraph, ledger->metagraph(at));
  if (wants_json(verb)) {
    json neurons = json::array();
    for (const Neuron& neuron : metagraph.neurons) neurons.push_back(neuron_json(neuron));
    print_json(
        {{"netuid", metagraph.netuid}, {"block", block_json(metagraph.at)}, {"neurons", neurons}});
    return common::kOk;
  }
  Table table{{">UID", "HOTKEY", "COLDKEY", ">STAKE", "PERMIT", "ACTIVE", ">CONSENSUS",
               ">INCENTIVE", ">DIVIDENDS", ">VTRUST", ">EMISSION", ">UPDATED", ">REGISTERED"},
              {}};
  for (const Neuron& neuron : metagraph.neurons) {
    table.rows.push_back(
        {std::to_string(neuron.uid.index), brief(neuron.hotkey), brief(neuron.coldkey),
         tao(neuron.stake_rao), yes_no(neuron.validator_permit), yes_no(neuron.active),
         share(neuron.consensus), share(neuron.incentive), share(neuron.dividends),
         share(neuron.validator_trust), tao(neuron.emission_rao),
         std::to_string(neuron.last_update.index), std::to_string(neuron.registered_at.index)});
  }
  print(heading(metagraph) + render(table));
  return common::kOk;
}

Error no_such_uid(const Metagraph& metagraph, uint64_t uid) {
  const size_t n = metagraph.neurons.size();
  const std::string there =
      n == 0 ? "which has no neurons" : "whose uids are 0 to " + std::to_string(n - 1);
  return {Code::kNotFound, "there is no uid " + std::to_string(uid) + " on subnet " +
                               std::to_string(metagraph.netuid) + ", " + there};
}

// `who` is a uid or a hotkey's address.
Result<Neuron> find(const Metagraph& metagraph, const std::string& who) {
  const bool is_number =
      !who.empty() && who.size() <= 5 &&
      std::all_of(who.begin(), who.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    const auto uid = static_cast<size_t>(std::stoul(who));
    if (uid >= metagraph.neurons.size()) return no_such_uid(metagraph, uid);
    return metagraph.neurons[uid];
  }
  const auto hotkey = AccountId::from_ss58(who);
  if (!hotkey) {
    return Error{Code::kInvalidArgument, "'" + who + "' is neither a uid nor a hotkey's address"};
  }
  if (const Neuron* neuron = metagraph.find(*hotkey)) return *neuron;
  return Error{Code::kNotFound, "hotkey " + who + " is not registered on subnet " +
                                    std::to_string(metagraph.netuid) +
                                    ": `muster register` does that"};
}

Result<int> run_neuron(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(const Metagraph metagraph, ledger->metagraph(std::nullopt));
  TRY(const Neuron neuron, find(metagraph, common::given(verb, "UID")));
  if (wants_json(verb)) {
    print_json(neuron_json(neuron));
    return common::kOk;
  }
  print(render_fields({{"uid", std::to_string(neuron.uid.index)},
                       {"hotkey", neuron.hotkey.ss58()},
                       {"coldkey", neuron.coldkey.ss58()},
                       {"stake", tao(neuron.stake_rao) + " alpha"},
                       {"validator permit", yes_no(neuron.validator_permit)},
                       {"active", yes_no(neuron.active)},
                       {"consensus", share(neuron.consensus)},
                       {"incentive", share(neuron.incentive)},
                       {"dividends", share(neuron.dividends)},
                       {"validator trust", share(neuron.validator_trust)},
                       {"emission", tao(neuron.emission_rao) + " alpha, last epoch"},
                       {"set weights at block", std::to_string(neuron.last_update.index)},
                       {"registered at block", std::to_string(neuron.registered_at.index)}}));
  return common::kOk;
}

// -- weights --------------------------------------------------------------------------------------

json weights_json(const WeightRow& row) {
  json weights = json::array();
  for (const auto& [uid, value] : row.weights) {
    weights.push_back({{"uid", uid.index}, {"value", value}});
  }
  return {{"validator", row.validator.index}, {"weights", weights}};
}

double total_of(const WeightRow& row) {
  double total = 0;
  for (const Weight& weight : row.weights) total += weight.value;
  return total;
}

Result<int> run_weights(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(auto rows, ledger->weights());
  if (common::is_given(verb, "--uid")) {
    const auto uid = verb.get_option("--uid")->as<uint16_t>();
    TRY(const Metagraph metagraph, ledger->metagraph(std::nullopt));
    if (uid >= metagraph.neurons.size()) return no_such_uid(metagraph, uid);
    std::erase_if(rows, [&](const WeightRow& row) { return row.validator.index != uid; });
  }
  if (wants_json(verb)) {
    json out = json::array();
    for (const WeightRow& row : rows) out.push_back(weights_json(row));
    print_json({{"netuid", netuid_of(verb)}, {"rows", out}});
    return common::kOk;
  }
  Table table{{">VALIDATOR", ">UID", ">VALUE", ">SHARE"}, {}};
  for (const WeightRow& row : rows) {
    const double total = total_of(row);
    for (const auto& [uid, value] : row.weights) {
      const double part = total > 0 ? value / total * 65'535 : 0;
      table.rows.push_back({std::to_string(row.validator.index), std::to_string(uid.index),
                            std::to_string(value), share(static_cast<uint16_t>(part))});
    }
  }
  print(table.rows.empty() ? "Nobody has set weights.\n" : render(table));
  return common::kOk;
}

// -- balance, hyperparameters, block --------------------------------------------------------------

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

json hyperparameters_json(const Hyperparameters& of) {
  return {{"tempo", of.tempo},
          {"kappa", of.kappa},
          {"immunity_period", of.immunity_period},
          {"min_allowed_weights", of.min_allowed_weights},
          {"max_allowed_uids", of.max_allowed_uids},
          {"max_allowed_validators", of.max_allowed_validators},
          {"weights_rate_limit", of.weights_rate_limit},
          {"weights_version_key", of.weights_version_key},
          {"activity_cutoff", of.activity_cutoff},
          {"burn_rao", of.burn_rao},
          {"bonds_moving_average", of.bonds_moving_average},
          {"registration_allowed", of.registration_allowed},
          {"commit_reveal_enabled", of.commit_reveal_enabled},
          {"liquid_alpha_enabled", of.liquid_alpha_enabled},
          {"yuma3", of.yuma3}};
}

// A table of what the JSON says, name by name.
std::string fields_text(const json& object) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : object.items()) {
    fields.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return render_fields(fields);
}

Result<int> run_hyperparameters(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(const Hyperparameters hyperparameters, ledger->hyperparameters());
  const json out = hyperparameters_json(hyperparameters);
  if (wants_json(verb)) {
    print_json(out);
  } else {
    print(fields_text(out));
  }
  return common::kOk;
}

Result<int> run_block(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  Result<Block> block = common::is_given(verb, "NUMBER")
                            ? ledger->block({verb.get_option("NUMBER")->as<uint64_t>()})
                            : ledger->head();
  if (!block) return block.error();
  if (wants_json(verb)) {
    print_json(block_json(*block));
  } else {
    print(fields_text(block_json(*block)));
  }
  return common::kOk;
}

CLI::App& add_query(CLI::App& chain, int& exit_code, const common::VerbText& text,
                    common::Body body) {
  CLI::App& verb = common::add_verb(chain, exit_code, text, body);
  add_chain_flags(verb);
  add_json_flag(verb);
  return verb;
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_chain_verbs(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  CLI::App& chain = common::add_noun(muster, "chain", "Ask a ledger about a subnet");
  add_query(chain, exit_code,
            {"metagraph", "Everybody on the subnet, as the last epoch left them",
             "muster chain metagraph --netuid 1 --chain http://127.0.0.1:9944"},
            run_metagraph)
      .add_option("--block", "After this block (a recent one) rather than the newest")
      ->check(CLI::NonNegativeNumber);
  add_query(chain, exit_code,
            {"neuron", "One neuron, by its uid or its hotkey's address",
             "muster chain neuron 3 --netuid 1"},
            run_neuron)
      .add_option("UID,--uid", "A uid, or a hotkey's address")
      ->required();
  add_query(
      chain, exit_code,
      {"weights", "The weights that validators have set", "muster chain weights --uid 0 --json"},
      run_weights)
      .add_option("--uid", "Only this validator's")
      ->check(CLI::Range(0, 65'535));
  CLI::App& balance = add_query(
      chain, exit_code,
      {"balance", "Free TAO of accounts", "muster chain balance --wallet.name alice"}, run_balance);
  balance.add_option("ADDRESS", "Accounts (else the wallet's coldkey)")->expected(1, 100);
  add_wallet_flags(balance);
  add_query(chain, exit_code,
            {"hyperparameters", "The subnet's rules", "muster chain hyperparameters --netuid 1"},
            run_hyperparameters);
  add_query(chain, exit_code,
            {"block", "The newest block, or one by its number", "muster chain block --json"},
            run_block)
      .add_option("NUMBER", "Which block")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace chain
