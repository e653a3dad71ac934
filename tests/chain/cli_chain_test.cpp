// Goal: `muster chain` shows what the chain holds, for people and for programs, whole and chosen,
// once and as it moves. Method: a real development ledger that makes a block every 100 ms, the real
// program against it; the shapes of its JSON are written down.
#include <algorithm>

#include "tests/chain/cli_dev_ledger.h"

namespace tests {
namespace {

using MusterChain = MusterWithDevLedger;
using nlohmann::json;

TEST_F(MusterChain, TheMetagraphIsSortedAndChosenFrom) {
  register_bob();
  // The first epoch gives Alice's key its permit.
  ASSERT_TRUE(soon([&] { return chain_json("block")["number"].get<int>() > 22; }));
  const json all = chain_json("metagraph", {"--sort", "uid", "--reverse"});
  EXPECT_EQ(names_of(all), "block netuid neurons");
  EXPECT_EQ(names_of(all["block"]), "hash number unix_ms");
  EXPECT_EQ(names_of(all["neurons"][0]),
            "active coldkey consensus dividends emission_rao hotkey incentive last_update "
            "registered_at stake_rao uid validator_permit validator_trust");
  ASSERT_EQ(all["neurons"].size(), 2u);
  EXPECT_EQ(all["neurons"][0]["uid"], 1);
  EXPECT_EQ(chain_json("metagraph", {"--sort", "stake"})["neurons"][0]["uid"], 0);
  const auto uids = [&](std::vector<std::string> words) {
    const json metagraph = chain_json("metagraph", std::move(words));
    std::string out;
    for (const json& neuron : metagraph["neurons"]) out += neuron["uid"].dump() + " ";
    return out;
  };
  EXPECT_EQ(uids({"--where", "uid>0"}), "1 ");
  EXPECT_EQ(uids({"--where", "uid>=0", "--where", "stake>0"}), "0 ");
  EXPECT_EQ(uids({"--miners"}), "1 ");
  EXPECT_EQ(uids({"--validators", "--active"}), "0 ");
  EXPECT_EQ(uids({"--coldkey", kBob}), "1 ");
  EXPECT_EQ(uids({"--hotkey", kBob}), "") << "that is the coldkey";
  EXPECT_EQ(uids({"--limit", "1"}), "0 ");
  const Ran some = chain("metagraph", {"--miners"});
  EXPECT_TRUE(has(some.out, "1 of 2 neurons")) << some.out;
}

TEST_F(MusterChain, AConditionThatIsNoneIsWrongInput) {
  for (const std::string wrong : {"stake", "stakes>1", "stake>much", "active>yes", ">1", "uid!1"}) {
    const Ran ran = chain("metagraph", {"--where", wrong});
    EXPECT_EQ(ran.code, 2) << wrong;
    EXPECT_TRUE(has(ran.trouble, "--where")) << ran.trouble;
  }
  const Ran sorted = chain("metagraph", {"--sort", "beauty"});
  EXPECT_EQ(sorted.code, 2);
  EXPECT_TRUE(has(sorted.trouble, "incentive")) << sorted.trouble;
}

TEST_F(MusterChain, WatchingTellsALineABlockAndEndsOnCtrlC) {
  for (const std::string scheme : {"ws://", "http://"}) {
    const pid_t child = start(
        {"chain", "metagraph", "--watch", "--json", "--chain", scheme + address_, "--netuid", "1"},
        "nothing", "watched", "watched.trouble");
    ASSERT_NE(child, 0);
    const auto lines = [&] {
      const std::string out = text_of(folder_ / "watched");
      return std::count(out.begin(), out.end(), '\n');
    };
    EXPECT_TRUE(soon([&] { return lines() >= 2; })) << text_of(folder_ / "watched.trouble");
    EXPECT_EQ(end(child, SIGINT), 0) << scheme;
    std::ifstream out(folder_ / "watched");
    std::string first;
    std::string second;
    std::getline(out, first);
    std::getline(out, second);
    EXPECT_LT(json::parse(first)["block"]["number"].get<int>(),
              json::parse(second)["block"]["number"].get<int>());
  }
}

TEST_F(MusterChain, EventsAreWatchedToo) {
  const pid_t child = start({"chain", "events", "--watch", "--json", "--pallet", "balances",
                             "--name", "transfer", "--chain", "ws://" + address_},
                            "nothing", "watched", "watched.trouble");
  ASSERT_TRUE(soon([&] { return has(text_of(folder_ / "watched"), "\n"); }));
  called("alice", {"Balances.transfer_keep_alive", std::string("dest=") + kBob, "value=7000"});
  EXPECT_TRUE(soon([&] { return has(text_of(folder_ / "watched"), "7000"); }));
  EXPECT_EQ(end(child, SIGTERM), 0);
}

TEST_F(MusterChain, WeightsSayWhoSetThemWhenAndWhatTheConsensusIs) {
  called("alice", weights_call(), true);
  const json out = chain_json("weights");
  EXPECT_EQ(names_of(out), "block netuid rows");
  ASSERT_EQ(out["rows"].size(), 1u);
  const json& row = out["rows"][0];
  EXPECT_EQ(names_of(row), "hotkey last_update last_update_age validator weights");
  EXPECT_EQ(names_of(row["weights"][0]), "consensus uid value");
  EXPECT_EQ(row["weights"][0]["value"], 65'535);
  EXPECT_GT(row["last_update"], 0);
  EXPECT_EQ(row["last_update"].get<uint64_t>() + row["last_update_age"].get<uint64_t>(),
            out["block"]["number"].get<uint64_t>());
  EXPECT_TRUE(has(chain("weights").out, "CONSENSUS"));
}

TEST_F(MusterChain, ANeuronSaysHowLongItIsImmune) {
  const json neuron = chain_json("neuron", {"0"});
  EXPECT_EQ(neuron["immune_until"], 5'000);
  EXPECT_TRUE(has(chain("neuron", {"0"}).out, "until block 5000"));
}

TEST_F(MusterChain, StakeIsFoundByColdkeyAndByHotkey) {
  register_bob();
  const Ran staked =
      muster({"stake", "--amount", "2.5", "--yes", "--wallet.path", wallets().string(),
              "--wallet.name", "bob", "--chain", "http://" + address_});
  ASSERT_EQ(staked.code, 0) << staked.trouble;
  const json by_coldkey = chain_json("stake", {kBob})["stakes"];
  ASSERT_EQ(by_coldkey.size(), 1u);
  EXPECT_EQ(names_of(by_coldkey[0]), "coldkey emission_rao hotkey netuid registered stake_rao");
  EXPECT_EQ(by_coldkey[0]["stake_rao"], 2'500'000'000u);
  const json by_hotkey =
      chain_json("stake", {by_coldkey[0]["hotkey"].get<std::string>()})["stakes"];
  ASSERT_EQ(by_hotkey.size(), 1u);
  EXPECT_EQ(by_hotkey[0], by_coldkey[0]);
  EXPECT_TRUE(has(chain("stake", {"5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy"}).out,
                  "Nothing is staked"));
}

TEST_F(MusterChain, EmissionsSayWhoGetsWhat) {
  ASSERT_TRUE(soon([&] { return chain_json("block")["number"].get<int>() > 22; }));
  const json out = chain_json("emissions");
  EXPECT_EQ(names_of(out),
            "block block_ms epoch_blocks netuid neurons owner_cut pending total_epoch_rao");
  EXPECT_EQ(out["epoch_blocks"], 21);
  EXPECT_NEAR(out["block_ms"].get<double>(), 100, 60);
  EXPECT_EQ(names_of(out["pending"]), "miners_rao owner_rao validators_rao");
  EXPECT_GT(out["pending"]["owner_rao"].get<uint64_t>() + out["total_epoch_rao"].get<uint64_t>(),
            0u);
  EXPECT_TRUE(has(chain("emissions").out, "A DAY"));
}

TEST_F(MusterChain, RegistrationHasAPriceAndAHistory) {
  register_bob();
  ASSERT_TRUE(soon([&] { return chain_json("block")["number"].get<int>() > 12; }));
  const json out = chain_json("registration", {"--blocks", "10", "--points", "6"});
  EXPECT_EQ(names_of(out),
            "block burn_rao history immunity_period netuid neurons neurons_max "
            "registration_allowed");
  EXPECT_EQ(out["neurons"], 2);
  ASSERT_EQ(out["history"].size(), 6u);
  EXPECT_LT(out["history"][0]["block"], out["history"][5]["block"]);
  EXPECT_EQ(out["history"][5]["burn_rao"], out["burn_rao"]);
  EXPECT_TRUE(has(chain("registration").out, "cost now"));
  const Ran absent =
      muster({"chain", "registration", "--chain", "http://" + address_, "--netuid", "9"});
  EXPECT_EQ(absent.code, 1);
  EXPECT_TRUE(has(absent.trouble, "no subnet 9")) << absent.trouble;
}

TEST_F(MusterChain, HyperparametersAreAllThatTheChainKnows) {
  const json out = chain_json("hyperparameters");
  EXPECT_EQ(out["tempo"], 20);
  for (const char* name : {"kappa", "burn_rao", "yuma3", "rho", "max_burn", "serving_rate_limit"}) {
    EXPECT_TRUE(out.contains(name)) << name;
  }
}

TEST_F(MusterChain, ABlockAnExtrinsicAndTheirEventsBelongTogether) {
  const json sent = called(
      "alice", {"Balances.transfer_keep_alive", std::string("dest=") + kBob, "value=1000000"});
  const std::string number = sent["block"]["number"].dump();
  const json block = chain_json("block", {number});
  EXPECT_EQ(names_of(block), "events extrinsics hash number parent unix_ms");
  EXPECT_EQ(block["hash"], sent["block"]["hash"]);
  ASSERT_EQ(block["extrinsics"].size(), 2u);
  const json& one = block["extrinsics"][1];
  EXPECT_EQ(names_of(one), "arguments call extra failure hash index pallet signer success");
  EXPECT_EQ(one["hash"], sent["extrinsic"]);
  EXPECT_EQ(one["signer"], kAlice);
  EXPECT_EQ(one["success"], true);
  EXPECT_EQ(one["arguments"]["value"], 1'000'000);
  const json by_place = chain_json("extrinsic", {number + "-1"});
  EXPECT_EQ(by_place, chain_json("extrinsic", {sent["extrinsic"].get<std::string>()}));
  EXPECT_EQ(by_place["block"]["hash"], sent["block"]["hash"]);
  const json events =
      chain_json("events", {"--block", number, "--pallet", "Balances", "--name", "Transfer"});
  ASSERT_EQ(events["events"].size(), 1u);
  EXPECT_EQ(names_of(events["events"][0]), "block extrinsic fields name pallet");
  EXPECT_EQ(events["events"][0]["extrinsic"], 1);
  EXPECT_TRUE(has(chain("extrinsic", {number + "-1"}).out, "Balances.transfer_keep_alive"));
  EXPECT_TRUE(has(chain("extrinsic", {number + "-9"}).trouble, "numbered from 0"));
  const Ran unknown = chain("extrinsic", {"0x" + std::string(64, '1')});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown.trouble, "--blocks")) << unknown.trouble;
  EXPECT_EQ(chain("extrinsic", {"first"}).code, 2);
}

TEST_F(MusterChain, AnythingStoredIsReadByItsName) {
  const json tempo = chain_json("storage", {"SubtensorModule.Tempo", "1"});
  EXPECT_EQ(names_of(tempo), "item keys value");
  EXPECT_EQ(tempo["value"], 20);
  EXPECT_EQ(chain("storage", {"SubtensorModule.Tempo", "1"}).out, "20\n");
  const json account = chain_json("storage", {"System.Account", kBob});
  EXPECT_EQ(account["value"]["data"]["free"], 1'000'000'000'000'000u);
  const json all = chain_json("storage", {"System.Account"});
  EXPECT_EQ(names_of(all), "entries item keys");
  EXPECT_EQ(all["entries"].size(), 6u);
  const json keys = chain_json("storage", {"SubtensorModule.Uids", "1"})["entries"];
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0]["value"], 0);
  const Ran many = chain("storage", {"System.Account", "--limit", "2"});
  EXPECT_EQ(many.code, 1);
  EXPECT_TRUE(has(many.trouble, "--limit")) << many.trouble;
  EXPECT_EQ(chain_json("storage", {"System.Number", "--block", "1"})["value"], 1);
  const Ran listed = chain("storage", {"--list", "tempo"});
  EXPECT_TRUE(has(listed.out, "SubtensorModule.Tempo")) << listed.out;
}

TEST_F(MusterChain, ConstantsAreListedAndChosen) {
  const Ran ran = chain("constants", {"existential"});
  EXPECT_TRUE(has(ran.out, "Balances.ExistentialDeposit")) << ran.out;
  const json out = chain_json("constants", {"Balances.Existential"})["constants"];
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(names_of(out[0]), "docs name pallet type value");
  EXPECT_EQ(out[0]["value"], 500);
}

}  // namespace
}  // namespace tests
