// Goal: a call gets into a block, or the sentence says why not and what to do: refusals, forks,
// upgrades, lost nodes, forgetful pools. Method: a fake node that does each of these on demand, and
// a second transport that tells the pool's news as a WebSocket does.
#include "chain/substrate/submitter.h"

#include <gtest/gtest.h>

#include <deque>

#include "chain/substrate/submission.h"
#include "tests/chain/golden_metadata.h"
#include "tests/chain/subnet_world.h"

namespace chain::substrate {
namespace {

using common::Code;

class SubmitterTest : public testing::Test {
 protected:
  SubmitterTest() : rpc_(node_.transport(), clock_), chain_(rpc_), submitter_(chain_, clock_) {}

  Result<Outcome> transfer(const SubmitOptions& options = {}) {
    return submitter_.submit(
        key_, {"Balances", "transfer_keep_alive", {{"dest", to_}, {"value", 5}}}, options);
  }
  std::string sentence(const SubmitOptions& options = {}) {
    const auto done = transfer(options);
    return done ? "done" : done.error().message;
  }
  int asked(std::string_view method) const {
    return static_cast<int>(std::count(node_.methods.begin(), node_.methods.end(), method));
  }

  FakeNode node_;
  TestClock clock_;
  RpcClient rpc_;
  ChainReader chain_;
  Submitter submitter_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
  const std::string to_ = Keypair::from_uri("//Bob").value().account().ss58();
};

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

TEST_F(SubmitterTest, ReturnsOnceTheCallStandsInABlock) {
  const auto done = transfer({.tip_rao = 7});
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(node_.submitted.size(), 1u);
  EXPECT_EQ(done->extrinsic, extrinsic_hash(node_.submitted[0]));
  EXPECT_EQ(node_.blocks().at(done->at.block.number.index).hash, done->at.block.hash);
  const auto sent = decode_extrinsic(node_.submitted[0]);
  ASSERT_TRUE(sent && sent->signer);
  EXPECT_EQ(sent->signer->extra.era.period, 64u);
  EXPECT_EQ(sent->signer->extra.tip, 7u);
  const Hash& genesis = node_.blocks()[0].hash;
  const Hash& birth = node_.blocks()[sent->signer->extra.era.phase].hash;
  EXPECT_TRUE(signature_holds(*sent, {424, 1, genesis, birth}));
  EXPECT_EQ(call_of(golden_424(), node_.submitted[0]).arguments["value"], 5);
}

TEST_F(SubmitterTest, AFailureInTheBlockIsToldByNameWithAdvice) {
  node_.outcome = {node_.failed("SubtensorModule", "NotEnoughBalanceToStake")};
  EXPECT_TRUE(says(sentence(), "failed: SubtensorModule.NotEnoughBalanceToStake: the coldkey has"));
  node_.outcome = {node_.failed("SubtensorModule", "HotKeyNotRegisteredInSubNet")};
  EXPECT_TRUE(says(sentence(), "HotKeyNotRegisteredInSubNet: register the hotkey"));
  // Without advice of ours, the runtime's own words.
  node_.outcome = {node_.failed("Crowdloan", "DepositTooLow")};
  EXPECT_TRUE(
      says(sentence(), "Crowdloan.DepositTooLow: The crowdloan initial deposit is too low"));
}

TEST_F(SubmitterTest, AFailureWithinACallThatCarriesAnotherIsAFailure) {
  const Json error = node_.failed(
      "Balances", "InsufficientBalance")["System"]["ExtrinsicFailed"]["dispatch_error"];
  node_.outcome = {{{"Utility", {{"BatchInterrupted", {{"index", 0}, {"error", error}}}}}},
                   FakeNode::success()};
  EXPECT_TRUE(says(sentence(), "Balances.InsufficientBalance: the account has less free TAO"));
  node_.outcome = {{{"Sudo", {{"Sudid", {{"sudo_result", {{"Err", error}}}}}}}},
                   FakeNode::success()};
  EXPECT_TRUE(says(sentence(), "Balances.InsufficientBalance"));
}

TEST_F(SubmitterTest, ARefusalOfThePoolIsToldWithAdviceAndNotRepeated) {
  node_.refusals = {{1010, "Invalid Transaction", "Custom error: 10"}};
  EXPECT_TRUE(says(sentence(), "not registered in this subnet: register it first"));
  EXPECT_EQ(asked("author_submitExtrinsic"), 1);
  node_.refusals = {{1010, "Invalid Transaction", "Inability to pay some fees"}};
  EXPECT_TRUE(says(sentence(), "not enough free TAO"));
}

TEST_F(SubmitterTest, ANonceThatAnotherProgramTookIsFetchedAgain) {
  node_.refusals = {{1010, "Invalid Transaction", "Transaction is outdated"},
                    {1014, "Priority is too low", nullptr}};
  EXPECT_EQ(sentence(), "done");
  EXPECT_EQ(asked("author_submitExtrinsic"), 3);
  node_.refusals = std::vector<RpcRefusal>(
      3, RpcRefusal{1010, "Invalid Transaction", "Transaction has a bad signature"});
  EXPECT_TRUE(says(sentence(), "another runtime or chain than it says"));
}

TEST_F(SubmitterTest, AnExtrinsicThatNoBlockTookIsGivenUpWhenItsEraIsOver) {
  node_.forget_submissions = true;
  const auto lost = transfer();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kTimeout);
  EXPECT_TRUE(says(lost.error().message, "none will"));
  EXPECT_LT(node_.blocks().size(), 80u);
}

TEST_F(SubmitterTest, AChainThatStandsStillIsReported) {
  node_.asks_per_block = 1'000'000;
  const auto stuck = transfer();
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, Code::kTimeout);
  EXPECT_TRUE(says(stuck.error().message, "stands still"));
}

