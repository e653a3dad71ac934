// Goal: the newest checkpoint that is whole, of this network and of the right signer is loaded, and
// no other. Method: three checkpoints; the newest is damaged in every part, and the one before must
// be used.
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/train/judged_body.h"
#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using nlohmann::json;

const std::string kManifest = "checkpoint/6/manifest.json";
const std::string kFile = "checkpoint/6/model.safetensors";

class CheckpointTest : public testing::Test {
 protected:
  // Checkpoints before windows 2, 4 and 6, by uid 0.
  CheckpointTest() {
    for (uint64_t window = 0; window < 6; ++window) {
      const JudgedBody one(subnet_.format(), subnet_.work(0, {window}, {}).body);
      EXPECT_TRUE(replica_.apply({window}, digest(window),
                                 {.contributors = {one.by({0})}, .format = &subnet_.format()}));
      if (window % 2 == 1) {
        EXPECT_TRUE(save_checkpoint(store_, replica_, subnet_.hparams(), key_of(0)));
      }
    }
    store_.calls();
  }
  common::Result<Replica> load(uint64_t until = 100) {
    return load_checkpoint(store_, subnet_.hparams(), {until}, key_of(0).account());
  }
  // Which checkpoint is used: 0 for none.
  uint64_t used(uint64_t until = 100) {
    const auto replica = load(until);
    if (replica) return replica->next_window().index;
    EXPECT_EQ(replica.error().code, Code::kNotFound);
    return 0;
  }
  void rewrite(const std::string& key, const std::function<void(Bytes&)>& change) {
    Bytes bytes = *store_.peek(key);
    change(bytes);
    store_.write(key, bytes);
  }
  // Changes the newest manifest, and signs it as it then stands (see checkpoint.cpp).
  void rewrite_signed(const std::function<void(json&)>& change, uint16_t signer = 0) {
    const Bytes text = *store_.peek(kManifest);
    json fields = json::parse(text);
    fields.erase("signer");
    fields.erase("signature");
    change(fields);
    const Hash hash = common::Hasher()
                          .update(common::view_of("muster checkpoint v1"))
                          .update(common::view_of(fields.dump()))
                          .finish();
    fields["signer"] = key_of(signer).account().ss58();
    fields["signature"] = common::to_hex(key_of(signer).sign(hash.bytes));
    const std::string out = fields.dump();
    store_.write(kManifest, Bytes(out.begin(), out.end()));
  }

  SmallSubnet subnet_{2};
  Replica replica_ = Replica::genesis(subnet_.hparams(), {0});
  tests::MemoryStore store_;
};

TEST_F(CheckpointTest, ComesBackBitByBitAndGoesOn) {
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->root(), replica_.root());
  EXPECT_EQ(loaded->theta_root(), replica_.theta_root());
  EXPECT_EQ(loaded->next_window(), Window{6});
  Replica twin = *loaded;
  ASSERT_TRUE(replica_.apply({6}, digest(6), {}));
  ASSERT_TRUE(twin.apply({6}, digest(6), {}));
  EXPECT_EQ(twin.root(), replica_.root());
}

TEST_F(CheckpointTest, TheNewestNotAfterUntil) {
  EXPECT_EQ(used(100), 6U);
  EXPECT_EQ(used(6), 6U);
  EXPECT_EQ(used(5), 4U);
  EXPECT_EQ(used(3), 2U);
  EXPECT_EQ(used(1), 0U);
}

TEST_F(CheckpointTest, ADamagedFileIsPassedOver) {
  for (const size_t at : {size_t{0}, size_t{100}, size_t{3000}}) {
    rewrite(kFile, [at](Bytes& bytes) { bytes.at(at) ^= 1; });
    EXPECT_EQ(used(), 4U) << at;
    rewrite(kFile, [at](Bytes& bytes) { bytes.at(at) ^= 1; });
  }
  EXPECT_EQ(used(), 6U);
  rewrite(kFile, [](Bytes& bytes) { bytes.pop_back(); });
  EXPECT_EQ(used(), 4U);
  store_.erase(kFile);
  EXPECT_EQ(used(), 4U);
}

