// Goal: weights reach the chain by whichever way the subnet takes them, or somebody is told.
// Method: a fake node whose storage the test changes as the runtime would, for each way; salts on a
// real disk; commits opened as the chain would open them.
#include <gtest/gtest.h>

#include "chain/substrate/weight_setter.h"
#include "chain/timelock/timelock.h"
#include "tests/chain/golden_metadata.h"
#include "tests/chain/subnet_world.h"
#include "tests/temp_folder.h"

namespace chain::substrate {
namespace {

using common::Code;

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

// What the log, which nobody has turned elsewhere here, says while something is done.
template <typename Act>
std::string logged(Act act) {
  testing::internal::CaptureStdout();
  act();
  return testing::internal::GetCapturedStdout();
}

class WeightsTest : public testing::Test {
 protected:
  WeightsTest() : rpc_(node_.transport(), clock_), chain_(rpc_), submitter_(chain_, clock_) {
    make_subnet(node_, 4);
    const Json hotkey = key_of(key_.account());
    node_.put("SubtensorModule", "Uids", Json::array({kNetuid, hotkey}), 2);
    put("Tempo", 100);
    put("LastUpdate", {0, 0, 0, 0});
    for (int i = 0; i < 20; ++i) node_.seal();
    node_.on_submit = [this](const Bytes& bytes) { obey(bytes); };
  }
  void put(std::string_view item, const Json& value) {
    node_.put("SubtensorModule", item, Json::array({kNetuid}), value);
  }
  void put_way(bool commit_reveal, int version) {
    put("CommitRevealWeightsEnabled", commit_reveal);
    node_.put("SubtensorModule", "CommitRevealWeightsVersion", Json::array(), version);
  }
  uint64_t height() { return node_.blocks().size() - 1; }

  // What the runtime would do with a call, of what is looked at here.
  void obey(const Bytes& bytes) {
    if (deaf_) return;
    const ReadExtrinsic sent = call_of(golden_424(), bytes);
    calls_.push_back(sent.call);
    arguments_.push_back(sent.arguments);
    const Json hotkey = key_of(key_.account());
    const uint64_t block = height() + 1;
    if (sent.call == "set_weights") {
      Json row = Json::array();
      for (size_t i = 0; i < sent.arguments["dests"].size(); ++i) {
        row.push_back({sent.arguments["dests"][i], sent.arguments["weights"][i]});
      }
      node_.put("SubtensorModule", "Weights", Json::array({kNetuid, 2}), row);
    } else if (sent.call == "commit_weights") {
      commits_.push_back({sent.arguments["commit_hash"], epoch_, block, 0});
      node_.put("SubtensorModule", "WeightCommits", Json::array({kNetuid, hotkey}), commits_);
    } else if (sent.call == "commit_timelocked_weights") {
      node_.put("SubtensorModule", "TimelockedWeightCommits", Json::array({kNetuid, epoch_}),
                {{hotkey, block, sent.arguments["commit"], sent.arguments["reveal_round"]}});
    }
    if (sent.call != "reveal_weights") put("LastUpdate", {0, 0, block, 0});
  }
  WeightSetter setter() { return {chain_, submitter_, clock_, kNetuid, folder_.path()}; }
  Result<void> set(uint64_t version_key = 0) { return setter().set(key_, weights_, version_key); }

