// muster wallet: Bittensor's wallet folders, read and written as Bittensor's own tools do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "chain/cli/coldkey.h"
#include "chain/cli/flags.h"
#include "chain/cli/output.h"
#include "chain/cli/sign.h"
#include "chain/commands.h"
#include "common/files.h"
#include "common/terminal.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

namespace fs = std::filesystem;
using common::Keypair;
using common::WalletLocation;

enum class KeyKind { kColdkey, kHotkey };

std::string name(KeyKind kind) { return kind == KeyKind::kColdkey ? "coldkey" : "hotkey"; }

// One key that a verb has made or read back.
struct NewKey {
  KeyKind kind;
  fs::path file;
  AccountId account;
  std::string phrase;  // Empty if the key came from a seed or has junctions.
};

common::Overwrite overwrite_of(const CLI::App& verb) {
  return common::is_given(verb, "--overwrite") ? common::Overwrite::kYes : common::Overwrite::kNo;
}

std::string address(const std::optional<AccountId>& account) {
  return account ? account->ss58() : "-";
}

json address_json(const std::optional<AccountId>& account) {
  return account ? json(account->ss58()) : json();
}

fs::path file_of(const WalletLocation& wallet, KeyKind kind) {
  return kind == KeyKind::kColdkey ? wallet.coldkey_file() : wallet.hotkey_file();
}

// Hotkeys lie unencrypted, as Bittensor's do: a miner must be able to start without a person.
Result<std::string> password_for(const CLI::App& verb, KeyKind kind, const fs::path& file) {
  if (kind == KeyKind::kHotkey || common::is_given(verb, "--no-password")) return std::string();
  return common::new_password(file, password_file_of(verb));
}

// Which key alone: --only, or what Bittensor's verbs have in their names ("new-hotkey").
std::string only_of(const CLI::App& verb) {
  const std::string verb_name = verb.get_name();
  for (const KeyKind kind : {KeyKind::kColdkey, KeyKind::kHotkey}) {
    if (verb_name.ends_with("-" + name(kind))) return name(kind);
  }
  return common::given(verb, "--only");
}

// Neither of two files is written if one of them would be in the way.
Result<void> check_free(const CLI::App& verb, const WalletLocation& wallet,
                        const std::vector<KeyKind>& kinds) {
  if (overwrite_of(verb) == common::Overwrite::kYes) return {};
  for (const KeyKind kind : kinds) {
    const fs::path file = file_of(wallet, kind);
    std::error_code ignored;
    if (!fs::exists(file, ignored)) continue;
    return Error{Code::kAlreadyExists,
                 file.string() +
                     " is there already: choose another --wallet.name or "
                     "--wallet.hotkey, make one key alone with --only, or lose the old "
                     "one for ever with --overwrite"};
  }
  return {};
}

// -- muster wallet new ----------------------------------------------------------------------------

Result<NewKey> make_key(const CLI::App& verb, const WalletLocation& wallet, KeyKind kind) {
  const fs::path file = file_of(wallet, kind);
  const std::string words = common::given(verb, "--words");
  TRY(const std::string password, password_for(verb, kind, file));
  std::string phrase = common::make_mnemonic(words.empty() ? 12 : std::stoi(words));
  TRY(const Keypair key, Keypair::from_mnemonic(phrase));
  TRY_VOID(common::write_keyfile(file, key, phrase, password, overwrite_of(verb)));
  return NewKey{kind, file, key.account(), std::move(phrase)};
}

void show_phrase(const NewKey& key) {
  print("\nThe phrase of the " + name(key.kind) + ", shown this once:\n\n  " + key.phrase +
        "\n\nWrite it down and keep it from everybody: whoever knows it owns the key, and without "
        "it\n"
        "a lost file or password is a lost key. `muster wallet regenerate` reads it back.\n");
}

json key_json(const NewKey& key, bool with_phrase) {
  json out = {{"ss58", key.account.ss58()}, {"file", key.file.string()}};
  if (with_phrase && !key.phrase.empty()) out["phrase"] = key.phrase;
  return out;
}

void show_keys(const CLI::App& verb, const WalletLocation& wallet, const std::vector<NewKey>& keys,
               bool with_phrase) {
  if (wants_json(verb)) {
    json out = {{"name", wallet.name}, {"path", wallet.path.string()}};
    for (const NewKey& key : keys) out[name(key.kind)] = key_json(key, with_phrase);
    return print_json(out);
  }
  Table table{{"KEY", "ADDRESS", "FILE"}, {}};
  for (const NewKey& key : keys) {
    table.rows.push_back({name(key.kind), key.account.ss58(), key.file.string()});
  }
  print(render(table));
  for (const NewKey& key : keys) {
    if (with_phrase) show_phrase(key);
  }
}