TEST_F(CheckpointTest, ADamagedManifestIsPassedOver) {
  const Bytes whole = *store_.peek(kManifest);
  // Blanks may change without changing what is said; everything else is under the signature or is
  // it.
  for (size_t at = 0; at < whole.size(); at += 7) {
    if (whole[at] == ' ' || whole[at] == '\n') continue;
    rewrite(kManifest, [at](Bytes& bytes) { bytes[at] = '#'; });
    EXPECT_EQ(used(), 4U) << at;
    store_.write(kManifest, whole);
  }
  rewrite(kManifest, [](Bytes& bytes) { bytes.resize(bytes.size() / 2); });
  EXPECT_EQ(used(), 4U);
  rewrite(kManifest, [](Bytes& bytes) { bytes.resize(100'000, ' '); });
  EXPECT_EQ(used(), 4U);
}

// Signed all the same: what it says must fit.
TEST_F(CheckpointTest, WhatIsSignedMustStillBeRight) {
  const Bytes whole = *store_.peek(kManifest);
  const auto uses = [&](const std::function<void(json&)>& change) {
    rewrite_signed(change);
    const uint64_t window = used();
    store_.write(kManifest, whole);
    return window;
  };
  EXPECT_EQ(uses([](json&) {}), 6U);
  EXPECT_EQ(uses([](json& fields) { fields["version"] = 2; }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["next_window"] = 7; }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["hparams_hash"] = digest(0).hex(); }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["theta_root"] = digest(0).hex(); }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["file_hash"] = digest(0).hex(); }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["file_size"] = 1ULL << 50; }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["file_size"] = 10; }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["state_root"] = ""; }), 4U);
  EXPECT_EQ(uses([](json& fields) { fields["more"] = 1; }), 4U);
}

TEST_F(CheckpointTest, OfTheRightSignerWhereOneIsAskedFor) {
  rewrite_signed([](json&) {}, 1);
  EXPECT_EQ(used(), 4U);
  EXPECT_EQ(load_checkpoint(store_, subnet_.hparams(), {100}, std::nullopt)->next_window(),
            Window{6});
}

TEST_F(CheckpointTest, OtherHparamsAreAnotherNetwork) {
  auto other = subnet_.hparams();
  other.outer.learning_rate = 0.5;
  EXPECT_EQ(load_checkpoint(store_, other, {100}, std::nullopt).error().code, Code::kNotFound);
}

TEST_F(CheckpointTest, ABucketThatDoesNotAnswerIsNoReasonToUseAnOlderOne) {
  for (const Code code : {Code::kUnavailable, Code::kTimeout}) {
    for (const char* call : {"list checkpoint/", "get checkpoint/6/manifest.json",
                             "get checkpoint/6/model.safetensors"}) {
      store_.watch = tests::fails(call, code);
      EXPECT_EQ(load().error().code, code) << call;
    }
  }
}

// A stranger's bucket may be full of them.
TEST_F(CheckpointTest, OnlyTheNewestFewAreTried) {
  for (int window = 100; window < 1100; ++window) {
    store_.write("checkpoint/" + std::to_string(window) + "/manifest.json", {1, 2, 3});
  }
  store_.calls();
  EXPECT_EQ(load(2000).error().code, Code::kNotFound);
  EXPECT_LE(store_.calls().size(), 10U);
}

TEST_F(CheckpointTest, OtherNamesAreNoCheckpoints) {
  for (const char* key :
       {"checkpoint/manifest.json", "checkpoint/x/manifest.json", "checkpoint/9/manifest.json.old",
        "checkpoint/9/deeper/manifest.json", "checkpoint/99999999999999999999/manifest.json"}) {
    store_.write(key, *store_.peek(kManifest));
  }
  EXPECT_EQ(used(), 6U);
}

TEST_F(CheckpointTest, AKillWhileSavingLeavesTheOlderOne) {
  ASSERT_TRUE(replica_.apply({6}, digest(6), {}));
  store_.watch = tests::fails("put checkpoint/7/manifest.json", Code::kIo);
  EXPECT_FALSE(save_checkpoint(store_, replica_, subnet_.hparams(), key_of(0)));
  store_.watch = {};
  EXPECT_EQ(used(), 6U);
}

TEST_F(CheckpointTest, PruningKeepsTheNewestAndSweepsUpAfterAKill) {
  // A pruning that was killed between the two removals; a saving that is on its way.
  store_.erase("checkpoint/2/manifest.json");
  store_.write("checkpoint/8/model.safetensors", {1});
  ASSERT_TRUE(prune_checkpoints(store_, 1));
  std::vector<std::string> left;
  const auto found = store_.list("checkpoint/", 100);
  ASSERT_TRUE(found);
  for (const auto& object : *found) left.push_back(object.key);
  EXPECT_EQ(left, (std::vector<std::string>{kManifest, kFile, "checkpoint/8/model.safetensors"}));
  EXPECT_EQ(used(), 6U);
}

TEST_F(CheckpointTest, TheManifestGoesFirst) {
  store_.watch = tests::fails("remove checkpoint/2/model.safetensors", Code::kIo);
  EXPECT_FALSE(prune_checkpoints(store_, 2));
  EXPECT_FALSE(store_.peek("checkpoint/2/manifest.json"));
}

}  // namespace
}  // namespace train
