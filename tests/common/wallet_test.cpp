// Goal: Bittensor's wallet folders are read as they are, and what we write is theirs, whole,
// private and never over another key. Method: files as btwallet writes them, in a folder of the
// test's own; nlohmann-json as the oracle of our small reader. Argon2 takes seconds: two cases run
// it.
#include "common/wallet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>
#include <vector>

#include "common/crypto/key_fields.h"
#include "common/crypto/keyfile.h"
#include "tests/common/keys_data.h"

namespace common {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view kPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

Keypair keypair(std::string_view uri) { return Keypair::from_uri(uri).value(); }

AskPassword answer(std::string password) {
  return [password](const fs::path&) -> Result<std::string> { return password; };
}
Result<std::string> nobody(const fs::path&) { return Error{Code::kNotFound, "nobody is there"}; }

std::string content(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}
int mode(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
  return static_cast<int>(status.st_mode & 0777);
}

template <typename T>
Error error_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Error{Code::kIo, "accepted"} : result.error();
}

class WalletTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "muster-wallet-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    fs::remove_all(folder_);
    for (const char* name : {"BT_WALLET_PATH", "BT_WALLET_NAME", "BT_WALLET_HOTKEY"})
      unsetenv(name);
  }
  fs::path file(const std::string& text) const {
    const fs::path path = folder_ / "key";
    std::ofstream(path) << text;
    return path;
  }
  Error refusal(const std::string& text) const {
    return error_of(read_keyfile(file(text), nobody));
  }

  fs::path folder_;
};

// --- Where it lies.

TEST_F(WalletTest, EmptyFieldsFallBackToTheEnvironmentAndThenToBittensorsDefaults) {
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(WalletLocation{}.coldkey_file(), "/home/somebody/.bittensor/wallets/default/coldkey");
  setenv("BT_WALLET_PATH", "~/elsewhere", 1);
  setenv("BT_WALLET_NAME", "w", 1);
  setenv("BT_WALLET_HOTKEY", "h", 1);
  EXPECT_EQ(WalletLocation{}.hotkey_file(), "/home/somebody/elsewhere/w/hotkeys/h");
  const WalletLocation given{"/path", "name", "hot"};
  EXPECT_EQ(given.coldkey_file(), "/path/name/coldkey");
  EXPECT_EQ(given.coldkeypub_file(), "/path/name/coldkeypub.txt");
  EXPECT_EQ(given.hotkey_file(), "/path/name/hotkeys/hot");
  EXPECT_EQ(given.hotkeypub_file(), "/path/name/hotkeys/hotpub.txt");
  setenv("BT_WALLET_NAME", "", 1);  // Set, but to nothing.
  EXPECT_EQ(WalletLocation{}.resolved().name, "default");
}

// --- Reading.

TEST_F(WalletTest, ThePhraseGoesBeforeTheSeedAndTheSeedBeforeThePrivateKey) {
  const std::string phrase = "\"secretPhrase\": \"" + std::string(kPhrase) + "\"";
  const std::string seed = "\"secretSeed\": \"0x" + std::string(64, '1') + "\"";
  const std::string secret = "\"privateKey\": \"0x" + to_hex(keypair("//Bob").secret()) + "\"";
  const auto account = [&](const std::string& members) {
    const auto read = read_keyfile(file("{" + members + "}"), nobody);
    EXPECT_TRUE(read) << read.error().message;
    return read->account();
  };
  EXPECT_EQ(account(secret + "," + seed + ", " + phrase), keypair("").account());
  EXPECT_EQ(account(secret + ",\n" + seed), keypair("0x" + std::string(64, '1')).account());
  EXPECT_EQ(account(secret), keypair("//Bob").account());
  EXPECT_EQ(account("\"secretPhrase\": null, \"secretSeed\":null, \"cryptoType\": 1," + secret),
            keypair("//Bob").account());
}

TEST_F(WalletTest, AFileWithoutASecretOrWithABrokenOneIsRefused) {
  EXPECT_EQ(error_of(read_keyfile(folder_ / "absent", nobody)).code, Code::kNotFound);
  for (const char* text :
       {"", "{}", "{", "[]", "hello", R"({"ss58Address":"x"})", R"({"secretSeed":"0x1"})",
        R"({"privateKey":"0x12"})", R"({"secretPhrase":"one two"})"}) {
    EXPECT_EQ(refusal(text).code, Code::kInvalidArgument) << text;
    EXPECT_THAT(refusal(text).message, HasSubstr(folder_.string())) << text;
  }
  EXPECT_EQ(refusal(std::string(100000, ' ')).code, Code::kExhausted);
}

