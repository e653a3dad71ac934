#include "common/wallet.h"

#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <system_error>

#include "common/crypto/keyfile.h"
#include "common/crypto/secret_bytes.h"
#include "common/files.h"
#include "common/store/file_ops.h"

namespace common {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kKeyfileSizeMax = 1 << 16;
constexpr int kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
constexpr std::string_view kPublicEnding = "pub.txt";

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

std::string first_of(const std::string& given, const char* variable, const char* otherwise) {
  if (!given.empty()) return given;
  const std::string set = environment(variable);
  return !set.empty() ? set : otherwise;
}

// A service may run without HOME; the user database knows it still.
fs::path home_folder() {
  if (const std::string home = environment("HOME"); !home.empty()) return home;
  std::array<char, 4096> text;
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &entry, text.data(), text.size(), &found);
  return found != nullptr ? found->pw_dir : "/";
}

fs::path with_home(const std::string& path) {
  if (path == "~") return home_folder();
  return path.starts_with("~/") ? home_folder() / path.substr(2) : fs::path(path);
}

fs::path public_file(const fs::path& file) { return file.string() + std::string(kPublicEnding); }

Result<crypto::SecretBytes> read_secret(const fs::path& file) {
  TRY(Bytes bytes, read_file(file, kKeyfileSizeMax));
  crypto::SecretBytes out = crypto::SecretBytes::copy_of(bytes);
  crypto::wipe(bytes);
  return out;
}

// Old files hold nothing but "0x" and a public key.
std::optional<AccountId> bare_public_key(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  if (!text.starts_with("0x")) return std::nullopt;
  const auto hash = Hash::from_hex(text);
  return hash ? std::optional(AccountId{hash->bytes}) : std::nullopt;
}

// The account that an unencrypted file names, or else the one of its secret.
Result<AccountId> account_of(std::string_view text) {
  if (const auto account = bare_public_key(text)) return *account;
  TRY(const crypto::KeyFields fields, crypto::KeyFields::parse(text));
  TRY(const std::optional<AccountId> named, crypto::account_in(fields));
  if (named) return *named;
  TRY(const Keypair keypair, crypto::keypair_in(fields));
  return keypair.account();
}

Result<crypto::SecretBytes> decrypt(const fs::path& file, ByteView sealed, const AskPassword& ask) {
  if (!ask) return Error{Code::kPermission, "it is encrypted, and there is no password"};
  auto password = ask(file);
  if (!password) {
    return Error{Code::kPermission, "it is encrypted, and there is no password: " +
                                        std::move(password).error().message};
  }
  auto key = crypto::nacl_key(*password);
  crypto::wipe(*password);
  if (!key) return std::move(key).error();
  return crypto::open_nacl(sealed, *key);
}

Result<Keypair> parse_keyfile(const fs::path& file, crypto::SecretBytes bytes,
                              const AskPassword& ask) {
  switch (crypto::keyfile_format(bytes.view())) {
    case crypto::KeyfileFormat::kAnsible:
      return Error{Code::kInvalidArgument,
                   "it is encrypted with Ansible Vault, which is not read here: re-encrypt it with "
                   "btcli first, which writes the $NACL format"};
    case crypto::KeyfileFormat::kFernet:
      return Error{Code::kInvalidArgument,
                   "it is encrypted with Fernet (an old Bittensor), which is not read here: "
                   "re-encrypt it with btcli first, which writes the $NACL format"};
    case crypto::KeyfileFormat::kNacl: {
      TRY(bytes, decrypt(file, bytes.view(), ask));
      break;
    }
    case crypto::KeyfileFormat::kPlain:
      break;
  }
  TRY(const crypto::KeyFields fields, crypto::KeyFields::parse(bytes.text()));
  return crypto::keypair_in(fields);
}

// Every missing folder on the way is made for its owner alone; one that is there stays as it is.
Result<void> make_private_folders(const fs::path& folder) {
  std::error_code ignored;
  if (folder.empty() || fs::is_directory(folder, ignored)) return {};
  const fs::path above = folder.parent_path();
  TRY_VOID(make_private_folders(above));
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return file_error("making folder", folder, errno);
  }
  const Descriptor parent(
      ::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.open() || fsync(parent.number()) != 0) return file_error("syncing", above, errno);
  return {};
}

Error already_there(const fs::path& file) {
  return {Code::kAlreadyExists, file.string() + " is there already, and keys are not overwritten"};
}

// Puts a file where none is, whole or not at all; two who try at once do not undo each other,
// because a link, unlike a rename, fails when the name is taken.
Result<void> place_new(const fs::path& file, ByteView bytes) {
  std::array<uint8_t, 8> nonce;
  crypto::start_sodium();
  randombytes_buf(nonce.data(), nonce.size());
  std::string hidden(".");
  hidden.append(file.filename().string()).append(".").append(to_hex(nonce)).append(".new");
  const fs::path draft = file.parent_path() / hidden;
  TRY_VOID(write_file(draft, bytes, kFileMode));
  std::error_code failed;
  fs::create_hard_link(draft, file, failed);
  std::error_code ignored;
  fs::remove(draft, ignored);
  if (failed == std::errc::file_exists) return already_there(file);
  if (failed) return file_error("writing", file, failed.value());
  return {};
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

// The names in `folder`, sorted; none if it is absent.
Result<std::set<std::string>> names_in(const fs::path& folder) {
  std::error_code failed;
  std::set<std::string> names;
  fs::directory_iterator at(folder, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    names.insert(at->path().filename().string());
  }
  if (!failed || failed == std::errc::no_such_file_or_directory) return names;
  return file_error("listing", folder, failed.value());
}

std::optional<AccountId> account_at(const fs::path& file) {
  const auto account = read_public(file);
  return account ? std::optional(*account) : std::nullopt;
}

// A hotkey is there with its file, its public file, or both.
Result<std::set<std::string>> hotkeys_in(const fs::path& folder) {
  TRY(const std::set<std::string> files, names_in(folder));
  std::set<std::string> hotkeys;
  for (std::string name : files) {
    if (name.starts_with('.')) continue;
    if (name.ends_with(kPublicEnding)) name.resize(name.size() - kPublicEnding.size());
    if (!name.empty()) hotkeys.insert(name);
  }
  return hotkeys;
}

}  // namespace

