// muster chain call: anything the chain lets one do, by its name.
#include <CLI/CLI.hpp>
#include <set>

#include "chain/cli/coldkey.h"
#include "chain/cli/query.h"
#include "chain/cli/watch.h"
#include "common/terminal.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr size_t kCellMax = 100;

// -- What can be called ---------------------------------------------------------------------------

std::string arguments_text(const CallForm& form) {
  std::string out;
  for (const NamedType& argument : form.arguments) {
    out += (out.empty() ? "" : ", ") + argument.name + ": " + argument.type;
  }
  return out;
}

Result<int> list_calls(const CLI::App& verb, const std::string& part) {
  TRY(Explorer explorer, explore(verb));
  TRY(const Forms forms, explorer.forms());
  json out = json::array();
  Table table{{"CALL", "ARGUMENTS"}, {}};
  for (const CallForm& form : forms.calls) {
    const std::string name = form.pallet + "." + form.name;
    if (!holds(name, part)) continue;
    json arguments = json::array();
    for (const NamedType& argument : form.arguments) {
      arguments.push_back({{"name", argument.name}, {"type", argument.type}});
    }
    out.push_back({{"pallet", form.pallet},
                   {"name", form.name},
                   {"arguments", arguments},
                   {"docs", form.docs}});
    table.rows.push_back({name, short_text(arguments_text(form), kCellMax)});
  }
  if (out.empty()) {
    return Error{Code::kNotFound,
                 "no call's name has '" + part + "' in it: `muster chain call --list` lists all"};
  }
  return show_once(verb, {{{"calls", out}}, render(table)});
}

// -- What is called -------------------------------------------------------------------------------

// "name=value" each, or all as one JSON object.
Result<json> arguments_of(const CLI::App& verb) {
  json out = json::object();
  if (!common::is_given(verb, "ARGUMENT")) return out;
  const std::vector<std::string>& texts = verb.get_option("ARGUMENT")->results();
  if (texts.size() == 1 && texts[0].starts_with('{')) return value_of(texts[0], "ARGUMENT");
  for (const std::string& text : texts) {
    const size_t sign = text.find('=');
    if (sign == std::string::npos || sign == 0) {
      return Error{Code::kInvalidArgument,
                   "'" + text +
                       "' is no argument: write name=value (such as netuid=1), or all of "
                       "them as one JSON object"};
    }
    const std::string name = text.substr(0, sign);
    if (out.contains(name)) {
      return Error{Code::kInvalidArgument, "argument '" + name + "' is given twice"};
    }
    TRY(out[name], value_of(text.substr(sign + 1), name));
  }
  return out;
}

Result<CallOptions> options_of(const CLI::App& verb) {
  CallOptions out;
  out.finalized = common::is_given(verb, "--finalized");
  if (common::is_given(verb, "--era")) out.era_blocks = verb.get_option("--era")->as<uint32_t>();
  const std::string tip = common::given(verb, "--tip");
  if (tip.empty()) return out;
  const auto tip_rao = parse_tao(tip);
  if (!tip_rao) {
    return Error{Code::kInvalidArgument, "--tip: '" + tip + "' is no amount of TAO"};
  }
  out.tip_rao = *tip_rao;
  return out;
}

struct Signer {
  std::filesystem::path file;
  AccountId account;
  bool is_coldkey = true;
};

Result<Signer> signer_of(const CLI::App& verb) {
  TRY(const auto wallet, wallet_of(verb));
  Signer out;
  out.is_coldkey = common::given(verb, "--signer") != "hotkey";
  out.file = out.is_coldkey ? wallet.coldkey_file() : wallet.hotkey_file();
  auto account = common::read_public(out.file);
  if (!account) {
    return common::within("the key that signs (choose it with --wallet.name and --signer)",
                          account.error());
  }
  out.account = *account;
  return out;
}

Result<uint64_t> free_rao_of(Explorer& explorer, const AccountId& account) {
  TRY(const json record,
      explorer.storage("System", "Account", json::array({account.ss58()}), std::nullopt));
  const auto data = record.is_object() ? record.find("data") : record.end();
  if (!record.is_object() || data == record.end()) return uint64_t{0};
  return number_in(*data, "free");
}

// The plan is signed by a key that nobody has: only its length counts, and the real key's password
// is not asked for before there is consent.
Result<CallPlan> plan_of(Explorer& explorer, const Dotted& name, const json& arguments,
                         const CallOptions& options) {
  TRY(const Keypair nobody, Keypair::from_mnemonic(common::make_mnemonic(12)));
  return explorer.plan(nobody, name.pallet, name.name, arguments, options);
}

std::string plan_text(const CallPlan& plan) {
  std::string out = plan.pallet + "." + plan.call + "\n";
  if (plan.arguments.is_object() && !plan.arguments.empty()) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& [name, value] : plan.arguments.items()) {
      fields.emplace_back("  " + name, short_text(value, 4 * kCellMax));
    }
    out += render_fields(fields);
  }
  return out;
}

