// Goal: two nodes with different numbers never have the same hash, and one set of numbers has one
// text. Method: a small network's file, with one change at a time.
#include "common/hparams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "common/files.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::filesystem::path kTiny = MUSTER_SOURCE_DIR "/tests/data/hparams.json";

json tiny() { return json::parse(text_of(*read_file(kTiny, 1 << 20))); }

// The file with the value at `pointer` ("/schedule/seal_block") replaced.
json with(const char* pointer, const json& value) {
  json changed = tiny();
  changed[json::json_pointer(pointer)] = value;
  return changed;
}

std::string trouble_with(const char* pointer, const json& value) {
  const auto parsed = Hparams::parse(with(pointer, value).dump());
  return parsed ? "" : parsed.error().message;
}

// Pointers to every field that is no object.
std::vector<std::string> all_fields() {
  std::vector<std::string> fields;
  const json flat = tiny().flatten();
  for (const auto& [pointer, value] : flat.items()) fields.push_back(pointer);
  return fields;
}

TEST(Hparams, TheFilesThatWeShipAreWhole) {
  const std::filesystem::path folder = MUSTER_SOURCE_DIR "/deploy/hparams";
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto hparams = Hparams::load(entry.path());
    EXPECT_TRUE(hparams) << entry.path() << ": " << hparams.error().message;
    names.insert(entry.path().filename());
  }
  EXPECT_EQ(names, (std::set<std::string>{"small.json", "tiny.json"}));
}

TEST(Hparams, TheTinyNetworksFileLoads) {
  const auto hparams = Hparams::load(kTiny);
  ASSERT_TRUE(hparams) << hparams.error().message;
  EXPECT_EQ(hparams->protocol, 1u);
  EXPECT_EQ(hparams->codec.name, "sparseloco");
  EXPECT_EQ(hparams->model.kv_heads, 2u);
  EXPECT_LT(hparams->schedule.manifest_block, hparams->schedule.blocks_per_window);
}

TEST(Hparams, CanonicalTextIsSortedTightAndItsOwnCanonicalText) {
  const Hparams hparams = *Hparams::load(kTiny);
  const std::string text = hparams.canonical();
  const auto again = Hparams::parse(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->canonical(), text);
  EXPECT_EQ(again->hash(), hparams.hash());
  EXPECT_EQ(json::parse(text), tiny());  // Nothing lost, nothing added; 1 == 1.0 for json.
  EXPECT_EQ(text.find_first_of(" \n"), std::string::npos);
  EXPECT_THAT(text, testing::StartsWith(R"({"checkpoint":{"full_root_windows":)"));
}

TEST(Hparams, NumbersAreWrittenInTheirShortestForm) {
  json changed = with("/inner/learning_rate", 0.1);
  changed["rating"]["mu"] = 25.0;
  changed["rating"]["sigma"] = 1.0 / 3;
  const std::string text = Hparams::parse(changed.dump())->canonical();
  EXPECT_THAT(text, HasSubstr(R"("learning_rate":0.1,)"));
  EXPECT_THAT(text, HasSubstr(R"("mu":25,)"));
  EXPECT_THAT(text, HasSubstr(R"("sigma":0.3333333333333333,)"));
  EXPECT_THAT(text, HasSubstr(R"("kappa":1e-04,)"));
}

TEST(Hparams, OneWrittenTwoWaysIsOneText) {
  const Hash plain = Hparams::parse(with("/inner/gradient_clip", 1).dump())->hash();
  EXPECT_EQ(Hparams::parse(with("/inner/gradient_clip", 1.0).dump())->hash(), plain);
  EXPECT_EQ(Hparams::parse(with("/inner/gradient_clip", 0.0).dump())->hash(),
            Hparams::parse(with("/inner/gradient_clip", -0.0).dump())->hash());
  const std::string pretty = with("/inner/gradient_clip", 1).dump(8);
  EXPECT_EQ(Hparams::parse(pretty)->hash(), plain);
}

TEST(Hparams, HashesMayBeWrittenInEitherCase) {
  const auto lower = Hparams::parse(with("/data/train", std::string(64, 'a')).dump());
  const auto upper = Hparams::parse(with("/data/train", std::string(64, 'A')).dump());
  EXPECT_EQ(lower->hash(), upper->hash());
  EXPECT_THAT(trouble_with("/data/train", std::string(63, 'a')), HasSubstr("data.train"));
  EXPECT_THAT(trouble_with("/data/heldout", std::string(64, 'g')), HasSubstr("data.heldout"));
}

