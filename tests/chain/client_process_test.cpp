// Goal: what a miner and a validator have of their chain over a WebSocket: every door, and the same
// objects through everything that happens to a node: killed and started again, frozen, replaced by
// another, or by another chain; and what they are told when their slot is lost. Method: the real
// ledger process, the real client, kill -9, SIGSTOP.
#include <atomic>
#include <mutex>
#include <thread>

#include "chain/explorer.h"
#include "chain/substrate/failover.h"
#include "tests/chain/ledger_process.h"

namespace chain {
namespace {

constexpr uint64_t kTao = kRaoPerTao;

// Stops whoever waits with it when the test says so.
class StoppableClock final : public common::Clock {
 public:
  Instant now() override { return common::system_clock().now(); }
  bool sleep(milliseconds span) override {
    return !stop && common::system_clock().sleep(span) && !stop;
  }
  bool stop_requested() override { return stop; }

  std::atomic<bool> stop = false;
};

class ClientProcess : public LedgerProcess {
 protected:
  void SetUp() override {
    LedgerProcess::SetUp();
    put_genesis(genesis(R"({"tempo": 10, "weights_rate_limit": 5, "max_allowed_uids": 3,
        "immunity_period": 1, "min_non_immune_uids": 1, "serving_rate_limit": 1})"));
  }
  std::string url(uint16_t port) const { return "ws://127.0.0.1:" + std::to_string(port); }
  Result<std::unique_ptr<Ledger>> open(const std::string& endpoints) {
    LedgerAccess access;
    access.state_folder = folder_ / "state";
    return open_ledger(endpoints, kNetuid, clock_, access);
  }
  // As open_ledger makes it, but less patient.
  std::unique_ptr<Ledger> open_hasty(std::vector<std::string> urls) {
    substrate::RpcOptions options;
    options.timeout = milliseconds(400);
    options.connect_timeout = milliseconds(400);
    options.backoff_max = milliseconds(200);
    auto transport =
        std::make_unique<substrate::Failover>(std::move(urls), std::nullopt, clock_, options);
    auto ledger = substrate::SubstrateLedger::make(std::move(transport), kNetuid, clock_, options,
                                                   folder_ / "state");
    EXPECT_TRUE(ledger) << ledger.error().message;
    return std::move(ledger).value();
  }
  // Until `holds`, or ten seconds are over.
  template <typename Holds>
  bool until(Holds holds) {
    for (int i = 0; i < 500; ++i) {
      if (holds()) return true;
      common::system_clock().sleep(milliseconds(20));
    }
    return false;
  }
  std::string restart_log() { return "the ledger said: " + log(); }

  StoppableClock clock_;
  Keypair alice_ = key("alice");
  Keypair hot_ = key("alice//hot");
};

TEST_F(ClientProcess, EveryDoorIsOpenOverAWebSocket) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto opened = open(url(port_));
  ASSERT_TRUE(opened) << opened.error().message;
  Ledger& ledger = **opened;
  const auto uid = ledger.register_neuron(alice_, hot_.account());
  ASSERT_TRUE(uid) << uid.error().message;
  EXPECT_EQ(uid->index, 1);
  ASSERT_TRUE(ledger.add_stake(alice_, hot_.account(), 20 * kTao));
  ASSERT_TRUE(ledger.transfer(alice_, key("carol").account(), kTao));
  EXPECT_EQ(ledger.balance(key("carol").account()).value(), kTao);
  EXPECT_EQ(ledger.balance(key("nobody").account()).value(), 0u);
  ASSERT_TRUE(ledger.serve_axon(hot_, {0x01020304, 8091}));
  const Bytes field = {1, 2, 3};
  ASSERT_TRUE(ledger.commit(hot_, std::span(&field, 1)));
  const auto committed = ledger.commitments(std::nullopt).value();
  ASSERT_EQ(committed.size(), 1u);
  EXPECT_EQ(committed[0].hotkey, hot_.account());
  EXPECT_EQ(ledger.commitments(BlockNumber{1}).value().size(), 0u);
  EXPECT_EQ(ledger.metagraph(BlockNumber{1}).value().neurons.size(), 1u);
  EXPECT_EQ(ledger.hyperparameters().value().tempo, 10);
  const auto permitted = [&] { return ledger.metagraph({}).value().neurons[1].validator_permit; };
  ASSERT_TRUE(until(permitted));
  const std::vector<Weight> weights = {{{0}, 1}, {{1}, 4}};
  const auto set = ledger.set_weights(hot_, weights, 0);
  ASSERT_TRUE(set) << set.error().message;
  const auto rows = ledger.weights().value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].weights, (std::vector<Weight>{{{0}, 16'384}, {{1}, 65'535}}));
  EXPECT_TRUE(ledger.tend(hot_));
  const Block head = ledger.head().value();
  EXPECT_EQ(ledger.block(head.number).value().hash, head.hash);
  EXPECT_EQ(ledger.block({head.number.index + 1'000'000}).error().code, Code::kNotFound);
}

