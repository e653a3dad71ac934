// Goal: other people's folders are read to the last bit, ours open elsewhere, and a wrong one is
// refused with what is wrong. Method: a sharded folder written by an outside program and its logits
// (golden/make_hf_golden.py); our own folders there and back; one thing wrong at a time.
#include "train/hf_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/temp_folder.h"
#include "tests/train/small_model.h"
#include "train/decoder.h"
#include "train/llama2c.h"
#include "train/theta_root.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using nlohmann::json;
using testing::HasSubstr;

const fs::path kSmall = MUSTER_SOURCE_DIR "/tests/train/data/hf_small";

json golden(const char* model) {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/train/golden/hf_models.json");
  return json::parse(file)[model];
}

// Every position's loss by the decoder, and the mean by the model, against PyTorch's in fp64.
void expect_golden(const common::ModelParams& params, std::span<const float> theta,
                   const json& wanted) {
  const auto tokens = wanted["tokens"].get<std::vector<uint32_t>>();
  const auto nll = wanted["nll"].get<std::vector<double>>();
  Decoder decoder(params, theta, static_cast<uint32_t>(tokens.size()), 1);
  double sum = 0;
  for (size_t t = 0; t < tokens.size(); ++t) {
    const auto logits = decoder.read(std::span(tokens).subspan(t, 1));
    if (t < nll.size()) {
      double total = 0;
      for (const float logit : logits) total += std::exp(double{logit});
      EXPECT_NEAR((std::log(total) - double{logits[tokens[t + 1]]}) / nll[t], 1, 1e-5) << t;
      sum += nll[t];
    } else {
      for (size_t i = 0; i < logits.size(); ++i) {
        EXPECT_NEAR(logits[i], wanted["last_logits"][i].get<double>(), 2e-4) << i;
      }
    }
  }
  const auto backend = make_backend("cpu", 1);
  ASSERT_TRUE(backend);
  Model model(params, **backend);
  const std::vector<std::vector<uint32_t>> runs = {tokens};
  const double mean =
      model.losses(theta, make_batch(runs, params.vocabulary, /*document_mask=*/false)).front();
  EXPECT_NEAR(mean / (sum / static_cast<double>(nll.size())), 1, 1e-5);
}

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    config_.model = small_model(true);
    config_.model.rope_low_frequency = 1;
    config_.model.rope_high_frequency = 4;
    config_.model.rope_original_length = 8192;
    config_.begin_token = 1;
    config_.end_tokens = {2};
  }
  std::vector<float> theta() const {
    return initial_parameters(config_.model, parameter_layout(config_.model, kCodec));
  }
  fs::path written(const HfWriteOptions& options = {}) {
    const fs::path folder = temp_ / ("m" + std::to_string(count_++));
    const auto done = write_hf_folder(folder, config_, theta(), options);
    EXPECT_TRUE(done) << done.error().message;
    return folder;
  }
  static std::string refusal(const fs::path& folder) {
    const auto opened = HfFolder::open(folder);
    if (!opened) return opened.error().message;
    const auto read = opened->read_theta();
    return read ? "" : read.error().message;
  }
  // A copy of the outside program's folder, to be damaged.
  fs::path small_copy() {
    const fs::path folder = temp_ / ("s" + std::to_string(count_++));
    fs::copy(kSmall, folder);
    return folder;
  }
  static void change_json(const fs::path& file, const std::function<void(json&)>& change) {
    std::ifstream in(file);
    json object = json::parse(in);
    change(object);
    std::ofstream(file) << object.dump();
  }
  // The tensors of one file, written again by our writer.
  static void rewrite(const fs::path& file,
                      const std::function<void(std::vector<StoredTensor>&,
                                               std::vector<std::vector<float>>&)>& change) {
    std::vector<StoredTensor> tensors;
    std::vector<std::vector<float>> values;
    {
      const auto opened = SafetensorsFile::open(file).value();
      for (const StoredTensor& tensor : opened.tensors()) {
        tensors.push_back(tensor);
        values.emplace_back(tensor.size());
        ASSERT_TRUE(opened.read(tensor, values.back()));
      }
    }
    change(tensors, values);
    auto writer = SafetensorsWriter::create(file, tensors).value();
    for (const auto& each : values) ASSERT_TRUE(writer.append(each));
    ASSERT_TRUE(writer.commit());
  }

  tests::TempFolder temp_;
  HfConfig config_{};
  int count_ = 0;
};

