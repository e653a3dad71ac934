// muster chain metagraph, neuron: who is on a subnet.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "chain/cli/query.h"
#include "chain/cli/watch.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

// What a neuron is asked for in --sort and --where. Amounts are in TAO (or alpha), shares 0 to 1.
struct Column {
  std::string_view name;
  const char* heading;
  json (*value)(const Neuron&);
  std::string (*shown)(const Neuron&);
};

double in_tao(uint64_t rao) { return static_cast<double>(rao) / 1e9; }
double part(uint16_t value) { return value / 65'535.0; }

constexpr std::array<Column, 13> kColumns = {{
    {"uid", ">UID", [](const Neuron& n) { return json(n.uid.index); },
     [](const Neuron& n) { return std::to_string(n.uid.index); }},
    {"hotkey", "HOTKEY", [](const Neuron& n) { return json(n.hotkey.ss58()); },
     [](const Neuron& n) { return brief(n.hotkey); }},
    {"coldkey", "COLDKEY", [](const Neuron& n) { return json(n.coldkey.ss58()); },
     [](const Neuron& n) { return brief(n.coldkey); }},
    {"stake", ">STAKE", [](const Neuron& n) { return json(in_tao(n.stake_rao)); },
     [](const Neuron& n) { return tao(n.stake_rao); }},
    {"permit", "PERMIT", [](const Neuron& n) { return json(n.validator_permit); },
     [](const Neuron& n) { return yes_no(n.validator_permit); }},
    {"active", "ACTIVE", [](const Neuron& n) { return json(n.active); },
     [](const Neuron& n) { return yes_no(n.active); }},
    {"consensus", ">CONSENSUS", [](const Neuron& n) { return json(part(n.consensus)); },
     [](const Neuron& n) { return share(n.consensus); }},
    {"incentive", ">INCENTIVE", [](const Neuron& n) { return json(part(n.incentive)); },
     [](const Neuron& n) { return share(n.incentive); }},
    {"dividends", ">DIVIDENDS", [](const Neuron& n) { return json(part(n.dividends)); },
     [](const Neuron& n) { return share(n.dividends); }},
    {"vtrust", ">VTRUST", [](const Neuron& n) { return json(part(n.validator_trust)); },
     [](const Neuron& n) { return share(n.validator_trust); }},
    {"emission", ">EMISSION", [](const Neuron& n) { return json(in_tao(n.emission_rao)); },
     [](const Neuron& n) { return tao(n.emission_rao); }},
    {"updated", ">UPDATED", [](const Neuron& n) { return json(n.last_update.index); },
     [](const Neuron& n) { return std::to_string(n.last_update.index); }},
    {"registered", ">REGISTERED", [](const Neuron& n) { return json(n.registered_at.index); },
     [](const Neuron& n) { return std::to_string(n.registered_at.index); }},
}};

std::string column_names() {
  std::string out;
  for (const Column& column : kColumns) out.append(out.empty() ? "" : ", ").append(column.name);
  return out;
}

Result<const Column*> column_of(std::string_view name, const char* flag) {
  for (const Column& column : kColumns) {
    if (column.name == name) return &column;
  }
  return Error{Code::kInvalidArgument, std::string(flag) + ": there is no '" + std::string(name) +
                                           "'; there is " + column_names()};
}

// -- --where --------------------------------------------------------------------------------------

// One condition: "stake>=100", "active=yes", "hotkey!=5F..".
struct Condition {
  const Column* column = nullptr;
  std::string sign;
  json value;

  bool is_met_by(const Neuron& neuron) const {
    const json is = column->value(neuron);
    if (sign == "=") return is == value;
    if (sign == "!=") return is != value;
    if (sign == "<") return is < value;
    if (sign == "<=") return is <= value;
    return sign == ">" ? is > value : is >= value;
  }
};

// The value as the column has it; nothing if it is none of its kind.
std::optional<json> value_like(const json& sample, const std::string& text) {
  if (sample.is_boolean()) {
    if (text == "yes" || text == "true" || text == "1") return true;
    if (text == "no" || text == "false" || text == "0") return false;
    return std::nullopt;
  }
  if (sample.is_string()) return json(text);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [last, trouble] = std::from_chars(text.data(), end, number);
  if (trouble != std::errc{} || last != end) return std::nullopt;
  return json(number);
}

Result<Condition> condition_of(const std::string& text) {
  const size_t at = text.find_first_of("=!<>");
  const auto wrong = [&](const std::string& why) {
    return Error{Code::kInvalidArgument, "--where: '" + text + "' " + why +
                                             "; write it like 'stake>=100', 'active=yes' or "
                                             "'incentive>0.01'"};
  };
  if (at == std::string::npos || at == 0) return wrong("is no condition");
  const bool two = at + 1 < text.size() && text[at + 1] == '=';
  Condition out;
  out.sign = text.substr(at, two ? 2 : 1);
  if (out.sign == "==") out.sign = "=";
  if (out.sign == "!") return wrong("is no condition");
  TRY(out.column, column_of(std::string_view(text).substr(0, at), "--where"));
  const json sample = out.column->value({});
  const auto value = value_like(sample, text.substr(at + (two ? 2 : 1)));
  if (!value) {
    return wrong(sample.is_boolean() ? "compares with neither yes nor no"
                                     : "does not compare with a number");
  }
  out.value = *value;
  const bool ordered = sample.is_number() || out.sign == "=" || out.sign == "!=";
  if (!ordered) return wrong("orders what has no order");
  return out;
}

// What the flags choose.
struct Choice {
  std::vector<Condition> conditions;
  const Column* sort = nullptr;
  bool reverse = false;
  size_t limit = SIZE_MAX;
};

Result<Choice> choice_of(const CLI::App& verb) {
  Choice out;
  std::vector<std::string> texts;
  if (common::is_given(verb, "--where")) {
    texts = verb.get_option("--where")->as<std::vector<std::string>>();
  }
  if (common::is_given(verb, "--validators")) texts.emplace_back("permit=yes");
  if (common::is_given(verb, "--miners")) texts.emplace_back("permit=no");
  if (common::is_given(verb, "--active")) texts.emplace_back("active=yes");
  for (const char* flag : {"--hotkey", "--coldkey"}) {
    if (!common::is_given(verb, flag)) continue;
    TRY(const AccountId account, account_of(common::given(verb, flag), flag));
    texts.push_back(std::string(flag).substr(2) + "=" + account.ss58());
  }
  for (const std::string& text : texts) {
    TRY(Condition condition, condition_of(text));
    out.conditions.push_back(std::move(condition));
  }
  if (common::is_given(verb, "--sort")) {
    TRY(out.sort, column_of(common::given(verb, "--sort"), "--sort"));
  }
  out.reverse = common::is_given(verb, "--reverse");
  if (common::is_given(verb, "--limit")) out.limit = verb.get_option("--limit")->as<size_t>();
  return out;
}

std::vector<Neuron> chosen(const Metagraph& metagraph, const Choice& choice) {
  std::vector<Neuron> out;
  for (const Neuron& neuron : metagraph.neurons) {
    const bool all = std::all_of(choice.conditions.begin(), choice.conditions.end(),
                                 [&](const Condition& it) { return it.is_met_by(neuron); });
    if (all) out.push_back(neuron);
  }
  if (choice.sort != nullptr) {
    // Numbers from the largest; uids and names from the first.
    const json sample = choice.sort->value({});
    const bool ascending = choice.sort->name == "uid" || sample.is_string();
    std::stable_sort(out.begin(), out.end(), [&](const Neuron& a, const Neuron& b) {
      const json left = choice.sort->value(a);
      const json right = choice.sort->value(b);
      return ascending ? left < right : right < left;
    });
  }
  if (choice.reverse) std::reverse(out.begin(), out.end());
  if (out.size() > choice.limit) out.resize(choice.limit);
  return out;
}

// -- metagraph ------------------------------------------------------------------------------------

std::string heading(const Metagraph& metagraph, size_t shown) {
  const size_t all = metagraph.neurons.size();
  const std::string of = shown == all ? "" : std::to_string(shown) + " of ";
  return "Subnet " + std::to_string(metagraph.netuid) + " at block " +
         std::to_string(metagraph.at.number.index) + ", " + of + std::to_string(all) + " neurons\n";
}

Shown show_metagraph(const Metagraph& metagraph, const Choice& choice) {
  Table table;
  for (const Column& column : kColumns) table.headings.emplace_back(column.heading);
  json neurons = json::array();
  for (const Neuron& neuron : chosen(metagraph, choice)) {
    neurons.push_back(neuron_json(neuron));
    std::vector<std::string> row;
    for (const Column& column : kColumns) row.push_back(column.shown(neuron));
    table.rows.push_back(std::move(row));
  }
  return {{{"netuid", metagraph.netuid}, {"block", block_json(metagraph.at)}, {"neurons", neurons}},
          heading(metagraph, table.rows.size()) + render(table)};
}

Result<int> run_metagraph(const CLI::App& verb) {
  TRY(const Choice choice, choice_of(verb));
  TRY(auto ledger, connect(verb));
  if (!wants_watch(verb)) {
    TRY(const Metagraph metagraph, ledger->metagraph(block_of(verb)));
    return show_once(verb, show_metagraph(metagraph, choice));
  }
  TRY(Explorer explorer, explore(verb));
  return watch(verb, explorer, Redraw::kYes, [&](const Block&) -> Result<Shown> {
    TRY(const Metagraph metagraph, ledger->metagraph(std::nullopt));
    return show_metagraph(metagraph, choice);
  });
}

// -- neuron ---------------------------------------------------------------------------------------

Result<int> run_neuron(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(const Metagraph metagraph, ledger->metagraph(std::nullopt));
  TRY(const Neuron neuron, find_neuron(metagraph, common::given(verb, "UID")));
  TRY(const Hyperparameters rules, ledger->hyperparameters());
  const uint64_t head = metagraph.at.number.index;
  const uint64_t immune_until = neuron.registered_at.index + rules.immunity_period;
  const uint64_t age = head - std::min(head, neuron.last_update.index);
  if (wants_json(verb)) {
    json out = neuron_json(neuron);
    out["immune_until"] = immune_until;
    out["last_update_age"] = age;
    print_json(out);
    return common::kOk;
  }
  const std::string immune = immune_until > head
                                 ? "until block " + std::to_string(immune_until)
                                 : "no, since block " + std::to_string(immune_until);
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
                       {"set weights at block", std::to_string(neuron.last_update.index) + ", " +
                                                    std::to_string(age) + " blocks ago"},
                       {"registered at block", std::to_string(neuron.registered_at.index)},
                       {"immune from pruning", immune}}));
  return common::kOk;
}

}  // namespace

