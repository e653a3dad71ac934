// Goal: the rest of `muster wallet`: one key at a time, phrases out of files, signatures that other
// programs accept, and a word about coldkeys that lie open. Method: the real program in a temporary
// folder.
#include <nlohmann/json.hpp>

#include "common/keys.h"
#include "tests/chain/cli_runner.h"

namespace tests {
namespace {

using nlohmann::json;

constexpr const char* kPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
constexpr const char* kPhraseAddress = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
constexpr const char* kWarning = "never needed by a running miner or validator";

TEST_F(MusterCli, OneKeyIsMadeAtATime) {
  EXPECT_EQ(wallet("new-coldkey", {"--name", "a", "--no-password"}).code, 0);
  EXPECT_FALSE(fs::exists(wallets() / "a" / "hotkeys"));
  EXPECT_EQ(wallet("new-hotkey", {"--name", "a", "--hotkey", "one"}).code, 0);
  EXPECT_EQ(wallet("new_hotkey", {"--name", "a", "--hotkey", "two"}).code, 0);
  EXPECT_TRUE(fs::exists(wallets() / "a" / "hotkeys" / "one"));
  EXPECT_TRUE(fs::exists(wallets() / "a" / "hotkeys" / "two"));
  EXPECT_EQ(wallet("create", {"--name", "b", "--no-password"}).code, 0);
  EXPECT_TRUE(fs::exists(wallets() / "b" / "coldkey"));
}

TEST_F(MusterCli, APhraseIsReadFromAFileAndNeverFromTheCommandLine) {
  std::ofstream(folder_ / "phrase") << kPhrase << "\n";
  const Ran made = wallet("regen-coldkey", {"--name", "a", "--no-password", "--json",
                                            "--phrase-file", (folder_ / "phrase").string()});
  ASSERT_EQ(made.code, 0) << made.trouble;
  EXPECT_EQ(json::parse(made.out)["coldkey"]["ss58"], kPhraseAddress);
  EXPECT_FALSE(has(made.out + made.trouble, "bottom drive"));
  EXPECT_EQ(wallet("regen-hotkey", {"--name", "a"}, kPhrase).code, 0);
  EXPECT_EQ(wallet("regen-hotkey", {"--name", "b", "--phrase", kPhrase}).code, 2);
  EXPECT_EQ(wallet("regen-hotkey", {"--name", "b", "--mnemonic", kPhrase}).code, 2);
  std::ofstream(folder_ / "empty") << "\n";
  const Ran empty =
      wallet("regen-hotkey", {"--name", "b", "--phrase-file", (folder_ / "empty").string()});
  EXPECT_EQ(empty.code, 2);
  EXPECT_TRUE(has(empty.trouble, "first line")) << empty.trouble;
}

TEST_F(MusterCli, AColdkeyThatLiesOpenIsSpokenOf) {
  EXPECT_TRUE(has(wallet("new", {"--name", "a", "--no-password"}).trouble, kWarning));
  EXPECT_TRUE(has(wallet("list", {}).trouble, (wallets() / "a" / "coldkey").string()));
  const Ran shown = wallet("show", {"--name", "a", "--json"});
  EXPECT_TRUE(has(shown.trouble, kWarning)) << shown.trouble;
  EXPECT_TRUE(json::accept(shown.out)) << "the warning is not among the JSON";
  std::ofstream(folder_ / "password") << "correct horse\n";
  const std::vector<std::string> locked = {"--name", "b", "--password-file",
                                           (folder_ / "password").string()};
  EXPECT_FALSE(has(wallet("new", locked).trouble, kWarning));
  EXPECT_FALSE(has(wallet("show", {"--name", "b"}).trouble, kWarning));
}

TEST_F(MusterCli, ASignatureIsCheckedByAnybody) {
  ASSERT_EQ(wallet("regen-hotkey", {"--name", "a"}, "//Alice").code, 0);
  const std::vector<std::string> message = {"--message", "I am alice", "--use-hotkey"};
  std::vector<std::string> words = message;
  words.insert(words.end(), {"--name", "a", "--json"});
  const Ran made = wallet("sign", words);
  ASSERT_EQ(made.code, 0) << made.trouble;
  const json out = json::parse(made.out);
  const std::string address = out["address"];
  const std::string signature = out["signature"];
  EXPECT_EQ(address, common::Keypair::from_uri("//Alice")->account().ss58());
  const auto check = [&](const std::string& text, const std::string& by) {
    return muster(
        {"wallet", "verify", "--message", text, "--address", by, "--signature", signature});
  };
  EXPECT_EQ(check("I am alice", address).code, 0);
  EXPECT_EQ(check("I am bob", address).code, 1);
  EXPECT_EQ(check("I am alice", kPhraseAddress).code, 1);
  EXPECT_EQ(check("I am alice", "nobody").code, 2);
  EXPECT_EQ(
      muster({"wallet", "verify", "--message", "x", "--address", address, "--signature", "0x00"})
          .code,
      2);
  std::ofstream(folder_ / "message") << "I am alice";
  EXPECT_EQ(muster({"wallet", "verify", "--message-file", (folder_ / "message").string(),
                    "--address", address, "--signature", signature})
                .code,
            0);
  EXPECT_EQ(wallet("sign", {"--name", "a", "--use-hotkey"}).code, 2) << "no message";
}

TEST_F(MusterCli, AWalletThatIsNotThereCannotSign) {
  const Ran ran = wallet("sign", {"--name", "nobody", "--message", "x"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(has(ran.trouble, "nobody")) << ran.trouble;
}

}  // namespace
}  // namespace tests