TEST_F(WalletTest, AFileThatNamesAnotherAccountThanItsSecretsIsCorrupt) {
  const std::string seed = R"({"secretSeed":"0x)" + std::string(64, '1') + "\",";
  const std::string alice = keypair("//Alice").account().ss58();
  EXPECT_EQ(refusal(seed + R"("ss58Address":")" + alice + "\"}").code, Code::kCorrupt);
  EXPECT_EQ(refusal(seed + R"("publicKey":"0x)" + std::string(64, '1') + "\"}").code,
            Code::kCorrupt);
  EXPECT_EQ(refusal(seed + R"("publicKey":"0x11"})").code, Code::kCorrupt);
}

TEST_F(WalletTest, AnsibleAndFernetFilesAreNamed) {
  const Error ansible = refusal("$ANSIBLE_VAULT;1.1;AES256\n36303835");
  EXPECT_EQ(ansible.code, Code::kInvalidArgument);
  EXPECT_THAT(ansible.message, HasSubstr("Ansible"));
  const Error fernet = refusal("gAAAAABkz3");
  EXPECT_EQ(fernet.code, Code::kInvalidArgument);
  EXPECT_THAT(fernet.message, HasSubstr("Fernet"));
}

TEST_F(WalletTest, AnEncryptedFileWithoutAPasswordIsAQuestionOfPermission) {
  EXPECT_EQ(refusal("$NACL and so on").code, Code::kPermission);
  EXPECT_THAT(refusal("$NACL and so on").message, HasSubstr("nobody is there"));
  EXPECT_EQ(error_of(read_keyfile(folder_ / "key", {})).code, Code::kPermission);
}

TEST_F(WalletTest, ThePublicHalfComesFromThePublicFileOrAnUnencryptedOne) {
  const AccountId alice = keypair("//Alice").account();
  const fs::path key = file(R"({"secretPhrase":")" + std::string(kPhrase) + "\"}");
  EXPECT_EQ(read_public(key).value(), keypair("").account());
  std::ofstream(key.string() + "pub.txt") << R"({"ss58Address":")" << alice.ss58() << "\"}";
  EXPECT_EQ(read_public(key).value(), alice);
  std::ofstream(key.string() + "pub.txt")
      << "0x" << to_hex(alice.bytes) << "\n";  // As in old wallets.
  EXPECT_EQ(read_public(key).value(), alice);
  std::ofstream(key.string() + "pub.txt") << "{}";
  EXPECT_FALSE(read_public(key));
  fs::remove(key.string() + "pub.txt");
  file("$NACL and so on");
  EXPECT_EQ(error_of(read_public(key)).code, Code::kPermission);
  fs::remove(key);
  EXPECT_EQ(error_of(read_public(key)).code, Code::kNotFound);
}

TEST_F(WalletTest, OnlyAFileWithAReadableSecretIsUnencrypted) {
  const std::string address = R"("ss58Address":")" + keypair("").account().ss58() + "\"";
  EXPECT_TRUE(is_unencrypted(file(R"({"secretPhrase":"a",)" + address + "}")).value());
  EXPECT_FALSE(is_unencrypted(file("{" + address + "}")).value());
  EXPECT_FALSE(is_unencrypted(file("$NACL...")).value());
  EXPECT_FALSE(is_unencrypted(file("$ANSIBLE_VAULT...")).value());
  EXPECT_FALSE(is_unencrypted(file("gAAAAA...")).value());
  EXPECT_EQ(error_of(is_unencrypted(file("?"))).code, Code::kInvalidArgument);
  EXPECT_EQ(error_of(is_unencrypted(folder_ / "absent")).code, Code::kNotFound);
}

// --- Encryption.

