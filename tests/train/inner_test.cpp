// Goal: a window of training takes the assigned samples in order, learns, stops when told to,
// leaves theta
//   alone and writes down what it did.
// Method: a small model on a small data set on disk, the promises one by one; the loss of a text
// that repeats
//   itself must fall.
#include "train/inner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/small_model.h"
#include "train/cpu/backend.h"
#include "train/optimiser_state.h"

namespace train {
namespace {

// 64 samples of 7 tokens that count round: 1 2 3 ... 12 0 1 2 ...
Dataset counting_dataset(const std::filesystem::path& folder) {
  common::ByteWriter shard;
  constexpr uint64_t kTokens = 64 * 7 + 1;
  for (uint64_t i = 1; i <= kTokens; ++i) shard.number(static_cast<uint16_t>(i % 13));
  DatasetManifest manifest;
  manifest.tokenizer = "sentencepiece";
  manifest.vocabulary = 13;
  manifest.token_bytes = 2;
  manifest.end_of_document = kEnd;
  manifest.text_bytes = kTokens;
  manifest.document_count = kTokens / 13;
  const common::Bytes hashes = chunk_hashes(shard.bytes(), manifest.chunk_bytes);
  manifest.shards = {{"shard.bin", kTokens, common::blake2b_256(hashes)}};
  CHECK(common::write_file(folder / "shard.bin", shard.bytes()).has_value());
  CHECK(common::write_file(folder / "manifest.json", common::view_of(manifest.canonical()))
            .has_value());
  return Dataset::open(folder, manifest.hash(), 7).value();
}

class TrainWindow : public testing::Test {
 protected:
  TrainWindow() {
    hparams_.model = small_model(true);
    hparams_.inner = small_inner();
    hparams_.inner.steps = 30;
    hparams_.inner.warmup_windows = 0;
    hparams_.data.document_mask = true;
    assigned_ = assignment({}, {}, {1}, {2}, dataset_.sample_count(), hparams_.inner);
  }

  PseudoGradient train(const KeepGoing& keep_going) {
    const auto optimiser = make_optimiser(layout_, hparams_.inner, *backend_);
    return train_window(theta_, model_, *optimiser, dataset_, assigned_, hparams_, {2}, keep_going)
        .value();
  }

