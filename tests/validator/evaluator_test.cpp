// Goal: a judging measures what it says, repeats bit for bit, and leaves no trace; and in a network
// of real training, work pays and tricks do not. Method: against losses computed by hand from the
// same model; then six peers for a dozen windows, with evidence, board and weights as a validator
// has them.
#include "validator/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>

#include "compress/aggregate.h"
#include "tests/train/memory_store.h"
#include "tests/train/token_set.h"
#include "tests/validator/small_network.h"
#include "tests/validator/support.h"
#include "validator/overlap.h"
#include "validator/scoreboard.h"
#include "validator/weights.h"

namespace validator {
namespace {

std::vector<float> no_clip(const train::Replica& replica) {
  return std::vector<float>(replica.layout().tensors().size(), 1.0F);
}

class EvaluatorTest : public testing::Test {
 protected:
  Evaluator evaluator() {
    return {network_.hparams(),     network_.model(),  network_.training_sets(),
            network_.heldout_set(), network_.format(), 1};
  }
  Candidate candidate(const Contribution& contribution, uint16_t uid) const {
    return {{uid}, &contribution.body->body(), clip_, &contribution.receipt};
  }

  SmallNetwork network_;
  std::vector<float> clip_ = no_clip(network_.replica());
};

double slow_loss(SmallNetwork& network, const train::Dataset& set, uint64_t sample,
                 std::span<const float> theta) {
  const std::vector<std::vector<uint32_t>> runs = {set.sample(sample).value()};
  const auto batch =
      train::make_batch(runs, set.manifest().end_of_document, network.hparams().data.document_mask);
  return network.model().losses(theta, batch).front();
}

TEST_F(EvaluatorTest, MeasuresTheLossesOfThetaAndOfThetaMinusTheClippedUpdate) {
  const Contribution work = network_.honest({3}, {1});
  std::fill(clip_.begin(), clip_.end(), 0.5F);
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));

  std::vector<float> moved(network_.replica().theta().begin(), network_.replica().theta().end());
  const std::vector<float> minus_half(clip_.size(), -0.5F);
  compress::add_to(moved, work.update, network_.replica().layout(), minus_half);
  ASSERT_GE(common.samples.size(), network_.hparams().evaluation.sequences_min);
  double sum = 0;
  for (size_t i = 0; i < common.samples.size(); ++i) {
    const auto& set = network_.heldout_set();
    const double before = slow_loss(network_, set, common.samples[i], network_.replica().theta());
    sum += before;
    EXPECT_NEAR(common.before[i], before, 1e-5);
    EXPECT_NEAR(common.after[i], slow_loss(network_, set, common.samples[i], moved), 1e-5);
  }
  for (size_t i = 0; i < own.trained.samples.size(); ++i) {
    const auto& set = network_.train_set();
    EXPECT_NEAR(own.trained.after[i], slow_loss(network_, set, own.trained.samples[i], moved),
                1e-5);
  }
  EXPECT_NEAR(judge.heldout_loss(), sum / static_cast<double>(common.samples.size()), 1e-5);
  EXPECT_GT(gain_of(common).mean, 0);
}

TEST_F(EvaluatorTest, LeavesTheReplicaBitIdentical) {
  const Contribution work = network_.honest({3}, {1});
  const auto root = network_.replica().theta_root();
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  EXPECT_EQ(network_.replica().theta_root(), root);
}

// A held-out set in a bucket that stops answering: nobody is guilty of it.
TEST_F(EvaluatorTest, WithoutItsDataJudgesNobodyAndLeavesTheReplicaAlone) {
  const Contribution work = network_.honest({3}, {1});
  const TokenSet set = token_set<uint16_t>({std::vector<uint16_t>(9000, 3)}, 8);
  tests::MemoryStore store;
  for (const auto& [file, bytes] : set.files) store.write(file, bytes);
  const auto heldout =
      train::Dataset::open(std::make_unique<tests::StoreView>(store), "a bucket",
                           set.manifest.hash(), network_.hparams().model.sequence_length);
  ASSERT_TRUE(heldout) << heldout.error().message;
  Evaluator judge(network_.hparams(), network_.model(), network_.training_sets(), *heldout,
                  network_.format(), 1);
  judge.begin({1}, digest(5));
  const auto root = network_.replica().theta_root();
  store.watch = tests::always(tests::Code::kRefused);
  Losses common;
  OwnLosses own;
  const auto judged = judge.judge(network_.replica(), candidate(work, 3), common, own);
  ASSERT_FALSE(judged);
  EXPECT_NE(judged.error().message.find("a bucket"), std::string::npos);
  EXPECT_TRUE(common.samples.empty() && common.before.empty() && common.after.empty());
  EXPECT_TRUE(own.trained.samples.empty() && own.control.samples.empty());
  EXPECT_EQ(network_.replica().theta_root(), root);
  store.watch = nullptr;  // The next miner of the window is judged.
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  EXPECT_FALSE(common.samples.empty());
}

