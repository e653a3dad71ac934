// muster chain weights: what validators say of everybody, when they said it, and what came of it.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "chain/cli/query.h"
#include "chain/cli/watch.h"

namespace chain::cli {
namespace {

using common::Result;

double total_of(const WeightRow& row) {
  double total = 0;
  for (const Weight& weight : row.weights) total += weight.value;
  return total;
}

// Neurons may have come or gone between two questions: nothing for one that is not there.
const Neuron* neuron_at(const Metagraph& metagraph, Uid uid) {
  return uid.index < metagraph.neurons.size() ? &metagraph.neurons[uid.index] : nullptr;
}

uint64_t age_of(const Metagraph& metagraph, const Neuron& neuron) {
  const uint64_t head = metagraph.at.number.index;
  return head - std::min(head, neuron.last_update.index);
}

json row_json(const Metagraph& metagraph, const WeightRow& row) {
  json weights = json::array();
  for (const auto& [uid, value] : row.weights) {
    const Neuron* of = neuron_at(metagraph, uid);
    weights.push_back({{"uid", uid.index},
                       {"value", value},
                       {"consensus", of != nullptr ? json(of->consensus) : json()}});
  }
  json out = {{"validator", row.validator.index}, {"weights", weights}};
  if (const Neuron* validator = neuron_at(metagraph, row.validator)) {
    out["hotkey"] = validator->hotkey.ss58();
    out["last_update"] = validator->last_update.index;
    out["last_update_age"] = age_of(metagraph, *validator);
  }
  return out;
}

void add_rows(const Metagraph& metagraph, const WeightRow& row, Table& table) {
  const double total = total_of(row);
  const Neuron* validator = neuron_at(metagraph, row.validator);
  std::vector<std::string> who = {std::to_string(row.validator.index), "-", "-", "-"};
  if (validator != nullptr) {
    who = {who[0], brief(validator->hotkey), std::to_string(validator->last_update.index),
           std::to_string(age_of(metagraph, *validator))};
  }
  for (const auto& [uid, value] : row.weights) {
    const Neuron* of = neuron_at(metagraph, uid);
    const double part = total > 0 ? value / total * 65'535 : 0;
    std::vector<std::string> cells = who;
    cells.insert(cells.end(),
                 {std::to_string(uid.index), std::to_string(value),
                  share(static_cast<uint16_t>(part)), of != nullptr ? share(of->consensus) : "-"});
    table.rows.push_back(std::move(cells));
  }
}

Result<Shown> show_weights(const CLI::App& verb, Ledger& ledger) {
  TRY(auto rows, ledger.weights());
  TRY(const Metagraph metagraph, ledger.metagraph(std::nullopt));
  if (common::is_given(verb, "--uid")) {
    const auto uid = verb.get_option("--uid")->as<uint16_t>();
    if (uid >= metagraph.neurons.size()) return no_such_uid(metagraph, uid);
    std::erase_if(rows, [&](const WeightRow& row) { return row.validator.index != uid; });
  }
  json out = json::array();
  Table table{{">VALIDATOR", "HOTKEY", ">SET AT", ">AGE", ">UID", ">VALUE", ">SHARE", ">CONSENSUS"},
              {}};
  for (const WeightRow& row : rows) {
    out.push_back(row_json(metagraph, row));
    add_rows(metagraph, row, table);
  }
  const std::string nobody =
      "Nobody has set weights that count yet: where weights are committed first, they show when "
      "they are revealed.\n";
  return Shown{{{"netuid", metagraph.netuid}, {"block", block_json(metagraph.at)}, {"rows", out}},
               table.rows.empty() ? nobody : render(table)};
}

Result<int> run_weights(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  if (!wants_watch(verb)) {
    TRY(const Shown shown, show_weights(verb, *ledger));
    return show_once(verb, shown);
  }
  TRY(Explorer explorer, explore(verb));
  return watch(verb, explorer, Redraw::kYes,
               [&](const Block&) { return show_weights(verb, *ledger); });
}

}  // namespace

void add_weights_verb(CLI::App& chain, int& exit_code) {
  CLI::App& weights = add_query(
      chain, exit_code,
      {"weights",
       "The weights that validators have set, in which block, and the consensus on each neuron",
       "muster chain weights --uid 0 --json"},
      run_weights);
  weights.add_option("--uid", "Only this validator's")->check(CLI::Range(0, 65'535));
  add_watch_flag(weights, "Draw again at each new block, until Ctrl-C");
}

}  // namespace chain::cli