TEST(NaclKeyfile, TheVectorsKeyOpensTheVectorsFile) {
  const auto vector = data_file("keyfile_nacl.json");
  const Bytes file = hex_of(vector["file"]);
  crypto::SecretBytes key = crypto::SecretBytes::copy_of(hex_of(vector["key"]));
  EXPECT_EQ(crypto::open_nacl(file, key)->text(), said(vector["plaintext"]));
  for (size_t i = 5; i < file.size(); ++i) {
    Bytes changed = file;
    changed[i] ^= 1;
    EXPECT_EQ(error_of(crypto::open_nacl(changed, key)).code, Code::kPermission) << i;
  }
  for (size_t size = 0; size < 5 + 24 + 16; ++size) {
    EXPECT_EQ(error_of(crypto::open_nacl(ByteView(file).first(size), key)).code, Code::kCorrupt)
        << size;
  }
  EXPECT_NE(crypto::seal_nacl(file, key), crypto::seal_nacl(file, key));  // A nonce each.
  EXPECT_EQ(text_of(crypto::open_nacl(crypto::seal_nacl(file, key), key)->view()), text_of(file));
  key.bytes()[0] ^= 1;
  EXPECT_EQ(error_of(crypto::open_nacl(file, key)).code, Code::kPermission);
}

TEST(NaclKeyfile, ThePasswordsKeyIsBtwallets) {
  const auto vector = data_file("keyfile_nacl.json");
  const auto key = crypto::nacl_key(vector["password"].get<std::string>());
  ASSERT_TRUE(key);
  EXPECT_EQ(to_hex(key->view()), said(vector["key"]));
}

TEST_F(WalletTest, AnEncryptedKeyComesBackWithItsPasswordAlone) {
  const Keypair alice = keypair("//Alice");
  const fs::path path = folder_ / "w" / "coldkey";
  ASSERT_TRUE(write_keyfile(path, alice, {}, "correct horse", Overwrite::kNo));
  EXPECT_TRUE(content(path).starts_with("$NACL"));
  EXPECT_FALSE(is_unencrypted(path).value());
  EXPECT_EQ(read_public(path).value(), alice.account());
  const auto back = read_keyfile(path, answer("correct horse"));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->secret(), alice.secret());
  const Error wrong = error_of(read_keyfile(path, answer("wrong horse")));
  EXPECT_EQ(wrong.code, Code::kPermission);
  EXPECT_THAT(wrong.message, HasSubstr("wrong password"));
}

// --- Writing.

TEST_F(WalletTest, WhatIsWrittenIsBtwalletsJsonForItsOwnerAlone) {
  const mode_t before = umask(0);
  const fs::path path = folder_ / "wallets" / "w" / "hotkeys" / "h";
  const Keypair dev = keypair("");
  ASSERT_TRUE(write_keyfile(path, dev, kPhrase, {}, Overwrite::kNo));
  umask(before);
  const auto json = nlohmann::json::parse(content(path));
  const auto vector = data_file("sr25519_substrate.json")["dev_phrase"];
  EXPECT_EQ(json["accountId"], vector["sr25519_pub"]);
  EXPECT_EQ(json["publicKey"], vector["sr25519_pub"]);
  EXPECT_EQ(said(json["privateKey"]), "0x" + to_hex(dev.secret()));
  EXPECT_EQ(said(json["secretPhrase"]), kPhrase);
  EXPECT_EQ(json["secretSeed"], vector["mini_secret"]);
  EXPECT_EQ(json["ss58Address"], vector["ss58"]);
  const auto pub = nlohmann::json::parse(content(path.string() + "pub.txt"));
  EXPECT_EQ(pub.size(), 3U);
  EXPECT_EQ(pub["ss58Address"], vector["ss58"]);
  EXPECT_EQ(mode(path), 0600);
  EXPECT_EQ(mode(path.string() + "pub.txt"), 0600);
  for (const char* made : {"wallets", "wallets/w", "wallets/w/hotkeys"})
    EXPECT_EQ(mode(folder_ / made), 0700);
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(path.parent_path()))
    files += entry.exists() ? 1 : 0;
  EXPECT_EQ(files, 2U);  // No draft stays behind.
  EXPECT_TRUE(is_unencrypted(path).value());
  EXPECT_EQ(read_keyfile(path, nobody)->secret(), dev.secret());
}

