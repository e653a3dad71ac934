// A real `muster ledger --dev` on a free port with a block every 100 ms, and wallets of its keys:
// `alice` (owner of subnet 1, with its hotkey `default`), and others by name.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/chain/cli_runner.h"

namespace tests {

class MusterWithDevLedger : public MusterCli {
 protected:
  using json = nlohmann::json;
  static constexpr const char* kAlice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  static constexpr const char* kBob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

  void SetUp() override {
    MusterCli::SetUp();
    std::ofstream(folder_ / "nothing");
    ledger_ = start({"ledger", "--data", (folder_ / "ledger").string(), "--dev", "--port", "0",
                     "--block-ms", "100"},
                    "nothing", "ledger.out", "ledger.log");
    ASSERT_NE(ledger_, 0);
    ASSERT_TRUE(soon([&] { return has(text_of(folder_ / "ledger.log"), ", and ws"); }));
    const std::string log = text_of(folder_ / "ledger.log");
    const size_t at = log.find("127.0.0.1:");
    address_ = log.substr(at, log.find(',', at) - at);
    make_wallet("alice", "//Alice", "//Alice//hot");
  }
  void TearDown() override {
    if (ledger_ != 0) {
      EXPECT_EQ(end(ledger_, SIGTERM), 0) << text_of(folder_ / "ledger.log");
    }
    MusterCli::TearDown();
  }

  // False if it did not become true within ten seconds.
  static bool soon(const std::function<bool()>& is_true) {
    for (int i = 0; i < 500; ++i) {
      if (is_true()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  // The exit code, or -1.
  static int end(pid_t process, int signal) {
    kill(process, signal);
    int status = -1;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  void make_wallet(const std::string& name, const std::string& coldkey, const std::string& hotkey) {
    ASSERT_EQ(wallet("regen-coldkey", {"--wallet.name", name, "--no-password"}, coldkey).code, 0);
    ASSERT_EQ(wallet("regen-hotkey", {"--wallet.name", name}, hotkey).code, 0);
  }
  std::vector<std::string> chain_words(const std::string& verb, std::vector<std::string> words) {
    words.insert(words.begin(), {"chain", verb});
    words.insert(words.end(), {"--chain", "http://" + address_, "--netuid", "1"});
    return words;
  }
  Ran chain(const std::string& verb, const std::vector<std::string>& words = {}) {
    return muster(chain_words(verb, words));
  }
  // The answer as JSON; null if there is none.
  json chain_json(const std::string& verb, std::vector<std::string> words = {}) {
    words.emplace_back("--json");
    const Ran ran = chain(verb, words);
    EXPECT_EQ(ran.code, 0) << verb << ": " << ran.trouble;
    return json::parse(ran.out, nullptr, false);
  }
  // `muster chain call ..` by that wallet's key, with consent.
  Ran call(const std::string& by, std::vector<std::string> words, bool hotkey = false) {
    words.insert(words.end(), {"--yes", "--wallet.path", wallets().string(), "--wallet.name", by,
                               "--signer", hotkey ? "hotkey" : "coldkey"});
    return chain("call", words);
  }
  json called(const std::string& by, std::vector<std::string> words, bool hotkey = false) {
    words.emplace_back("--json");
    const Ran ran = call(by, words, hotkey);
    EXPECT_EQ(ran.code, 0) << ran.trouble;
    return json::parse(ran.out, nullptr, false);
  }
  // Later than the rate limit of weights since genesis.
  std::vector<std::string> weights_call() {
    EXPECT_TRUE(soon([&] { return chain_json("block")["number"].get<int>() > 6; }));
    return {"SubtensorModule.set_weights", "netuid=1", "dests=[0]", "weights=[65535]",
            "version_key=0"};
  }
  // Bob's key takes a uid.
  void register_bob() {
    make_wallet("bob", "//Bob", "//Bob//hot");
    const Ran ran = muster({"register", "--wallet.path", wallets().string(), "--wallet.name", "bob",
                            "--yes", "--chain", "http://" + address_, "--netuid", "1"});
    ASSERT_EQ(ran.code, 0) << ran.trouble;
  }

  pid_t ledger_ = 0;
  std::string address_;  // "127.0.0.1:9944"
};

// The names of an object's members, in their order.
inline std::string names_of(const nlohmann::json& object) {
  std::string out;
  for (const auto& [name, value] : object.items()) out += (out.empty() ? "" : " ") + name;
  return out;
}

}  // namespace tests