json plan_json(const CallPlan& plan) {
  return {{"pallet", plan.pallet},
          {"call", plan.call},
          {"arguments", plan.arguments},
          {"call_hex", "0x" + common::to_hex(plan.bytes)},
          {"fee_rao", plan.fee_rao}};
}

// -- Doing it -------------------------------------------------------------------------------------

Result<int> show_receipt(const CLI::App& verb, json out, const CallReceipt& receipt) {
  out["extrinsic"] = "0x" + receipt.extrinsic.hex();
  out["block"] = block_json(receipt.block);
  out["finalized"] = receipt.finalized;
  out["events"] = json::array();
  Table table{{"EVENT", "FIELDS"}, {}};
  for (const Event& event : receipt.events) {
    out["events"].push_back(event_json(event));
    table.rows.push_back({event.pallet + "." + event.name, short_text(event.fields, kCellMax)});
  }
  const std::string state = receipt.finalized ? ", final" : "";
  return show_once(verb,
                   {out, "Done in block " + std::to_string(receipt.block.number.index) + state +
                             ", extrinsic 0x" + receipt.extrinsic.hex() + "\n\n" + render(table)});
}

// Refused if the key cannot even pay the fee; else what is asked before it is done.
Result<void> agree(const CLI::App& verb, Explorer& explorer, const CallPlan& plan,
                   const Signer& signer) {
  TRY(const uint64_t free_rao, free_rao_of(explorer, signer.account));
  if (free_rao < plan.fee_rao) {
    return Error{Code::kRefused,
                 plan.pallet + "." + plan.call + " costs a fee of " + tao(plan.fee_rao) +
                     " TAO, and " + signer.account.ss58() + " holds " + tao(free_rao) +
                     ": send it some (`muster transfer --dest " + signer.account.ss58() + "`)"};
  }
  const std::string deal = plan_text(plan) + render_fields({{"signed by", signer.account.ss58()},
                                                            {"fee", tao(plan.fee_rao) + " TAO"},
                                                            {"balance", tao(free_rao) + " TAO"}});
  if (has_consent(verb) && !wants_json(verb)) print(deal);
  return common::confirm(deal, has_consent(verb));
}

Result<int> run_call(const CLI::App& verb) {
  const std::string text = common::given(verb, "CALL");
  if (common::is_given(verb, "--list")) return list_calls(verb, text);
  TRY(const Dotted name, dotted(text,
                                "SubtensorModule.set_weights (`muster chain call --list` "
                                "lists all)"));
  TRY(const json arguments, arguments_of(verb));
  TRY(const CallOptions options, options_of(verb));
  const bool dry = common::is_given(verb, "--dry-run");
  Signer signer;
  if (!dry) {
    TRY(signer, signer_of(verb));
  }
  TRY(Explorer explorer, explore(verb));
  TRY(const CallPlan plan, plan_of(explorer, name, arguments, options));
  if (dry) {
    return show_once(
        verb, {plan_json(plan), plan_text(plan) +
                                    render_fields({{"fee", tao(plan.fee_rao) + " TAO"},
                                                   {"bytes", "0x" + common::to_hex(plan.bytes)}}) +
                                    "Nothing was sent.\n"});
  }
  TRY_VOID(agree(verb, explorer, plan, signer));
  if (signer.is_coldkey) warn_of_plain_coldkey(signer.file);
  TRY(const Keypair key,
      common::read_keyfile(signer.file, common::ask_password(password_file_of(verb))));
  TRY(const CallReceipt receipt, explorer.send(key, name.pallet, name.name, arguments, options));
  json out = plan_json(plan);
  out["signer"] = signer.account.ss58();
  return show_receipt(verb, std::move(out), receipt);
}

}  // namespace

void add_call_verb(CLI::App& chain, int& exit_code) {
  CLI::App& call = add_query(
      chain, exit_code,
      {"call",
       "Anything the chain lets one do: shows the call and its fee, asks, signs, sends, waits",
       "muster chain call SubtensorModule.set_weights netuid=1 'dests=[0,1]' 'weights=[65535,9]' "
       "version_key=0 --signer hotkey --wallet.name alice"},
      run_call);
  call.add_option("CALL", "Pallet.call; with --list: part of a name");
  call.add_option(
          "ARGUMENT",
          "name=value each (a number, an address, 0x-hex, text or JSON; amounts in rao), or "
          "all as one JSON object")
      ->expected(1, 64)
      ->allow_extra_args();
  common::add_switch(call, "--list", "List the calls there are, with their arguments");
  common::add_switch(call, "--dry-run", "Show the call, its fee and its bytes; send nothing");
  call.add_option("--signer", "Which of the wallet's keys signs: coldkey (default) or hotkey")
      ->check(CLI::IsMember(std::set<std::string>{"coldkey", "hotkey"}));
  call.add_option("--tip", "TAO to be taken sooner");
  call.add_option("--era", "Blocks for which it is valid: a power of two, 4 to 2048 (64)")
      ->check(CLI::Range(4, 2048));
  common::add_switch(call, "--finalized", "Wait until no fork can undo it");
  add_wallet_flags(call);
  add_password_flag(call);
  add_consent_flag(call);
}

}  // namespace chain::cli
