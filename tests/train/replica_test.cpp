// Goal: the same commands give the same bits and roots; nothing else moves a replica.
// Method: twins, a formula written out, and every bit compared before and after a trial.
#include "train/replica.h"

#include <gtest/gtest.h>

#include <bit>
#include <stdexcept>

#include "tests/train/small_subnet.h"
#include "train/model.h"

namespace train {
namespace {

std::vector<uint32_t> bits(const Replica& replica) {
  std::vector<uint32_t> out;
  for (const float value : replica.theta()) out.push_back(std::bit_cast<uint32_t>(value));
  return out;
}

class ReplicaTest : public testing::Test {
 protected:
  compress::Update update(uint16_t uid, uint64_t window) const {
    return *compress::SparseLoco().decode(subnet_.work(uid, {window}, {}).body, subnet_.layout());
  }
  void apply(Replica& replica, uint64_t window, double weight = 1.0) const {
    const compress::Update a = update(0, window);
    const compress::Update b = update(1, window);
    const std::vector<compress::Contributor> both = {{{0}, 1.0, &a}, {{1}, weight, &b}};
    replica.apply({window}, digest(window), both);
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
  replica_.apply({3}, digest(3), {});
  EXPECT_EQ(bits(replica_), before);
  EXPECT_NE(replica_.root(), root);
}

TEST_F(ReplicaTest, TheStepIsTheDocumentedOne) {
  const compress::Update sent = update(0, 3);
  const std::vector<compress::Contributor> alone = {{{0}, 1.0, &sent}};
  std::vector<float> expected(replica_.theta().begin(), replica_.theta().end());
  for (size_t t = 0; t < sent.tensors.size(); ++t) {
    for (size_t i = 0; i < sent.tensors[t].index.size(); ++i) {
      expected[replica_.layout().tensors()[t].offset + sent.tensors[t].index[i]] -=
          sent.tensors[t].value[i];  // outer learning rate 1, one contributor
    }
  }
  replica_.apply({3}, digest(3), alone);
  EXPECT_EQ(std::vector<float>(replica_.theta().begin(), replica_.theta().end()), expected);
}

using ReplicaDeathTest = ReplicaTest;
TEST_F(ReplicaDeathTest, WindowsComeInOrder) {
  EXPECT_DEATH(apply(replica_, 4), "CHECK failed");
  EXPECT_DEATH(replica_.skip({2}), "CHECK failed");
}

TEST_F(ReplicaTest, ATrialIsASparseStepAndItsEndRestoresEveryBit) {
  const compress::Update sent = update(0, 3);
  const std::vector<float> clip(sent.tensors.size(), 0.7F);
  const auto before = bits(replica_);
  std::vector<float> expected(replica_.theta().begin(), replica_.theta().end());
  std::vector<float> factors(clip.size(), -0.3F * 0.7F);
  compress::add_to(expected, sent, replica_.layout(), factors);
  {
    const Trial trial(replica_, sent, clip, 0.3F);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(replica_.theta()[i], expected[i]);
    EXPECT_NE(bits(replica_), before);
  }
  EXPECT_EQ(bits(replica_), before);
  // Subtract and add again would not do: a step this large swallows what was there.
  { const Trial trial(replica_, sent, clip, 1e30); }
  EXPECT_EQ(bits(replica_), before);
}

TEST_F(ReplicaTest, ATrialIsTakenBackOnEveryWayOut) {
  const compress::Update sent = update(0, 3);
  const std::vector<float> clip(sent.tensors.size(), 1.0F);
  const auto before = bits(replica_);
  const Hash root = replica_.root();
  const auto leaves_early = [&](bool early) -> common::Result<void> {
    const Trial trial(replica_, sent, clip, 1.0);
    if (early) return common::Error{common::Code::kTimeout, "out"};
    throw std::runtime_error("out");
  };
  EXPECT_FALSE(leaves_early(true));
  EXPECT_EQ(bits(replica_), before);
  EXPECT_THROW(static_cast<void>(leaves_early(false)), std::runtime_error);
  EXPECT_EQ(bits(replica_), before);
  EXPECT_EQ(replica_.root(), root);
  EXPECT_EQ(replica_.next_window(), Window{3});
}

}  // namespace
}  // namespace train