TEST_F(EvaluatorTest, OwnSequencesAreOfTheReceiptAndNoSequenceComesTwice) {
  const Contribution work = network_.honest({3}, {1});
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  const auto assigned = network_.assigned({3}, {1});
  for (const uint64_t sample : own.trained.samples) {
    EXPECT_NE(std::find(assigned.begin(), assigned.end(), sample), assigned.end());
  }
  for (const Losses* losses : {&common, &own.trained, &own.control}) {
    const std::set<uint64_t> distinct(losses->samples.begin(), losses->samples.end());
    EXPECT_EQ(distinct.size(), losses->samples.size());
  }
}

// Losses before are cached by whoever meets a sequence first, own or control, and a batch's make-up
// may move the last bits.
void expect_same(const Losses& a, const Losses& b) {
  ASSERT_EQ(a.samples, b.samples);
  for (size_t i = 0; i < a.samples.size(); ++i) {
    EXPECT_NEAR(a.before[i], b.before[i], 1e-6);
    EXPECT_NEAR(a.after[i], b.after[i], 1e-6);
  }
}

TEST_F(EvaluatorTest, AnyValidatorMeasuresTheSameInAnyOrder) {
  const Contribution a = network_.honest({3}, {1});
  const Contribution b = network_.honest({4}, {1});
  Losses common[4];
  OwnLosses own[4];
  Evaluator first = evaluator();
  first.begin({1}, digest(5));
  EXPECT_TRUE(first.judge(network_.replica(), candidate(a, 3), common[0], own[0]));
  EXPECT_TRUE(first.judge(network_.replica(), candidate(b, 4), common[1], own[1]));
  Evaluator second = evaluator();
  second.begin({1}, digest(5));
  EXPECT_TRUE(second.judge(network_.replica(), candidate(b, 4), common[2], own[2]));
  EXPECT_TRUE(second.judge(network_.replica(), candidate(a, 3), common[3], own[3]));
  expect_same(own[0].trained, own[3].trained);
  expect_same(own[1].trained, own[2].trained);
  expect_same(own[0].control, own[3].control);
  expect_same(common[0], common[3]);
  EXPECT_EQ(own[0].control.samples, own[1].control.samples);
  // Another block, other sequences.
  second.begin({1}, digest(6));
  EXPECT_TRUE(second.judge(network_.replica(), candidate(a, 3), common[2], own[2]));
  EXPECT_NE(common[2].samples, common[0].samples);
  EXPECT_NE(own[2].trained.samples, own[0].trained.samples);
  EXPECT_NE(own[2].control.samples, own[0].control.samples);
}

TEST_F(EvaluatorTest, ReadsOnUntilItKnowsAndNeverBeyondTheLimit) {
  auto& evaluation = network_.hparams().evaluation;
  evaluation.sequences_min = 8;
  evaluation.sequences_batch = 8;
  const Contribution clear = network_.honest({3}, {1});
  const Contribution faint = network_.noise({4}, {1}, 1e-6F);
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(clear, 3), common, own));
  EXPECT_EQ(common.samples.size(), 8u);
  evaluation.confidence_z = 1000;  // Never sure.
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(faint, 4), common, own));
  EXPECT_EQ(common.samples.size(), 48u);
  EXPECT_EQ(own.trained.samples.size(), 24u);
  EXPECT_EQ(own.control.samples.size(), 24u);
  evaluation.tokens_max = 1;  // At least sequences_min all the same.
  judge.begin({1}, digest(5));
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(faint, 4), common, own));
  EXPECT_EQ(common.samples.size(), 8u);
}