TEST_F(ClientProcess, EveryDoorOfTheExplorerIsOpenToo) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto opened = open_explorer(url(port_), clock_);
  ASSERT_TRUE(opened) << opened.error().message;
  Explorer& explorer = *opened;
  const Forms forms = explorer.forms().value();
  EXPECT_GT(forms.calls.size(), 80u);
  EXPECT_GT(forms.apis.size(), 30u);
  EXPECT_EQ(explorer.constant("Balances", "ExistentialDeposit").value(), 500);
  const Json alice = alice_.account().ss58();
  const Json value =
      explorer.storage("System", "Account", Json::array({alice}), std::nullopt).value();
  EXPECT_EQ(value["data"]["free"], 1'000 * kTao);
  const auto keys =
      explorer.entries("SubtensorModule", "Keys", Json::array({kNetuid}), std::nullopt, 10);
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().value.get<std::string>(), key("owner//hot").account().ss58());
  const Json graph =
      explorer.api("SubnetInfoRuntimeApi", "get_metagraph", Json::array({kNetuid}), std::nullopt)
          .value();
  EXPECT_EQ(graph["hotkeys"].size(), 1u);
  const Json call = {{"dest", key("carol").account().ss58()}, {"value", kTao}};
  const auto plan = explorer.plan(alice_, "Balances", "transfer_keep_alive", call, {});
  ASSERT_TRUE(plan) << plan.error().message;
  CallOptions options;
  options.finalized = true;
  const auto sent = explorer.send(alice_, "Balances", "transfer_keep_alive", call, options);
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_TRUE(sent->finalized);
  const auto found = explorer.extrinsic(sent->extrinsic, 100);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->block.hash, sent->block.hash);
  EXPECT_EQ(found->extrinsic.signer, alice);
  EXPECT_EQ(found->extrinsic.failure, "");
  const uint64_t left =
      explorer.storage("System", "Account", Json::array({alice}), sent->block.number)
          .value()["data"]["free"];
  EXPECT_EQ(left, 999 * kTao - plan->fee_rao);  // The fee is what was said.
  EXPECT_GE(explorer.events(sent->block.number)->size(), 4u);
  EXPECT_EQ(explorer.block(sent->block.number)->extrinsics.size(), 2u);
  EXPECT_EQ(explorer.extrinsic(Hash{}, 5).error().code, Code::kNotFound);
}

TEST_F(ClientProcess, GoesOnWhenItsLedgerIsKilledAndStartedAgain) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto ledger = open_hasty({url(port_)});
  const auto explorer = open_explorer(url(port_), clock_);
  ASSERT_TRUE(explorer) << explorer.error().message;
  std::atomic<uint64_t> heard = 0;
  Result<void> watched;
  std::thread watcher([&] {
    watched = const_cast<Explorer&>(*explorer).watch([&](const Block& block) {
      heard = block.number.index;
      return true;
    });
  });
  EXPECT_TRUE(until([&] { return heard >= 3; }));
  end(SIGKILL);
  const auto gone = ledger->head();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kUnavailable);
  EXPECT_NE(gone.error().message.find(url(port_)), std::string::npos) << gone.error().message;
  ASSERT_NO_FATAL_FAILURE(start());
  const uint64_t before = heard;
  EXPECT_TRUE(until([&] { return heard > before + 3; })) << restart_log();
  EXPECT_TRUE(until([&] { return ledger->head().has_value(); }));
  const auto paid = ledger->transfer(alice_, key("carol").account(), kTao);
  EXPECT_TRUE(paid) << paid.error().message;
  clock_.stop = true;
  watcher.join();
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().code, Code::kCancelled);
}

TEST_F(ClientProcess, MovesToTheSecondEndpointWhenTheFirstIsGone) {
  const uint16_t first = port_;
  const uint16_t second = free_port();
  ASSERT_NO_FATAL_FAILURE(start());
  const auto opened = open(url(first) + "," + url(second));
  ASSERT_TRUE(opened) << opened.error().message;
  const Block before = (*opened)->head().value();
  end(SIGKILL);
  port_ = second;  // The same chain, at another address.
  ASSERT_NO_FATAL_FAILURE(start());
  const auto after = (*opened)->head();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_GE(after->number.index, before.number.index);
  EXPECT_EQ((*opened)->block(before.number).value().hash, before.hash);
  const auto paid = (*opened)->transfer(alice_, key("carol").account(), kTao);
  EXPECT_TRUE(paid) << paid.error().message;
  // And one that nobody serves in the first place is passed over.
  const auto late = open(url(first) + "," + url(second));
  ASSERT_TRUE(late) << late.error().message;
}