Result<int> run_new(const CLI::App& verb) {
  TRY(const WalletLocation wallet, wallet_of(verb));
  const std::string only = only_of(verb);
  std::vector<KeyKind> kinds;
  if (only != name(KeyKind::kHotkey)) kinds.push_back(KeyKind::kColdkey);
  if (only != name(KeyKind::kColdkey)) kinds.push_back(KeyKind::kHotkey);
  TRY_VOID(check_free(verb, wallet, kinds));
  std::vector<NewKey> keys;
  for (const KeyKind kind : kinds) {
    TRY(NewKey key, make_key(verb, wallet, kind));
    keys.push_back(std::move(key));
  }
  show_keys(verb, wallet, keys, !wants_json(verb) || common::is_given(verb, "--show-phrase"));
  warn_of_plain_coldkey(wallet.coldkey_file());
  return common::kOk;
}

// -- muster wallet regenerate ---------------------------------------------------------------------

// Words alone make a phrase that the file may keep; with a seed or junctions it keeps only the key.
bool is_plain_phrase(const std::string& secret) {
  return std::all_of(secret.begin(), secret.end(),
                     [](char c) { return c == ' ' || (c >= 'a' && c <= 'z'); });
}

// Out of --phrase-file, or asked for; never out of argv, which everybody on the machine can read.
Result<std::string> phrase_of(const CLI::App& verb, KeyKind kind) {
  const std::string file = common::given(verb, "--phrase-file");
  if (file.empty()) return common::read_secret_line("Phrase of the " + name(kind));
  constexpr uint64_t kPhraseFileMax = 4096;
  const auto bytes = common::read_file(file, kPhraseFileMax);
  if (!bytes) return common::within("--phrase-file", bytes.error());
  std::string text(common::text_of(*bytes));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) {
    return Error{Code::kInvalidArgument, "--phrase-file: the first line of " + file + " is empty"};
  }
  return text;
}

Result<int> run_regenerate(const CLI::App& verb) {
  TRY(const WalletLocation wallet, wallet_of(verb));
  const KeyKind kind = only_of(verb) == "hotkey" ? KeyKind::kHotkey : KeyKind::kColdkey;
  TRY_VOID(check_free(verb, wallet, {kind}));
  TRY(const std::string secret, phrase_of(verb, kind));
  const bool plain = is_plain_phrase(secret);
  auto key = plain ? Keypair::from_mnemonic(secret) : Keypair::from_uri(secret);
  if (!key) return common::within("the phrase", key.error());
  const fs::path file = file_of(wallet, kind);
  TRY(const std::string password, password_for(verb, kind, file));
  TRY_VOID(common::write_keyfile(file, *key, plain ? secret : "", password, overwrite_of(verb)));
  show_keys(verb, wallet, {NewKey{kind, file, key->account(), {}}}, false);
  warn_of_plain_coldkey(wallet.coldkey_file());
  return common::kOk;
}

// -- muster wallet list, show ---------------------------------------------------------------------

Result<int> run_list(const CLI::App& verb) {
  TRY(const WalletLocation wallet, wallet_of(verb));
  TRY(const auto wallets, common::list_wallets(wallet.path));
  json out = json::array();
  Table table{{"WALLET", "HOTKEY", "ADDRESS"}, {}};
  for (const common::WalletListing& listing : wallets) {
    table.rows.push_back({listing.name, "(coldkey)", address(listing.coldkey)});
    json hotkeys = json::array();
    for (const auto& [name, account] : listing.hotkeys) {
      table.rows.push_back({"", name, address(account)});
      hotkeys.push_back({{"name", name}, {"ss58", address_json(account)}});
    }
    out.push_back(
        {{"name", listing.name}, {"coldkey", address_json(listing.coldkey)}, {"hotkeys", hotkeys}});
  }
  if (wants_json(verb)) {
    print_json({{"path", wallet.path.string()}, {"wallets", out}});
  } else if (wallets.empty()) {
    print("No wallets in " + wallet.path.string() + ": make one with `muster wallet new`.\n");
  } else {
    print(render(table));
  }
  for (const common::WalletListing& listing : wallets) {
    warn_of_plain_coldkey(wallet.path / listing.name / "coldkey");
  }
  return common::kOk;
}

struct KeyState {
  AccountId account;
  std::string protection;  // "encrypted", "plain", "absent" (only the public file is here)
};

Result<KeyState> state_of(const fs::path& file) {
  TRY(const AccountId account, common::read_public(file));
  const auto plain = common::is_unencrypted(file);
  if (plain) return KeyState{account, *plain ? "plain" : "encrypted"};
  if (plain.error().code == Code::kNotFound) return KeyState{account, "absent"};
  return plain.error();
}

