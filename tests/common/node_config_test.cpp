// Goal: node.json says where things are, and a slip of the pen is named.
// Method: the least config, a full one, and one fault at a time.
#include "common/node_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json least() {
  return {{"hparams", "hparams.json"},
          {"data", "../data"},
          {"train_set", "/sets/train"},
          {"bucket", "file:///buckets/me"}};
}

std::string trouble_with(const char* key, const json& value) {
  json changed = least();
  changed[key] = value;
  const auto parsed = NodeConfig::parse(changed.dump(), "/net/node");
  return parsed ? "" : parsed.error().message;
}

TEST(NodeConfig, TheLeastOneHasDefaults) {
  const auto config = NodeConfig::parse(least().dump(), "/net/node");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->hparams, "/net/node/hparams.json");
  EXPECT_EQ(config->data, "/net/data");
  EXPECT_EQ(config->train_set, "/sets/train");
  EXPECT_TRUE(config->heldout_set.empty());
  EXPECT_TRUE(config->initial_model.empty());
  EXPECT_TRUE(config->anneal_set.empty());
  EXPECT_EQ(config->public_bucket, "file:///buckets/me");
  EXPECT_EQ(config->device, "cpu");
  EXPECT_EQ(config->threads, 0u);
  EXPECT_EQ(config->precision, "auto");
  EXPECT_FALSE(config->recompute);
  EXPECT_EQ(config->log_level, "info");
  EXPECT_EQ(config->chain_endpoint, "local");
  EXPECT_TRUE(config->wallet.path.empty());
  EXPECT_EQ(config->data_cache_mb, 8192u);
}

TEST(NodeConfig, ADataSetIsAFolderOrABucket) {
  json changed = least();
  changed["train_set"] = "s3://host/tokens";
  changed["heldout_set"] = "../heldout";
  changed["anneal_set"] = "file:///sets/anneal";
  changed["data_cache_mb"] = 100;
  const auto config = NodeConfig::parse(changed.dump(), "/net/node");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->train_set, "s3://host/tokens");  // As it stands.
  EXPECT_EQ(config->heldout_set, "/net/heldout");
  EXPECT_EQ(config->anneal_set, "file:///sets/anneal");
  EXPECT_EQ(config->data_cache_mb, 100u);
  EXPECT_THAT(trouble_with("train_set", ""), HasSubstr("train_set"));
  EXPECT_THAT(trouble_with("data_cache_mb", -1), HasSubstr("data_cache_mb"));
}

TEST(NodeConfig, AFullOneIsReadAsItStands) {
  json full = least();
  full.update({{"heldout_set", "h"},
               {"initial_model", "models/base"},
               {"chain_endpoint", "http://127.0.0.1:9944"},
               {"public_bucket", "file:///buckets/public"},
               {"wallet", {{"path", "wallets"}, {"name", "n"}, {"hotkey", "h"}}},
               {"device", "cuda:1"},
               {"threads", 2},
               {"precision", "bf16"},
               {"recompute", true},
               {"log_level", "debug"}});
  const auto config = NodeConfig::parse(full.dump(), "/net");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->heldout_set, "/net/h");
  EXPECT_EQ(config->initial_model, "/net/models/base");
  EXPECT_EQ(config->wallet.path, "/net/wallets");
  EXPECT_EQ(config->wallet.name, "n");
  EXPECT_EQ(config->wallet.hotkey, "h");
  EXPECT_EQ(config->device, "cuda:1");
  EXPECT_EQ(config->threads, 2u);
  EXPECT_EQ(config->precision, "bf16");
  EXPECT_TRUE(config->recompute);
  EXPECT_EQ(config->public_bucket, "file:///buckets/public");
}

TEST(NodeConfig, ATildeIsTheHomeFolder) {
  ASSERT_EQ(setenv("HOME", "/home/someone", 1), 0);
  json changed = least();
  changed["wallet"] = {{"path", "~/.bittensor/wallets"}};
  EXPECT_EQ(NodeConfig::parse(changed.dump(), "/net")->wallet.path,
            "/home/someone/.bittensor/wallets");
}

TEST(NodeConfig, NeededFieldsAreNeeded) {
  const json whole = least();
  for (const auto& [key, value] : whole.items()) {
    json changed = whole;
    changed.erase(key);
    EXPECT_THAT(NodeConfig::parse(changed.dump(), "/").error().message,
                HasSubstr(key + ": is missing"));
    EXPECT_THAT(trouble_with(key.c_str(), ""), HasSubstr(key + ": should not be empty"));
  }
}

TEST(NodeConfig, MistakesAreNamed) {
  EXPECT_EQ(trouble_with("buckett", "x"), "unknown key 'buckett': did you mean 'bucket'?");
  EXPECT_EQ(trouble_with("walet", "x"), "unknown key 'walet': did you mean 'wallet'?");
  EXPECT_EQ(trouble_with("wallet", json{{"hotky", "x"}}),
            "unknown key 'hotky' in wallet: did you mean 'hotkey'?");
  EXPECT_THAT(trouble_with("wallet", "x"), HasSubstr("wallet: should be an object"));
  for (const char* const device : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "cpu,"}) {
    EXPECT_THAT(trouble_with("device", device), HasSubstr("device: should be")) << device;
  }
  EXPECT_THAT(trouble_with("threads", 5000), HasSubstr("threads"));
  EXPECT_THAT(trouble_with("precision", "fp16"),
              HasSubstr("precision: should be one of auto, fp32, bf16"));
  EXPECT_THAT(trouble_with("log_level", "loud"), HasSubstr("log_level: should be one of trace"));
}

TEST(NodeConfig, LoadResolvesAgainstTheFilesFolderAndNamesTheFile) {
  const tests::TempFolder folder;
  ASSERT_TRUE(write_file(folder / "n/node.json", view_of(least().dump())));
  EXPECT_EQ(NodeConfig::load(folder / "n/node.json")->data, folder / "data");
  ASSERT_TRUE(write_file(folder / "n/node.json", view_of("{}")));
  EXPECT_THAT(NodeConfig::load(folder / "n/node.json").error().message, HasSubstr("node.json: "));
}

}  // namespace
}  // namespace common
