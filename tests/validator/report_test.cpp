// Goal: the public report says all that the record holds, and whose word it is.
// Method: parse it back; check the signature; look for numbers that changed.
#include "validator/report.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/temp_folder.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

TEST(ScoreReport, ReadsBackTheSameNumbersAndIsSigned) {
  const tests::TempFolder folder;
  auto store = ScoreStore::open(folder.path(), tiny_hparams(), ScoreStore::Mode::kReadWrite);
  ASSERT_TRUE(store.has_value());
  WindowEvidence evidence =
      window_of(4, {judged(0, 0.1 / 3, 0.07), judged(1, 0.02, 0.02), failed(2, Verdict::kLate)});
  evidence.peers[1].common.after[0] = std::numeric_limits<double>::infinity();
  const Record record = *store->append(evidence);
  const auto hotkey = *common::Keypair::from_uri("//Judge");
  const auto report = nlohmann::json::parse(score_report(record, hotkey));

  EXPECT_EQ(report["window"], 4);
  EXPECT_EQ(report["hash"], record.hash.hex());
  EXPECT_EQ(report["previous"], record.previous.hex());
  ASSERT_EQ(report["evidence"].size(), 3u);
  EXPECT_EQ(report["evidence"][2]["verdict"], "late");
  EXPECT_EQ(report["evidence"][1]["common"]["after"][0], "inf");
  EXPECT_EQ(report["standings"][1]["last_gain"], "-inf");
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(report["evidence"][0]["common"]["after"][i].get<double>(),
              record.evidence.peers[0].common.after[i]);
  }
  EXPECT_EQ(report["standings"][0]["mu"].get<double>(), record.board.standings[0].mu);
  EXPECT_EQ(report["weights"][0]["share"].get<double>(), record.weights[0].share);

  EXPECT_EQ(report["signer"], hotkey.account().ss58());
  const auto bytes = common::from_hex(report["signature"].get<std::string>());
  ASSERT_TRUE(bytes && bytes->size() == 64);
  common::Signature signature;
  std::copy(bytes->begin(), bytes->end(), signature.begin());
  EXPECT_TRUE(common::verify(hotkey.account(), record.hash.bytes, signature));
}

}  // namespace
}  // namespace validator
