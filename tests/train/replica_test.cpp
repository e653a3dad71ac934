// Goal: the same commands give the same bits and roots; nothing else moves a replica.
// Method: twins, a formula written out, and every bit compared before and after a trial.
#include "train/replica.h"

#include <gtest/gtest.h>

#include <bit>

#include "compress/aggregate.h"
#include "tests/train/judged_body.h"
#include "tests/train/small_subnet.h"
#include "train/model.h"

namespace train {
namespace {

using common::Bytes;

std::vector<uint32_t> bits(const Replica& replica) {
  std::vector<uint32_t> out;
  for (const float value : replica.theta()) out.push_back(std::bit_cast<uint32_t>(value));
  return out;
}

class ReplicaTest : public testing::Test {
 protected:
  Bytes body(uint16_t uid, uint64_t window) const { return subnet_.work(uid, {window}, {}).body; }
  compress::Update update(uint16_t uid, uint64_t window) const {
    return *compress::SparseLoco().decode(body(uid, window), subnet_.layout());
  }
  Counted counted(std::vector<compress::StoredContributor> contributors) const {
    return {.contributors = std::move(contributors), .format = &subnet_.format()};
  }
  void apply(Replica& replica, uint64_t window, double weight = 1.0) const {
    const JudgedBody a(subnet_.format(), body(0, window));
    const JudgedBody b(subnet_.format(), body(1, window));
    ASSERT_TRUE(replica.apply({window}, digest(window), counted({a.by({0}), b.by({1}, weight)})));
  }
  SmallSubnet subnet_{2};
  Replica replica_ = Replica::genesis(subnet_.hparams(), {3});
};

TEST_F(ReplicaTest, GenesisIsTheInitialParametersUnderTheHparams) {
  const auto& hparams = subnet_.hparams();
  EXPECT_EQ(std::vector<float>(replica_.theta().begin(), replica_.theta().end()),
            initial_parameters(hparams.model, replica_.layout()));
  const common::ByteView bytes{reinterpret_cast<const uint8_t*>(replica_.theta().data()),
                               replica_.theta().size_bytes()};
  const std::vector<Hash> leaf = {common::blake2b_256(bytes)};  // Less than 1 MiB.
  EXPECT_EQ(replica_.theta_root(), common::merkle_root(leaf));
  EXPECT_EQ(replica_.root(), common::Hasher()
                                 .update(common::view_of("genesis"))
                                 .update(hparams.hash().bytes)
                                 .update(replica_.theta_root().bytes)
                                 .finish());
  auto other = hparams;
  other.inner.learning_rate *= 2;
  EXPECT_NE(Replica::genesis(other, {3}).root(), replica_.root());
}

TEST_F(ReplicaTest, TheSameCommandsGiveTheSameBitsAndAnyOtherDoNot) {
  Replica twin = Replica::genesis(subnet_.hparams(), {3});
  Replica other = twin;
  for (uint64_t window = 3; window < 9; ++window) {
    apply(replica_, window);
    apply(twin, window);
    apply(other, window, 0.5);
    EXPECT_EQ(bits(replica_), bits(twin));
    EXPECT_EQ(replica_.root(), twin.root());
    EXPECT_EQ(replica_.next_window(), Window{window + 1});
  }
  EXPECT_NE(bits(other), bits(replica_));
}

// It has full_root_windows = 4: the root covers theta after windows 4, 8, ... and only
// manifests between.
TEST_F(ReplicaTest, TheRootIsTheDocumentedOne) {
  ASSERT_EQ(subnet_.hparams().checkpoint.full_root_windows, 4U);
  for (uint64_t window = 3; window < 9; ++window) {
    const Hash before = replica_.root();
    apply(replica_, window);
    common::Hasher expected;
    expected.update(before.bytes).update(digest(window).bytes);
    if (window % 4 == 0) expected.update(replica_.theta_root().bytes);
    EXPECT_EQ(replica_.root(), expected.finish()) << window;
  }
}

TEST_F(ReplicaTest, AWrongThetaIsNoticedAtTheNextFullRoot) {
  std::vector<float> theta(replica_.theta().begin(), replica_.theta().end());
  theta[5] += 0.5F;
  Replica wrong(subnet_.hparams(), theta, {3}, replica_.root());
  apply(wrong, 3);
  apply(replica_, 3);
  EXPECT_EQ(wrong.root(), replica_.root());
  apply(wrong, 4);
  apply(replica_, 4);
  EXPECT_NE(wrong.root(), replica_.root());
}

TEST_F(ReplicaTest, ANullWindowMovesNobody) {
  const auto before = bits(replica_);
  const Hash root = replica_.root();
  replica_.skip({3});
  replica_.skip({4});  // Also where a full root would be due.
  EXPECT_EQ(replica_.next_window(), Window{5});
  EXPECT_EQ(replica_.root(), root);
  EXPECT_EQ(bits(replica_), before);
}

// A manifest that counts nothing is not a null window: it is a command, and the root says so.
TEST_F(ReplicaTest, AnEmptyManifestMovesTheRootOnly) {
  const auto before = bits(replica_);
  const Hash root = replica_.root();
  ASSERT_TRUE(replica_.apply({3}, digest(3), {}));
  EXPECT_EQ(bits(replica_), before);
  EXPECT_NE(replica_.root(), root);
}

TEST_F(ReplicaTest, TheStepIsTheDocumentedOne) {
  const compress::Update sent = update(0, 3);
  const JudgedBody alone(subnet_.format(), body(0, 3));
  std::vector<float> expected(replica_.theta().begin(), replica_.theta().end());
  for (size_t t = 0; t < sent.tensors.size(); ++t) {
    for (size_t i = 0; i < sent.tensors[t].index.size(); ++i) {
      expected[replica_.layout().tensors()[t].offset + sent.tensors[t].index[i]] -=
          sent.tensors[t].value[i];  // outer learning rate 1, one contributor
    }
  }
  ASSERT_TRUE(replica_.apply({3}, digest(3), counted({alone.by({0})})));
  EXPECT_EQ(std::vector<float>(replica_.theta().begin(), replica_.theta().end()), expected);
}

TEST_F(ReplicaTest, BySignEachValueMovesByTheRateAndAZeroStays) {
  auto hparams = subnet_.hparams();
  hparams.outer.rule = "sign";
  hparams.outer.learning_rate = 0.25;
  Replica replica = Replica::genesis(hparams, {3});
  const std::vector<float> before(replica.theta().begin(), replica.theta().end());
  const compress::Update sent = update(0, 3);
  const JudgedBody alone(subnet_.format(), body(0, 3));
  ASSERT_TRUE(replica.apply({3}, digest(3), counted({alone.by({0})})));
  std::vector<float> expected = before;
  for (size_t t = 0; t < sent.tensors.size(); ++t) {
    for (size_t i = 0; i < sent.tensors[t].index.size(); ++i) {
      const float sign = sent.tensors[t].value[i] > 0 ? 1.0f : -1.0f;  // What is sent is not zero.
      expected[replica.layout().tensors()[t].offset + sent.tensors[t].index[i]] -= 0.25f * sign;
    }
  }
  EXPECT_NE(before, expected);
  EXPECT_EQ(std::vector<float>(replica.theta().begin(), replica.theta().end()), expected);
}

using ReplicaDeathTest = ReplicaTest;
TEST_F(ReplicaDeathTest, WindowsComeInOrder) {
  EXPECT_DEATH(apply(replica_, 4), "CHECK failed");
  EXPECT_DEATH(replica_.skip({2}), "CHECK failed");
}

TEST_F(ReplicaTest, ATrialIsASparseStepAndItsEndRestoresEveryBit) {
  const compress::Update sent = update(0, 3);
  const JudgedBody stored(subnet_.format(), body(0, 3));
  const std::vector<float> clip(sent.tensors.size(), 0.7F);
  const auto before = bits(replica_);
  const Hash root = replica_.root();
  std::vector<float> expected(replica_.theta().begin(), replica_.theta().end());
  std::vector<float> factors(clip.size(), -0.3F * 0.7F);
  compress::add_to(expected, sent, replica_.layout(), factors);
  // Subtract and add again would not do: the second step swallows what was there.
  for (const double step : {0.3, 1e30}) {
    auto trial = Trial::put_on(replica_, stored.body(), subnet_.format(), clip, step, 1);
    ASSERT_TRUE(trial);
    for (size_t i = 0; step < 1 && i < expected.size(); ++i) {
      EXPECT_FLOAT_EQ(replica_.theta()[i], expected[i]);
    }
    EXPECT_NE(bits(replica_), before);
    ASSERT_TRUE(trial->take_off());
    EXPECT_EQ(bits(replica_), before);
  }
  EXPECT_EQ(replica_.root(), root);
  EXPECT_EQ(replica_.next_window(), Window{3});
  EXPECT_TRUE(replica_.intact());
}

// A disk that fails while the contributions are read again: the replica says that it is void.
class Failing final : public common::ByteSource {
 public:
  explicit Failing(const Bytes& bytes) : source_(bytes) {}
  uint64_t size() const override { return source_.size(); }
  common::Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
    if (fails) return common::Error{common::Code::kIo, "the disk is gone"};
    return source_.read(offset, out);
  }
  bool fails = false;

 private:
  common::MemorySource source_;
};

TEST_F(ReplicaTest, WhatADiskLeftHalfDoneIsNotIntact) {
  const Bytes bytes = body(0, 3);
  Failing disk(bytes);
  const auto stored = compress::StoredBody::open(disk, 0, bytes.size(), subnet_.format());
  ASSERT_TRUE(stored && *stored);
  const auto sums = compress::judge_body(**stored, subnet_.format(), 1);
  ASSERT_TRUE(sums && *sums);
  const std::vector<float> clip(replica_.layout().tensors().size(), 1.0F);
  Replica twin = replica_;
  {
    auto trial = Trial::put_on(twin, **stored, subnet_.format(), clip, 1.0, 1);
    ASSERT_TRUE(trial);
    disk.fails = true;
    EXPECT_FALSE(trial->take_off());
    EXPECT_FALSE(twin.intact());
  }
  const auto applied = replica_.apply({3}, digest(3), counted({{{0}, 1.0, &**stored, &**sums}}));
  ASSERT_FALSE(applied);
  EXPECT_FALSE(replica_.intact());
  EXPECT_EQ(replica_.next_window(), Window{3});
}

}  // namespace
}  // namespace train