  FakeNode node_;
  TestClock clock_;
  RpcClient rpc_;
  ChainReader chain_;
  Submitter submitter_;
  tests::TempFolder folder_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
  const std::vector<Weight> weights_ = {{{0}, 65'535}, {{1}, 300}};
  std::vector<std::string> calls_;
  std::vector<Json> arguments_;
  Json commits_ = Json::array();
  uint64_t epoch_ = 0;
  bool deaf_ = false;
};

TEST_F(WeightsTest, AreSetPlainlyWhereTheSubnetTakesThemSo) {
  put_way(false, 4);
  const auto done = set(9);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(calls_, std::vector<std::string>{"set_weights"});
  EXPECT_EQ(arguments_[0], Json({{"netuid", kNetuid},
                                 {"dests", {0, 1}},
                                 {"weights", {65'535, 300}},
                                 {"version_key", 9}}));
}

TEST_F(WeightsTest, TheRateLimitIsAskedFirstAndSaidInBlocks) {
  put_way(false, 4);
  put("WeightsSetRateLimit", 30);
  put("LastUpdate", {0, 0, height() - 3, 0});
  node_.asks_per_block = 1'000'000;
  Result<void> early;
  const std::string log = logged([&] { early = set(); });
  EXPECT_FALSE(says(log, "W49"));  // It is no alarm.
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kRefused);
  EXPECT_TRUE(says(early.error().message, "every 30 blocks: wait 26 blocks"));
  EXPECT_TRUE(node_.submitted.empty());
}

TEST_F(WeightsTest, ARateLimitThatOnlyTheChainSawIsSaidInBlocksToo) {
  put_way(false, 4);
  deaf_ = true;
  node_.outcome = {node_.failed("SubtensorModule", "SettingWeightsTooFast")};
  const auto early = set();
  ASSERT_FALSE(early);
  EXPECT_TRUE(says(early.error().message, "SubtensorModule.SettingWeightsTooFast"));
  EXPECT_TRUE(says(early.error().message, ": wait "));
  node_.outcome = {FakeNode::success()};
  node_.refusals = {{1010, "Invalid Transaction", "Custom error: 6"}};
  EXPECT_TRUE(says(set().error().message, ": wait "));
}

TEST_F(WeightsTest, ThatDoNotStandAfterAllAreSetAgainAndThenAlarmed) {
  put_way(false, 4);
  deaf_ = true;  // Every call succeeds and changes nothing.
  Result<void> lost;
  const std::string log = logged([&] { lost = set(); });
  EXPECT_TRUE(says(log, "[error] WEIGHTS ARE NOT ON THE CHAIN (W49), subnet 3"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kConflict);
  EXPECT_TRUE(says(lost.error().message, "the chain holds other weights"));
  EXPECT_EQ(node_.submitted.size(), 4u);
}

TEST_F(WeightsTest, WhatNoBlockTookIsTriedAgainWithinTheTempo) {
  put_way(false, 4);
  node_.forget_submissions = true;
  deaf_ = true;
  node_.on_submit = [&](const Bytes& bytes) {
    if (node_.submitted.size() < 2) return;
    node_.forget_submissions = deaf_ = false;
    obey(bytes);
  };
  const auto done = set();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GE(node_.submitted.size(), 2u);
}

TEST_F(WeightsTest, AHotkeyThatLostItsSlotIsTold) {
  node_.erase("SubtensorModule", "Uids", Json::array({kNetuid, key_of(key_.account())}));
  const auto gone = set();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
  EXPECT_TRUE(says(gone.error().message, "is not registered on subnet 3 (or was, until"));
}

TEST_F(WeightsTest, ACommitVersionOfTheFutureIsRefused) {
  put_way(true, 5);
  EXPECT_TRUE(says(set().error().message, "version 5, this program knows up to 4"));
}

// -- commit and reveal ----------------------------------------------------------------------------

TEST_F(WeightsTest, AreCommittedByHashAndRevealedInTheirEpochByAnotherProcess) {
  put_way(true, 2);
  const auto done = set(9);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(calls_, std::vector<std::string>{"commit_weights"});
  ASSERT_TRUE(setter().reveal_due(key_));  // Not yet.
  EXPECT_EQ(calls_.size(), 1u);
  put("SubnetEpochIndex", 1);
  ASSERT_TRUE(setter().reveal_due(key_));  // A setter that knows only the disk.
  ASSERT_EQ(calls_.size(), 2u);
  EXPECT_EQ(calls_[1], "reveal_weights");
  const Json& told = arguments_[1];
  EXPECT_EQ(told["uids"], Json({0, 1}));
  EXPECT_EQ(told["values"], Json({65'535, 300}));
  EXPECT_EQ(told["version_key"], 9);
  // The reveal is what was committed.
  WeightCommit commit{{}, told["uids"], told["values"], told["salt"], 9, 0};
  EXPECT_EQ(hex0x(commit_hash(key_.account(), kNetuid, commit).bytes),
            arguments_[0]["commit_hash"].get<std::string>());
  ASSERT_TRUE(setter().reveal_due(key_));  // Once is enough.
  EXPECT_EQ(calls_.size(), 2u);
}

TEST_F(WeightsTest, ThatWereNotRevealedInTimeAreForgottenAloud) {
  put_way(true, 2);
  ASSERT_TRUE(set());
  put("SubnetEpochIndex", 2);
  const std::string log = logged([&] { ASSERT_TRUE(setter().reveal_due(key_)); });
  EXPECT_TRUE(says(log, "WEIGHTS ARE LOST (W49), subnet 3"));
  EXPECT_EQ(calls_.size(), 1u);
  const int before = node_.exchanges;
  ASSERT_TRUE(setter().reveal_due(key_));
  EXPECT_EQ(node_.exchanges, before);  // Nothing to do: nothing asked.
}

TEST_F(WeightsTest, AFailedRevealIsTriedAgainNextTime) {
  put_way(true, 2);
  ASSERT_TRUE(set());
  put("SubnetEpochIndex", 1);
  node_.outcome = {node_.failed("SubtensorModule", "RevealTooEarly")};
  EXPECT_TRUE(says(setter().reveal_due(key_).error().message, "RevealTooEarly"));
  node_.outcome = {FakeNode::success()};
  EXPECT_TRUE(setter().reveal_due(key_));
}

TEST_F(WeightsTest, TheSaltIsOnDiskBeforeTheChainHearsOfIt) {
  put_way(true, 2);
  bool there = false;
  node_.on_submit = [&](const Bytes& bytes) {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      there |= file.path().filename().string().starts_with("weight-commits-");
      const auto mode = std::filesystem::status(file.path()).permissions();
      EXPECT_EQ(mode & std::filesystem::perms::others_read, std::filesystem::perms::none);
    }
    obey(bytes);
  };
  ASSERT_TRUE(set());
  EXPECT_TRUE(there);
}

TEST_F(WeightsTest, ADamagedFileOfSaltsIsNamed) {
  const WeightCommitFile file(folder_.path(), {}, kNetuid, key_.account());
  WeightCommit commit{{}, {1}, {2}, {3}, 4, 5};
  commit.hash = commit_hash(key_.account(), kNetuid, commit);
  ASSERT_TRUE(file.write({commit}));
  EXPECT_EQ(file.read().value(), std::vector<WeightCommit>{commit});
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    for (const char* text : {"", "{", "[]", R"({"format":2,"commits":[]})",
                             R"({"format":1,"commits":[{"hash":"00"}]})",
                             R"({"format":1,"commits":[{"hash":7,"uids":[70000]}]})"}) {
      ASSERT_TRUE(common::write_file(entry.path(), common::view_of(text)));
      const auto read = file.read();
      ASSERT_FALSE(read) << text;
      EXPECT_EQ(read.error().code, Code::kCorrupt);
      EXPECT_TRUE(says(read.error().message, "is damaged"));
    }
  }
}

// The worked example of the runtime's own format (chain.md 5.4 is checked against the runtime).
TEST(CommitHash, IsTheHashOfTheScaleOfItsParts) {
  const WeightCommit commit{{}, {1, 2}, {3, 4}, {5}, 6, 0};
  Encoder bytes;
  bytes.account({{7}}).number(uint16_t{3});
  bytes.raw(*common::from_hex("0801000200")).raw(*common::from_hex("0803000400"));
  bytes.raw(*common::from_hex("040500")).number(uint64_t{6});
  EXPECT_EQ(commit_hash({{7}}, 3, commit), common::blake2b_256(bytes.done()));
}

// -- timelocked -----------------------------------------------------------------------------------

TEST_F(WeightsTest, AreTimelockedForTheChainsBeaconAndOpenWithItsSignature) {
  put_way(true, 4);
  const Bytes seed(32, 5);
  const auto secret = timelock::BeaconSecret::from_seed(seed);
  node_.put("Drand", "BeaconConfig", Json::array(),
            {{"public_key", hex0x(secret.key().bytes())},
             {"period", 3},
             {"genesis_time", 0},
             {"hash", "0x"},
             {"group_hash", "0x"},
             {"scheme_id", "0x"},
             {"metadata", {{"beacon_id", "0x"}}}});
  const uint64_t before = height();
  const auto done = set(9);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(calls_, std::vector<std::string>{"commit_timelocked_weights"});
  EXPECT_EQ(arguments_[0]["commit_reveal_version"], 4);
  const uint64_t round = arguments_[0]["reveal_round"];
  // The epoch begins some hundred blocks on; three blocks later, in seconds, by threes.
  EXPECT_GE(round, (before + 100) * 12 / 3);
  EXPECT_LE(round, (before + 120) * 12 / 3);
  const Bytes commit = *common::from_hex(arguments_[0]["commit"].get<std::string>());
  const auto opened = timelock::decrypt(commit, secret.sign(round));
  ASSERT_TRUE(opened);
  const auto payload = timelock::WeightsPayload::decode(*opened, key_.account());
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->hotkey, key_.account());
  EXPECT_EQ(payload->uids, (std::vector<uint16_t>{0, 1}));
  EXPECT_EQ(payload->values, (std::vector<uint16_t>{65'535, 300}));
  EXPECT_EQ(payload->version_key, 9u);
}

}  // namespace
}  // namespace chain::substrate