WalletLocation WalletLocation::resolved() const {
  return {with_home(first_of(path.string(), "BT_WALLET_PATH", "~/.bittensor/wallets")),
          first_of(name, "BT_WALLET_NAME", "default"),
          first_of(hotkey, "BT_WALLET_HOTKEY", "default")};
}

fs::path WalletLocation::coldkey_file() const {
  const WalletLocation at = resolved();
  return at.path / at.name / "coldkey";
}
fs::path WalletLocation::coldkeypub_file() const { return public_file(coldkey_file()); }
fs::path WalletLocation::hotkey_file() const {
  const WalletLocation at = resolved();
  return at.path / at.name / "hotkeys" / at.hotkey;
}
fs::path WalletLocation::hotkeypub_file() const { return public_file(hotkey_file()); }

Result<std::string> password_from_environment(const fs::path& path) {
  std::string variable = "BT_PW_" + path.string();
  for (char& c : variable) {
    if (c == '/' || c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') return Error{Code::kNotFound, variable + " is not set"};
  std::string password(std::strlen(value), '\0');
  size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<uint8_t*>(password.data()), password.size(), value,
                        password.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    crypto::wipe(password);
    return Error{
        Code::kInvalidArgument,
        variable + " is not Base64: it holds the password XOR its own name, as btcli writes it"};
  }
  password.resize(size);
  for (size_t i = 0; i < size; ++i) {
    password[i] = static_cast<char>(password[i] ^ variable[i % variable.size()]);
  }
  return password;
}

Result<Keypair> read_keyfile(const fs::path& file, const AskPassword& ask) {
  TRY(crypto::SecretBytes bytes, read_secret(file));
  auto keypair = parse_keyfile(file, std::move(bytes), ask);
  if (!keypair) return within(file.string(), std::move(keypair).error());
  return keypair;
}

Result<AccountId> read_public(const fs::path& file) {
  const fs::path beside = public_file(file);
  const bool known = is_there(beside);
  const fs::path& source = known ? beside : file;
  TRY(const crypto::SecretBytes bytes, read_secret(source));
  if (crypto::keyfile_format(bytes.view()) != crypto::KeyfileFormat::kPlain) {
    return Error{Code::kPermission,
                 file.string() + " is encrypted, and there is no " + beside.filename().string()};
  }
  auto account = account_of(bytes.text());
  if (!account) return within(source.string(), std::move(account).error());
  return account;
}

Result<bool> is_unencrypted(const fs::path& file) {
  TRY(const crypto::SecretBytes bytes, read_secret(file));
  if (crypto::keyfile_format(bytes.view()) != crypto::KeyfileFormat::kPlain) return false;
  if (bare_public_key(bytes.text())) return false;
  const auto fields = crypto::KeyFields::parse(bytes.text());
  if (!fields) return within(file.string(), fields.error());
  return crypto::holds_secret(*fields);
}

Result<void> write_keyfile(const fs::path& file, const Keypair& keypair, std::string_view phrase,
                           std::string_view password, Overwrite overwrite) {
  const fs::path beside = public_file(file);
  if (overwrite == Overwrite::kNo) {
    if (is_there(file)) return already_there(file);
    if (is_there(beside) && account_at(file) != keypair.account()) return already_there(beside);
  }
  TRY(const crypto::SecretBytes json, crypto::keyfile_json(keypair, phrase));
  Bytes sealed;
  if (!password.empty()) {
    TRY(const crypto::SecretBytes key, crypto::nacl_key(password));
    sealed = crypto::seal_nacl(json.view(), key);
  }
  const ByteView content = password.empty() ? json.view() : ByteView(sealed);
  TRY_VOID(make_private_folders(file.parent_path()));
  if (overwrite == Overwrite::kYes) {
    TRY_VOID(write_file(file, content, kFileMode));
  } else {
    TRY_VOID(place_new(file, content));
  }
  // Last, because a public file without its secret would stand in the way of the next attempt; its
  // writing also brings the folder, with the link in it, to the disk.
  return write_file(beside, view_of(crypto::pubfile_json(keypair.account())), kFileMode);
}

Result<std::vector<WalletListing>> list_wallets(const fs::path& path) {
  TRY(const std::set<std::string> names, names_in(path));
  std::vector<WalletListing> wallets;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (name.starts_with('.') || !fs::is_directory(path / name, ignored)) continue;
    WalletListing wallet{name, account_at(path / name / "coldkey"), {}};
    const fs::path folder = path / name / "hotkeys";
    TRY(const std::set<std::string> hotkeys, hotkeys_in(folder));
    for (const std::string& hotkey : hotkeys) {
      wallet.hotkeys.emplace_back(hotkey, account_at(folder / hotkey));
    }
    wallets.push_back(std::move(wallet));
  }
  return wallets;
}

}  // namespace common