TEST_F(SubmitterTest, AStopEndsTheWait) {
  node_.asks_per_block = 1'000'000;
  clock_.stop = true;
  EXPECT_EQ(transfer().error().code, Code::kCancelled);
}

TEST_F(SubmitterTest, ANodeThatIsLostForAWhileIsWaitedFor) {
  node_.on_submit = [&](const Bytes&) { node_.unavailable = 6; };
  EXPECT_EQ(sentence(), "done");
}

TEST_F(SubmitterTest, WhatMayHaveArrivedIsLookedForAndHandedOverAgainAsItWas) {
  // The answer to the first submission is lost, and so is the extrinsic.
  bool first = true;
  node_.lie = [&](const std::string& method, const Json&) -> std::optional<Json> {
    if (method == "author_submitExtrinsic" && std::exchange(first, false)) node_.unavailable = 0;
    return std::nullopt;
  };
  node_.forget_submissions = true;
  node_.on_submit = [&](const Bytes&) { node_.forget_submissions = node_.submitted.size() < 2; };
  class Lossy final : public BodyTransport {
   public:
    explicit Lossy(FakeNode& node) : node_(node) {}
    Result<std::string> post(const std::string& body) override {
      auto answer = node_.answer(body);
      const bool submission = body.find("author_submitExtrinsic") != std::string::npos;
      if (submission && node_.submitted.size() == 1) {
        return common::Error{Code::kTimeout, "no answer in time"};
      }
      return answer;
    }

   private:
    FakeNode& node_;
  };
  RpcClient rpc(std::make_unique<Lossy>(node_), clock_);
  ChainReader chain(rpc);
  Submitter submitter(chain, clock_);
  const auto done = submitter.submit(key_, {"System", "remark", {{"remark", "hello"}}});
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(node_.submitted.size(), 2u);
  EXPECT_EQ(node_.submitted[0], node_.submitted[1]);
}

// -- forks ----------------------------------------------------------------------------------------

