// Goal: what `muster` asks a ledger and what it pays for, it asks and pays for.
// Method: starts a real `muster ledger` on a free port with a chain of its own, and runs the real
// verbs against it: a newcomer's way from a new hotkey to a staked neuron.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "chain/cli/output.h"
#include "tests/chain/cli_runner.h"

namespace tests {
namespace {

using nlohmann::json;

constexpr const char* kAlice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
constexpr const char* kBob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
constexpr const char* kCharlie = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y";
constexpr uint64_t kStart_rao = 1'000'000'000'000;

// Alice owns the subnet with Bob's key as hotkey, and all TAO there is.
class MusterWithLedger : public MusterCli {
 protected:
  void SetUp() override {
    MusterCli::SetUp();
    const json genesis = {{"netuid", 2},
                          {"owner_coldkey", kAlice},
                          {"owner_hotkey", kBob},
                          {"rules", {{"tempo", 360}}},
                          {"accounts", {{kAlice, kStart_rao}}}};
    std::ofstream(folder_ / "genesis.json") << genesis;
    std::ofstream(folder_ / "nothing");
    ledger_ = start({"ledger", "--data", (folder_ / "ledger").string(), "--genesis",
                     (folder_ / "genesis.json").string(), "--port", "0", "--block-ms", "100"},
                    "nothing", "ledger.out", "ledger.log");
    ASSERT_NE(ledger_, 0);
    endpoint_ = wait_for_endpoint();
    ASSERT_FALSE(endpoint_.empty()) << text_of(folder_ / "ledger.log");
    ASSERT_EQ(wallet("regenerate", {"--no-password"}, "//Alice").code, 0);
    ASSERT_EQ(wallet("new", {"--only", "hotkey"}).code, 0);
  }
  void TearDown() override {
    if (ledger_ != 0) {
      kill(ledger_, SIGTERM);
      int status = -1;
      waitpid(ledger_, &status, 0);
      EXPECT_EQ(status, 0) << text_of(folder_ / "ledger.log");
    }
    MusterCli::TearDown();
  }

  // The log names the port that was free.
  std::string wait_for_endpoint() {
    const std::string before = "http://127.0.0.1:";
    for (int i = 0; i < 200; ++i) {
      const std::string log = text_of(folder_ / "ledger.log");
      const size_t at = log.find(before);
      if (at != std::string::npos && log.find('\n', at) != std::string::npos) {
        return log.substr(at, log.find(',', at) - at);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return "";
  }

  Ran ask(std::vector<std::string> words) {
    words.insert(words.end(), {"--chain", endpoint_, "--netuid", "2"});
    return muster(words);
  }
  // The answer as JSON; null if there is none.
  json asked(std::vector<std::string> words) {
    words.emplace_back("--json");
    const Ran ran = ask(words);
    EXPECT_EQ(ran.code, 0) << ran.trouble;
    return json::parse(ran.out, nullptr, false);
  }
  Ran pay(std::vector<std::string> words) {
    words.insert(words.end(), {"--wallet.path", wallets().string(), "--yes"});
    return ask(words);
  }
  uint64_t balance(const std::string& address) {
    return asked({"chain", "balance", address})["balances"][0]["free_rao"];
  }

  pid_t ledger_ = 0;
  std::string endpoint_;
};

TEST_F(MusterWithLedger, ANewcomerRegistersAndStakes) {
  const uint64_t burn_rao = asked({"chain", "hyperparameters"})["burn_rao"];
  const Ran registered = pay({"register", "--json"});
  ASSERT_EQ(registered.code, 0) << registered.trouble;
  const json neuron = json::parse(registered.out);
  EXPECT_EQ(neuron["uid"], 1);
  const uint64_t after_rao = balance(kAlice);
  EXPECT_LE(after_rao, kStart_rao - burn_rao / 2) << "the burn decays from block to block";

  const Ran again = pay({"register"});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.trouble, "already is uid 1")) << again.trouble;

