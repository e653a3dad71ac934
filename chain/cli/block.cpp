// muster chain block, extrinsic, events: what happened.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "chain/cli/query.h"
#include "chain/cli/watch.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr size_t kCellMax = 100;

std::string signer_text(const json& signer) {
  const auto* text = signer.get_ptr<const json::string_t*>();
  const auto account = text != nullptr ? AccountId::from_ss58(*text) : std::nullopt;
  if (account) return brief(*account);
  return signer.is_null() ? "-" : short_text(signer, 20);
}

std::string call_name(const ExtrinsicView& of) {
  return of.pallet.empty() ? "(not readable)" : of.pallet + "." + of.call;
}

json extrinsic_json(const ExtrinsicView& of) {
  return {{"index", of.index},
          {"hash", "0x" + of.hash.hex()},
          {"signer", of.signer},
          {"pallet", of.pallet},
          {"call", of.call},
          {"arguments", of.arguments},
          {"extra", of.extra},
          {"success", of.failure.empty()},
          {"failure", of.failure.empty() ? json() : json(of.failure)}};
}

// -- block ----------------------------------------------------------------------------------------

Shown show_block(const BlockView& block) {
  json out = block_json(block.block);
  out["parent"] = "0x" + block.parent.hex();
  out["extrinsics"] = json::array();
  out["events"] = json::array();
  Table table{{">INDEX", "CALL", "SIGNER", "OUTCOME"}, {}};
  for (const ExtrinsicView& one : block.extrinsics) {
    out["extrinsics"].push_back(extrinsic_json(one));
    table.rows.push_back({std::to_string(one.index), call_name(one), signer_text(one.signer),
                          one.failure.empty() ? "done" : short_text(one.failure, kCellMax)});
  }
  for (const Event& event : block.events) out["events"].push_back(event_json(event));
  const std::string number = std::to_string(block.block.number.index);
  const std::string fields =
      render_fields({{"number", number},
                     {"hash", "0x" + block.block.hash.hex()},
                     {"parent", "0x" + block.parent.hex()},
                     {"unix_ms", std::to_string(block.block.time.unix_ms)},
                     {"events", std::to_string(block.events.size()) +
                                    ": `muster chain events --block " + number + "`"}});
  return {out, fields + "\n" + render(table)};
}

Result<int> run_block(const CLI::App& verb) {
  TRY(Explorer explorer, explore(verb));
  if (wants_watch(verb)) {
    return watch(verb, explorer, Redraw::kYes, [&](const Block& at) -> Result<Shown> {
      TRY(const BlockView block, explorer.block(at.number));
      return show_block(block);
    });
  }
  std::optional<BlockNumber> number;
  if (common::is_given(verb, "NUMBER")) {
    number = BlockNumber{verb.get_option("NUMBER")->as<uint64_t>()};
  }
  TRY(const BlockView block, explorer.block(number));
  return show_once(verb, show_block(block));
}

// -- extrinsic ------------------------------------------------------------------------------------

// "BLOCK-INDEX"; nothing for what is not.
struct Place {
  BlockNumber block;
  uint32_t index = 0;
};
std::optional<Place> place_of(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  Place out;
  const auto number = [](std::string_view digits, auto& to) {
    const char* end = digits.data() + digits.size();
    const auto [last, trouble] = std::from_chars(digits.data(), end, to);
    return trouble == std::errc{} && last == end;
  };
  if (!number(text.substr(0, dash), out.block.index)) return std::nullopt;
  if (!number(text.substr(dash + 1), out.index)) return std::nullopt;
  return out;
}

Result<Explorer::Found> extrinsic_at(Explorer& explorer, const Place& place) {
  TRY(const BlockView block, explorer.block(place.block));
  if (place.index >= block.extrinsics.size()) {
    return Error{Code::kNotFound, "block " + std::to_string(place.block.index) + " has " +
                                      std::to_string(block.extrinsics.size()) +
                                      " extrinsics, numbered from 0"};
  }
  Explorer::Found out{block.block, block.extrinsics[place.index], {}};
  for (const Event& event : block.events) {
    if (event.extrinsic == place.index) out.events.push_back(event);
  }
  return out;
}

Result<Explorer::Found> find_extrinsic(const CLI::App& verb, Explorer& explorer) {
  const std::string text = common::given(verb, "EXTRINSIC");
  if (const auto place = place_of(text)) return extrinsic_at(explorer, *place);
  const auto hash = Hash::from_hex(text);
  if (!hash) {
    return Error{Code::kInvalidArgument,
                 "'" + text +
                     "' is no extrinsic: give its block and place (1234-2), or its hash "
                     "(0x and 64 hex digits)"};
  }
  const auto blocks = verb.get_option("--blocks")->as<uint64_t>();
  auto found = explorer.extrinsic(*hash, blocks);
  if (!found && found.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, found.error().message +
                                      ": look further back with --blocks, or name it by its "
                                      "block and place (1234-2)"};
  }
  return found;
}

Table event_table() { return {{">BLOCK", ">EXTRINSIC", "EVENT", "FIELDS"}, {}}; }

void add_event(const BlockNumber& block, const Event& event, size_t fields_max, Table& table) {
  table.rows.push_back({std::to_string(block.index),
                        event.extrinsic ? std::to_string(*event.extrinsic) : "-",
                        event.pallet + "." + event.name, short_text(event.fields, fields_max)});
}

