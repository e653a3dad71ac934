// Goal: the model's loss and gradient are a LLaMA's, whatever the batch is cut into and whoever
//   works; documents do not see each other; the same call gives the same bits, with activations
//   kept or computed again; memory is what was announced; what is not finite is explained.
// Method: against the fp64 oracle and its central differences, at every parameter of a small model;
//   a backend that counts; then the promises one by one.
#include "train/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "tests/train/backends.h"
#include "tests/train/counting_backend.h"
#include "tests/train/learn.h"
#include "tests/train/oracle.h"
#include "tests/train/small_model.h"
#include "train/optimiser.h"

namespace train {
namespace {

std::vector<float> initial(const common::ModelParams& params) {
  return initial_parameters(params, parameter_layout(params, kCodec));
}

Learned learn_once(Backend& backend, const common::ModelParams& params,
                   const std::vector<float>& theta, const Batch& batch,
                   const ModelOptions& options = {}) {
  Model model(params, backend, options);
  return learn(model, backend, theta, batch);
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
      const Learned got = learn_once(*backend_, params, theta, batch);
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
  const Learned whole = learn_once(*backend_, params, theta, make_batch(runs, kEnd, true));
  Model model(params, *backend_);
  oracle::Values mean(theta.size());
  double loss = 0;
  for (size_t first = 0; first < 300; first += 100) {
    const Batch part = make_batch(std::span(runs).subspan(first, 100), kEnd, true);
    const Learned learned = learn(model, *backend_, theta, part);
    loss += learned.loss / 3;
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += learned.gradient[i] / 3.0;
  }
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
  const Learned first = learn_once(*backend_, params, theta, batch);
  Model model(params, *backend_);
  // A longer evaluation in between leaves memory that holds something else.
  model.losses(theta, make_batch(random_runs(9, 100, 9, params.vocabulary), kEnd, true));
  const Learned second = learn(model, *backend_, theta, batch);
  EXPECT_EQ(second.loss, first.loss);
  EXPECT_EQ(second.gradient, first.gradient);
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

// What holds in every precision.
class ModelMemory : public BackendTest {
 protected:
  // What a model that has learned holds besides activations: packed weights, each to the next 64
  // bytes, and the angles of `positions`.
  static size_t besides_activations(const common::ModelParams& params, Backend& backend,
                                    size_t positions) {
    const auto packed = [&](uint32_t O, uint32_t C) {
      const size_t size = backend.packed_size(static_cast<int>(O), static_cast<int>(C));
      return (size + 63) / 64 * 64;
    };
    const uint32_t width = params.dim / params.heads;
    const uint32_t row = params.dim + 2 * params.kv_heads * width;
    const size_t layer = packed(row, params.dim) + packed(params.dim, params.dim) +
                         packed(2 * params.hidden, params.dim) + packed(params.dim, params.hidden);
    return params.layers * layer + packed(params.vocabulary, params.dim) +
           2 * positions * (width / 2) * sizeof(float);
  }
};

TEST_P(ModelMemory, RecomputingGivesTheSameBits) {
  for (const bool tied : {true, false}) {
    const auto params = small_model(tied);
    const auto theta = initial(params);
    const Batch batch = make_batch(random_runs(6, 9, 7, params.vocabulary), kEnd, true);
    const Learned kept = learn_once(*backend_, params, theta, batch, {.positions_at_once = 28});
    const Learned again =
        learn_once(*backend_, params, theta, batch, {.recompute = true, .positions_at_once = 28});
    EXPECT_EQ(kept.loss, again.loss);
    EXPECT_EQ(kept.gradient, again.gradient);
  }
}

TEST_P(ModelMemory, ActivationsTakeWhatWasAnnounced) {
  auto params = small_model(false);
  params.layers = 5;
  const auto theta = initial(params);
  const Batch batch = make_batch(random_runs(6, 12, 7, params.vocabulary), kEnd, true);
  std::vector<uint64_t> announced;
  for (const bool recompute : {false, true}) {
    const ModelOptions options{.recompute = recompute, .positions_at_once = 42};
    CountingBackend counting(*backend_);
    Model model(params, counting, options);
    EXPECT_EQ(counting.size_bytes(), 0U);
    learn(model, counting, theta, batch);
    announced.push_back(activation_bytes(params, 42, backend_->precision(), options));
    EXPECT_EQ(counting.size_bytes() - besides_activations(params, *backend_, 7), announced.back());
  }
  // All layers but one keep their input alone.
  EXPECT_LT(announced[1], announced[0] / 2);
}

TEST_P(ModelMemory, NothingIsAllocatedAfterTheFirstStep) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  const auto runs = random_runs(6, 11, 7, params.vocabulary);
  for (const bool recompute : {false, true}) {
    CountingBackend counting(*backend_);
    Model model(params, counting, {.recompute = recompute, .positions_at_once = 28});
    Buffer<float> values(counting);
    Buffer<float> sums(counting);
    values.upload(theta);
    sums.upload(theta);
    model.loss_and_gradient(values.data(), make_batch(runs, kEnd, true), sums.data());
    const int allocations = counting.allocations();
    for (const size_t B : {11U, 3U, 1U, 10U}) {
      const Batch batch = make_batch(std::span(runs).first(B), kEnd, true);
      model.loss_and_gradient(values.data(), batch, sums.data());
    }
    EXPECT_EQ(counting.allocations(), allocations);
    if (counting.unified_memory()) {
      model.losses(theta, make_batch(runs, kEnd, true));
      EXPECT_EQ(counting.allocations(), allocations);
    }
  }
}

TEST_P(ModelMemory, MicroBatchesChangeTheGradientByRoundingOnly) {
  const auto params = small_model(true);
  const auto theta = initial(params);
  const Batch batch = make_batch(random_runs(6, 10, 7, params.vocabulary), kEnd, true);
  const Learned whole = learn_once(*backend_, params, theta, batch, {.positions_at_once = 70});
  const oracle::Values expected(whole.gradient.begin(), whole.gradient.end());
  for (const int positions : {1, 7, 15, 69, 1000}) {
    const Learned cut =
        learn_once(*backend_, params, theta, batch, {.positions_at_once = positions});
    EXPECT_NEAR(cut.loss, whole.loss, 1e-6 * whole.loss) << positions;
    EXPECT_LT(oracle::distance(cut.gradient, expected), 1e-6) << positions;
  }
}

MUSTER_EVERY_PRECISION(ModelMemory);

class NotFinite : public testing::Test {
 protected:
  std::string explain(const std::vector<float>& theta, const ModelOptions& options = {}) {
    Model model(params_, *backend_, options);
    std::vector<float> gradient(theta.size());
    model.loss_and_gradient(theta.data(), batch_, gradient.data());
    return model.explain_not_finite(theta.data(), batch_, gradient.data());
  }