// Of 8,000 samples, where the main set has 4,000: what a miner was assigned and what it is judged
// on is of the same set, in the window before the annealing as in its first.
TEST(EvaluatorAnneal, JudgesOnTheSetThatTheWindowTrainsOn) {
  SmallNetwork network(6);
  const auto clip = no_clip(network.replica());
  Evaluator judge(network.hparams(), network.model(), network.training_sets(),
                  network.heldout_set(), network.format(), 1);
  for (const uint64_t window : {5U, 6U, 5U}) {
    const train::Dataset& set = network.training_sets().of({window});
    EXPECT_EQ(set.sample_count(), window == 5 ? 4000U : 8000U);
    const Contribution work = network.honest({3}, {window});
    judge.begin({window}, digest(5));
    Losses common;
    OwnLosses own;
    const Candidate candidate{{3}, &work.body->body(), clip, &work.receipt};
    ASSERT_TRUE(judge.judge(network.replica(), candidate, common, own));
    for (const Losses* losses : {&own.trained, &own.control}) {
      ASSERT_GE(losses->samples.size(), 8U);
      const bool beyond = *std::ranges::max_element(losses->samples) >= 4000;
      EXPECT_EQ(beyond, window == 6);
      EXPECT_NEAR(losses->before[0],
                  slow_loss(network, set, losses->samples[0], network.replica().theta()), 1e-6);
    }
  }
}

TEST_F(EvaluatorTest, AReceiptOfNothingOrOfNonsenseLeavesOwnEmpty) {
  Contribution work = network_.honest({3}, {1});
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  work.receipt.steps.resize(1);
  work.receipt.steps[0].samples = {~uint64_t{0}, network_.train_set().sample_count()};
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  EXPECT_TRUE(own.trained.samples.empty());
  EXPECT_FALSE(common.samples.empty());
  work.receipt.steps.clear();
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  EXPECT_TRUE(own.trained.samples.empty());
}

TEST_F(EvaluatorTest, AnUpdateThatBlowsTheModelUpIsInfinitelyBad) {
  const Contribution honest = network_.honest({3}, {1});
  std::vector<float> huge(network_.replica().layout().parameter_count());
  const std::vector<float> ones(clip_.size(), 1.0F);
  compress::add_to(huge, honest.update, network_.replica().layout(), ones);
  for (float& value : huge) {
    if (value != 0) value = value > 0 ? 3e38F : -3e38F;
  }
  const Contribution work = network_.encoded(huge, honest.receipt);
  std::fill(clip_.begin(), clip_.end(), 1e30F);  // What is sent saturates at 2^32.
  const auto root = network_.replica().theta_root();
  Evaluator judge = evaluator();
  judge.begin({1}, digest(5));
  Losses common;
  OwnLosses own;
  EXPECT_TRUE(judge.judge(network_.replica(), candidate(work, 3), common, own));
  EXPECT_EQ(gain_of(common).mean, -INFINITY);
  EXPECT_EQ(network_.replica().theta_root(), root);
}

// --- A network. ---

// uid 0, 1, 2 honest; 3 trains on uid 0's data and says it is its own; 4 sends noise; 5 sends what
// uid 1 sent last window.
class Season {
 public:
  explicit Season(uint64_t windows) {
    network_.hparams().rating.advantage_required = 0.15;
    // A whole step of one miner alone overshoots once the language is learned; a part of it shows
    // the direction.
    network_.hparams().evaluation.step = 0.25;
    network_.hparams().inner.learning_rate = 0.005;
    for (uint64_t w = 1; w <= windows; ++w) play({w});
  }
  const Scoreboard& board() const { return board_; }
  const common::Hparams& hparams() const { return network_.hparams(); }
  double score_of(uint16_t uid) const { return score(*board_.find({uid}), network_.hparams()); }
  double heldout_loss() const { return heldout_loss_; }
  double first_heldout_loss() const { return first_heldout_loss_; }