Result<int> run_extrinsic(const CLI::App& verb) {
  TRY(Explorer explorer, explore(verb));
  TRY(const Explorer::Found found, find_extrinsic(verb, explorer));
  const ExtrinsicView& it = found.extrinsic;
  json out = extrinsic_json(it);
  out["block"] = block_json(found.block);
  out["events"] = json::array();
  Table table = event_table();
  for (const Event& event : found.events) {
    out["events"].push_back(event_json(event));
    add_event(found.block.number, event, kCellMax, table);
  }
  const std::string fields = render_fields(
      {{"extrinsic", std::to_string(found.block.number.index) + "-" + std::to_string(it.index)},
       {"hash", "0x" + it.hash.hex()},
       {"call", call_name(it)},
       {"signer", it.signer.is_string() ? it.signer.get<std::string>() : "-"},
       {"outcome", it.failure.empty() ? "done" : it.failure}});
  const std::string arguments = it.arguments.is_object() && !it.arguments.empty()
                                    ? "\n" + fields_text(it.arguments)
                                    : std::string();
  return show_once(verb, {out, fields + arguments + "\n" + render(table)});
}

// -- events ---------------------------------------------------------------------------------------

struct Filter {
  std::string pallet, name;
  bool passes(const Event& event) const {
    return holds(event.pallet, pallet) && holds(event.name, name);
  }
};

// The events of blocks, oldest first.
class Told {
 public:
  explicit Told(Filter filter) : filter_(std::move(filter)) {}

  void add(BlockNumber block, const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (!filter_.passes(event)) continue;
      json one = event_json(event);
      one["block"] = block.index;
      events_.push_back(std::move(one));
      add_event(block, event, kCellMax, table_);
    }
  }
  Shown shown(const std::string& nothing) const {
    return {{{"events", events_}}, table_.rows.empty() ? nothing : render(table_)};
  }

 private:
  Filter filter_;
  json events_ = json::array();
  Table table_ = event_table();
};

// Each new block's; several if some came at once.
Result<int> watch_events(const CLI::App& verb, Explorer& explorer, const Filter& filter) {
  std::optional<uint64_t> last;
  return watch(verb, explorer, Redraw::kNo, [&](const Block& head) -> Result<Shown> {
    constexpr uint64_t kCatchUpMax = 100;
    const uint64_t number = head.number.index;
    uint64_t first = last && *last < number ? *last + 1 : number;
    first = std::max(first, number - std::min(number, kCatchUpMax));
    Told told(filter);
    for (uint64_t at = first; at <= number; ++at) {
      TRY(const auto events, explorer.events(BlockNumber{at}));
      told.add({at}, events);
    }
    last = number;
    return told.shown("");
  });
}

Result<int> run_events(const CLI::App& verb) {
  const Filter filter{common::given(verb, "--pallet"), common::given(verb, "--name")};
  TRY(Explorer explorer, explore(verb));
  if (wants_watch(verb)) return watch_events(verb, explorer, filter);
  uint64_t last = 0;
  if (const auto block = block_of(verb)) {
    last = block->index;
  } else {
    TRY(auto ledger, connect(verb));
    TRY(const Block head, ledger->head());
    last = head.number.index;
  }
  const auto count = verb.get_option("--last")->as<uint64_t>();
  const uint64_t first = last - std::min(last, count - 1);
  Told told(filter);
  for (uint64_t at = first; at <= last; ++at) {
    auto events = explorer.events(BlockNumber{at});
    if (!events) return common::within("block " + std::to_string(at), events.error());
    told.add({at}, *events);
  }
  const std::string span = first == last
                               ? "block " + std::to_string(last)
                               : "blocks " + std::to_string(first) + " to " + std::to_string(last);
  return show_once(verb, told.shown("No such events in " + span + ".\n"));
}

}  // namespace

void add_block_verbs(CLI::App& chain, int& exit_code) {
  constexpr uint64_t kBlocksMax = 100'000;
  CLI::App& block = add_query(
      chain, exit_code,
      {"block", "The newest block, or one by its number, with its extrinsics and how they ended",
       "muster chain block 1234 --json"},
      run_block);
  block.add_option("NUMBER", "Which block")->check(CLI::NonNegativeNumber);
  add_watch_flag(block, "Each new block, until Ctrl-C");
  CLI::App& extrinsic =
      add_query(chain, exit_code,
                {"extrinsic", "What somebody sent, decoded: who, what, and how it ended",
                 "muster chain extrinsic 1234-2"},
                run_extrinsic);
  extrinsic.add_option("EXTRINSIC", "BLOCK-INDEX, or the hash of a recent one")->required();
  extrinsic.add_option("--blocks", "For a hash: how many blocks to look back")
      ->check(CLI::Range(uint64_t{1}, kBlocksMax))
      ->default_str("256");
  CLI::App& events = add_query(chain, exit_code,
                               {"events", "What happened in the newest block, or in some",
                                "muster chain events --last 10 --pallet SubtensorModule"},
                               run_events);
  events.add_option("--block", "In this block rather than the newest")
      ->check(CLI::NonNegativeNumber);
  events.add_option("--last", "In so many blocks, up to that one")
      ->check(CLI::Range(uint64_t{1}, kBlocksMax))
      ->default_str("1");
  events.add_option("--pallet", "Only of pallets whose name has this in it");
  events.add_option("--name", "Only those whose name has this in it");
  add_watch_flag(events, "Go on with each new block, until Ctrl-C");
}

}  // namespace chain::cli
