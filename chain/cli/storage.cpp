// muster chain storage, constants: anything the chain keeps, by its name.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "chain/cli/query.h"
#include "chain/cli/watch.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr size_t kCellMax = 110;

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += out.empty() ? part : ", " + part;
  return out;
}

std::string first_sentence(const std::string& docs) {
  const size_t end = docs.find('\n');
  return short_text(docs.substr(0, end), 60);
}

// -- storage --------------------------------------------------------------------------------------

Result<int> list_storage(const CLI::App& verb, Explorer& explorer, const std::string& part) {
  TRY(const Forms forms, explorer.forms());
  json out = json::array();
  Table table{{"ITEM", "KEYS", "VALUE"}, {}};
  for (const StorageForm& form : forms.storage) {
    const std::string name = form.pallet + "." + form.name;
    if (!holds(name, part)) continue;
    out.push_back({{"pallet", form.pallet},
                   {"name", form.name},
                   {"keys", form.keys},
                   {"value", form.value},
                   {"docs", form.docs}});
    table.rows.push_back({name, joined(form.keys), short_text(form.value, 60)});
  }
  if (out.empty()) {
    return Error{Code::kNotFound, "no item's name has '" + part +
                                      "' in it: `muster chain storage --list` lists all"};
  }
  return show_once(verb, {{{"storage", out}}, render(table)});
}

Result<StorageForm> form_of(Explorer& explorer, const Dotted& item) {
  TRY(const Forms forms, explorer.forms());
  for (const StorageForm& form : forms.storage) {
    if (form.pallet == item.pallet && form.name == item.name) return form;
  }
  // The chain's own words, with what looks like it.
  const auto asked = explorer.storage(item.pallet, item.name, json::array(), std::nullopt);
  if (!asked) return asked.error();
  return Error{Code::kNotFound, "this chain has no item " + item.pallet + "." + item.name};
}

Result<int> show_value(const CLI::App& verb, Explorer& explorer, const Dotted& item,
                       const json& keys) {
  TRY(const json value, explorer.storage(item.pallet, item.name, keys, block_of(verb)));
  const std::string text = value.is_string()
                               ? short_text(value, SIZE_MAX)
                               : value.dump(2, ' ', false, json::error_handler_t::replace);
  return show_once(verb,
                   {{{"item", item.pallet + "." + item.name}, {"keys", keys}, {"value", value}},
                    (value.is_null() ? "nothing" : text) + "\n"});
}

Result<int> show_map(const CLI::App& verb, Explorer& explorer, const Dotted& item,
                     const json& keys) {
  const auto limit = verb.get_option("--limit")->as<size_t>();
  const auto entries = explorer.entries(item.pallet, item.name, keys, block_of(verb), limit);
  if (!entries && entries.error().code == Code::kExhausted) {
    return Error{Code::kExhausted, item.pallet + "." + item.name + " has more than " +
                                       std::to_string(limit) +
                                       " entries there: raise --limit, or give more of its keys"};
  }
  if (!entries) return entries.error();
  json out = json::array();
  Table table{{"KEYS", "VALUE"}, {}};
  for (const StorageEntry& entry : *entries) {
    out.push_back({{"keys", entry.keys}, {"value", entry.value}});
    std::vector<std::string> parts;
    for (const json& key : entry.keys) parts.push_back(short_text(key, 66));
    table.rows.push_back({joined(parts), short_text(entry.value, kCellMax)});
  }
  return show_once(verb,
                   {{{"item", item.pallet + "." + item.name}, {"keys", keys}, {"entries", out}},
                    table.rows.empty() ? "Nothing is stored there.\n" : render(table)});
}

Result<int> run_storage(const CLI::App& verb) {
  const std::string name = common::given(verb, "ITEM");
  const bool list = common::is_given(verb, "--list");
  if (name.empty() && !list) {
    return Error{Code::kInvalidArgument,
                 "name an item, such as SubtensorModule.Tempo, or say --list to see them all"};
  }
  if (list) {
    TRY(Explorer explorer, explore(verb));
    return list_storage(verb, explorer, name);
  }
  TRY(const Dotted item, dotted(name, "SubtensorModule.Tempo"));
  json keys = json::array();
  if (common::is_given(verb, "KEY")) {
    for (const std::string& text : verb.get_option("KEY")->results()) {
      TRY(json key, value_of(text, "KEY"));
      keys.push_back(std::move(key));
    }
  }
  TRY(Explorer explorer, explore(verb));
  TRY(const StorageForm form, form_of(explorer, item));
  if (keys.size() > form.keys.size()) {
    return Error{Code::kInvalidArgument,
                 name + " takes " + std::to_string(form.keys.size()) + " keys" +
                     (form.keys.empty() ? "" : " (" + joined(form.keys) + ")") + ", not " +
                     std::to_string(keys.size())};
  }
  return keys.size() == form.keys.size() ? show_value(verb, explorer, item, keys)
                                         : show_map(verb, explorer, item, keys);
}

// -- constants ------------------------------------------------------------------------------------

Result<int> run_constants(const CLI::App& verb) {
  const std::string part = common::given(verb, "PATTERN");
  TRY(Explorer explorer, explore(verb));
  TRY(const Forms forms, explorer.forms());
  json out = json::array();
  Table table{{"CONSTANT", "TYPE", "VALUE", "WHAT"}, {}};
  for (const ConstantForm& form : forms.constants) {
    const std::string name = form.pallet + "." + form.name;
    if (!holds(name, part)) continue;
    out.push_back({{"pallet", form.pallet},
                   {"name", form.name},
                   {"type", form.type},
                   {"value", form.value},
                   {"docs", form.docs}});
    table.rows.push_back(
        {name, short_text(form.type, 24), short_text(form.value, 40), first_sentence(form.docs)});
  }
  if (out.empty()) {
    return Error{Code::kNotFound,
                 "no constant's name has '" + part + "' in it: `muster chain constants` lists all"};
  }
  return show_once(verb, {{{"constants", out}}, render(table)});
}

}  // namespace

void add_storage_verbs(CLI::App& chain, int& exit_code) {
  CLI::App& storage = add_query(
      chain, exit_code,
      {"storage",
       "Anything the chain keeps, decoded: a value by all its keys, else the entries of a map.\n"
       "Keys are numbers, addresses, 0x-hex, or JSON",
       "muster chain storage SubtensorModule.Tempo 1"},
      run_storage);
  storage.add_option("ITEM", "Pallet.Item; with --list: part of a name");
  storage.add_option("KEY", "Keys, in their order; fewer than all list what begins with them")
      ->expected(1, 16)
      ->allow_extra_args();
  common::add_switch(storage, "--list", "List the items there are, with their keys' types");
  storage.add_option("--limit", "Of a map: at most so many entries")
      ->check(CLI::Range(size_t{1}, size_t{100'000}))
      ->default_str("1000");
  add_block_flag(storage);
  add_query(chain, exit_code,
            {"constants", "The numbers that the chain's code is built with",
             "muster chain constants Balances"},
            run_constants)
      .add_option("PATTERN", "Only those with this in their name");
}

}  // namespace chain::cli
