// Goal: a node does not start on hparams that this version cannot run, and says what to change.
// Method: the tests' hparams with one value changed; nothing else of the configuration exists.
#include "train/node_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/temp_folder.h"

namespace train {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string trouble_with(const char* pointer, const json& value) {
  const tests::TempFolder folder;
  const auto text = common::read_file(MUSTER_SOURCE_DIR "/tests/data/hparams.json", 1 << 20);
  json hparams = json::parse(common::text_of(text.value()));
  hparams[json::json_pointer(pointer)] = value;
  EXPECT_TRUE(common::write_file(folder / "hparams.json", common::view_of(hparams.dump())));
  common::NodeConfig config;
  config.hparams = folder / "hparams.json";
  config.data = folder / "data";
  config.train_set = (folder / "absent").string();
  const auto parts = open_node(config);
  return parts ? "" : parts.error().message;
}

TEST(OpenNode, RefusesCoSignaturesThatItDoesNotMake) {
  EXPECT_THAT(trouble_with("/schedule/manifest_quorum", 0.5), HasSubstr("set it to 0"));
}

TEST(OpenNode, RefusesCodecsThatValidatorsCannotJudge) {
  EXPECT_THAT(trouble_with("/codec/name", "dense"), HasSubstr("take sparseloco or templar"));
  EXPECT_THAT(trouble_with("/codec/name", "demo"), HasSubstr("hparams.json: codec.name"));
  // The next thing that is wrong is that there is no data set.
  EXPECT_THAT(trouble_with("/codec/name", "templar"), HasSubstr("absent"));
}

}  // namespace
}  // namespace train
