// Goal: loss, gradients and twenty steps of AdamW are PyTorch's.
// Method: the numbers in golden/llama.json, made by golden/make_golden.py beside it; relative error
// 1e-4 (fp32 against torch's fp64) or 3e-2 (bf16), tied and untied, with and without masked
// documents.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/backends.h"
#include "tests/train/learn.h"
#include "tests/train/oracle.h"
#include "tests/train/small_model.h"
#include "tests/train/step.h"
#include "train/adamw.h"

namespace train {
namespace {

using nlohmann::json;

// Of losses and norms, relative. An activation of bf16 is rounded by 2^-9 at most, a hundred times
// in a step here, and twenty steps of AdamW let the differences grow.
double tolerance_of(Precision precision) { return precision == Precision::kFp32 ? 1e-4 : 0.03; }

json read_golden() {
  std::ifstream file(std::string(MUSTER_SOURCE_DIR) + "/tests/train/golden/llama.json");
  return json::parse(file);
}

common::ModelParams model_of(const json& model, bool tied) {
  return {.vocabulary = model["vocabulary"],
          .dim = model["dim"],
          .layers = model["layers"],
          .heads = model["heads"],
          .kv_heads = model["kv_heads"],
          .hidden = model["hidden"],
          .sequence_length = model["sequence_length"],
          .rope_theta = model["rope_theta"],
          .rope_factor = 1,
          .norm_epsilon = model["norm_epsilon"],
          .tied_embeddings = tied,
          .init_seed = 0,
          .init_std = 0};
}

common::InnerParams inner_of(const json& adamw) {
  common::InnerParams inner = small_inner();
  inner.beta1 = adamw["beta1"];
  inner.beta2 = adamw["beta2"];
  inner.epsilon = adamw["epsilon"];
  inner.weight_decay = adamw["weight_decay"];
  inner.gradient_clip = adamw["gradient_clip"];
  return inner;
}

// The script's hash of 32 bits, and its parameters.
uint32_t mixed(uint32_t i) {
  i = (i ^ (i >> 16)) * 0x7FEB352DU;
  i = (i ^ (i >> 15)) * 0x846CA68BU;
  return i ^ (i >> 16);
}

std::vector<float> parameters(const compress::Layout& layout) {
  std::vector<float> theta;
  for (const auto& tensor : layout.tensors()) {
    for (uint64_t i = 0; i < tensor.size(); ++i) {
      const double value = mixed(static_cast<uint32_t>(theta.size())) * 0x1p-32 - 0.5;
      theta.push_back(static_cast<float>(tensor.is_vector() ? 1 + 0.5 * value : 0.8 * value));
    }
  }
  return theta;
}

void expect_gradient(const json& tensors, const compress::Layout& layout,
                     std::span<const float> gradient, double tolerance) {
  ASSERT_EQ(tensors.size(), layout.tensors().size());
  // What a single value is held against, of its tensor's norm: in bf16 its errors do not average.
  const double share = tolerance < 1e-3 ? 0.1 : 1.0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& tensor = layout.tensors()[i];
    const auto values = gradient.subspan(tensor.offset, tensor.size());
    ASSERT_EQ(tensors[i]["name"], tensor.name);
    ASSERT_EQ(tensors[i]["size"], tensor.size());
    const double norm = tensors[i]["norm"];
    const double got = oracle::distance(values, oracle::Values(values.size())) * 1e-15;
    EXPECT_NEAR(got, norm, tolerance * norm) << tensor.name;
    for (size_t k = 0; k < 3; ++k) {
      const double first = tensors[i]["first"][k];
      EXPECT_NEAR(values[k], first, tolerance * std::max(std::abs(first), share * norm))
          << tensor.name << " " << k;
    }
  }
}

class Golden : public BackendTest {};

TEST_P(Golden, LossesGradientsAndTwentyStepsArePyTorchs) {
  const json golden = read_golden();
  const double tolerance = tolerance_of(backend_->precision());
  const auto runs = golden["runs"].get<std::vector<std::vector<uint32_t>>>();
  ASSERT_EQ(golden["cases"].size(), 4u);
  for (const json& one : golden["cases"]) {
    const bool tied = one["tied_embeddings"];
    const bool document_mask = one["document_mask"];
    SCOPED_TRACE(testing::Message() << "tied " << tied << " mask " << document_mask);
    const auto params = model_of(golden["model"], tied);
    const auto layout = parameter_layout(params, kCodec);
    const Batch batch = make_batch(runs, golden["end_of_document"], document_mask);
    auto theta = parameters(layout);
    Model model(params, *backend_);
    const auto each = model.losses(theta, batch);
    for (size_t b = 0; b < each.size(); ++b) {
      EXPECT_NEAR(each[b], one["sequence_losses"][b], tolerance * each[b]);
    }
    AdamW optimiser(layout, inner_of(golden["adamw"]), *backend_);
    for (size_t step = 0; step < one["step_losses"].size(); ++step) {
      const auto [loss, gradient] = learn(model, *backend_, theta, batch);
      const double expected = one["step_losses"][step];
      EXPECT_NEAR(loss, expected, tolerance * expected) << "step " << step;
      if (step == 0) expect_gradient(one["tensors"], layout, gradient, tolerance);
      const double norm = take_step(optimiser, theta, gradient, golden["adamw"]["learning_rate"]);
      if (step == 0) {
        EXPECT_NEAR(norm, one["gradient_norm"], tolerance * norm);
      }
    }
  }
}

MUSTER_EVERY_PRECISION(Golden);

}  // namespace
}  // namespace train