  tests::TempFolder folder_;
  common::Hparams hparams_{};
  Dataset dataset_ = counting_dataset(folder_.path());
  compress::Layout layout_ = parameter_layout(small_model(true), kCodec);
  std::vector<float> theta_ = initial_parameters(small_model(true), layout_);
  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
  Model model_{small_model(true), *backend_};
  std::vector<uint64_t> assigned_;
};

TEST_F(TrainWindow, LearnsFromTheAssignedSamplesInOrderAndLeavesThetaAlone) {
  const auto before = theta_;
  const auto result = train([](uint32_t) { return true; });
  EXPECT_EQ(theta_, before);
  ASSERT_EQ(result.receipt.steps.size(), 30u);
  EXPECT_TRUE(result.receipt.follows(assigned_, 3));
  EXPECT_EQ(result.token_count, 30u * 3 * 7);
  EXPECT_LT(result.last_loss, result.first_loss / 2);
  EXPECT_EQ(result.receipt.steps[0].loss, static_cast<float>(result.first_loss));
  EXPECT_EQ(result.receipt.steps[29].loss, static_cast<float>(result.last_loss));
}

TEST_F(TrainWindow, DeltaIsWhereItBeganLessWhereItEnded) {
  const auto result = train([](uint32_t) { return true; });
  std::vector<float> trained = theta_;
  for (size_t i = 0; i < trained.size(); ++i) trained[i] -= result.delta[i];
  std::vector<std::vector<uint32_t>> runs;
  for (uint64_t i = 0; i < 8; ++i) runs.push_back(dataset_.sample(i).value());
  const Batch batch = make_batch(runs, kEnd, true);
  for (const double loss : model_.losses(trained, batch)) EXPECT_LT(loss, result.first_loss / 2);
}

TEST_F(TrainWindow, StopsWhenToldToButTakesOneStep) {
  std::vector<uint32_t> asked;
  const auto result = train([&](uint32_t step) {
    asked.push_back(step);
    return step < 5;
  });
  EXPECT_EQ(result.receipt.steps.size(), 5u);
  EXPECT_EQ(asked, (std::vector<uint32_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(train([](uint32_t) { return false; }).receipt.steps.size(), 1u);
}

TEST_F(TrainWindow, TheSameWindowGivesTheSameBits) {
  const auto first = train([](uint32_t) { return true; });
  const auto second = train([](uint32_t) { return true; });
  EXPECT_EQ(first.delta, second.delta);
  EXPECT_EQ(first.receipt, second.receipt);
}

// A window in two halves, the optimiser's state on disk between them, is the window in one.
TEST_F(TrainWindow, GoesOnAfterARestartAsIfNothingHadHappened) {
  hparams_.inner.steps = 3;
  for (const char* kind : {"adamw", "muon"}) {
    hparams_.inner.optimiser = kind;
    const auto window = [&](Optimiser& optimiser, uint64_t index) {
      return train_window(theta_, model_, optimiser, dataset_, assigned_, hparams_, {index},
                          [](uint32_t) { return true; })
          .value();
    };
    const auto unbroken = make_optimiser(layout_, hparams_.inner, *backend_);
    const auto saved = make_optimiser(layout_, hparams_.inner, *backend_);
    window(*unbroken, 2);
    window(*saved, 2);
    ASSERT_TRUE(save_optimiser(*saved, folder_ / "state", {3}));
    const auto loaded = make_optimiser(layout_, hparams_.inner, *backend_);
    ASSERT_TRUE(load_optimiser(*loaded, folder_ / "state"));
    EXPECT_EQ(window(*unbroken, 3).delta, window(*loaded, 3).delta) << kind;
  }
}

TEST_F(TrainWindow, LearnsWithMuonToo) {
  hparams_.inner.optimiser = "muon";
  hparams_.inner.learning_rate = 0.05;  // A fifth of it is for the embeddings.
  const auto result = train([](uint32_t) { return true; });
  EXPECT_LT(result.last_loss, result.first_loss / 2);
}

TEST_F(TrainWindow, WhatIsNotFiniteIsAnErrorThatNamesTheStep) {
  for (const float broken : {NAN, INFINITY}) {
    auto theta = theta_;
    theta[layout_.tensors()[1].offset] = broken;
    const auto optimiser = make_optimiser(layout_, hparams_.inner, *backend_);
    const auto result = train_window(theta, model_, *optimiser, dataset_, assigned_, hparams_, {2},
                                     [](uint32_t) { return true; });
    ASSERT_FALSE(result) << broken;
    EXPECT_EQ(result.error().code, common::Code::kRefused);
    EXPECT_NE(result.error().message.find("inner step 0: "), std::string::npos)
        << result.error().message;
    EXPECT_NE(result.error().message.find("layers.0"), std::string::npos) << result.error().message;
    EXPECT_EQ(optimiser->state().steps, 0U);
  }
  // A rate that throws the parameters out of fp32 is noticed at the step after.
  hparams_.inner.learning_rate = 1e30;
  const auto optimiser = make_optimiser(layout_, hparams_.inner, *backend_);
  const auto result = train_window(theta_, model_, *optimiser, dataset_, assigned_, hparams_, {2},
                                   [](uint32_t) { return true; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message.find("inner step 0"), std::string::npos);
  EXPECT_NE(result.error().message.find(" operation) made NaN or infinity"), std::string::npos)
      << result.error().message;
  // The steps before are in the optimiser; after a reset it is as good as new.
  EXPECT_GT(optimiser->state().steps, 0U);
  optimiser->reset();
  hparams_.inner.learning_rate = 0.01;
  const auto again = train_window(theta_, model_, *optimiser, dataset_, assigned_, hparams_, {2},
                                  [](uint32_t) { return true; });
  EXPECT_EQ(again.value().delta, train([](uint32_t) { return true; }).delta);
}

// At the anneal's end the rate is nothing, and so is what a window changes.
TEST_F(TrainWindow, AfterTheAnnealNothingMoves) {
  hparams_.inner.anneal_window = 1;
  hparams_.inner.anneal_windows = 1;
  hparams_.inner.anneal_ratio = 0.25;
  for (const float value : train([](uint32_t) { return true; }).delta) ASSERT_EQ(value, 0.0F);
}

}  // namespace
}  // namespace train