Result<int> run_show(const CLI::App& verb) {
  TRY(const WalletLocation wallet, wallet_of(verb));
  json out = {{"name", wallet.name}, {"path", wallet.path.string()}};
  Table table{{"KEY", "ADDRESS", "SECRET", "FILE"}, {}};
  for (const KeyKind kind : {KeyKind::kColdkey, KeyKind::kHotkey}) {
    const fs::path file = file_of(wallet, kind);
    const auto state = state_of(file);
    if (!state && state.error().code != Code::kNotFound) return state.error();
    if (!state) continue;
    table.rows.push_back({name(kind), state->account.ss58(), state->protection, file.string()});
    out[name(kind)] = {{"ss58", state->account.ss58()},
                       {"public_key", "0x" + common::to_hex(state->account.bytes)},
                       {"secret", state->protection},
                       {"file", file.string()}};
  }
  if (table.rows.empty()) {
    return Error{Code::kNotFound, "no wallet '" + wallet.name + "' with a hotkey '" +
                                      wallet.hotkey + "' in " + wallet.path.string() +
                                      ": `muster wallet list` shows those that are there"};
  }
  if (wants_json(verb)) {
    print_json(out);
  } else {
    print(render(table));
  }
  warn_of_plain_coldkey(wallet.coldkey_file());
  return common::kOk;
}

// What `new` and `regenerate` have in common.
void add_writing_flags(CLI::App& verb) {
  add_wallet_flags(verb);
  add_password_flag(verb);
  add_json_flag(verb);
  common::add_switch(verb, "--no-password",
                     "Leave the coldkey unencrypted (for tests and machines)");
  common::add_switch(verb, "--overwrite",
                     "Replace the files that are there; what they held is lost");
}

void add_only_flag(CLI::App& verb, const std::string& only) {
  verb.add_option("--only", only)->check(CLI::IsMember(std::set<std::string>{"coldkey", "hotkey"}));
}

void add_making_verbs(CLI::App& wallet, int& exit_code) {
  const auto add = [&](const common::VerbText& text) -> CLI::App& {
    CLI::App& verb = common::add_verb(wallet, exit_code, text, run_new);
    add_writing_flags(verb);
    verb.add_option("--words,--n-words", "Length of the phrase (12)")
        ->check(CLI::IsMember(std::set<std::string>{"12", "15", "18", "21", "24"}));
    common::add_switch(verb, "--show-phrase", "With --json: print the phrases too");
    return verb;
  };
  CLI::App& both = add(
      {"new", "Make a coldkey (money) and a hotkey (a node's name), and show their phrases once",
       "muster wallet new --wallet.name alice --wallet.hotkey miner-1"});
  both.alias("create");
  add_only_flag(both, "Make one of the two: coldkey or hotkey");
  add({"new-coldkey", "Make a coldkey alone", "muster wallet new-coldkey --wallet.name alice"})
      .alias("new_coldkey");
  add({"new-hotkey", "Make one more hotkey of a wallet",
       "muster wallet new-hotkey --wallet.name alice --wallet.hotkey miner-2"})
      .alias("new_hotkey");
}

void add_restoring_verbs(CLI::App& wallet, int& exit_code) {
  const auto add = [&](const common::VerbText& text) -> CLI::App& {
    CLI::App& verb = common::add_verb(wallet, exit_code, text, run_regenerate);
    add_writing_flags(verb);
    verb.add_option("--phrase-file", "File whose first line is the phrase (else it is asked for)");
    return verb;
  };
  CLI::App& either =
      add({"regenerate",
           "Restore a key from its phrase, which is asked for, or read from standard input",
           "muster wallet regenerate --only hotkey --wallet.name alice < phrase.txt"});
  add_only_flag(either, "Which key: coldkey (default) or hotkey");
  add({"regen-coldkey", "Restore a coldkey from its phrase",
       "muster wallet regen-coldkey --wallet.name alice --phrase-file phrase.txt"})
      .alias("regen_coldkey");
  add({"regen-hotkey", "Restore a hotkey from its phrase",
       "muster wallet regen-hotkey --wallet.name alice --wallet.hotkey miner-1 < phrase.txt"})
      .alias("regen_hotkey");
}

void add_looking_verbs(CLI::App& wallet, int& exit_code) {
  CLI::App& list = common::add_verb(
      wallet, exit_code,
      {"list", "All wallets of a folder", "muster wallet list --wallet.path ./wallets"}, run_list);
  add_wallet_flags(list);
  add_json_flag(list);
  CLI::App& show = common::add_verb(
      wallet, exit_code,
      {"show", "One wallet's addresses and files", "muster wallet show --wallet.name alice"},
      run_show);
  add_wallet_flags(show);
  add_json_flag(show);
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_wallet_verbs(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  CLI::App& wallet = common::add_noun(muster, "wallet", "Make, list, show, restore and use keys");
  add_making_verbs(wallet, exit_code);
  add_restoring_verbs(wallet, exit_code);
  add_looking_verbs(wallet, exit_code);
  add_signing_verbs(wallet, exit_code);
}

}  // namespace chain
