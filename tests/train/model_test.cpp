// Goal: the model's loss and gradient are a LLaMA's, whatever the batch is cut into and whoever
// works;
//   documents do not see each other; the same call gives the same bits.
// Method: against the fp64 oracle and its central differences, at every parameter of a small model;
// then
//   the promises one by one.
#include "train/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/train/backends.h"
#include "tests/train/oracle.h"
#include "tests/train/small_model.h"

namespace train {
namespace {

std::vector<float> initial(const common::ModelParams& params) {
  return initial_parameters(params, parameter_layout(params, kCodec));
}

struct Learned {
  double loss;
  std::vector<float> gradient;
};

Learned learn(Backend& backend, const common::ModelParams& params, const std::vector<float>& theta,
              const Batch& batch) {
  Model model(params, backend);
  Learned result{0, std::vector<float>(theta.size())};
  result.loss = model.loss_and_gradient(theta, batch, result.gradient);
  return result;
}

class WholeModel : public BackendTest {};

TEST_P(WholeModel, LossAndGradientMatchDifferencesInFp64) {
  for (const bool tied : {true, false}) {
    for (const bool document_mask : {true, false}) {
      SCOPED_TRACE(testing::Message() << "tied " << tied << " mask " << document_mask);
      const auto params = small_model(tied);
      const auto layout = parameter_layout(params, kCodec);
      const auto theta = initial(params);
      Batch batch = make_batch(random_runs(3, 2, 7, params.vocabulary), kEnd, document_mask);
      batch.target[4] = kNoTarget;
      const Learned got = learn(*backend_, params, theta, batch);
      const oracle::Values wide(theta.begin(), theta.end());
      const auto f = [&](const oracle::Values& at) { return oracle::loss(at, params, batch); };
      EXPECT_NEAR(got.loss, f(wide), 1e-5 * f(wide));
      oracle::Values expected;
      for (size_t i = 0; i < wide.size(); ++i) expected.push_back(oracle::slope(f, wide, i));
      EXPECT_LT(oracle::distance(got.gradient, expected), 1e-5);
      // No tensor may hide behind the large ones.
      for (const auto& tensor : layout.tensors()) {
        const auto first = static_cast<ptrdiff_t>(tensor.offset);
        const auto end = static_cast<ptrdiff_t>(tensor.offset + tensor.size());
        EXPECT_LT(oracle::distance(std::span(got.gradient).subspan(tensor.offset, tensor.size()),
                                   {expected.begin() + first, expected.begin() + end}),
                  1e-4)
            << tensor.name;
      }
    }
  }
}

TEST_P(WholeModel, LossesAreTheMeansOfEachSequence) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  const auto runs = random_runs(4, 5, 7, params.vocabulary);
  Model model(params, *backend_);
  const auto losses = model.losses(theta, make_batch(runs, kEnd, true));
  ASSERT_EQ(losses.size(), 5u);
  for (size_t b = 0; b < 5; ++b) {
    const oracle::Values wide(theta.begin(), theta.end());
    const Batch alone = make_batch(std::span(runs).subspan(b, 1), kEnd, true);
    EXPECT_NEAR(losses[b], oracle::loss(wide, params, alone), 1e-5) << b;
  }
}

// 300 sequences of 7 are more positions than any backend takes at once here (1,024).
TEST_P(WholeModel, AccumulatedGradientsAreTheLargeBatchs) {
  const auto params = small_model(false);
  const auto theta = initial(params);
  const auto runs = random_runs(5, 300, 7, params.vocabulary);
  const Learned whole = learn(*backend_, params, theta, make_batch(runs, kEnd, true));
  Model model(params, *backend_);
  std::vector<float> sum(theta.size());
  double loss = 0;
  for (size_t first = 0; first < 300; first += 100) {
    const Batch part = make_batch(std::span(runs).subspan(first, 100), kEnd, true);
    loss += model.loss_and_gradient(theta, part, sum) / 3;
  }
  oracle::Values mean;
  for (const float value : sum) mean.push_back(value / 3.0);
  EXPECT_NEAR(whole.loss, loss, 1e-6);
  EXPECT_LT(oracle::distance(whole.gradient, mean), 1e-5);
}

TEST_P(WholeModel, AMaskedDocumentDoesNotSeeTheOthers) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  std::vector<std::vector<uint32_t>> runs = {{5, 6, kEnd, 7, 8, 9, 10, 11}};
  std::vector<std::vector<uint32_t>> changed = {{1, 2, kEnd, 7, 8, 9, 10, 11}};
  const auto second_document = [&](const auto& from, bool mask) {
    Batch batch = make_batch(from, kEnd, mask);
    for (size_t t = 0; t < 3; ++t) batch.target[t] = kNoTarget;
    return Model(params, *backend_).losses(theta, batch).front();
  };
  EXPECT_EQ(second_document(runs, true), second_document(changed, true));
  EXPECT_NE(second_document(runs, false), second_document(changed, false));
}

TEST_P(WholeModel, NothingSeesWhatComesAfterIt) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  Batch batch = make_batch(random_runs(8, 1, 7, params.vocabulary), kEnd, false);
  for (size_t t = 3; t < 7; ++t) batch.target[t] = kNoTarget;
  Model model(params, *backend_);
  const auto before = model.losses(theta, batch);
  for (size_t t = 3; t < 7; ++t) batch.input[t] = (batch.input[t] + 1) % params.vocabulary;
  EXPECT_EQ(before, model.losses(theta, batch));
}