void add_metagraph_verbs(CLI::App& chain, int& exit_code) {
  CLI::App& metagraph =
      add_query(chain, exit_code,
                {"metagraph", "Everybody on the subnet, as the last epoch left them",
                 "muster chain metagraph --netuid 1 --validators --sort stake --watch"},
                run_metagraph);
  add_block_flag(metagraph);
  const std::string sort =
      "By a column, the largest first (uids and keys: the first): " + column_names();
  metagraph.add_option("--sort,--sort-by", sort);
  common::add_switch(metagraph, "--reverse", "The other way around");
  metagraph.add_option("--where", "Only those of which this holds; may be repeated: 'stake>=100'")
      ->take_all();
  common::add_switch(metagraph, "--validators", "Only those with a validator's permit");
  common::add_switch(metagraph, "--miners", "Only those without one");
  common::add_switch(metagraph, "--active", "Only those who set weights lately");
  metagraph.add_option("--hotkey", "Only this hotkey (an address)");
  metagraph.add_option("--coldkey", "Only hotkeys of this coldkey (an address)");
  metagraph.add_option("--limit", "At most so many")->check(CLI::PositiveNumber);
  add_watch_flag(metagraph, "Draw again at each new block, until Ctrl-C");
  add_query(chain, exit_code,
            {"neuron", "One neuron, by its uid or its hotkey's address",
             "muster chain neuron 3 --netuid 1"},
            run_neuron)
      .add_option("UID,--uid", "A uid, or a hotkey's address")
      ->required();
}

}  // namespace chain::cli