  common::ModelParams params_ = small_model(false);
  compress::Layout layout_ = parameter_layout(params_, kCodec);
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  Batch batch_ = make_batch(random_runs(6, 9, 7, params_.vocabulary), kEnd, true);
};

TEST_F(NotFinite, AWeightThatIsInfiniteIsNamedWithTheOperationThatReadIt) {
  const std::map<std::string, std::string> begins = {
      {"model.embed_tokens.weight", "embeddings: embedding_forward"},
      {"model.layers.0.input_layernorm.weight", "layers.0: rmsnorm_forward"},
      {"model.layers.1.self_attn.v_proj.weight", "layers.1: linear_forward"},
      {"model.layers.1.mlp.down_proj.weight", "layers.1: linear_forward"},
      {"model.norm.weight", "norm: rmsnorm_forward"},
      {"lm_head.weight", "vocabulary: vocabulary_loss"}};
  size_t found = 0;
  for (const auto& tensor : layout_.tensors()) {
    const auto begin = begins.find(tensor.name);
    if (begin == begins.end()) continue;
    ++found;
    auto theta = initial(params_);
    const bool table = tensor.name == "model.embed_tokens.weight";
    theta[tensor.offset + (table ? batch_.input[0] * params_.dim : 0)] =
        std::numeric_limits<float>::infinity();
    const std::string why = explain(theta);
    EXPECT_THAT(why, testing::StartsWith(begin->second + " (the "));
    EXPECT_THAT(why,
                testing::EndsWith("was given NaN or infinity; " + tensor.name + " is not finite"));
  }
  EXPECT_EQ(found, begins.size());
}

TEST_F(NotFinite, OfSeveralWeightsTheOthersAreCounted) {
  auto theta = initial(params_);
  for (const size_t tensor : {3U, 5U, 8U}) {
    theta[layout_.tensors()[tensor].offset] = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_THAT(explain(theta),
              testing::EndsWith("; model.layers.0.self_attn.v_proj.weight and 2 more are not "
                                "finite"));
}

TEST_F(NotFinite, ABlowUpIsNamedByTheOperationThatMadeIt) {
  for (const bool recompute : {false, true}) {
    const ModelOptions options{.recompute = recompute, .positions_at_once = 28};
    auto theta = initial(params_);
    Model model(params_, *backend_, options);
    const auto optimiser = make_optimiser(layout_, small_inner(), *backend_);
    double norm = 0;
    for (int step = 0; step < 10 && std::isfinite(norm); ++step) {
      const Learned learned = learn(model, *backend_, theta, batch_);
      norm = gradient_norm(*backend_, learned.gradient.data(), theta.size());
      if (std::isfinite(norm)) optimiser->step(theta.data(), learned.gradient.data(), 1e12, norm);
    }
    ASSERT_FALSE(std::isfinite(norm));
    EXPECT_THAT(explain(theta, options),
                testing::MatchesRegex("(layers\\.[01]|norm|vocabulary): [a-z_]+ \\(the [0-9]+"
                                      "(st|nd|rd|th) operation\\) made NaN or infinity"));
  }
}

TEST_F(NotFinite, AStepThatIsFiniteHasNothingToExplainAndGoesOn) {
  const auto theta = initial(params_);
  Model model(params_, *backend_);
  std::vector<float> gradient(theta.size());
  EXPECT_EQ(model.explain_not_finite(theta.data(), batch_, gradient.data()),
            "no operation made NaN or infinity when the step was repeated");
  EXPECT_EQ(learn(model, *backend_, theta, batch_).gradient, gradient);
}

TEST(Model, TellsWhatIsWorkedOnNext) {
  const auto params = small_model(true);
  const auto backend = make_cpu_backend(1);
  std::vector<std::string> parts;
  ModelOptions options;
  options.on_part = [&](std::string_view part) { parts.emplace_back(part); };
  const Batch batch = make_batch(random_runs(6, 1, 7, params.vocabulary), kEnd, true);
  learn_once(*backend, params, initial(params), batch, options);
  EXPECT_EQ(parts,
            (std::vector<std::string>{"embeddings", "layers.0", "layers.1", "norm", "vocabulary",
                                      "norm", "layers.1", "layers.0", "embeddings"}));
}

TEST(PieceLayout, PiecesFollowEachOtherAndEndWhereTensorsDo) {
  for (const bool tied : {true, false}) {
    const auto params = small_model(tied);
    const PieceLayout pieces(params);
    const auto layout = parameter_layout(params, kCodec);
    ASSERT_EQ(pieces.count(), 4U);
    EXPECT_EQ(pieces.parameter_count(), layout.parameter_count());
    std::map<uint64_t, std::string> names;
    for (const auto& tensor : layout.tensors()) names[tensor.offset] = tensor.name;
    uint64_t end = 0;
    for (size_t piece = 0; piece < pieces.count(); ++piece) {
      EXPECT_EQ(pieces[piece].first, end);
      end = pieces[piece].end();
    }
    EXPECT_EQ(names[pieces[0].first], "model.embed_tokens.weight");
    EXPECT_EQ(names[pieces[1].first], "model.layers.0.self_attn.q_proj.weight");
    EXPECT_EQ(names[pieces[2].first], "model.layers.1.self_attn.q_proj.weight");
    EXPECT_EQ(names[pieces[3].first], "model.norm.weight");
    EXPECT_EQ(pieces.vocabulary(), tied ? 0U : 3U);
  }
}

TEST(Model, TheNumberOfThreadsDoesNotChangeTheBits) {
  common::ModelParams params = small_model(true);
  params.vocabulary = 301;  // Large enough to be cut into several blocks everywhere.
  params.dim = 64;
  params.hidden = 160;
  const auto theta = initial(params);
  const Batch batch = make_batch(random_runs(6, 3, 100, params.vocabulary), kEnd, true);
  const Learned one = learn_once(*make_cpu_backend(1), params, theta, batch);
  for (const int threads : {2, 3, 7}) {
    const Learned many = learn_once(*make_cpu_backend(threads), params, theta, batch);
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
