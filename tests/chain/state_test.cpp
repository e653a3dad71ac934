// Goal: the ledger accepts what Bittensor accepts and refuses the rest under Bittensor's names, and
// two ledgers that are told the same are the same to the bit. Method: calls by development keys put
// into blocks by hand, each rule and each refusal by name; sums over all accounts as the oracle for
// money.
#include <algorithm>
#include <random>

#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using calls::AddStake;
using calls::RemoveStake;

// Against whole copies of the map: what a failed call wrote is gone, and the changes lead from the
// state before to the state after.
TEST(Storage, RollsBackAndSumsUpLikeCopiesOfTheMap) {
  std::mt19937 random(7);
  Storage storage;
  for (int round = 0; round < 200; ++round) {
    Storage::Entries before = storage.entries();
    Storage::Entries now = before;
    for (int call = 0; call < 4; ++call) {
      const size_t mark = storage.mark();
      for (int write = 0; write < 5; ++write) {
        const Bytes key = {static_cast<uint8_t>(random() % 8)};
        if (random() % 3 == 0) {
          storage.erase(key);
        } else {
          storage.put(key, {static_cast<uint8_t>(random() % 4)});
        }
      }
      if (random() % 2 == 0) storage.roll_back(mark);
      if (storage.mark() == mark) {
        EXPECT_EQ(storage.entries(), now);
      }
      now = storage.entries();
    }
    for (const Change& change : storage.take_changes()) {
      const auto at = before.find(change.key);
      EXPECT_EQ(at == before.end() ? std::nullopt : std::optional(at->second), change.before);
      EXPECT_NE(change.before, change.after);
      before.erase(change.key);
      if (change.after) before[change.key] = *change.after;
    }
    EXPECT_EQ(before, storage.entries());
  }
}

TEST(State, BeginsWithTheOwnerInSlotZeroAndTheEndowments) {
  const World world;
  EXPECT_EQ(world.uid("owner/hot"), 0);
  EXPECT_EQ(world.free_rao("alice"), kRichRao);
  EXPECT_EQ(world.state.head().header.number, 0u);
  EXPECT_EQ(world.state.chain(), "Muster private network");
  expect_nothing_is_lost(world.state);
}

TEST(State, BlocksFormAChainOfTrueHashes) {
  World world;
  world.blocks(3);
  for (uint64_t number = 1; number <= 3; ++number) {
    const SealedBlock& block = *world.state.recent(number);
    const SealedBlock& parent = *world.state.recent(number - 1);
    EXPECT_EQ(block.header.parent, parent.hash);
    EXPECT_EQ(block.hash, common::blake2b_256(encode_header(block.header)));
    EXPECT_EQ(block.header.state_root, next_state_root(parent.header.state_root, block.changes));
    EXPECT_EQ(get_number<uint64_t>(world.state.storage(), items::kNow.key()),
              static_cast<uint64_t>(world.state.head().time.unix_ms));
  }
}

