// Goal: the program `muster` does what its help says, keeps secrets to itself, and ends with the
// right code. Method: runs the real binary in a temporary folder, with an environment of its own
// and no terminal, and reads what it prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/keys.h"
#include "tests/chain/cli_runner.h"

namespace tests {
namespace {

using nlohmann::json;

constexpr const char* kPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
constexpr const char* kPhraseAddress = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
constexpr const char* kAlice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
constexpr const char* kBob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
// A port of this machine on which nothing may listen without being root.
constexpr const char* kNobody = "http://127.0.0.1:1";

int mode_of(const fs::path& path) {
  return static_cast<int>(fs::status(path).permissions()) & 0777;
}

// -- wallet new -----------------------------------------------------------------------------------

TEST_F(MusterCli, NewMakesAWalletThatItsPhraseRestores) {
  const Ran made =
      wallet("new", {"--wallet.name", "a", "--no-password", "--json", "--show-phrase"});
  ASSERT_EQ(made.code, 0) << made.trouble;
  const json keys = json::parse(made.out);
  EXPECT_EQ(keys["name"], "a");
  for (const std::string kind : {"coldkey", "hotkey"}) {
    const auto key = common::Keypair::from_mnemonic(keys[kind]["phrase"].get<std::string>());
    ASSERT_TRUE(key);
    EXPECT_EQ(key->account().ss58(), keys[kind]["ss58"].get<std::string>());
    EXPECT_EQ(mode_of(keys[kind]["file"].get<std::string>()), 0600);
  }
  EXPECT_EQ(keys["coldkey"]["file"], (wallets() / "a" / "coldkey").string());
  EXPECT_EQ(keys["hotkey"]["file"], (wallets() / "a" / "hotkeys" / "default").string());
  EXPECT_TRUE(fs::exists(wallets() / "a" / "coldkeypub.txt"));
  const std::string phrase = keys["coldkey"]["phrase"];
  const Ran again = wallet("regenerate", {"--wallet.name", "b", "--no-password", "--json"}, phrase);
  ASSERT_EQ(again.code, 0) << again.trouble;
  EXPECT_EQ(json::parse(again.out)["coldkey"]["ss58"], keys["coldkey"]["ss58"]);
}

TEST_F(MusterCli, JsonHoldsNoPhraseUnlessAskedFor) {
  const Ran made = wallet("new", {"--wallet.name", "a", "--no-password", "--json"});
  ASSERT_EQ(made.code, 0) << made.trouble;
  const json keys = json::parse(made.out);
  EXPECT_FALSE(keys["coldkey"].contains("phrase"));
  EXPECT_FALSE(keys["hotkey"].contains("phrase"));
  const json file = json::parse(text_of(wallets() / "a" / "coldkey"));
  EXPECT_FALSE(has(made.out + made.trouble, file["secretPhrase"])) << "nor anywhere else";
}

TEST_F(MusterCli, NewShowsThePhraseToAPersonOnce) {
  const Ran made = wallet("new", {"--name", "a", "--no-password", "--words", "24"});
  ASSERT_EQ(made.code, 0) << made.trouble;
  const std::string phrase = json::parse(text_of(wallets() / "a" / "coldkey"))["secretPhrase"];
  EXPECT_EQ(std::count(phrase.begin(), phrase.end(), ' '), 23);
  EXPECT_TRUE(has(made.out, phrase));
  EXPECT_FALSE(has(wallet("show", {"--name", "a"}).out, phrase));
  EXPECT_FALSE(has(wallet("show", {"--name", "a", "--json"}).out, phrase));
}

TEST_F(MusterCli, NewOverwritesNothingUnlessToldTo) {
  ASSERT_EQ(wallet("new", {"--wallet.name", "a", "--no-password"}).code, 0);
  const std::string before = text_of(wallets() / "a" / "coldkey");
  const Ran refused =
      wallet("new", {"--wallet.name", "a", "--wallet.hotkey", "other", "--no-password"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.trouble, "--only")) << refused.trouble;
  EXPECT_FALSE(fs::exists(wallets() / "a" / "hotkeys" / "other")) << "nothing half made";
  EXPECT_EQ(text_of(wallets() / "a" / "coldkey"), before);
  EXPECT_EQ(
      wallet("new", {"--wallet.name", "a", "--wallet.hotkey", "other", "--only", "hotkey"}).code,
      0);
  EXPECT_TRUE(fs::exists(wallets() / "a" / "hotkeys" / "other"));
  EXPECT_EQ(text_of(wallets() / "a" / "coldkey"), before);
  EXPECT_EQ(wallet("new", {"--wallet.name", "a", "--no-password", "--overwrite"}).code, 0);
  EXPECT_NE(text_of(wallets() / "a" / "coldkey"), before);
}

TEST_F(MusterCli, AColdkeyNeedsAPasswordOrAWordThatItHasNone) {
  const Ran made = wallet("new", {"--wallet.name", "a"});
  EXPECT_EQ(made.code, 2);
  EXPECT_TRUE(has(made.trouble, "--no-password")) << made.trouble;
  EXPECT_FALSE(fs::exists(wallets() / "a"));
  std::ofstream(folder_ / "short") << "12345\n";
  EXPECT_EQ(
      wallet("new", {"--wallet.name", "a", "--password-file", (folder_ / "short").string()}).code,
      2);
}

TEST_F(MusterCli, AnEncryptedColdkeyShowsItsAddressWithoutThePassword) {
  std::ofstream(folder_ / "password") << "correct horse battery\n";
  const Ran made = wallet(
      "regenerate", {"--wallet.name", "a", "--password-file", (folder_ / "password").string()},
      std::string(kPhrase) + "\n");
  ASSERT_EQ(made.code, 0) << made.trouble;
  EXPECT_TRUE(text_of(wallets() / "a" / "coldkey").starts_with("$NACL"));
  const Ran shown = wallet("show", {"--wallet.name", "a", "--json"});
  ASSERT_EQ(shown.code, 0) << shown.trouble;
  const json wallet_json = json::parse(shown.out);
  EXPECT_EQ(wallet_json["coldkey"]["ss58"], kPhraseAddress);
  EXPECT_EQ(wallet_json["coldkey"]["secret"], "encrypted");
  EXPECT_FALSE(wallet_json.contains("hotkey"));
}

// -- wallet list, show, regenerate ----------------------------------------------------------------

TEST_F(MusterCli, ListNamesEveryWalletAndHotkey) {
  ASSERT_EQ(wallet("new", {"--wallet.name", "b", "--no-password"}).code, 0);
  ASSERT_EQ(wallet("new", {"--wallet.name", "a", "--no-password"}).code, 0);
  ASSERT_EQ(wallet("new", {"--wallet.name", "a", "--wallet.hotkey", "h2", "--only", "hotkey"}).code,
            0);
  const Ran listed = wallet("list", {"--json"});
  ASSERT_EQ(listed.code, 0) << listed.trouble;
  const json found = json::parse(listed.out)["wallets"];
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["name"], "a");
  EXPECT_EQ(found[0]["hotkeys"].size(), 2U);
  EXPECT_EQ(found[1]["name"], "b");
  const Ran table = wallet("list", {});
  EXPECT_TRUE(has(table.out, found[0]["coldkey"])) << table.out;
  EXPECT_TRUE(has(table.out, "h2"));
}

TEST_F(MusterCli, AnEmptyFolderListsNothingAndSaysWhatToDo) {
  const Ran listed = wallet("list", {});
  EXPECT_EQ(listed.code, 0);
  EXPECT_TRUE(has(listed.out, "muster wallet new")) << listed.out;
  EXPECT_TRUE(json::parse(wallet("list", {"--json"}).out)["wallets"].empty());
}

TEST_F(MusterCli, RegenerateReadsPhrasesSeedsAndDerivationPaths) {
  const auto address_from = [&](const std::string& secret) {
    const Ran made = wallet("regenerate", {"--only", "hotkey", "--overwrite", "--json"}, secret);
    return made.code == 0 ? json::parse(made.out)["hotkey"]["ss58"].get<std::string>()
                          : made.trouble;
  };
  EXPECT_EQ(address_from(kPhrase), kPhraseAddress);
  EXPECT_EQ(address_from("//Alice\n"), kAlice);
  EXPECT_EQ(address_from("0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"),
            kPhraseAddress);
}

TEST_F(MusterCli, RegenerateRefusesAWrongPhraseWithoutRepeatingIt) {
  const std::string wrong = "bottom drive obey lake curtain smoke basket hold race lonely fit fit";
  const Ran made = wallet("regenerate", {"--no-password"}, wrong);
  EXPECT_EQ(made.code, 2) << made.trouble;
  EXPECT_FALSE(has(made.trouble, wrong)) << made.trouble;
  EXPECT_FALSE(fs::exists(wallets()));
  EXPECT_EQ(wallet("regenerate", {"--no-password"}, "").code, 2) << "no phrase at all";
}

TEST_F(MusterCli, ShowOfNoWalletSaysWhereItLooked) {
  const Ran shown = wallet("show", {"--wallet.name", "nobody"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_TRUE(has(shown.trouble, wallets().string())) << shown.trouble;
}

TEST_F(MusterCli, TheEnvironmentNamesAWalletAndFlagsOverrideIt) {
  environment_ = {"BT_WALLET_PATH=" + wallets().string(), "BT_WALLET_NAME=from-environment"};
  EXPECT_EQ(muster({"wallet", "new", "--no-password"}).code, 0);
  EXPECT_TRUE(fs::exists(wallets() / "from-environment" / "coldkey"));
  EXPECT_EQ(muster({"wallet", "new", "--no-password", "--wallet-name", "from-flag"}).code, 0);
  EXPECT_TRUE(fs::exists(wallets() / "from-flag" / "coldkey"));
}

// -- usage ----------------------------------------------------------------------------------------

TEST_F(MusterCli, WrongUsageExitsWithTwoAndNamesTheHelp) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"walet"},
      {"wallet"},
      {"wallet", "new", "--no-such-flag"},
      {"wallet", "new", "--words", "13"},
      {"wallet", "new", "--only", "both"},
      {"chain", "metagraph", "--netuid", "70000"},
      {"chain", "neuron"},
      {"stake"},
      {"transfer", "--amount", "1"},
      {"debug", "vectors", "epoch"},
      {"debug", "vectors", "nothing", "file"},
  };
  for (const auto& words : wrong) {
    const Ran ran = muster(words);
    const std::string line = words.empty() ? "muster" : words.back();
    EXPECT_EQ(ran.code, 2) << line;
    EXPECT_TRUE(ran.out.empty()) << line;
    EXPECT_TRUE(has(ran.trouble, "--help")) << line << ": " << ran.trouble;
  }
}