TEST_F(WalletTest, AKeyIsNotOverwrittenUnlessAsked) {
  const fs::path path = folder_ / "key";
  const Keypair alice = keypair("//Alice");
  const Keypair bob = keypair("//Bob");
  ASSERT_TRUE(write_keyfile(path, alice, {}, {}, Overwrite::kNo));
  const std::string before = content(path);
  EXPECT_EQ(error_of(write_keyfile(path, bob, {}, {}, Overwrite::kNo)).code, Code::kAlreadyExists);
  EXPECT_EQ(error_of(write_keyfile(path, alice, {}, {}, Overwrite::kNo)).code,
            Code::kAlreadyExists);
  EXPECT_EQ(content(path), before);
  ASSERT_TRUE(write_keyfile(path, bob, {}, {}, Overwrite::kYes));
  EXPECT_EQ(read_keyfile(path, nobody)->account(), bob.account());
  EXPECT_EQ(read_public(path).value(), bob.account());
}

TEST_F(WalletTest, OfSeveralThatWriteOneNameAtOnceOneWins) {
  constexpr int kWriters = 4;
  for (int round = 0; round < 20; ++round) {
    const fs::path path = folder_ / std::to_string(round);
    std::array<int, kWriters> written{};
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        const Keypair key = keypair("//" + std::to_string(i));
        written[static_cast<size_t>(i)] = write_keyfile(path, key, {}, {}, Overwrite::kNo) ? 1 : 0;
      });
    }
    for (std::thread& writer : writers) writer.join();
    ASSERT_EQ(std::accumulate(written.begin(), written.end(), 0), 1);
    const auto winner = std::ranges::find(written, 1) - written.begin();
    const AccountId account = keypair("//" + std::to_string(winner)).account();
    EXPECT_EQ(read_keyfile(path, nobody)->account(), account);
    EXPECT_EQ(read_public(path).value(), account);
  }
}

TEST_F(WalletTest, AnotherAccountsPublicFileStandsInTheWayToo) {
  const fs::path path = folder_ / "key";
  ASSERT_TRUE(write_keyfile(path, keypair("//Alice"), {}, {}, Overwrite::kNo));
  fs::remove(path);
  EXPECT_EQ(error_of(write_keyfile(path, keypair("//Bob"), {}, {}, Overwrite::kNo)).code,
            Code::kAlreadyExists);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(write_keyfile(path, keypair("//Alice"), {}, {}, Overwrite::kNo));
}

TEST_F(WalletTest, ADanglingLinkIsNotOverwrittenEither) {
  const fs::path path = folder_ / "key";
  fs::create_symlink(folder_ / "nowhere", path);
  EXPECT_EQ(error_of(write_keyfile(path, keypair("//Bob"), {}, {}, Overwrite::kNo)).code,
            Code::kAlreadyExists);
}

TEST_F(WalletTest, APhraseOfAnotherKeyIsNotWritten) {
  const fs::path path = folder_ / "key";
  const Error error =
      error_of(write_keyfile(path, keypair("//Alice"), kPhrase, {}, Overwrite::kNo));
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(path));
}

// --- Listing.

TEST_F(WalletTest, AllWalletsAreListedByName) {
  EXPECT_TRUE(list_wallets(folder_ / "absent")->empty());
  EXPECT_TRUE(list_wallets(folder_)->empty());
  const auto write = [&](const char* name, const char* uri) {
    ASSERT_TRUE(write_keyfile(folder_ / name, keypair(uri), {}, {}, Overwrite::kNo)) << name;
  };
  write("b/coldkey", "//B");
  write("b/hotkeys/2", "//B2");
  write("b/hotkeys/1", "//B1");
  fs::remove(folder_ / "b/hotkeys/1");  // Only its public file is on this machine.
  write("a/hotkeys/x", "//AX");
  std::ofstream(folder_ / "a/hotkeys/broken") << "?";
  std::ofstream(folder_ / "a/hotkeys/.draft") << "?";
  std::ofstream(folder_ / "stray") << "?";
  const auto wallets = list_wallets(folder_).value();
  ASSERT_EQ(wallets.size(), 2U);
  EXPECT_EQ(wallets[0].name, "a");
  EXPECT_EQ(wallets[0].coldkey, std::nullopt);
  ASSERT_EQ(wallets[0].hotkeys.size(), 2U);
  EXPECT_EQ(wallets[0].hotkeys[0].first, "broken");
  EXPECT_EQ(wallets[0].hotkeys[0].second, std::nullopt);
  EXPECT_EQ(wallets[0].hotkeys[1].second, keypair("//AX").account());
  EXPECT_EQ(wallets[1].coldkey, keypair("//B").account());
  ASSERT_EQ(wallets[1].hotkeys.size(), 2U);
  EXPECT_EQ(wallets[1].hotkeys[0].first, "1");
  EXPECT_EQ(wallets[1].hotkeys[0].second, keypair("//B1").account());
}

