// muster chain: what the ledger says of a subnet, and what it takes.
#include "chain/cli/query.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>

#include "chain/commands.h"

namespace chain::cli {

using common::Code;
using common::Error;
using common::Result;

CLI::App& add_query(CLI::App& chain, int& exit_code, const common::VerbText& text,
                    common::Body body) {
  CLI::App& verb = common::add_verb(chain, exit_code, text, body);
  add_chain_flags(verb);
  add_json_flag(verb);
  return verb;
}

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

json event_json(const Event& event) {
  return {{"extrinsic", event.extrinsic ? json(*event.extrinsic) : json()},
          {"pallet", event.pallet},
          {"name", event.name},
          {"fields", event.fields}};
}

Error no_such_uid(const Metagraph& metagraph, uint64_t uid) {
  const size_t n = metagraph.neurons.size();
  const std::string there =
      n == 0 ? "which has no neurons" : "whose uids are 0 to " + std::to_string(n - 1);
  return {Code::kNotFound, "there is no uid " + std::to_string(uid) + " on subnet " +
                               std::to_string(metagraph.netuid) + ", " + there};
}

Result<Neuron> find_neuron(const Metagraph& metagraph, const std::string& who) {
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

Result<Dotted> dotted(const std::string& text, const std::string& example) {
  const size_t dot = text.find('.');
  if (dot != std::string::npos && dot > 0 && dot + 1 < text.size()) {
    return Dotted{text.substr(0, dot), text.substr(dot + 1)};
  }
  return Error{Code::kInvalidArgument,
               "'" + text + "' is no name: write pallet and name, such as " + example};
}

Result<json> value_of(const std::string& text, const std::string& what) {
  const bool is_json = text.starts_with('[') || text.starts_with('{') || text.starts_with('"') ||
                       text == "true" || text == "false" || text == "null";
  if (!is_json) return json(text);
  json value = json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  return Error{Code::kInvalidArgument,
               what + ": '" + text + "' begins like JSON and is none (quote it for the shell: '" +
                   what + "=[1,2]')"};
}

bool holds(std::string_view name, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(name.begin(), name.end(), part.begin(), part.end(), same) != name.end() ||
         part.empty();
}

std::string short_text(const json& value, size_t size_max) {
  const auto* text = value.get_ptr<const json::string_t*>();
  std::string out =
      text != nullptr ? *text : value.dump(-1, ' ', false, json::error_handler_t::replace);
  // What a stranger wrote on the chain must not move the cursor.
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (out.size() <= size_max) return out;
  size_t end = size_max - 2;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  return out.substr(0, end) + "..";
}

std::string fields_text(const json& object) {
  constexpr size_t kValueMax = 400;
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : object.items()) {
    fields.emplace_back(name, short_text(value, kValueMax));
  }
  return render_fields(fields);
}

Result<uint64_t> number_in(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (object.is_object() && found != object.end()) {
    if (found->is_number_unsigned()) return found->get<uint64_t>();
    if (const auto* text = found->get_ptr<const json::string_t*>()) {
      uint64_t number = 0;
      const char* end = text->data() + text->size();
      const auto [last, trouble] = std::from_chars(text->data(), end, number);
      if (trouble == std::errc{} && last == end) return number;
    }
  }
  return Error{Code::kCorrupt, "the node's answer has no number '" + std::string(name) + "'"};
}

}  // namespace chain::cli

namespace chain {

void add_chain_verbs(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  CLI::App& chain =
      common::add_noun(muster, "chain", "Ask a ledger about a subnet, or call anything on it");
  add_metagraph_verbs(chain, exit_code);
  add_weights_verb(chain, exit_code);
  add_account_verbs(chain, exit_code);
  add_emissions_verb(chain, exit_code);
  add_rules_verbs(chain, exit_code);
  add_block_verbs(chain, exit_code);
  add_storage_verbs(chain, exit_code);
  add_call_verb(chain, exit_code);
}

}  // namespace chain
