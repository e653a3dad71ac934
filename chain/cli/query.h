// What the verbs of `muster chain` share: how one is declared, and what several of them show.
#pragma once

#include <string>
#include <vector>

#include "chain/cli/flags.h"
#include "chain/cli/output.h"

namespace chain::cli {

// A verb with the flags of a subnet's chain, and --json.
CLI::App& add_query(CLI::App& chain, int& exit_code, const common::VerbText& text,
                    common::Body body);

// The verbs by what they are about; each adds its own to `muster chain`.
void add_metagraph_verbs(CLI::App& chain, int& exit_code);  // metagraph, neuron
void add_weights_verb(CLI::App& chain, int& exit_code);
void add_account_verbs(CLI::App& chain, int& exit_code);  // balance, stake
void add_emissions_verb(CLI::App& chain, int& exit_code);
void add_rules_verbs(CLI::App& chain, int& exit_code);    // hyperparameters, registration
void add_block_verbs(CLI::App& chain, int& exit_code);    // block, extrinsic, events
void add_storage_verbs(CLI::App& chain, int& exit_code);  // storage, constants
void add_call_verb(CLI::App& chain, int& exit_code);

json block_json(const Block& block);
json neuron_json(const Neuron& neuron);
json event_json(const Event& event);

// `who` is a uid or a hotkey's address. kNotFound, with what there is; kInvalidArgument for
// neither.
Result<Neuron> find_neuron(const Metagraph& metagraph, const std::string& who);
common::Error no_such_uid(const Metagraph& metagraph, uint64_t uid);

// "SubtensorModule.Tempo" in two. kInvalidArgument, with `example`, for what has no dot.
struct Dotted {
  std::string pallet, name;
};
Result<Dotted> dotted(const std::string& text, const std::string& example);

// One value as a person writes it: what begins like JSON ([, {, ", true, false, null) is JSON, all
// else is text, which the chain's types read as numbers, addresses or bytes. kInvalidArgument,
// naming `what`, for JSON that is none.
Result<json> value_of(const std::string& text, const std::string& what);

// Whether `name` holds `part`, upper or lower case alike; "" is in everything.
bool holds(std::string_view name, std::string_view part);

// On one line, cut at `size_max`.
std::string short_text(const json& value, size_t size_max);
// A table of what an object says, name by name.
std::string fields_text(const json& object);
// An unsigned number out of what a chain said (a number, or text of one); kCorrupt if there is
// none.
Result<uint64_t> number_in(const json& object, const char* name);

}  // namespace chain::cli
