// Bittensor's wallet folder: <path>/<name>/{coldkey, coldkeypub.txt, hotkeys/<hotkey>,
// hotkeys/<hotkey>pub.txt}. Existing wallets are read as they are; files are made 0600, folders
// 0700, and never overwritten unless asked. Format: btwallet keyfile JSON, plain or
// "$NACL"-encrypted.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/keys.h"
#include "common/result.h"

namespace common {

// Where a wallet lies. Empty fields fall back to BT_WALLET_PATH, BT_WALLET_NAME, BT_WALLET_HOTKEY,
// then to
// ~/.bittensor/wallets, "default", "default".
struct WalletLocation {
  std::filesystem::path path;
  std::string name;
  std::string hotkey;

  WalletLocation resolved() const;
  std::filesystem::path coldkey_file() const;
  std::filesystem::path coldkeypub_file() const;
  std::filesystem::path hotkey_file() const;
  std::filesystem::path hotkeypub_file() const;
};

// Asked for the password of an encrypted file; `path` is for the prompt. Programs pass one that
// looks at BT_PW_<PATH>, then at --password-file, then asks on the terminal; never argv.
using AskPassword = std::function<Result<std::string>(const std::filesystem::path& path)>;
Result<std::string> password_from_environment(const std::filesystem::path& path);

enum class Overwrite : bool { kNo, kYes };

// Reads a key file: phrase, seed or private key, in btwallet's order. kNotFound if absent;
// kPermission for a wrong or missing password; kInvalidArgument, naming the format, for Ansible and
// Fernet files.
Result<Keypair> read_keyfile(const std::filesystem::path& file, const AskPassword& ask);
// Only the public half: from <file>pub.txt or an unencrypted file.
Result<AccountId> read_public(const std::filesystem::path& file);
// Whether the file holds an unencrypted secret: a coldkey like that should not lie on a miner.
Result<bool> is_unencrypted(const std::filesystem::path& file);

// Writes the key and its public file, atomically. An empty password writes plain JSON.
// kAlreadyExists if the file is there and `overwrite` is kNo.
Result<void> write_keyfile(const std::filesystem::path& file, const Keypair& keypair,
                           std::string_view phrase, std::string_view password, Overwrite overwrite);

struct WalletListing {
  std::string name;
  std::optional<AccountId> coldkey;  // Nothing if its file cannot be read.
  std::vector<std::pair<std::string, std::optional<AccountId>>> hotkeys;  // name, account; by name
};
// All wallets under `path`, by name; an absent folder has none.
Result<std::vector<WalletListing>> list_wallets(const std::filesystem::path& path);

}  // namespace common