TEST(Hparams, EveryFieldIsRequired) {
  for (const std::string& pointer : all_fields()) {
    json changed = tiny();
    const json::json_pointer field(pointer);
    changed[field.parent_pointer()].erase(field.back());
    const auto parsed = Hparams::parse(changed.dump());
    ASSERT_FALSE(parsed) << pointer;
    EXPECT_THAT(parsed.error().message, HasSubstr(field.back() + ": is missing"));
  }
}

TEST(Hparams, EveryFieldHasAStrictType) {
  for (const std::string& pointer : all_fields()) {
    const json::json_pointer field(pointer);
    EXPECT_THAT(trouble_with(pointer.c_str(), json::array()), HasSubstr(field.back())) << pointer;
    const json wrong = tiny()[field].is_string() ? json(1) : json("x");
    EXPECT_THAT(trouble_with(pointer.c_str(), wrong), HasSubstr(field.back())) << pointer;
  }
}

TEST(Hparams, EveryFieldChangesTheHash) {
  const Hash before = Hparams::load(kTiny)->hash();
  for (const std::string& pointer : all_fields()) {
    if (pointer == "/protocol") continue;  // Has a single value.
    // These two change together: see AnnealingNeedsADataSetOfItsOwn.
    if (pointer == "/data/anneal" || pointer == "/inner/anneal_window") continue;
    const json value = tiny()[json::json_pointer(pointer)];
    json candidates = {1, 2, 3, 0.2, 0.5, 51, 57, 65, 81, 9000};
    if (value.is_boolean()) candidates = {!value.get<bool>()};
    if (value.is_string()) candidates = {std::string(64, '1'), "dense", "senders", "sign", "muon"};
    bool changed = false;
    for (const json& candidate : candidates) {
      const auto parsed = Hparams::parse(with(pointer.c_str(), candidate).dump());
      if (candidate == value || !parsed) continue;
      EXPECT_NE(parsed->hash(), before) << pointer;
      changed = true;
    }
    EXPECT_TRUE(changed) << pointer << ": no candidate was valid";
  }
}

TEST(Hparams, AMisspeltKeyIsMetWithTheRightOne) {
  json changed = tiny();
  changed["schedule"]["seal_blok"] = changed["schedule"]["seal_block"];
  changed["schedule"].erase("seal_block");
  EXPECT_EQ(Hparams::parse(changed.dump()).error().message,
            "unknown key 'seal_blok' in schedule: did you mean 'seal_block'?");
  changed = tiny();
  changed["ratings"] = changed["rating"];
  changed.erase("rating");
  EXPECT_EQ(Hparams::parse(changed.dump()).error().message,
            "unknown key 'ratings': did you mean 'rating'?");
}