TEST_F(SubmitterTest, AForkThatRemovesItsBlockIsNoticedAndItIsSentAgain) {
  node_.finality_lag = 4;
  bool seen = false;
  bool forked = false;
  node_.lie = [&](const std::string& method, const Json&) -> std::optional<Json> {
    const auto& blocks = node_.blocks();
    const bool holds = std::any_of(blocks.begin(), blocks.end(),
                                   [](const auto& block) { return block.extrinsics.size() == 2; });
    seen |= holds && method == "state_getStorage";  // Its events were asked for:
    if (seen && !forked && method == "chain_getFinalizedHead") {
      forked = true;  // now its block, and what came after, is replaced.
      node_.fork(2, /*pool_keeps=*/false);
    }
    return std::nullopt;
  };
  const auto done = transfer({.finalized = true});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(forked);
  EXPECT_TRUE(done->finalized);
  ASSERT_EQ(node_.submitted.size(), 2u);
  EXPECT_EQ(node_.submitted[0], node_.submitted[1]);
  const auto& block = node_.blocks().at(done->at.block.number.index);
  EXPECT_EQ(block.hash, done->at.block.hash);
  EXPECT_EQ(block.extrinsics.size(), 2u);
}

TEST_F(SubmitterTest, OneThatTheNodeLostWithoutAWordIsHandedOverAgainAfterSomeBlocks) {
  node_.forget_submissions = true;
  node_.on_submit = [&](const Bytes&) { node_.forget_submissions = node_.submitted.size() < 2; };
  EXPECT_EQ(sentence(), "done");
  ASSERT_EQ(node_.submitted.size(), 2u);
  EXPECT_EQ(node_.submitted[0], node_.submitted[1]);
  EXPECT_LT(node_.blocks().size(), 20u);
}

TEST_F(SubmitterTest, AForkWhosePoolKeepsItIsFollowedToTheNewBlock) {
  node_.finality_lag = 5;
  int forks = 0;
  node_.lie = [&](const std::string& method, const Json&) -> std::optional<Json> {
    if (method == "chain_getFinalizedHead" && forks < 2 &&
        node_.blocks().back().extrinsics.size() == 2) {
      ++forks;
      node_.fork(1, /*pool_keeps=*/true);
    }
    return std::nullopt;
  };
  const auto done = transfer({.finalized = true});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(forks, 2);
  EXPECT_EQ(node_.blocks().at(done->at.block.number.index).hash, done->at.block.hash);
}

TEST_F(SubmitterTest, AChainThatMakesNothingFinalIsNotWaitedForForEver) {
  node_.finality_lag = 1'000'000;
  const auto done = transfer({.finalized = true});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(done->finalized);
}

// -- upgrades -------------------------------------------------------------------------------------

TEST_F(SubmitterTest, ARuntimeThatIsUpgradedOnTheWayHasItSignedAgain) {
  node_.forget_submissions = true;  // The old one's extrinsics are dropped.
  static const Bytes bytes = golden_metadata_bytes("424-v16");
  node_.on_submit = [&](const Bytes&) {
    if (node_.submitted.size() == 1) {
      node_.set_runtime(425, golden_424(), bytes);
    } else {
      node_.forget_submissions = false;
    }
  };
  const auto done = transfer();
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(node_.submitted.size(), 2u);
  const auto again = decode_extrinsic(node_.submitted[1]);
  const Hash& genesis = node_.blocks()[0].hash;
  const Hash& birth = node_.blocks()[again->signer->extra.era.phase].hash;
  EXPECT_TRUE(signature_holds(*again, {425, 1, genesis, birth}));
}

