// Goal: a window trains on a bucket as it trains on a folder, and data that cannot be read are our
// trouble: nothing is trained, or what was read so far is.
// Method: one small set in both places; a bucket in memory that stops answering.
#include <gtest/gtest.h>

#include "tests/train/memory_store.h"
#include "tests/train/small_model.h"
#include "tests/train/token_set.h"
#include "train/cpu/backend.h"
#include "train/inner.h"

namespace train {
namespace {

// Samples of 7 tokens that count round, in two shards of about two chunks.
TokenSet counting_set() {
  std::vector<std::vector<uint16_t>> shards(2, std::vector<uint16_t>(4000));
  for (size_t i = 0; i < 8000; ++i) shards[i / 4000][i % 4000] = static_cast<uint16_t>(i % 13);
  return token_set(shards, 13);
}

class TrainWindowOnABucket : public testing::Test {
 protected:
  TrainWindowOnABucket() {
    const TokenSet set = counting_set();
    write_to(folder_, set);
    for (const auto& [file, bytes] : set.files) store_.write(file, bytes);
    hash_ = set.manifest.hash();
    hparams_.model = small_model(true);
    hparams_.inner = small_inner();
    hparams_.inner.steps = 4;
    hparams_.inner.warmup_windows = 0;
    hparams_.data.document_mask = true;
  }

  Dataset remote() {
    return Dataset::open(std::make_unique<tests::StoreView>(store_), "a bucket", hash_, 7,
                         {folder_.path() / "cache", 1 << 20})
        .value();
  }
  common::Result<PseudoGradient> train(const Dataset& dataset) {
    const auto assigned = assignment({}, {}, {1}, {2}, dataset.sample_count(), hparams_.inner);
    optimiser_->reset();
    return train_window(theta_, model_, *optimiser_, dataset, assigned, hparams_, {2},
                        [this](uint32_t) { return before_step_(), true; });
  }

  DataFolder folder_;
  tests::MemoryStore store_;
  common::Hash hash_;
  common::Hparams hparams_{};
  compress::Layout layout_ = parameter_layout(small_model(true), kCodec);
  std::vector<float> theta_ = initial_parameters(small_model(true), layout_);
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  Model model_{small_model(true), *backend_};
  std::unique_ptr<Optimiser> optimiser_ = make_optimiser(layout_, small_inner(), *backend_);
  std::function<void()> before_step_ = [] {};
};

TEST_F(TrainWindowOnABucket, IsTrainingOnTheFolder) {
  const Dataset local = Dataset::open(folder_.path(), hash_, 7).value();
  const PseudoGradient on_folder = train(local).value();
  const PseudoGradient on_bucket = train(remote()).value();
  EXPECT_EQ(on_bucket.delta, on_folder.delta);
  EXPECT_EQ(on_bucket.receipt, on_folder.receipt);
}

TEST_F(TrainWindowOnABucket, ThatDoesNotAnswerIsAnErrorAndTheNextWindowIsTriedAgain) {
  const Dataset dataset = remote();
  store_.watch = tests::always(tests::Code::kRefused);
  const auto failed = train(dataset);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, tests::Code::kRefused);
  EXPECT_NE(failed.error().message.find("a bucket"), std::string::npos);
  store_.watch = nullptr;
  EXPECT_EQ(train(dataset).value().receipt.steps.size(), 4u);
}

TEST_F(TrainWindowOnABucket, ThatStopsAnsweringEndsTheLoopWithWhatWasTrained) {
  // One sample a step, and chunks of one shard only at first: samples are drawn over both.
  hparams_.inner.steps = 60;
  const Dataset dataset = remote();
  store_.watch = [](const std::string& call) -> std::optional<common::Error> {
    if (call != "get tokens-1.bin") return std::nullopt;
    return common::Error{tests::Code::kRefused, "gone"};
  };
  const auto assigned = assignment({}, {}, {1}, {2}, dataset.sample_count(), hparams_.inner);
  const size_t per_step = hparams_.inner.sequences_per_step;
  size_t readable = 0;
  while (dataset.sample(assigned[readable]).has_value()) ++readable;
  const auto trained = train(dataset);
  if (readable < per_step) {
    EXPECT_FALSE(trained.has_value());
  } else {
    EXPECT_EQ(trained.value().receipt.steps.size(), readable / per_step);
  }
}

}  // namespace
}  // namespace train