TEST(State, TheSameSendsGiveTheSameHashAndOtherEntropyAnother) {
  World one;
  World two;
  World three;
  ++three.entropy.bytes[31];
  const Bytes sent = one.sign("alice", TransferKeepAlive{World::account("bob"), 5'000});
  one.block({sent});
  two.block({sent});
  three.block({sent});
  EXPECT_EQ(one.state.head().hash, two.state.head().hash);
  EXPECT_EQ(one.state.head().header.state_root, three.state.head().header.state_root);
  EXPECT_NE(one.state.head().hash, three.state.head().hash);
}

TEST(State, ATransferMovesTheAmountAndBurnsTheFee) {
  World world;
  const Bytes sent = world.sign("alice", TransferKeepAlive{World::account("eve"), kRaoPerTao});
  world.block({sent});
  EXPECT_EQ(world.result_of(1), "");
  EXPECT_EQ(world.free_rao("eve"), kRaoPerTao);
  // Base 108,157,000 and 172,000,000 for a transfer: half a rao for each thousand; and the bytes.
  const uint64_t fee = (108'157'000 + 172'000'000) / 2000 + sent.size();
  EXPECT_EQ(world.free_rao("alice"), kRichRao - kRaoPerTao - fee);
  EXPECT_EQ(world.nonce("alice"), 1u);
  expect_nothing_is_lost(world.state);
}

TEST(State, TransfersAreRefusedByName) {
  World world;
  EXPECT_EQ(world.run("alice", TransferKeepAlive{World::account("bob"), 2 * kRichRao}), "Token.0");
  EXPECT_EQ(world.run("alice", TransferKeepAlive{World::account("eve"), 499}), "Token.2");
  expect_nothing_is_lost(world.state);
}

TEST(State, OnlyKeepAliveKeepsTheSenderAlive) {
  World world;
  const Bytes probe = world.sign("alice", TransferKeepAlive{World::account("bob"), kRichRao});
  const uint64_t fee = fee_rao(cost_of(TransferKeepAlive{}), probe.size());
  // What is left is 499 rao, one below the existential deposit.
  const uint64_t nearly_all = kRichRao - 2 * fee - 499;
  EXPECT_EQ(world.run("alice", TransferKeepAlive{World::account("bob"), nearly_all + fee}),
            "Token.8");
  EXPECT_EQ(world.run("alice", TransferAllowDeath{World::account("bob"), nearly_all}), "");
  EXPECT_EQ(world.free_rao("alice"), 0u);
  EXPECT_EQ(world.nonce("alice"), 2u);  // So that nothing can be sent a second time.
  expect_nothing_is_lost(world.state);
}

TEST(State, AnExtrinsicCountsOnce) {
  World world;
  const Bytes sent = world.sign("alice", TransferKeepAlive{World::account("bob"), kRaoPerTao});
  const auto made = world.block({sent, sent});
  EXPECT_FALSE(made.refused[0]);
  EXPECT_EQ(made.refused[1], (Refusal{Invalid::kStale, 0}));
  EXPECT_EQ(world.state.validate(sent).error(), (Refusal{Invalid::kStale, 0}));
}

TEST(State, SignaturesBindChainRulesAndBytes) {
  World world;
  const Bytes call = encode_call(TransferKeepAlive{World::account("bob"), 1000});
  const auto refusal = [&](const substrate::SigningContext& context) {
    const Bytes sent = substrate::sign_extrinsic(World::key("alice"), call, {{}, 0, 0}, context);
    const Validity validity = world.state.validate(sent);
    return validity ? std::string("valid") : validity.error().text();
  };
  const std::string bad = "Transaction has a bad signature";
  auto context = world.context();
  EXPECT_EQ(refusal(context), "valid");
  ++context.spec_version;
  EXPECT_EQ(refusal(context), bad);
  context = world.context();
  ++context.transaction_version;
  EXPECT_EQ(refusal(context), bad);
  context = world.context();
  context.genesis.bytes[0] ^= 1;
  EXPECT_EQ(refusal(context), bad);
  context = world.context();
  context.birth.bytes[0] ^= 1;
  EXPECT_EQ(refusal(context), bad);
}

TEST(State, NoFlippedBitGetsThrough) {
  World world;
  const Bytes sent = world.sign("alice", TransferKeepAlive{World::account("bob"), 1000});
  for (size_t at = 0; at < sent.size(); ++at) {
    Bytes bent = sent;
    bent[at] ^= 0x10;
    EXPECT_FALSE(world.state.validate(bent)) << "byte " << at;
  }
  for (size_t size = 0; size < sent.size(); ++size) {
    EXPECT_FALSE(world.state.validate(ByteView(sent).first(size))) << size << " bytes";
  }
}

TEST(State, MortalExtrinsicsDieWithTheirEra) {
  World world;
  world.blocks(3);
  const SealedBlock birth = world.state.head();
  auto context = world.context();
  context.birth = birth.hash;
  const Bytes call = encode_call(TransferKeepAlive{World::account("bob"), 1000});
  const auto era = substrate::Era::mortal(8, birth.header.number);
  const Bytes sent = substrate::sign_extrinsic(World::key("alice"), call, {era, 0, 0}, context);
  EXPECT_TRUE(world.state.validate(sent));
  EXPECT_EQ(world.state.validate(sent)->death, birth.header.number + 8u);
  world.blocks(6);
  EXPECT_TRUE(world.state.validate(sent));
  world.blocks(1);
  EXPECT_FALSE(world.state.validate(sent));  // The next block is birth + 8.
}

TEST(State, NoncesComeInOrder) {
  World world;
  const Bytes second = world.sign("alice", TransferKeepAlive{World::account("bob"), 1000}, 1);
  EXPECT_EQ(world.state.validate(second)->ahead, 1u);
  const auto made = world.block({second});
  EXPECT_EQ(made.refused[0], (Refusal{Invalid::kFuture, 0}));
}

TEST(State, WhoCannotPayTheFeeDoesNotGetIn) {
  World world;
  EXPECT_EQ(world.run("eve", TransferKeepAlive{World::account("bob"), 1000}),
            "pool: Inability to pay some fees (e.g. account balance too low)");
}

TEST(State, NobodySetsTheTimeButTheBlock) {
  World world;
  EXPECT_FALSE(world.state.validate(world.sign("alice", calls::SetTime{{1}})));
  const Bytes bare = substrate::encode_extrinsic({std::nullopt, encode_call(calls::SetTime{{1}})});
  EXPECT_EQ(world.state.validate(bare).error(), (Refusal{Invalid::kCall, 0}));
}

TEST(State, AFailedCallLeavesItsFeeItsNonceAndNothingElse) {
  World world;
  world.block();
  const uint64_t before = world.free_rao("alice");
  const Bytes sent = world.sign("alice", TransferKeepAlive{World::account("bob"), 2 * kRichRao});
  world.block({sent});
  EXPECT_NE(world.result_of(1), "");
  EXPECT_EQ(world.free_rao("alice"), before - fee_rao(cost_of(TransferKeepAlive{}), sent.size()));
  EXPECT_EQ(world.nonce("alice"), 1u);
  EXPECT_EQ(world.free_rao("bob"), kRichRao);
}

TEST(Staking, IsOneToOneAndComesBack) {
  World world;
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  const uint64_t tao = world.number(kSubnetTao);
  ASSERT_EQ(world.run("alice", AddStake{World::account("alice/hot"), kNetuid, 40 * kRaoPerTao}),
            "");
  EXPECT_EQ(world.stake_rao("alice/hot"), 40 * kRaoPerTao);
  EXPECT_EQ(world.number(kSubnetTao),
            tao + 40 * kRaoPerTao + kRaoPerTao);  // And one block's emission.
  ASSERT_EQ(world.run("alice", RemoveStake{World::account("alice/hot"), kNetuid, 40 * kRaoPerTao}),
            "");
  EXPECT_EQ(world.stake_rao("alice/hot"), 0u);
  expect_nothing_is_lost(world.state);
}

TEST(Staking, IsRefusedByNumberAtThePool) {
  World world;
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  const AccountId hot = World::account("alice/hot");
  EXPECT_EQ(world.run("alice", AddStake{hot, kNetuid, kMinStakeRao - 1}), "pool: Custom error: 1");
  EXPECT_EQ(world.run("alice", AddStake{hot, kNetuid, 2 * kRichRao}), "pool: Custom error: 2");
  EXPECT_EQ(world.run("alice", AddStake{hot, 99, kRaoPerTao}), "pool: Custom error: 3");
  EXPECT_EQ(world.run("alice", AddStake{World::account("eve"), kNetuid, kRaoPerTao}),
            "pool: Custom error: 4");
  EXPECT_EQ(world.run("alice", RemoveStake{hot, kNetuid, kRaoPerTao}), "pool: Custom error: 5");
  ASSERT_EQ(world.run("alice", AddStake{hot, kNetuid, kRaoPerTao}), "");
  EXPECT_EQ(world.run("alice", RemoveStake{hot, kNetuid, 1}), "pool: Custom error: 1");
  EXPECT_EQ(world.run("bob", RemoveStake{hot, kNetuid, kRaoPerTao}), "pool: Custom error: 5");
}

TEST(Staking, SharesFollowDividendsAndNobodyTakesAnothers) {
  World world;
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  const AccountId hot = World::account("alice/hot");
  ASSERT_EQ(world.run("alice", AddStake{hot, kNetuid, 30 * kRaoPerTao}), "");
  ASSERT_EQ(world.run("bob", AddStake{hot, kNetuid, 10 * kRaoPerTao}), "");
  Storage storage = world.state.storage();
  put_number(storage, kDelegates.key(hot), uint16_t{0});  // The owner keeps nothing for itself.
  credit_dividend(storage, hot, kNetuid, 4 * kRaoPerTao + 3);
  const uint64_t alice = coldkey_alpha_rao(storage, hot, World::account("alice"), kNetuid);
  const uint64_t bob = coldkey_alpha_rao(storage, hot, World::account("bob"), kNetuid);
  EXPECT_EQ(alice, 33 * kRaoPerTao + 2);  // 3/4 of 44e9 + 3, rounded down
  EXPECT_EQ(bob, 11 * kRaoPerTao);
  credit_alpha(storage, hot, World::account("carol"), kNetuid, 7 * kRaoPerTao + 1);
  EXPECT_EQ(coldkey_alpha_rao(storage, hot, World::account("alice"), kNetuid), alice);
  EXPECT_LE(coldkey_alpha_rao(storage, hot, World::account("carol"), kNetuid), 7 * kRaoPerTao + 1);
}

TEST(Staking, TheOwnerKeepsItsTakeOfDividends) {
  World world;
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  const AccountId hot = World::account("alice/hot");
  ASSERT_EQ(world.run("bob", AddStake{hot, kNetuid, 10 * kRaoPerTao}), "");
  Storage storage = world.state.storage();
  EXPECT_EQ(delegate_take(storage, hot), kDefaultTake);  // 18 %, in 65,535ths.
  credit_dividend(storage, hot, kNetuid, 65'535'000);
  EXPECT_NEAR(
      static_cast<double>(coldkey_alpha_rao(storage, hot, World::account("alice"), kNetuid)),
      11'796'000, 1);
  EXPECT_NEAR(static_cast<double>(coldkey_alpha_rao(storage, hot, World::account("bob"), kNetuid)),
              10e9 + 53'739'000, 1);
}

TEST(State, HistoryAnswersAsOfAnyRecentBlock) {
  World world;
  std::vector<std::optional<Bytes>> values;
  std::vector<std::vector<Bytes>> keys;
  const Bytes key = items::kAccount.key(World::account("alice"));
  const Bytes prefix = items::kAccount.prefix();
  for (int i = 0; i < 12; ++i) {
    if (i % 3 == 1) {
      world.run("alice", TransferKeepAlive{World::account("new" + std::to_string(i)), 1'000'000});
    } else {
      world.block();
    }
    values.push_back(*world.state.storage().find(key));
    keys.push_back(keys_under(world.state.storage().entries(), prefix, std::nullopt, 1000));
  }
  for (uint64_t number = 1; number <= 12; ++number) {
    EXPECT_EQ(world.state.value_at(key, number), values[number - 1]) << number;
    EXPECT_EQ(world.state.keys_at(prefix, std::nullopt, 1000, number), keys[number - 1]) << number;
    const auto paged = world.state.keys_at(prefix, keys[number - 1][1], 2, number);
    EXPECT_EQ(paged,
              std::vector<Bytes>(keys[number - 1].begin() + 2, keys[number - 1].begin() + 4));
  }
}

TEST(State, ForgetsBlocksBeyondItsHistoryAndNoSooner) {
  World world;
  const Hash genesis = world.state.head().hash;
  world.blocks(kHistoryBlocks - 1);
  EXPECT_NE(world.state.recent(genesis), nullptr);
  world.block();
  EXPECT_EQ(world.state.recent(genesis), nullptr);
  EXPECT_EQ(world.state.recent(0), nullptr);
  EXPECT_EQ(world.state.oldest_number(), 1u);
  EXPECT_EQ(world.state.genesis_hash(), genesis);
}

TEST(State, ResumesToTheSameBits) {
  World world;
  world.register_hotkey("alice", "alice/hot");
  world.blocks(15);
  std::deque<SealedBlock> recent;
  for (uint64_t number = 4; number <= world.state.head().header.number; ++number) {
    SealedBlock copy = decode_block(encode_block(*world.state.recent(number))).value();
    copy.changes = decode_changes(encode_changes(world.state.recent(number)->changes)).value();
    recent.push_back(std::move(copy));
  }
  World again;
  again.state = State::resume(Storage(world.state.storage().entries()), recent).value();
  again.entropy = world.entropy;
  world.blocks(12);
  again.blocks(12);
  EXPECT_EQ(world.state.head().hash, again.state.head().hash);
  recent.pop_back();
  EXPECT_FALSE(State::resume(Storage(world.state.storage().entries()), recent));
}

}  // namespace
}  // namespace chain::embedded