TEST_F(SubmitterTest, AnExtensionThatIsNotKnownIsNamedAndNothingIsSent) {
  static Metadata strange = golden_424();
  const SignedExtension nonce = strange.extrinsic.extensions[5];
  ASSERT_EQ(nonce.identifier, "CheckNonce");
  strange.extrinsic.extensions.push_back({"PayInBananas", nonce.extra, nonce.implicit});
  RpcClient rpc(node_.transport(), clock_);
  const auto made = make_extensions(strange, {}, {});
  ASSERT_FALSE(made);
  EXPECT_TRUE(says(made.error().message, "PayInBananas"));
  // One that carries nothing is no trouble.
  const SignedExtension empty = strange.extrinsic.extensions[0];
  strange.extrinsic.extensions.back() = {"CheckNothing", empty.extra, empty.implicit};
  EXPECT_TRUE(make_extensions(strange, {}, {}));
}

TEST_F(SubmitterTest, ACallTheChainDoesNotHaveIsNamedWithWhatLooksLikeIt) {
  const auto wrong = submitter_.submit(key_, {"Balances", "transfer", Json::object()});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kNotFound);
  EXPECT_TRUE(says(wrong.error().message, "transfer_keep_alive"));
  EXPECT_TRUE(node_.submitted.empty());
}

// -- the pool's news ------------------------------------------------------------------------------

// A node over a connection that subscribes: each submission's news are what the test says.
class WatchedTransport final : public Transport {
 public:
  WatchedTransport(FakeNode& node, std::deque<Result<Json>>& news)
      : inner_(node), node_(node), news_(news) {}
  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) override {
    return inner_.exchange(requests);
  }
  Result<Subscribed> subscribe(const RpcRequest& request, std::string_view) override {
    Json error;
    node_.result("author_submitExtrinsic", request.params, error);
    if (error.is_null()) return Subscribed(SubscriptionId{1});
    return Subscribed(RpcRefusal{error["code"], error["message"], error["data"]});
  }
  Result<Json> next(SubscriptionId, common::milliseconds) override {
    if (news_.empty()) return common::Error{Code::kTimeout, "nothing"};
    auto first = std::move(news_.front());
    news_.pop_front();
    return first;
  }
  bool subscribes() const override { return true; }

 private:
  FakeTransport inner_;
  FakeNode& node_;
  std::deque<Result<Json>>& news_;
};

class WatchTest : public testing::Test {
 protected:
  WatchTest()
      : rpc_(std::make_unique<WatchedTransport>(node_, news_), clock_),
        chain_(rpc_),
        submitter_(chain_, clock_) {}
  std::string sentence() {
    const auto done = submitter_.submit(key_, {"System", "remark", {{"remark", "0x01"}}});
    return done ? "done" : done.error().message;
  }

  FakeNode node_;
  std::deque<Result<Json>> news_;
  TestClock clock_;
  RpcClient rpc_;
  ChainReader chain_;
  Submitter submitter_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
};

TEST_F(WatchTest, TheUsualNewsEndInABlock) {
  node_.asks_per_block = 6;
  news_ = {Json("future"), Json("ready"), Json{{"broadcast", {"a peer"}}},
           Json{{"inBlock", hex0x(Hash{}.bytes)}}, Json{{"retracted", hex0x(Hash{}.bytes)}}};
  EXPECT_EQ(sentence(), "done");
}

TEST_F(WatchTest, OneThatIsReplacedByAnotherIsToldSo) {
  node_.forget_submissions = true;
  news_ = {Json("ready"), Json{{"usurped", hex0x(Hash{}.bytes)}}};
  EXPECT_TRUE(says(sentence(), "usurped): does another program use the same key?"));
}

TEST_F(WatchTest, OneThatIsDroppedIsHandedOverAgain) {
  node_.forget_submissions = true;
  node_.on_submit = [&](const Bytes&) { node_.forget_submissions = node_.submitted.size() < 2; };
  news_ = {Json("ready"), Json("dropped")};
  EXPECT_EQ(sentence(), "done");
  EXPECT_EQ(node_.submitted.size(), 2u);
}

TEST_F(WatchTest, OneThatBecameInvalidIsToldWhy) {
  node_.forget_submissions = true;
  node_.on_submit = [&](const Bytes&) {
    node_.refusals = {{1010, "Invalid Transaction", "Custom error: 2"}};
  };
  news_ = {Json("ready"), Json("invalid")};
  EXPECT_TRUE(says(sentence(), "the balance is too low"));
}