TEST(Hparams, ValuesOutOfRangeAreNamed) {
  struct Case {
    const char* pointer;
    json value;
  };
  const Case cases[] = {
      {"/protocol", 2},
      {"/schedule/seal_block", 0},
      {"/schedule/blocks_per_window", 2'000'000'000},
      {"/schedule/manifest_quorum", 1.1},
      {"/model/sequence_length", 1},
      {"/model/layers", 0},
      {"/model/heads", 0},
      {"/model/kv_heads", 0},
      {"/model/norm_epsilon", 0},
      {"/inner/beta1", 1},
      {"/inner/beta2", -0.1},
      {"/inner/learning_rate", 0},
      {"/inner/steps", 0},
      {"/codec/tile", 4097},
      {"/codec/keep", 0},
      {"/outer/contributors_max", 0},
      {"/rating/sigma", 0},
      {"/rating/memory", 0.5},
      {"/penalty/missing", 1.01},
      {"/penalty/waiver_share", 0},
      {"/weights/top_ratio", 0.9},
      {"/weights/burn_uid", 65536},
      {"/checkpoint/keep", 0},
  };
  for (const Case& item : cases) {
    const std::string field = json::json_pointer(item.pointer).back();
    EXPECT_THAT(trouble_with(item.pointer, item.value), HasSubstr(field)) << item.pointer;
  }
}

TEST(Hparams, ValuesThatContradictEachOtherAreRefused) {
  EXPECT_THAT(trouble_with("/schedule/seal_block", 56), HasSubstr("schedule.reveal_block"));
  EXPECT_THAT(trouble_with("/schedule/reveal_block", 60), HasSubstr("schedule.manifest_block"));
  EXPECT_THAT(trouble_with("/schedule/manifest_block", 80), HasSubstr("schedule.manifest_block"));
  EXPECT_THAT(trouble_with("/model/heads", 3), HasSubstr("divide dim"));
  EXPECT_THAT(trouble_with("/model/dim", 132), HasSubstr("should be even"));
  EXPECT_THAT(trouble_with("/model/kv_heads", 3), HasSubstr("divide heads"));
  EXPECT_THAT(trouble_with("/codec/tile", 63), HasSubstr("codec.keep"));
  EXPECT_THAT(trouble_with("/codec/tile", 1000), HasSubstr("codec.tile: should be a square"));
  EXPECT_THAT(trouble_with("/inner/decay_windows", 1), "");
  EXPECT_THAT(trouble_with("/inner/warmup_windows", 1001), HasSubstr("inner.warmup_windows"));
  EXPECT_THAT(trouble_with("/model/rope_low_frequency", 4), HasSubstr("rope_low_frequency"));
  EXPECT_THAT(trouble_with("/inner/anneal_window", 2000), HasSubstr("inner.anneal_windows"));
  EXPECT_THAT(trouble_with("/data/anneal", std::string(64, '1')), HasSubstr("data.anneal"));
  EXPECT_THAT(trouble_with("/weights/exploration_share", 0.3), HasSubstr("exploration_share"));
  EXPECT_THAT(trouble_with("/evaluation/tokens_max", 2047), HasSubstr("evaluation.tokens_max"));
}

TEST(Hparams, AModelThatNobodyCanLayOutIsRefused) {
  json large = tiny();
  large["model"]["dim"] = 8192;
  large["model"]["vocabulary"] = 524'287;
  EXPECT_TRUE(Hparams::parse(large.dump()));
  large["model"]["vocabulary"] = 524'288;  // 2^32 values.
  EXPECT_THAT(Hparams::parse(large.dump()).error().message, HasSubstr("model.vocabulary: times"));
  large = tiny();
  large["model"]["dim"] = 65'536;
  EXPECT_THAT(Hparams::parse(large.dump()).error().message, HasSubstr("model.dim: times"));
  large["model"]["dim"] = 32'768;
  large["model"]["hidden"] = 100'000;
  large["model"]["layers"] = 70;  // 14.1e9 each.
  EXPECT_TRUE(Hparams::parse(large.dump()));
  large["model"]["layers"] = 71;
  EXPECT_THAT(Hparams::parse(large.dump()).error().message, HasSubstr("model.layers: and dim"));
}

TEST(Hparams, AnnealingNeedsADataSetOfItsOwn) {
  json changed = tiny();
  changed["inner"]["anneal_window"] = 2000;
  changed["inner"]["anneal_windows"] = 90;
  const auto lacks = Hparams::parse(changed.dump());
  ASSERT_FALSE(lacks);
  EXPECT_THAT(lacks.error().message, HasSubstr("data.anneal"));
  changed["data"]["anneal"] = std::string(64, '1');
  const auto anneals = Hparams::parse(changed.dump());
  ASSERT_TRUE(anneals) << anneals.error().message;
  EXPECT_NE(anneals->hash(), Hparams::load(kTiny)->hash());
  changed["inner"]["anneal_window"] = 2001;
  EXPECT_NE(Hparams::parse(changed.dump())->hash(), anneals->hash());
  changed["inner"]["anneal_warmup_steps"] = 1'000'000;
  EXPECT_FALSE(Hparams::parse(changed.dump()));
}

TEST(Hparams, NamesAreOfAKnownCodecDivisorAndOptimiser) {
  EXPECT_EQ(trouble_with("/inner/optimiser", "muon"), "");
  EXPECT_THAT(trouble_with("/inner/optimiser", "adam"), HasSubstr("did you mean 'adamw'?"));
  for (const char* const codec : {"sparseloco", "templar", "demo", "distro", "dense"}) {
    EXPECT_EQ(trouble_with("/codec/name", codec), "");
  }
  EXPECT_THAT(trouble_with("/codec/name", "sparselocco"), HasSubstr("did you mean 'sparseloco'?"));
  EXPECT_THAT(trouble_with("/codec/name", "zip"), HasSubstr("known are sparseloco, templar"));
  EXPECT_EQ(trouble_with("/outer/divide", "senders"), "");
  EXPECT_THAT(trouble_with("/outer/divide", "sender"), HasSubstr("did you mean 'senders'?"));
  EXPECT_EQ(trouble_with("/outer/rule", "sign"), "");
  EXPECT_THAT(trouble_with("/outer/rule", "signs"), HasSubstr("did you mean 'sign'?"));
}

TEST(Hparams, LoadNamesTheFile) {
  const tests::TempFolder folder;
  EXPECT_EQ(Hparams::load(folder / "absent.json").error().code, Code::kNotFound);
  ASSERT_TRUE(write_file(folder / "h.json", view_of("{")));
  const auto loaded = Hparams::load(folder / "h.json");
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
  EXPECT_THAT(loaded.error().message, HasSubstr("h.json"));
  ASSERT_TRUE(write_file(folder / "big.json", Bytes(2 << 20, ' ')));
  EXPECT_EQ(Hparams::load(folder / "big.json").error().code, Code::kExhausted);
}

}  // namespace
}  // namespace common