// --- The password in the environment.

TEST(PasswordFromEnvironment, IsXoredWithItsVariablesNameAndBase64) {
  const std::string name = "BT_PW__HOME_ME__BITTENSOR_WALLETS_MY-W_COLDKEY";
  const std::string password =
      "a password, longer than the name of the variable that it is stored in";
  std::string mixed;
  for (size_t i = 0; i < password.size(); ++i) {
    mixed += static_cast<char>(password[i] ^ name[i % name.size()]);
  }
  std::string encoded(sodium_base64_encoded_len(mixed.size(), sodium_base64_VARIANT_ORIGINAL),
                      '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), view_of(mixed).data(), mixed.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  const fs::path path = "/home/me/.bittensor/wallets/my-w/coldkey";
  EXPECT_EQ(error_of(password_from_environment(path)).code, Code::kNotFound);
  setenv(name.c_str(), encoded.c_str(), 1);
  EXPECT_EQ(password_from_environment(path).value(), password);
  EXPECT_EQ(error_of(password_from_environment("/home/me/other")).code, Code::kNotFound);
  setenv(name.c_str(), "not base64!", 1);
  EXPECT_EQ(error_of(password_from_environment(path)).code, Code::kInvalidArgument);
  unsetenv(name.c_str());
}

TEST(PasswordFromEnvironment, AWorkedExample) {
  // "pw" XOR "BT" (the name's first letters) = 70^42 77^54 = 32 23, in Base64 "MiM=".
  setenv("BT_PW_K", "MiM=", 1);
  EXPECT_EQ(password_from_environment("k").value(), "pw");
  unsetenv("BT_PW_K");
}

// --- The JSON inside.

TEST(KeyFields, ReadWhatNlohmannReads) {
  const char* const documents[] = {R"({})",
                                   R"( { } )",
                                   R"({"a":"b"})",
                                   R"({"a":"b","c":"d"})",
                                   "{\n \"a\" :\t\"b\" ,\r\n\"c\":null}\n",
                                   R"({"a":"\"\\\/\b\f\n\r\tA\u00fc\u20ac"})",
                                   R"({"a":"ü€"})",
                                   R"({"a":-1.5e3,"b":true,"c":"x"})",
                                   R"({"":""})",
                                   R"({"a":""})",
                                   R"({"a":"}{,:"})"};
  for (const char* document : documents) {
    const auto fields = crypto::KeyFields::parse(document);
    ASSERT_TRUE(fields) << document;
    const auto oracle = nlohmann::json::parse(document);
    for (const auto& [key, value] : oracle.items()) {
      const std::string expected = value.is_string() ? value.get<std::string>() : "";
      EXPECT_EQ(fields->get(key), expected) << document;
    }
    EXPECT_EQ(fields->get("absent"), "");
  }
}

TEST(KeyFields, RefuseWhatIsNotOneFlatObject) {
  const char* const documents[] = {"",
                                   "null",
                                   "[]",
                                   "{",
                                   "}",
                                   "{,}",
                                   R"({"a"})",
                                   R"({"a":})",
                                   R"({"a":"b",})",
                                   R"({"a":"b"} x)",
                                   R"({"a":"b" "c":"d"})",
                                   R"({a:"b"})",
                                   R"({"a":"b)",
                                   R"({"a":{}})",
                                   R"({"a":["b"]})",
                                   R"({"a":nul})",
                                   R"({"a":nan})",
                                   R"({"a":"\x"})",
                                   R"({"a":"\u12"})",
                                   R"({"a":"\ud800"})",
                                   R"({"a":"\q 1})",
                                   "{\"a\":\"\n\"}",
                                   R"({"a":"1","a":"1"})",
                                   R"({"a":"b\"})",
                                   "\xef\xbb\xbf{}"};
  for (const char* document : documents) {
    EXPECT_EQ(error_of(crypto::KeyFields::parse(document)).code, Code::kInvalidArgument)
        << document;
  }
  std::string many = "{\"0\":\"\"";
  for (int i = 1; i < 65; ++i) many += ",\"" + std::to_string(i) + "\":\"\"";
  EXPECT_FALSE(crypto::KeyFields::parse(many + "}"));
}

}  // namespace
}  // namespace common