  const Ran staked = pay({"stake", "--amount", "100.5"});
  ASSERT_EQ(staked.code, 0) << staked.trouble;
  EXPECT_EQ(asked({"chain", "neuron", "1"})["stake_rao"], 100'500'000'000U);
  EXPECT_LE(balance(kAlice), after_rao - 100'500'000'000U);
  const std::string hotkey = neuron["hotkey"];
  EXPECT_EQ(asked({"chain", "neuron", hotkey})["uid"], 1);

  const json metagraph = asked({"chain", "metagraph"});
  ASSERT_EQ(metagraph["neurons"].size(), 2U);
  EXPECT_EQ(metagraph["netuid"], 2);
  EXPECT_EQ(metagraph["neurons"][0]["hotkey"], kBob);
  EXPECT_EQ(metagraph["neurons"][1]["coldkey"], kAlice);
  const Ran table = ask({"chain", "metagraph"});
  EXPECT_TRUE(has(table.out, "100.5")) << table.out;
  EXPECT_EQ(asked({"chain", "weights"})["rows"], json::array());
}

TEST_F(MusterWithLedger, ATransferArrivesToTheRao) {
  const Ran sent = pay({"transfer", "--dest", kCharlie, "--amount", "2.000000001"});
  ASSERT_EQ(sent.code, 0) << sent.trouble;
  EXPECT_EQ(balance(kCharlie), 2'000'000'001U);
  const Ran too_much = pay({"transfer", "--dest", kCharlie, "--amount", "20000"});
  EXPECT_EQ(too_much.code, 1);
  EXPECT_TRUE(has(too_much.trouble, "holds")) << too_much.trouble;
  EXPECT_EQ(balance(kCharlie), 2'000'000'001U);
}

TEST_F(MusterWithLedger, NothingIsPaidWithoutConsent) {
  for (const std::string verb : {"register", "transfer"}) {
    std::vector<std::string> words = {verb, "--wallet.path", wallets().string()};
    if (verb == "transfer") words.insert(words.end(), {"--dest", kCharlie, "--amount", "2"});
    const Ran ran = ask(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_TRUE(has(ran.trouble, "--yes")) << ran.trouble;
  }
  EXPECT_EQ(balance(kAlice), kStart_rao);
}

TEST_F(MusterWithLedger, WhatIsNotThereIsSaidSo) {
  const Ran neuron = ask({"chain", "neuron", "9"});
  EXPECT_EQ(neuron.code, 1);
  EXPECT_TRUE(has(neuron.trouble, "there is no uid 9 on subnet 2")) << neuron.trouble;
  EXPECT_TRUE(neuron.out.empty());
  EXPECT_EQ(ask({"chain", "neuron", kCharlie}).code, 1);
  EXPECT_EQ(ask({"chain", "neuron", "nonsense"}).code, 2);
  EXPECT_EQ(ask({"chain", "weights", "--uid", "9"}).code, 1);
  EXPECT_EQ(ask({"chain", "block", "99999999"}).code, 1);
  EXPECT_EQ(muster({"chain", "metagraph", "--chain", endpoint_, "--netuid", "7"}).code, 1);
}

TEST_F(MusterWithLedger, BlocksHaveNumbersHashesAndTimes) {
  const json head = asked({"chain", "block"});
  EXPECT_EQ(head["hash"].get<std::string>().size(), 66U);
  const json zero = asked({"chain", "block", "0"});
  EXPECT_EQ(zero["number"], 0);
  EXPECT_NE(zero["hash"], head["hash"]);
}

// -- What is printed ------------------------------------------------------------------------------

TEST(Amounts, GoToRaoAndBackExactly) {
  using chain::cli::parse_tao;
  using chain::cli::tao;
  for (const uint64_t rao : {uint64_t{0}, uint64_t{1}, uint64_t{1'500'000'000},
                             uint64_t{21'000'000'000'000'000}, ~uint64_t{0}}) {
    EXPECT_EQ(parse_tao(tao(rao)), rao) << tao(rao);
  }
  EXPECT_EQ(tao(1'500'000'000), "1.5");
  EXPECT_EQ(tao(1), "0.000000001");
  EXPECT_EQ(tao(0), "0.0");
  for (const std::string wrong : {"", ".", "1.", ".5", "+1", "-1", "1e3", " 1", "1 ",
                                  "1.0000000000", "18446744073.709551616", "1.2.3", "0x1"}) {
    EXPECT_FALSE(parse_tao(wrong)) << wrong;
  }
}

TEST(Tables, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(chain::cli::render({{"NAME", ">COUNT"}, {{"a", "1"}, {"longer", "1000000"}}}),
            "NAME      COUNT\n"
            "a             1\n"
            "longer  1000000\n");
}

}  // namespace
}  // namespace tests