TEST_F(FolderTest, AnOutsideProgramsShardsComputeWhatItComputes) {
  const auto folder = HfFolder::open(kSmall);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(folder->config().end_tokens, (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(folder->stored(0).dtype, Dtype::kBf16);
  EXPECT_EQ(folder->stored(folder->layout().tensors().size() - 1).dtype, Dtype::kF16);
  const auto theta = folder->read_theta();
  ASSERT_TRUE(theta) << theta.error().message;
  expect_golden(folder->config().model, *theta, golden("small"));
}

// stories260K through our import and export, as the outside program read it from our folder.
TEST_F(FolderTest, AnOutsideProgramReadsOurFolder) {
  const auto file =
      common::MappedFile::open(MUSTER_SOURCE_DIR "/tests/train/data/stories260K.bin").value();
  const auto model = from_llama2c(file.bytes());
  ASSERT_TRUE(model) << model.error().message;
  const fs::path out = temp_ / "stories";
  ASSERT_TRUE(write_hf_folder(out, model->config, model->theta, {}));
  const auto bytes = common::read_file(out / "model.safetensors", 1 << 24).value();
  const json wanted = golden("stories260K");
  // The very file that it read.
  EXPECT_EQ(common::blake2b_256(bytes).hex(), wanted["file_hash"].get<std::string>());
  expect_golden(model->config.model, model->theta, wanted);
}

TEST_F(FolderTest, WhatIsWrittenReadsBackInEveryTypeAndCut) {
  for (const bool tied : {true, false}) {
    config_.model.tied_embeddings = tied;
    for (const Dtype dtype : {Dtype::kF32, Dtype::kBf16, Dtype::kF16}) {
      for (const uint64_t shard_bytes : {uint64_t{1} << 40, uint64_t{1500}}) {
        HfWriteOptions options;
        options.dtype = dtype;
        options.shard_bytes = shard_bytes;
        const fs::path path = written(options);
        const auto folder = HfFolder::open(path);
        ASSERT_TRUE(folder) << folder.error().message;
        EXPECT_EQ(folder->config().dtype, dtype);
        EXPECT_EQ(fs::exists(path / "model.safetensors.index.json"), shard_bytes < 10'000);
        const auto read = folder->read_theta();
        ASSERT_TRUE(read) << read.error().message;
        std::vector<float> wanted = theta();
        std::vector<uint8_t> bytes(wanted.size() * size_bytes(dtype));
        ASSERT_TRUE(encode(dtype, wanted, bytes));
        ASSERT_TRUE(decode(dtype, bytes, wanted));
        EXPECT_EQ(*read, wanted);
        ThetaHasher hasher;
        ASSERT_TRUE(folder->each_tensor(
            [&](size_t, std::span<const float> values) { hasher.update(values); }));
        EXPECT_EQ(hasher.finish(), theta_root(*read));
      }
    }
  }
}

TEST_F(FolderTest, ShardsKeepToTheirSize) {
  HfWriteOptions options;
  options.shard_bytes = 700;
  const fs::path path = written(options);
  uint64_t total = 0;
  for (const auto& file : fs::directory_iterator(path)) {
    if (file.path().extension() != ".safetensors") continue;
    const auto opened = SafetensorsFile::open(file.path()).value();
    uint64_t size = 0;
    for (const StoredTensor& tensor : opened.tensors()) size += tensor.size_bytes();
    EXPECT_LE(size, 700U) << file.path();
    total += size;
  }
  EXPECT_EQ(total, theta().size() * 4);
  std::ifstream in(path / "model.safetensors.index.json");
  EXPECT_EQ(json::parse(in)["metadata"]["total_size"], total);
}

TEST_F(FolderTest, AFullFolderIsNotWrittenTo) {
  const fs::path path = written();
  const auto again = write_hf_folder(path, config_, theta(), {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  EXPECT_EQ(refusal(path), "");
}

TEST_F(FolderTest, AValueTooLargeForFp16IsNamedAndLeavesNoModel) {
  std::vector<float> large = theta();
  large[3] = 1e6F;
  const auto done = write_hf_folder(temp_ / "large", config_, large, {.dtype = Dtype::kF16});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("model.embed_tokens.weight"));
  EXPECT_THAT(refusal(temp_ / "large"), HasSubstr("no config.json"));
}

TEST_F(FolderTest, ATiedHeadMayBeThereIfItIsTheCopy) {
  const fs::path path = written();
  rewrite(path / "model.safetensors", [](auto& tensors, auto& values) {
    tensors.push_back(tensors.front());
    values.push_back(values.front());
    tensors.back().name = "lm_head.weight";
  });
  EXPECT_EQ(refusal(path), "");
  rewrite(path / "model.safetensors", [](auto&, auto& values) { values.back()[5] += 1; });
  EXPECT_THAT(refusal(path), HasSubstr("lm_head.weight is not model.embed_tokens.weight"));
}

TEST_F(FolderTest, WhatCanBeComputedMayBeThere) {
  const fs::path path = written();
  rewrite(path / "model.safetensors", [](auto& tensors, auto& values) {
    tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", Dtype::kF32, {2}, 0});
    values.push_back({1, 0.5F});
  });
  EXPECT_EQ(refusal(path), "");
}

TEST_F(FolderTest, WrongTensorsAreNamed) {
  const char* const kFile = "model-00001-of-00002.safetensors";
  const fs::path shape = small_copy();
  rewrite(shape / kFile, [](auto& tensors, auto&) { tensors[0].shape = {20, 64}; });
  EXPECT_THAT(refusal(shape), HasSubstr("has the shape (20, 64); config.json makes it (40, 32)"));
  const fs::path nan = small_copy();
  rewrite(nan / kFile, [](auto&, auto& values) { values[0][7] = NAN; });
  EXPECT_THAT(refusal(nan), HasSubstr("model.embed_tokens.weight holds NaN or infinity"));
  const fs::path missing = small_copy();
  change_json(missing / "config.json", [](json& config) { config["num_hidden_layers"] = 3; });
  EXPECT_THAT(refusal(missing), HasSubstr("model.layers.2.self_attn.q_proj.weight is missing"));
  const fs::path more = small_copy();
  change_json(more / "config.json", [](json& config) { config["num_hidden_layers"] = 1; });
  EXPECT_THAT(refusal(more), HasSubstr("model.layers.1."));
  const fs::path untied = small_copy();
  change_json(untied / "config.json", [](json& config) { config["tie_word_embeddings"] = true; });
  EXPECT_THAT(refusal(untied), HasSubstr("tie_word_embeddings is true, but"));
}

TEST_F(FolderTest, WrongShardsAndIndicesAreNamed) {
  const char* const kIndex = "model.safetensors.index.json";
  const fs::path gone = small_copy();
  fs::remove(gone / "model-00002-of-00002.safetensors");
  EXPECT_THAT(refusal(gone), HasSubstr("model-00002-of-00002.safetensors"));
  const fs::path cut = small_copy();
  fs::resize_file(cut / "model-00002-of-00002.safetensors", 5000);
  EXPECT_THAT(refusal(cut), HasSubstr("safetensors: "));
  const fs::path elsewhere = small_copy();
  change_json(elsewhere / kIndex, [](json& index) {
    index["weight_map"]["lm_head.weight"] = "model-00001-of-00002.safetensors";
  });
  EXPECT_THAT(refusal(elsewhere), HasSubstr("lm_head.weight"));
  for (const json& name :
       {json("../x.safetensors"), json("/etc/x.safetensors"), json("x.bin"), json(""), json(5)}) {
    const fs::path outside = small_copy();
    change_json(outside / kIndex,
                [&](json& index) { index["weight_map"]["lm_head.weight"] = name; });
    EXPECT_THAT(refusal(outside), HasSubstr("weight_map: lm_head.weight")) << name;
  }
  const fs::path none = small_copy();
  change_json(none / kIndex, [](json& index) { index.erase("weight_map"); });
  EXPECT_THAT(refusal(none), HasSubstr("weight_map"));
}

TEST_F(FolderTest, WhatIsNoModelFolderSaysWhatToDo) {
  EXPECT_THAT(refusal(temp_ / "nothing"), HasSubstr("muster model import"));
  fs::create_directory(temp_ / "checkpoint");
  std::ofstream(temp_ / "checkpoint" / "manifest.json") << "{}";
  EXPECT_THAT(refusal(temp_ / "checkpoint"), HasSubstr("muster model export"));
  const fs::path pickled = written();
  fs::rename(pickled / "model.safetensors", pickled / "pytorch_model.bin");
  EXPECT_THAT(refusal(pickled), HasSubstr("saved as safetensors first"));
}

TEST_F(FolderTest, TokenizerFilesGoWithIt) {
  const auto none = tokenizer_files(kSmall, config_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("--tokenizer"));
  std::ofstream(temp_ / "any.model") << "bytes";
  const auto files = tokenizer_files(temp_ / "any.model", config_);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].name, "tokenizer.model");
  EXPECT_EQ((*files)[1].name, "tokenizer_config.json");
  EXPECT_EQ(json::parse((*files)[1].bytes)["add_bos_token"], true);
  HfWriteOptions options;
  options.files = *files;
  const auto again = tokenizer_files(written(options), config_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size(), 2U);
}

}  // namespace
}  // namespace train
