// muster chain hyperparameters, registration: a subnet's rules, and what it costs to come in.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "chain/cli/query.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

// -- hyperparameters ------------------------------------------------------------------------------

json known_rules(const Hyperparameters& of) {
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

// Adds what the chain itself calls the subnet's rules: an object, or (since version 3) a list of
// entries with a name and a value. What is known by that name stays.
void add_rules(const json& told, json& out) {
  if (told.is_object()) {
    for (const auto& [name, value] : told.items()) {
      if (!out.contains(name)) out[name] = value;
    }
    return;
  }
  for (const json& entry : told.is_array() ? told : json::array()) {
    const auto name = entry.is_object() ? entry.find("name") : entry.end();
    const auto value = entry.is_object() ? entry.find("value") : entry.end();
    const bool whole = entry.is_object() && name != entry.end() && value != entry.end();
    if (!whole || !name->is_string()) continue;
    // {"U16": 360}: which kind of number it is says nothing to people.
    const bool wrapped = value->is_object() && value->size() == 1;
    const std::string key = name->get<std::string>();
    if (!out.contains(key)) out[key] = wrapped ? value->begin().value() : *value;
  }
}

Result<int> run_hyperparameters(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(const Hyperparameters hyperparameters, ledger->hyperparameters());
  TRY(Explorer explorer, explore(verb));
  json out = known_rules(hyperparameters);
  for (const char* method :
       {"get_subnet_hyperparams_v3", "get_subnet_hyperparams_v2", "get_subnet_hyperparams"}) {
    const auto told =
        explorer.api("SubnetInfoRuntimeApi", method, json::array({netuid_of(verb)}), std::nullopt);
    if (!told && told.error().code == Code::kNotFound) continue;
    if (!told) return told.error();
    add_rules(*told, out);
    break;
  }
  if (wants_json(verb)) {
    print_json(out);
  } else {
    print(fields_text(out));
  }
  return common::kOk;
}

// -- registration ---------------------------------------------------------------------------------

struct Price {
  uint64_t block = 0;
  uint64_t burn_rao = 0;
};

struct Span {
  uint64_t blocks = 0;
  uint64_t points = 0;
};

// The cost at some blocks of the last `span.blocks`, oldest first, as far back as the node keeps
// the state.
Result<std::vector<Price>> history_of(Explorer& explorer, uint16_t netuid, uint64_t head,
                                      const Span& span) {
  std::vector<Price> out;
  const uint64_t reach = std::min(span.blocks, head);
  for (uint64_t i = 0; i < span.points; ++i) {
    const uint64_t back = span.points > 1 ? reach * i / (span.points - 1) : 0;
    const uint64_t number = head - back;
    if (!out.empty() && out.back().block == number) continue;
    const auto burn =
        explorer.storage("SubtensorModule", "Burn", json::array({netuid}), BlockNumber{number});
    // Pruned. Nodes say it in different words.
    const bool gone = !burn && !out.empty() &&
                      (burn.error().code == Code::kNotFound || burn.error().code == Code::kRefused);
    if (gone) break;
    if (!burn) return burn.error();
    TRY(const uint64_t burn_rao, number_in({{"burn", *burn}}, "burn"));
    out.push_back({number, burn_rao});
  }
  std::reverse(out.begin(), out.end());
  return out;
}

struct Slots {
  uint64_t taken = 0;
  Hyperparameters rules;
};

Error no_such_subnet(uint16_t netuid) {
  return {Code::kNotFound, "there is no subnet " + std::to_string(netuid) +
                               " on this chain; `muster chain storage "
                               "SubtensorModule.NetworksAdded` lists those that are"};
}

std::string bar_of(uint64_t value, uint64_t largest) {
  constexpr uint64_t kWidth = 32;
  const double part = largest > 0 ? static_cast<double>(value) / static_cast<double>(largest) : 0;
  return std::string(static_cast<size_t>(part * kWidth + 0.5), '#');
}

void print_registration(const CLI::App& verb, const Slots& slots,
                        const std::vector<Price>& history) {
  const Price& now = history.back();
  if (wants_json(verb)) {
    json prices = json::array();
    for (const Price& price : history) {
      prices.push_back({{"block", price.block}, {"burn_rao", price.burn_rao}});
    }
    return print_json({{"netuid", netuid_of(verb)},
                       {"block", now.block},
                       {"burn_rao", now.burn_rao},
                       {"registration_allowed", slots.rules.registration_allowed},
                       {"neurons", slots.taken},
                       {"neurons_max", slots.rules.max_allowed_uids},
                       {"immunity_period", slots.rules.immunity_period},
                       {"history", prices}});
  }
  const bool full = slots.taken >= slots.rules.max_allowed_uids;
  const std::string room =
      std::to_string(slots.taken) + " of " + std::to_string(slots.rules.max_allowed_uids) +
      (full ? ": whoever comes takes the place of the least paid who is not immune" : "");
  Table table{{">BLOCK", ">TAO", ""}, {}};
  uint64_t largest = 0;
  for (const Price& price : history) largest = std::max(largest, price.burn_rao);
  for (const Price& price : history) {
    table.rows.push_back(
        {std::to_string(price.block), tao(price.burn_rao), bar_of(price.burn_rao, largest)});
  }
  print(render_fields({{"cost now", tao(now.burn_rao) + " TAO, burned"},
                       {"open", slots.rules.registration_allowed ? "yes: `muster register`" : "no"},
                       {"neurons", room},
                       {"immunity", std::to_string(slots.rules.immunity_period) + " blocks"}}) +
        "\n" + render(table));
}

Result<int> run_registration(const CLI::App& verb) {
  TRY(Explorer explorer, explore(verb));
  const uint16_t netuid = netuid_of(verb);
  TRY(const json added,
      explorer.storage("SubtensorModule", "NetworksAdded", json::array({netuid}), std::nullopt));
  if (added != json(true)) return no_such_subnet(netuid);
  TRY(auto ledger, connect(verb));
  TRY(const Block head, ledger->head());
  Slots slots;
  TRY(slots.rules, ledger->hyperparameters());
  TRY(const json taken,
      explorer.storage("SubtensorModule", "SubnetworkN", json::array({netuid}), std::nullopt));
  TRY(slots.taken, number_in({{"n", taken}}, "n"));
  Span span{verb.get_option("--blocks")->as<uint64_t>(),
            verb.get_option("--points")->as<uint64_t>()};
  TRY(const auto history, history_of(explorer, netuid, head.number.index, span));
  print_registration(verb, slots, history);
  return common::kOk;
}

}  // namespace

void add_rules_verbs(CLI::App& chain, int& exit_code) {
  add_query(chain, exit_code,
            {"hyperparameters", "The subnet's rules", "muster chain hyperparameters --netuid 1"},
            run_hyperparameters);
  CLI::App& registration =
      add_query(chain, exit_code,
                {"registration", "What it costs to register now, and what it has cost lately",
                 "muster chain registration --netuid 1 --blocks 240"},
                run_registration);
  registration.add_option("--blocks", "How far back, if the node keeps that much")
      ->check(CLI::Range(uint64_t{0}, uint64_t{10'000'000}))
      ->default_str("240");
  registration.add_option("--points", "At how many blocks of these")
      ->check(CLI::Range(1, 1000))
      ->default_str("13");
}

}  // namespace chain::cli
