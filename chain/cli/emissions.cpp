// muster chain emissions: who was paid what in the last epoch, and where it went.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "chain/cli/query.h"
#include "chain/cli/watch.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Result;

constexpr double kDay_ms = 86'400'000;
constexpr uint64_t kMeasuredBlocks = 100;  // Over which the time of a block is measured.
constexpr double kBlockDefault_ms = 12'000;
constexpr uint64_t kShareOne = 65'535;

struct Pace {
  double block_ms = kBlockDefault_ms;
  uint64_t epoch_blocks = 0;

  double per_block(double rao) const { return rao / static_cast<double>(epoch_blocks); }
  double per_day(double rao) const { return per_block(rao) * kDay_ms / block_ms; }
};

// How long a block takes here: measured, because a private chain has its own pace.
Result<double> block_ms_of(Ledger& ledger, const Block& head) {
  const uint64_t number = head.number.index;
  const uint64_t back = std::min(kMeasuredBlocks, number > 1 ? number - 1 : 0);
  if (back == 0) return kBlockDefault_ms;
  const auto earlier = ledger.block({number - back});
  if (!earlier && earlier.error().code == Code::kNotFound) return kBlockDefault_ms;
  if (!earlier) return earlier.error();
  const auto span_ms = static_cast<double>((head.time - earlier->time).count());
  return span_ms > 0 ? span_ms / static_cast<double>(back) : kBlockDefault_ms;
}

// A value of the subnet's storage; 0 if this chain does not have the item.
Result<uint64_t> stored_number(Explorer& explorer, const char* item, const json& keys) {
  const auto value = explorer.storage("SubtensorModule", item, keys, std::nullopt);
  if (!value && value.error().code == Code::kNotFound) return uint64_t{0};
  if (!value) return value.error();
  if (value->is_null()) return uint64_t{0};
  return number_in({{"value", *value}}, "value");
}

// The subnet's own side: what waits for the next epoch, and the owner's part.
struct Pot {
  uint64_t owner_cut = 0;  // Of 65,535.
  uint64_t miners_rao = 0;
  uint64_t validators_rao = 0;
  uint64_t owner_rao = 0;
};

Result<Pot> pot_of(Explorer& explorer, uint16_t netuid) {
  Pot out;
  const json keys = json::array({netuid});
  TRY(out.owner_cut, stored_number(explorer, "SubnetOwnerCut", json::array()));
  TRY(out.miners_rao, stored_number(explorer, "PendingServerEmission", keys));
  TRY(out.validators_rao, stored_number(explorer, "PendingValidatorEmission", keys));
  TRY(out.owner_rao, stored_number(explorer, "PendingOwnerCut", keys));
  return out;
}

struct Earner {
  const Neuron* neuron = nullptr;
  std::string kind;  // "miner", "validator", "both", "-"
  double take = 0;   // The share of dividends that a validator keeps for its coldkey.
};

Result<std::vector<Earner>> earners_of(Explorer& explorer, const Metagraph& metagraph) {
  std::vector<Earner> out;
  for (const Neuron& neuron : metagraph.neurons) {
    if (neuron.emission_rao == 0) continue;
    Earner earner{&neuron, "-", 0};
    const bool mines = neuron.incentive > 0;
    const bool judges = neuron.dividends > 0;
    if (mines || judges) earner.kind = mines && judges ? "both" : mines ? "miner" : "validator";
    if (judges) {
      TRY(const uint64_t take,
          stored_number(explorer, "Delegates", json::array({neuron.hotkey.ss58()})));
      earner.take = static_cast<double>(take) / kShareOne;
    }
    out.push_back(std::move(earner));
  }
  std::stable_sort(out.begin(), out.end(), [](const Earner& a, const Earner& b) {
    return a.neuron->emission_rao > b.neuron->emission_rao;
  });
  return out;
}

// Dividends are shared with whoever staked to the hotkey; all else stays with its coldkey.
std::string goes_to(const Earner& earner) {
  const std::string coldkey = brief(earner.neuron->coldkey);
  if (earner.kind == "miner" || earner.kind == "-") return coldkey;
  const auto percent = std::to_string(std::lround(earner.take * 100));
  return coldkey + " takes " + percent + "% of dividends, stakers the rest";
}

std::string tao_of(double rao) {
  return tao(static_cast<uint64_t>(std::llround(std::max(rao, 0.0))));
}