TEST_P(WholeModel, TheSameCallGivesTheSameBitsEvenAfterOthers) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  const Batch batch = make_batch(random_runs(6, 40, 7, params.vocabulary), kEnd, true);
  const Learned first = learn(*backend_, params, theta, batch);
  Model model(params, *backend_);
  // A longer evaluation in between leaves memory that holds something else.
  model.losses(theta, make_batch(random_runs(9, 100, 9, params.vocabulary), kEnd, true));
  std::vector<float> gradient(theta.size());
  EXPECT_EQ(model.loss_and_gradient(theta, batch, gradient), first.loss);
  EXPECT_EQ(gradient, first.gradient);
}

TEST_P(WholeModel, ParametersThatAreNotFiniteGiveLossesThatAreNot) {
  for (const bool tied : {true, false}) {
    const auto params = small_model(tied);
    const auto layout = parameter_layout(params, kCodec);
    const Batch batch = make_batch(random_runs(6, 2, 7, params.vocabulary), kEnd, true);
    Model model(params, *backend_);
    for (const auto& tensor : layout.tensors()) {
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto theta = initial(params);
        // A row of the embeddings may be of a token that does not come: take one that does.
        const bool table = tensor.name == "model.embed_tokens.weight";
        theta[tensor.offset + (table ? batch.input[0] * params.dim : 0)] = bad;
        EXPECT_FALSE(std::isfinite(model.losses(theta, batch)[0])) << tensor.name << " " << bad;
      }
    }
  }
}

MUSTER_EVERY_BACKEND(WholeModel);

TEST(Model, TheNumberOfThreadsDoesNotChangeTheBits) {
  common::ModelParams params = small_model(true);
  params.vocabulary = 301;  // Large enough to be cut into several blocks everywhere.
  params.dim = 64;
  params.hidden = 160;
  const auto theta = initial(params);
  const Batch batch = make_batch(random_runs(6, 3, 100, params.vocabulary), kEnd, true);
  const Learned one = learn(*make_cpu_backend(1), params, theta, batch);
  for (const int threads : {2, 3, 7}) {
    const Learned many = learn(*make_cpu_backend(threads), params, theta, batch);
    EXPECT_EQ(one.loss, many.loss) << threads;
    EXPECT_EQ(one.gradient, many.gradient) << threads;
  }
}

TEST(ParameterLayout, HasHuggingFacesNamesOrderAndShapes) {
  const auto layout = parameter_layout(small_model(false), kCodec);
  ASSERT_EQ(layout.tensors().size(), 1u + 2 * 9 + 2);
  const auto& q = layout.tensors()[1];
  EXPECT_EQ(q.name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(q.offset, 13u * 8);
  const auto& k = layout.tensors()[2];
  EXPECT_EQ(k.rows, 4u);  // 2 key heads of 2,
  EXPECT_EQ(k.cols, 8u);  // from the dim.
  const auto& down = layout.tensors()[7];
  EXPECT_EQ(down.name, "model.layers.0.mlp.down_proj.weight");
  EXPECT_EQ(down.rows, 8u);
  EXPECT_EQ(down.cols, 12u);
  EXPECT_EQ(layout.tensors().back().name, "lm_head.weight");
  EXPECT_EQ(parameter_layout(small_model(true), kCodec).tensors().back().name, "model.norm.weight");
  const auto backend = make_cpu_backend(1);
  EXPECT_EQ(Model(small_model(false), *backend).parameter_count(), layout.parameter_count());
}

TEST(InitialParameters, AreDrawnInFlatOrderWithTheirDeviation) {
  common::ModelParams params = small_model(false);
  params.dim = 64;
  params.init_std = 0.02;
  const auto layout = parameter_layout(params, kCodec);
  const auto theta = initial_parameters(params, layout);
  ASSERT_EQ(theta.size(), layout.parameter_count());
  common::Philox random(params.init_seed);
  EXPECT_EQ(theta[0], static_cast<float>(0.02 * random.normal()));
  EXPECT_EQ(theta[1], static_cast<float>(0.02 * random.normal()));
  for (const auto& tensor : layout.tensors()) {
    if (tensor.is_vector()) {
      EXPECT_EQ(theta[tensor.offset], 1.0F) << tensor.name;
      continue;
    }
    double squares = 0;
    for (uint64_t i = 0; i < tensor.size(); ++i) {
      squares += std::pow(theta[tensor.offset + i], 2);
    }
    // sqrt(2 layers) = 2.
    const bool residual = tensor.name.find("o_proj") != std::string::npos ||
                          tensor.name.find("down_proj") != std::string::npos;
    const double deviation = std::sqrt(squares / static_cast<double>(tensor.size()));
    EXPECT_NEAR(deviation / (residual ? 0.01 : 0.02), 1.0, 0.12) << tensor.name;
  }
  EXPECT_EQ(theta, initial_parameters(params, layout));
  params.init_seed = 2;
  EXPECT_NE(theta, initial_parameters(params, layout));
}

TEST(ModelDeathTest, ATokenBeyondTheVocabularyIsABug) {
  const auto params = small_model(true);
  const auto backend = make_cpu_backend(1);
  Model model(params, *backend);
  Batch batch = make_batch(random_runs(6, 1, 7, params.vocabulary), kEnd, true);
  batch.input[2] = params.vocabulary;
  EXPECT_DEATH(model.losses(initial(params), batch), "CHECK failed");
}

}  // namespace
}  // namespace train
