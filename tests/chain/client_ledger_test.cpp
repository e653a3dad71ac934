// Goal: the client and our ledger understand each other by metadata alone: metagraphs, calls,
// weights by all three ways to the very row. Method: the ledger in this process, without a wire,
// under a clock that makes its blocks; the chain's own state says what came of it.
#include <gtest/gtest.h>

#include "chain/embedded/in_process.h"
#include "chain/embedded/items.h"
#include "chain/embedded/rpc.h"
#include "chain/substrate/query.h"
#include "chain/substrate/subnet_reader.h"
#include "chain/substrate/weight_setter.h"
#include "tests/chain/block_making_clock.h"
#include "tests/temp_folder.h"

namespace chain::substrate {
namespace {

using embedded::Genesis;
using embedded::LedgerRpc;
using embedded::PrivateChain;
using embedded::State;

constexpr common::milliseconds kBlockTime{250};
constexpr uint16_t kNetuid = 1;

class Loopback final : public BodyTransport {
 public:
  explicit Loopback(PrivateChain& chain) : rpc_(chain, nullptr) {}
  Result<std::string> post(const std::string& body) override { return rpc_.answer(body); }

 private:
  LedgerRpc rpc_;
};

timelock::BeaconSecret beacon_secret() {
  return timelock::BeaconSecret::from_seed(common::Bytes(32, 9));
}

Genesis genesis() {
  Genesis out = embedded::development_genesis();
  out.time = {1'700'000'000'000};
  return embedded::with_beacon(std::move(out), beacon_secret().key());
}

class ClientLedgerTest : public testing::Test {
 protected:
  ClientLedgerTest()
      : ledger_(State::from_genesis(genesis()), kBlockTime, "seed"),
        clock_(ledger_, genesis().time),
        rpc_(std::make_unique<Loopback>(ledger_), clock_),
        chain_(rpc_),
        submitter_(chain_, clock_) {
    ledger_.publish(beacon_secret());
  }

  // Alice's hotkey, uid 0, with a stake; Bob's, uid 1.
  void make_subnet() {
    const auto call = [&](const Keypair& key, const NamedCall& named) {
      const auto done = submitter_.submit(key, named);
      ASSERT_TRUE(done) << done.error().message;
    };
    call(bob_, {"SubtensorModule",
                "burned_register",
                {{"netuid", kNetuid}, {"hotkey", bob_hot_.account().ss58()}}});
    call(alice_, {"SubtensorModule",
                  "add_stake",
                  {{"hotkey", alice_hot_.account().ss58()},
                   {"netuid", kNetuid},
                   {"amount_staked", 50 * kRaoPerTao}}});
    pass_blocks(45);
  }
  void pass_blocks(int count) { clock_.sleep(kBlockTime * count); }

  // As root would.
  void take_by_commits(uint16_t version) {
    const View at = chain_.head().value();
    const auto entry = [&](std::string_view item, const Json& keys, const Json& value) {
      const Stored stored = find_stored(at.metadata(), "SubtensorModule", item).value();
      return std::pair(
          stored_key(at.metadata(), stored, keys).value(),
          std::optional(encode_value(at.metadata(), stored.item->value, value, item).value()));
    };
    ASSERT_TRUE(
        ledger_.set_storage({entry("CommitRevealWeightsEnabled", Json::array({kNetuid}), true),
                             entry("CommitRevealWeightsVersion", Json::array(), version)}));
  }
  std::vector<Weight> row() {
    const auto rows = read_weights(chain_, kNetuid, chain_.head().value()).value();
    return rows.empty() ? std::vector<Weight>{} : rows.front().weights;
  }
  WeightSetter setter() { return {chain_, submitter_, clock_, kNetuid, folder_.path()}; }

