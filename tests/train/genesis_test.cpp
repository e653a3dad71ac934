// Goal: a network starts from a given model, the same on every node however the model is stored,
// and from no other. Method: folders of one model in several forms; one thing wrong at a time; a
// network of tests moved on from it.
#include "train/genesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temp_folder.h"
#include "tests/train/small_subnet.h"
#include "train/hf_checkpoint.h"
#include "train/model.h"
#include "train/sync.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using testing::HasSubstr;

class GenesisTest : public testing::Test {
 protected:
  GenesisTest() {
    // Values that bf16 holds exactly.
    config_.model = hparams_.model;
    theta_.assign(parameter_layout(hparams_.model, hparams_.codec).parameter_count(), 0);
    for (size_t i = 0; i < theta_.size(); ++i) theta_[i] = static_cast<float>(i % 64) / 64;
    hparams_.model.initial_theta = theta_root(theta_);
  }
  fs::path folder(const char* name, const HfWriteOptions& options = {}) {
    const auto done = write_hf_folder(temp_ / name, config_, theta_, options);
    EXPECT_TRUE(done) << done.error().message;
    return temp_ / name;
  }
  std::string refusal(const fs::path& initial_model) const {
    const auto replica = genesis(hparams_, initial_model);
    if (replica) return "";
    EXPECT_EQ(replica.error().code, Code::kInvalidArgument);
    return replica.error().message;
  }

  tests::TempFolder temp_;
  common::Hparams hparams_ = small_hparams();
  HfConfig config_{};
  std::vector<float> theta_;
};

TEST_F(GenesisTest, BeginsWithTheGivenModelHoweverItIsStored) {
  HfWriteOptions halves;
  halves.dtype = Dtype::kBf16;
  halves.shard_bytes = 100;
  const auto whole = genesis(hparams_, folder("whole"));
  const auto shards = genesis(hparams_, folder("shards", halves));
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_TRUE(shards) << shards.error().message;
  EXPECT_EQ(std::vector<float>(whole->theta().begin(), whole->theta().end()), theta_);
  EXPECT_EQ(whole->root(), shards->root());
  EXPECT_EQ(whole->theta_root(), hparams_.model.initial_theta);
  EXPECT_EQ(whole->next_window(), Window{0});
  EXPECT_EQ(whole->root(), common::Hasher()
                               .update(common::view_of("genesis"))
                               .update(hparams_.hash().bytes)
                               .update(hparams_.model.initial_theta.bytes)
                               .finish());
  EXPECT_TRUE(check_initial_model(hparams_, temp_ / "whole"));
}

TEST_F(GenesisTest, WithoutAGivenModelTheSeedDraws) {
  hparams_.model.initial_theta = {};
  const auto replica = genesis(hparams_, {});
  ASSERT_TRUE(replica);
  EXPECT_EQ(replica->root(), Replica::genesis(hparams_, Window{0}).root());
  EXPECT_TRUE(check_initial_model(hparams_, {}));
  EXPECT_THAT(check_initial_model(hparams_, "x").error().message, HasSubstr("init_seed"));
}

TEST_F(GenesisTest, AnotherModelIsRefusedWithWhatToDo) {
  EXPECT_THAT(refusal({}), HasSubstr("initial_model in node.json, or with --initial-model"));
  EXPECT_THAT(refusal({}), HasSubstr(hparams_.model.initial_theta.hex()));
  const fs::path good = folder("good");
  EXPECT_EQ(refusal(good), "");
  theta_[17] += 1;
  EXPECT_THAT(refusal(folder("other")),
              HasSubstr("its Merkle root is " + theta_root(theta_).hex()));
  config_.model.vocabulary += 1;
  theta_.resize(parameter_layout(config_.model, hparams_.codec).parameter_count());
  const fs::path larger = folder("larger");
  EXPECT_THAT(refusal(larger), HasSubstr("its vocabulary is"));
  EXPECT_THAT(check_initial_model(hparams_, larger).error().message, HasSubstr("its vocabulary"));
  EXPECT_EQ(genesis(hparams_, temp_ / "nothing").error().code, Code::kNotFound);
  // A checkpoint of the network serves as well.
  EXPECT_TRUE(check_initial_model(hparams_, {}));
}

TEST_F(GenesisTest, ANodeWithoutACheckpointStartsFromIt) {
  tests::MemoryStore disk;
  const Peers nobody{{}};
  const auto started = newest_checkpoint(hparams_, Window{0}, &disk, {}, nobody, folder("initial"));
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(started->theta_root(), hparams_.model.initial_theta);
  // A node that has its own checkpoint needs no folder.
  ASSERT_TRUE(save_checkpoint(disk, *started, hparams_, key_of(0)));
  const auto again = newest_checkpoint(hparams_, Window{0}, &disk, {}, nobody);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->root(), started->root());
}

}  // namespace
}  // namespace train