TEST_F(MusterCli, AVerbThatIsNoneIsNamedBesideThoseThereAre) {
  const Ran ran = muster({"chain", "metagrph"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(has(ran.trouble, "muster: there is no verb 'metagrph'; there is metagraph, neuron,"))
      << ran.trouble;
  EXPECT_TRUE(has(ran.trouble, "Run `muster chain --help`")) << ran.trouble;
  EXPECT_TRUE(has(muster({"walet"}).trouble, "there is no verb 'walet'; there is wallet, chain,"));
  EXPECT_TRUE(has(muster({"chain"}).trouble, "A subcommand is required"));
}

TEST_F(MusterCli, WrongInputExitsWithTwoBeforeAnythingIsAsked) {
  for (const std::string amount : {"0", "-1", "1e9", "1.0000000001", "99999999999", "x", ""}) {
    const Ran ran = muster({"transfer", "--dest", kBob, "--amount=" + amount, "--chain", kNobody});
    EXPECT_EQ(ran.code, 2) << amount << ": " << ran.trouble;
  }
  std::string typo = kBob;
  typo.back() = 'z';
  const Ran ran = muster({"transfer", "--dest", typo, "--amount", "1", "--chain", kNobody});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(has(ran.trouble, typo)) << ran.trouble;
  EXPECT_EQ(wallet("new", {"--wallet.name", "../escape", "--no-password"}).code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "escape"));
}

TEST_F(MusterCli, EveryVerbsHelpTeachesWithAnExample) {
  const std::vector<std::vector<std::string>> verbs = {{"wallet", "new"},
                                                       {"wallet", "list"},
                                                       {"wallet", "show"},
                                                       {"wallet", "regenerate"},
                                                       {"chain", "metagraph"},
                                                       {"chain", "neuron"},
                                                       {"chain", "weights"},
                                                       {"chain", "balance"},
                                                       {"chain", "hyperparameters"},
                                                       {"chain", "block"},
                                                       {"register"},
                                                       {"stake"},
                                                       {"transfer"},
                                                       {"ledger"},
                                                       {"debug", "vectors"}};
  for (std::vector<std::string> words : verbs) {
    const std::string name = words.back();
    words.emplace_back("--help");
    const Ran ran = muster(words);
    EXPECT_EQ(ran.code, 0) << name;
    EXPECT_TRUE(has(ran.out, "Example:\n  muster ")) << ran.out;
  }
  const Ran help = muster({"--help"});
  EXPECT_TRUE(has(help.out, "Exit codes")) << help.out;
  EXPECT_TRUE(has(help.out, "data")) << "the verbs of other rooms are there too";
}

TEST_F(MusterCli, VersionIsOneLine) {
  const Ran ran = muster({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.out.starts_with("muster 0.")) << ran.out;
}

// -- the ledger that is not there -----------------------------------------------------------------

TEST_F(MusterCli, AnAbsentLedgerIsNamedAndHowToStartOne) {
  for (const std::string verb : {"metagraph", "hyperparameters", "block", "weights"}) {
    const Ran ran = muster({"chain", verb, "--chain", kNobody, "--patience", "0"});
    EXPECT_EQ(ran.code, 1) << verb;
    EXPECT_TRUE(ran.out.empty());
    EXPECT_TRUE(has(ran.trouble, kNobody)) << ran.trouble;
    EXPECT_TRUE(has(ran.trouble, "muster ledger")) << ran.trouble;
  }
}

TEST_F(MusterCli, SomethingThatIsNoEndpointIsWrongInput) {
  const Ran ran = muster({"chain", "block", "--subtensor.network", "mars"});
  EXPECT_EQ(ran.code, 2) << ran.trouble;
  EXPECT_TRUE(has(ran.trouble, "finney")) << ran.trouble;
}

// -- debug vectors --------------------------------------------------------------------------------

std::string data(const std::string& name) {
  return std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/" + name;
}

TEST_F(MusterCli, AllSixtyEpochsOfTheRealRuntimeMatch) {
  const Ran ran = muster({"debug", "vectors", "epoch", data("epoch.json")});
  EXPECT_EQ(ran.code, 0) << ran.trouble;
  EXPECT_EQ(ran.out, "60 of 60 match\n");
}

TEST_F(MusterCli, KeysAndExtrinsicsOfOtherProgramsMatch) {
  const Ran keys = muster({"debug", "vectors", "keys", data("extrinsics.json")});
  EXPECT_EQ(keys.code, 0) << keys.out;
  EXPECT_EQ(keys.out, "11 of 11 match\n");
  const Ran extrinsics = muster({"debug", "vectors", "extrinsics", data("extrinsics.json")});
  EXPECT_EQ(extrinsics.code, 0) << extrinsics.out;
  EXPECT_EQ(extrinsics.out, "28 of 28 match\n");
}

TEST_F(MusterCli, AChangedVectorExitsWithOneAndAnotherFormatWithTwo) {
  std::string changed = text_of(data("epoch.json"));
  changed.replace(changed.find("500000003"), 9, "500000004");
  std::ofstream(folder_ / "changed.json") << changed;
  const Ran differs = muster({"debug", "vectors", "epoch", (folder_ / "changed.json").string()});
  EXPECT_EQ(differs.code, 1);
  EXPECT_TRUE(has(differs.out, "emission of uid 0: expected 500000004, got 500000003"))
      << differs.out;
  EXPECT_TRUE(has(differs.out, "59 of 60 match"));
  EXPECT_EQ(muster({"debug", "vectors", "epoch", data("extrinsics.json")}).code, 2);
  EXPECT_EQ(muster({"debug", "vectors", "keys", data("epoch.json")}).code, 2);
  EXPECT_EQ(muster({"debug", "vectors", "epoch", (folder_ / "absent.json").string()}).code, 1);
}

}  // namespace
}  // namespace tests