  PrivateChain ledger_;
  BlockMakingClock clock_;
  RpcClient rpc_;
  ChainReader chain_;
  Submitter submitter_;
  tests::TempFolder folder_;
  Keypair alice_ = Keypair::from_uri("//Alice").value();
  Keypair alice_hot_ = Keypair::from_uri("//Alice//hot").value();
  Keypair bob_ = Keypair::from_uri("//Bob").value();
  Keypair bob_hot_ = Keypair::from_uri("//Bob//hot").value();
  const std::vector<Weight> weights_ = {{{0}, 100}, {{1}, 300}};
  const std::vector<Weight> scaled_ = {{{0}, 21'845}, {{1}, 65'535}};
};

TEST_F(ClientLedgerTest, BothWaysToAMetagraphAgree) {
  make_subnet();
  const View at = chain_.head().value();
  ASSERT_NE(at.metadata().api("SubnetInfoRuntimeApi", "get_metagraph"), nullptr);
  const auto by_api = read_metagraph_by_api(chain_, kNetuid, at);
  const auto by_storage = read_metagraph_by_storage(chain_, kNetuid, at);
  ASSERT_TRUE(by_api) << by_api.error().message;
  ASSERT_TRUE(by_storage) << by_storage.error().message;
  ASSERT_EQ(by_api->neurons.size(), 2u);
  ASSERT_EQ(by_storage->neurons.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const Neuron& a = by_api->neurons[i];
    const Neuron& b = by_storage->neurons[i];
    EXPECT_EQ(a.hotkey, b.hotkey);
    EXPECT_EQ(a.coldkey, b.coldkey);
    EXPECT_EQ(a.stake_rao, b.stake_rao);
    EXPECT_EQ(a.active, b.active);
    EXPECT_EQ(a.validator_permit, b.validator_permit);
    EXPECT_EQ(a.consensus, b.consensus);
    EXPECT_EQ(a.incentive, b.incentive);
    EXPECT_EQ(a.dividends, b.dividends);
    EXPECT_EQ(a.validator_trust, b.validator_trust);
    EXPECT_EQ(a.emission_rao, b.emission_rao);
    EXPECT_EQ(a.last_update, b.last_update);
    EXPECT_EQ(a.registered_at, b.registered_at);
  }
  EXPECT_GE(by_api->neurons[0].stake_rao, 50 * kRaoPerTao);
}

TEST_F(ClientLedgerTest, WeightsAreSetPlainly) {
  make_subnet();
  const auto done = setter().set(alice_hot_, weights_, 0);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(row(), scaled_);
  const auto early = setter().set(alice_hot_, weights_, 0);
  ASSERT_FALSE(early);
  EXPECT_NE(early.error().message.find(": wait "), std::string::npos) << early.error().message;
}

TEST_F(ClientLedgerTest, WeightsAreCommittedByHashAndRevealedInTheirEpoch) {
  make_subnet();
  take_by_commits(2);
  const auto done = setter().set(alice_hot_, weights_, 0);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(row().empty());
  for (int i = 0; i < 30 && row().empty(); ++i) {
    pass_blocks(1);
    const auto tended = setter().reveal_due(alice_hot_);
    ASSERT_TRUE(tended) << tended.error().message;
  }
  EXPECT_EQ(row(), scaled_);
}

TEST_F(ClientLedgerTest, TimelockedWeightsAreOpenedByTheChainItself) {
  make_subnet();
  take_by_commits(4);
  const auto done = setter().set(alice_hot_, weights_, 0);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(row().empty());
  int blocks = 0;
  for (; blocks < 60 && row().empty(); ++blocks) pass_blocks(1);
  EXPECT_EQ(row(), scaled_);
  EXPECT_GT(blocks, 3);  // Not before the epoch that reveals them.
}

TEST_F(ClientLedgerTest, AKeyThatWasNeverRegisteredIsTold) {
  const auto nobody = setter().set(bob_hot_, weights_, 0);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, common::Code::kNotFound);
  EXPECT_NE(nobody.error().message.find("is not registered on subnet 1"), std::string::npos);
}

TEST_F(ClientLedgerTest, AnUnfundedKeyIsTold) {
  const Keypair poor = Keypair::from_uri("//Nobody").value();
  const auto refused = submitter_.submit(
      poor, {"Balances", "transfer_keep_alive", {{"dest", bob_.account().ss58()}, {"value", 5}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, common::Code::kRefused);
  EXPECT_NE(refused.error().message.find("not enough free TAO"), std::string::npos)
      << refused.error().message;
}

TEST_F(ClientLedgerTest, EverythingStoredDecodesByWhatTheLedgerSaysOfItself) {
  make_subnet();
  const View at = chain_.head().value();
  size_t values = 0;
  for (const Pallet& pallet : at.metadata().pallets) {
    for (const StorageItem& item :
         pallet.storage ? pallet.storage->items : std::vector<StorageItem>{}) {
      const Stored stored{&pallet, &item};
      const auto keys =
          chain_.keys(stored_key(stored, std::span<const Bytes>()), at.block.hash, 10'000).value();
      const auto found = chain_.values(keys, at.block.hash).value();
      for (size_t i = 0; i < keys.size(); ++i) {
        const auto key = read_stored_key(at.metadata(), stored, keys[i]);
        EXPECT_TRUE(key) << stored.name();
        const auto value = read_stored(at.metadata(), stored, found[i]);
        EXPECT_TRUE(value) << stored.name() << " " << (value ? "" : value.error().message);
        ++values;
      }
      EXPECT_TRUE(read_stored(at.metadata(), stored, std::nullopt)) << stored.name();
    }
  }
  EXPECT_GT(values, 50u);
}

}  // namespace
}  // namespace chain::substrate