json earner_json(const Earner& earner, const Pace& pace) {
  const auto rao = static_cast<double>(earner.neuron->emission_rao);
  return {{"uid", earner.neuron->uid.index},
          {"hotkey", earner.neuron->hotkey.ss58()},
          {"coldkey", earner.neuron->coldkey.ss58()},
          {"kind", earner.kind},
          {"take", earner.take},
          {"epoch_rao", earner.neuron->emission_rao},
          {"block_rao", pace.per_block(rao)},
          {"day_rao", pace.per_day(rao)}};
}

Shown shown_of(const Metagraph& metagraph, const std::vector<Earner>& earners, const Pace& pace,
               const Pot& pot) {
  Table table{{">UID", "HOTKEY", "AS", ">AN EPOCH", ">A BLOCK", ">A DAY", "GOES TO"}, {}};
  json rows = json::array();
  uint64_t total_rao = 0;
  const auto row = [&](const Neuron* neuron, const std::string& kind, uint64_t epoch_rao,
                       const std::string& to) {
    const auto rao = static_cast<double>(epoch_rao);
    table.rows.push_back({neuron != nullptr ? std::to_string(neuron->uid.index) : "",
                          neuron != nullptr ? brief(neuron->hotkey) : "", kind, tao(epoch_rao),
                          tao_of(pace.per_block(rao)), tao_of(pace.per_day(rao)), to});
  };
  for (const Earner& earner : earners) {
    rows.push_back(earner_json(earner, pace));
    row(earner.neuron, earner.kind, earner.neuron->emission_rao, goes_to(earner));
    total_rao += earner.neuron->emission_rao;
  }
  row(nullptr, "all", total_rao, "");
  const json pending = {{"miners_rao", pot.miners_rao},
                        {"validators_rao", pot.validators_rao},
                        {"owner_rao", pot.owner_rao}};
  const std::string text = "Subnet " + std::to_string(metagraph.netuid) + " at block " +
                           std::to_string(metagraph.at.number.index) +
                           ": alpha of the last epoch (" + std::to_string(pace.epoch_blocks) +
                           " blocks of " + std::to_string(std::lround(pace.block_ms)) + " ms)\n" +
                           render(table) + "\nSince then " + tao(pot.miners_rao) +
                           " wait for miners, " + tao(pot.validators_rao) +
                           " for validators and their stakers, " + tao(pot.owner_rao) +
                           " for the subnet's owner, who gets " +
                           share(static_cast<uint16_t>(pot.owner_cut)) + " of all.\n";
  return {{{"netuid", metagraph.netuid},
           {"block", block_json(metagraph.at)},
           {"epoch_blocks", pace.epoch_blocks},
           {"block_ms", pace.block_ms},
           {"total_epoch_rao", total_rao},
           {"owner_cut", pot.owner_cut},
           {"pending", pending},
           {"neurons", rows}},
          text};
}

Result<Shown> show_emissions(Ledger& ledger, Explorer& explorer) {
  TRY(const Metagraph metagraph, ledger.metagraph(std::nullopt));
  TRY(const Hyperparameters rules, ledger.hyperparameters());
  Pace pace;
  pace.epoch_blocks = uint64_t{rules.tempo} + 1;  // An epoch is run every tempo + 1 blocks.
  TRY(pace.block_ms, block_ms_of(ledger, metagraph.at));
  TRY(const Pot pot, pot_of(explorer, metagraph.netuid));
  TRY(const auto earners, earners_of(explorer, metagraph));
  return shown_of(metagraph, earners, pace, pot);
}

Result<int> run_emissions(const CLI::App& verb) {
  TRY(auto ledger, connect(verb));
  TRY(Explorer explorer, explore(verb));
  if (wants_watch(verb)) {
    return watch(verb, explorer, Redraw::kYes,
                 [&](const Block&) { return show_emissions(*ledger, explorer); });
  }
  TRY(const Shown shown, show_emissions(*ledger, explorer));
  return show_once(verb, shown);
}

}  // namespace

void add_emissions_verb(CLI::App& chain, int& exit_code) {
  CLI::App& emissions =
      add_query(chain, exit_code,
                {"emissions", "What each neuron earns an epoch, a block and a day, and who gets it",
                 "muster chain emissions --netuid 1"},
                run_emissions);
  add_watch_flag(emissions, "Draw again at each new block, until Ctrl-C");
}

}  // namespace chain::cli