 private:
  Contribution again(const Contribution& one) const {
    return {std::make_unique<train::JudgedBody>(network_.format(), one.body->bytes()), one.update,
            one.receipt};
  }
  void play(Window window) {
    std::vector<Contribution> sent;
    for (uint16_t uid = 0; uid < 3; ++uid) sent.push_back(network_.honest({uid}, window));
    sent.push_back(network_.train({0}, {3}, window));
    sent.push_back(network_.noise({4}, window, 0.003F));
    sent.push_back(before_.empty() ? network_.honest({5}, window) : again(before_[1]));

    std::vector<compress::StoredContributor> all;
    for (uint16_t uid = 0; uid < 6; ++uid) all.push_back(sent[uid].body->by({uid}));
    const auto clip = compress::clip_factors(all, network_.hparams().outer);
    WindowEvidence evidence = window_of(window.index, {});
    Evaluator judge(network_.hparams(), network_.model(), network_.training_sets(),
                    network_.heldout_set(), network_.format(), 1);
    judge.begin(window, evidence.seed_block);
    const auto alike = resemblances_of(sent, window);
    for (uint16_t uid = 0; uid < 6; ++uid) {
      Evidence row{.uid = {uid}, .hotkey = account(static_cast<uint8_t>(uid + 1))};
      row.overlap = alike[uid].overlap;
      row.overlap_z = alike[uid].z;
      row.overlap_with = alike[uid].with;
      const Candidate one{{uid}, &sent[uid].body->body(), clip[uid], &sent[uid].receipt};
      EXPECT_TRUE(judge.judge(network_.replica(), one, row.common, row.own));
      evidence.peers.push_back(std::move(row));
    }
    board_ = update(board_, evidence, network_.hparams());
    heldout_loss_ = judge.heldout_loss();
    if (first_heldout_loss_ == 0) first_heldout_loss_ = heldout_loss_;
    all.resize(3);
    train::Replica moved(network_.hparams(),
                         {network_.replica().theta().begin(), network_.replica().theta().end()},
                         window, digest(window.index));
    EXPECT_TRUE(moved.apply(window, digest(window.index),
                            {.contributors = all, .format = &network_.format()}));
    network_.replica() = std::move(moved);
    before_ = std::move(sent);
  }

  std::vector<Resemblance> resemblances_of(const std::vector<Contribution>& sent,
                                           Window window) const {
    std::deque<IndexSet> sets;
    std::vector<Fingerprint> now;
    std::vector<Fingerprint> past;
    const auto pieces = compared_pieces(network_.format(), digest(window.index));
    const auto add = [&](uint16_t uid, const Contribution& one, std::vector<Fingerprint>& prints) {
      sets.push_back(index_set(one.body->body(), network_.format(), pieces).value());
      prints.push_back({{uid}, window, &sets.back()});
    };
    for (uint16_t uid = 0; uid < 6; ++uid) {
      add(uid, sent[uid], now);
      if (!before_.empty()) add(uid, before_[uid], past);
    }
    return resemblances(now, past);
  }

  SmallNetwork network_;
  Scoreboard board_;
  std::vector<Contribution> before_;
  double heldout_loss_ = 0;
  double first_heldout_loss_ = 0;
};

TEST(Season, WorkPaysAndTricksDoNot) {
  const Season season(12);
  EXPECT_LT(season.heldout_loss(), season.first_heldout_loss());
  for (uint16_t uid = 0; uid < 6; ++uid) {
    const Standing& s = *season.board().find({uid});
    SCOPED_TRACE(testing::Message()
                 << "uid " << uid << ": mu " << s.mu << ", advantage " << s.advantage
                 << ", multiplier " << s.multiplier << ", gain " << s.last_gain << " +- "
                 << s.last_gain_error << ", z " << s.last_advantage_z << ", hold "
                 << name(hold_of(s, season.hparams())) << ", score " << season.score_of(uid));
    const Hold hold = hold_of(s, season.hparams());
    EXPECT_EQ(hold == Hold::kNone, uid < 3 || uid == 5);
    if (uid == 3) {
      EXPECT_EQ(hold, Hold::kUntrained);
    } else if (uid == 5) {
      EXPECT_LT(season.score_of(uid), season.score_of(0) / 4);
    }
  }
}

}  // namespace
}  // namespace validator