TEST_F(WatchTest, ALostSubscriptionIsMadeUpForByLooking) {
  node_.asks_per_block = 5;
  news_ = {common::Error{Code::kUnavailable, "the connection is gone"}};
  EXPECT_EQ(sentence(), "done");
}

TEST_F(WatchTest, ARefusalIsReadFromTheSubscriptionItself) {
  node_.refusals = {{1010, "Invalid Transaction", "Custom error: 1"}};
  EXPECT_TRUE(says(sentence(), "the stake is too low"));
}

// -- words ----------------------------------------------------------------------------------------

TEST(PoolRefusals, AreExplained) {
  const auto said = [](int64_t code, std::string message, Json data) {
    return read_pool_refusal({code, std::move(message), std::move(data)}, "call");
  };
  EXPECT_TRUE(says(said(1010, "Invalid Transaction", {{"invalid", {{"custom", 4}}}}).sentence,
                   "register it first"));
  EXPECT_EQ(said(1010, "Invalid Transaction", "Custom error: 6").kind, PoolNo::kRateLimit);
  EXPECT_EQ(said(1010, "Invalid Transaction", "Transaction is outdated").kind, PoolNo::kOutdated);
  EXPECT_EQ(said(1013, "Transaction Already Imported", nullptr).kind, PoolNo::kThere);
  EXPECT_EQ(said(1016, "Immediately Dropped", nullptr).kind, PoolNo::kNotNow);
  EXPECT_EQ(said(-32601, "Method not found", nullptr).sentence,
            "call was refused (-32601 Method not found)");
}

TEST(CustomCodes, AllOfTheTableHaveASentence) {
  for (int code = 0; code <= 27; ++code) {
    const std::string text = explain_custom_code(static_cast<uint8_t>(code));
    EXPECT_EQ(text.find("check number"), std::string::npos) << code;
    EXPECT_GT(text.size(), 12u) << code;
  }
  EXPECT_TRUE(says(explain_custom_code(255), "malformed"));
  EXPECT_TRUE(says(explain_custom_code(99), "check number 99"));
}

TEST(Advice, SpeaksOfErrorsThatTheRuntimeHas) {
  // Names that the advice knows and no pallet has would be dead letters.
  for (const char* name : {"HotKeyNotRegisteredInSubNet",
                           "NonAssociatedColdKey",
                           "NotEnoughStakeToSetWeights",
                           "NotEnoughBalanceToStake",
                           "NeuronNoValidatorPermit",
                           "WeightVecNotEqualSize",
                           "DuplicateUids",
                           "UidVecContainInvalidOne",
                           "WeightVecLengthIsLow",
                           "HotKeyAlreadyRegisteredInSubNet",
                           "MaxWeightExceeded",
                           "SettingWeightsTooFast",
                           "IncorrectWeightVersionKey",
                           "ServingRateLimitExceeded",
                           "UidsLengthExceedUidsInSubNet",
                           "SubNetRegistrationDisabled",
                           "NoNeuronIdAvailable",
                           "NoWeightsCommitFound",
                           "InvalidRevealCommitHashNotMatch",
                           "CommitRevealEnabled",
                           "CommitRevealDisabled",
                           "SubnetNotExists",
                           "TooManyUnrevealedCommits",
                           "ExpiredWeightCommit",
                           "RevealTooEarly",
                           "CommittingWeightsTooFast",
                           "AmountTooLow",
                           "SubtokenDisabled",
                           "IncorrectCommitRevealVersion",
                           "InvalidRevealRound"}) {
    EXPECT_NE(golden_424().variant(golden_424().pallet("SubtensorModule")->errors, name), nullptr)
        << name;
    EXPECT_FALSE(advice_for(name).empty()) << name;
  }
}

}  // namespace
}  // namespace chain::substrate