TEST_F(ClientProcess, WhenNobodyAnswersEveryEndpointIsNamed) {
  const auto nobody = open(url(port_) + "," + url(free_port()));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
  EXPECT_NE(nobody.error().message.find("no node is of use"), std::string::npos)
      << nobody.error().message;
  EXPECT_NE(nobody.error().message.find(url(port_)), std::string::npos);
}

TEST_F(ClientProcess, ALedgerThatComesBackAsAnotherChainIsNotUsed) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto ledger = open_hasty({url(port_)});
  ASSERT_TRUE(ledger->head());
  end(SIGKILL);
  fs::remove_all(folder_ / "data");  // Begun anew: another genesis, for its time and its beacon.
  put_genesis(genesis(R"({"tempo": 11})"));
  ASSERT_NO_FATAL_FAILURE(start());
  const auto other = ledger->head();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict) << other.error().message;
  EXPECT_NE(other.error().message.find("it is of another chain: its genesis is 0x"),
            std::string::npos)
      << other.error().message;
}

TEST_F(ClientProcess, AFrozenLedgerTimesOutAndIsUsedAgainWhenItThaws) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto ledger = open_hasty({url(port_)});
  ASSERT_EQ(kill(process_, SIGSTOP), 0);
  const auto frozen = ledger->head();
  EXPECT_FALSE(frozen);
  if (!frozen) {
    EXPECT_TRUE(frozen.error().code == Code::kTimeout || frozen.error().code == Code::kUnavailable)
        << frozen.error().message;
  }
  ASSERT_EQ(kill(process_, SIGCONT), 0);
  EXPECT_TRUE(until([&] { return ledger->head().has_value(); }));
}

TEST_F(ClientProcess, WhoLosesItsSlotIsToldByEveryDoor) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto opened = open(url(port_));
  ASSERT_TRUE(opened) << opened.error().message;
  Ledger& ledger = **opened;
  ASSERT_TRUE(ledger.register_neuron(alice_, hot_.account()));
  // Three slots, of which the owner's is its own: the newcomers take the one that earned nothing.
  const Keypair bob = key("bob");
  for (int i = 0; i < 6 && ledger.metagraph({}).value().find(hot_.account()) != nullptr; ++i) {
    const auto in = ledger.register_neuron(bob, key("bob//hot" + std::to_string(i)).account());
    ASSERT_TRUE(in) << in.error().message;
    common::system_clock().sleep(milliseconds(60));  // Until it is immune no more.
  }
  ASSERT_EQ(ledger.metagraph({}).value().find(hot_.account()), nullptr);
  const auto told = [](const auto& outcome, std::string_view words) {
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find(words), std::string::npos) << outcome.error().message;
  };
  const Bytes field = {1};
  told(ledger.commit(hot_, std::span(&field, 1)), "register the hotkey first");
  told(ledger.serve_axon(hot_, {0x01020304, 8091}), "register it first");
  const std::vector<Weight> weights = {{{0}, 1}};
  const auto set = ledger.set_weights(hot_, weights, 0);
  told(set, "is not registered on subnet 7");
  EXPECT_EQ(set.error().code, Code::kNotFound);
  EXPECT_TRUE(ledger.tend(hot_));  // Nothing was committed.
}

TEST_F(ClientProcess, WhoCannotPayIsToldSo) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto opened = open(url(port_));
  ASSERT_TRUE(opened) << opened.error().message;
  const auto told = [](const auto& outcome, std::string_view words) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::kRefused);
    EXPECT_NE(outcome.error().message.find(words), std::string::npos) << outcome.error().message;
  };
  Ledger& ledger = **opened;
  told(ledger.transfer(key("poor"), alice_.account(), kTao), "not enough free TAO");
  told(ledger.register_neuron(key("poor"), key("poor//hot").account()), "TAO");
  ASSERT_TRUE(ledger.register_neuron(alice_, hot_.account()));
  told(ledger.add_stake(alice_, hot_.account(), 1'000'000 * kTao), "balance is too low");
  told(ledger.add_stake(alice_, key("stranger").account(), kTao), "register it first");
  told(ledger.add_stake(alice_, hot_.account(), 1), "0.002 TAO");
  told(ledger.register_neuron(alice_, hot_.account()), "holds a uid already");
}

}  // namespace
}  // namespace chain
