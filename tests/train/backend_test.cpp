// Goal: every operation of every backend computes what its comment in train/backend.h says, forward
//   and backward, at sizes that are no multiple of any block or vector.
// Method: forward against plain loops in fp64; backward against central differences of those loops.
//   The relative error (Euclidean) must be below 1e-5 in fp32, and in bf16 below 2^-8, from inputs
//   that bf16 holds (tests/train/operations.h); below 1e-5 in both for what stays fp32. Where more
//   is rounded on the way than what comes out, the test says how much. What is "+=" starts from
//   ones.
#include "train/backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/train/operations.h"
#include "train/cpu/processor.h"
#include "train/model.h"

namespace train {
namespace {

using oracle::distance;

TEST_P(Operations, EmbeddingForwardCopiesRowsAndBackwardAddsThemUp) {
  const std::vector<uint32_t> token = {2, 0, 2, 4};
  const int C = 37;
  const Values table = values(5 * 37);
  auto out = activation_room(4 * 37);
  const auto tokens = put(token);
  backend_->embedding_forward(out.data(), tokens.data(), put(table).data(), 4, C);
  const auto f = [&](const Values& t) { return oracle::embedding(token, t, C); };
  EXPECT_EQ(get(out), oracle::narrow(f(table)));

  const Values d_out = values(4 * 37);
  auto d_table = ones(table.size());
  backend_->embedding_backward(d_table.data(), put_activations(d_out).data(), tokens.data(), 4, C);
  EXPECT_LT(gradient_distance(d_table, f, table, d_out, 1.0), kSumTolerance);
}

TEST_P(Operations, RmsnormMatchesPlainLoops) {
  for (const int C : {1, 7, 128, 301}) {
    const int N = 67;
    const size_t width = static_cast<size_t>(C);
    const Values x = values(width * N);
    const Values weight = values(width);
    const auto x_in = put_activations(x);
    const auto weight_in = put(weight);
    auto out = activation_room(x.size());
    auto rstd = room(N);
    backend_->rmsnorm_forward(out.data(), rstd.data(), x_in.data(), weight_in.data(), N, C, 1e-5F);
    EXPECT_LT(distance(get(out), oracle::rmsnorm(x, weight, 1e-5)), tolerance()) << "C " << C;

    const Values d_out = values(x.size());
    auto d_x = activation_ones(x.size());
    auto d_weight = ones(width);
    backend_->rmsnorm_backward(d_x.data(), d_weight.data(), put_activations(d_out).data(),
                               x_in.data(), weight_in.data(), rstd.data(), N, C);
    const auto by_x = [&](const Values& v) { return oracle::rmsnorm(v, weight, 1e-5); };
    const auto by_weight = [&](const Values& v) { return oracle::rmsnorm(x, v, 1e-5); };
    // Of a row of one value only the epsilon makes the slope by x differ from 0.
    if (C > 1) {
      EXPECT_LT(gradient_distance(d_x, by_x, x, d_out, 1.0), tolerance()) << "C " << C;
    }
    EXPECT_LT(gradient_distance(d_weight, by_weight, weight, d_out, 1.0), kSumTolerance)
        << "C " << C;
  }
}

TEST_P(Operations, LinearMatchesPlainLoopsWithAndWithoutResidual) {
  const int N = 131, C = 67, O = 259;
  const Values x = values(131 * 67);
  const Values weight = values(259 * 67);
  const Values residual = values(131 * 259);
  const auto x_in = put_activations(x);
  const Matrix weight_in = matrix(weight, O, C);
  auto out = activation_room(residual.size());
  backend_->linear_forward(out.data(), nullptr, x_in.data(), weight_in.weight, N);
  const Values product = oracle::linear(x, weight, 67);
  EXPECT_LT(distance(get(out), product), tolerance());
  backend_->linear_forward(out.data(), put_activations(residual).data(), x_in.data(),
                           weight_in.weight, N);
  EXPECT_LT(distance(get(out), oracle::add(product, residual)), tolerance());
  backend_->linear_forward(out.data(), out.data(), x_in.data(), weight_in.weight, N);
  EXPECT_LT(distance(get(out), oracle::add(oracle::add(product, residual), product)), tolerance());

  // The gradient is linear too, so plain loops give it: d_x = d_out W, d_W = d_out^T x.
  const Values d_out = values(residual.size());
  auto d_x = activation_room(x.size());
  auto d_weight = ones(weight.size());
  backend_->linear_backward(d_x.data(), d_weight.data(), put_activations(d_out).data(), x_in.data(),
                            weight_in.weight, N);
  Values d_x_expected(x.size());
  Values d_weight_expected(weight.size(), 1.0);
  for (size_t n = 0; n < 131; ++n) {
    for (size_t o = 0; o < 259; ++o) {
      for (size_t c = 0; c < 67; ++c) {
        d_x_expected[n * 67 + c] += d_out[n * 259 + o] * weight[o * 67 + c];
        d_weight_expected[o * 67 + c] += d_out[n * 259 + o] * x[n * 67 + c];
      }
    }
  }
  EXPECT_LT(distance(get(d_x), d_x_expected), tolerance());
  EXPECT_LT(distance(get(d_weight), d_weight_expected), kSumTolerance);
}

TEST_P(Operations, RopeTurnsQueriesAndKeysAndInverseTurnsBack) {
  const AttentionShape shape{.B = 2, .T = 70, .H = 4, .K = 2, .D = 6};
  const Values qkv = values(static_cast<size_t>(shape.positions() * shape.row()));
  Values cosine, sine;
  for (int t = 0; t < shape.T; ++t) {
    for (int i = 0; i < shape.D / 2; ++i) {
      cosine.push_back(std::cos(t * std::pow(10000.0, -2.0 * i / shape.D)));
      sine.push_back(std::sin(t * std::pow(10000.0, -2.0 * i / shape.D)));
    }
  }
  auto turned = put_activations(qkv);
  backend_->rope(turned.data(), put(cosine).data(), put(sine).data(), shape, false);
  EXPECT_LT(distance(get(turned), oracle::rope(qkv, shape, 10000.0)), tolerance());
  backend_->rope(turned.data(), put(cosine).data(), put(sine).data(), shape, true);
  EXPECT_LT(distance(get(turned), qkv), tolerance());
}

// T of one, of less than a tile of queries, and of more; grouped, and with a head of its own each.
TEST_P(Operations, AttentionMatchesPlainLoopsAcrossTilesGroupsAndDocuments) {
  for (const AttentionShape shape : {AttentionShape{2, 1, 2, 1, 2}, AttentionShape{1, 9, 3, 3, 4},
                                     AttentionShape{2, 150, 4, 2, 6}}) {
    SCOPED_TRACE("T " + std::to_string(shape.T));
    std::vector<uint32_t> start;  // Documents of 41 positions; in the second sequence one document.
    for (int n = 0; n < shape.positions(); ++n) {
      start.push_back(n < shape.T ? static_cast<uint32_t>(n / 41 * 41) : 0);
    }
    const size_t size = static_cast<size_t>(shape.positions());
    const Values qkv = values(size * static_cast<size_t>(shape.row()));
    const auto qkv_in = put_activations(qkv);
    const auto start_in = put(start);
    auto out = activation_room(size * static_cast<size_t>(shape.H * shape.D));
    auto lse = room(size * static_cast<size_t>(shape.H));
    backend_->attention_forward(out.data(), lse.data(), qkv_in.data(), start_in.data(), shape);
    const auto f = [&](const Values& v) { return oracle::attention(v, start, shape); };
    EXPECT_LT(distance(get(out), f(qkv)), tolerance());

    const Values d_out = values(out.size());
    auto d_qkv = activation_room(qkv.size());
    backend_->attention_backward(d_qkv.data(), put_activations(d_out).data(), out.data(),
                                 lse.data(), qkv_in.data(), start_in.data(), shape);
    EXPECT_LT(gradient_distance(d_qkv, f, qkv, d_out), tolerance());
  }
}

TEST_P(Operations, AttentionOfLargeScoresIsFinite) {
  const AttentionShape shape{.B = 1, .T = 3, .H = 1, .K = 1, .D = 2};
  const auto qkv =
      put_activations(Values(3 * 6, 9984));  // Scores of 1.4e8: exp of them is far beyond fp32.
  const auto start = put(std::vector<uint32_t>{0, 0, 0});
  auto out = activation_room(3 * 2);
  auto lse = room(3);
  backend_->attention_forward(out.data(), lse.data(), qkv.data(), start.data(), shape);
  EXPECT_LT(distance(get(out), Values(6, 9984)), tolerance());
}

TEST_P(Operations, SwigluMatchesPlainLoops) {
  const int N = 67, F = 45;
  const Values gate_up = values(67 * 90, 3.0);
  const auto gate_up_in = put_activations(gate_up);
  auto out = activation_room(67 * 45);
  backend_->swiglu_forward(out.data(), gate_up_in.data(), N, F);
  const auto f = [&](const Values& v) { return oracle::swiglu(v, 45); };
  EXPECT_LT(distance(get(out), f(gate_up)), tolerance());

  const Values d_out = values(out.size());
  auto d_gate_up = activation_room(gate_up.size());
  backend_->swiglu_backward(d_gate_up.data(), put_activations(d_out).data(), gate_up_in.data(), N,
                            F);
  EXPECT_LT(gradient_distance(d_gate_up, f, gate_up, d_out), tolerance());
}

TEST_P(Operations, SwigluOfFarGatesIsZeroOrTheProduct) {
  auto out = activation_room(2);
  backend_->swiglu_forward(out.data(), put_activations(Values{-9984, 9984, 2, 2}).data(), 1, 2);
  EXPECT_NEAR(get(out)[0], 0.0F, 1e-30F);
  EXPECT_FLOAT_EQ(get(out)[1], 19968.0F);
}

TEST_P(Operations, VocabularyLossMatchesPlainLoopsAndSkipsWhatHasNoTarget) {
  const int N = 300, C = 19, V = 53;  // More positions than logits are made for at once.
  const Values x = values(300 * 19);
  const Values weight = values(53 * 19);
  std::vector<uint32_t> target;
  for (int n = 0; n < N; ++n) target.push_back(static_cast<uint32_t>(random_.below(53)));
  target[3] = target[299] = kNoTarget;
  const auto x_in = put_activations(x);
  const Matrix weight_in = matrix(weight, V, C);
  const auto target_in = put(target);
  const Values expected = oracle::vocabulary_losses(x, weight, target, 19);

  auto losses = room(300);
  backend_->vocabulary_loss(losses.data(), nullptr, nullptr, x_in.data(), weight_in.weight,
                            target_in.data(), N, 0.0F);
  EXPECT_LT(distance(get(losses), expected), kSumTolerance);
  EXPECT_EQ(get(losses)[3], 0.0F);

  auto d_x = activation_room(x.size());
  auto d_weight = ones(weight.size());
  backend_->vocabulary_loss(losses.data(), d_x.data(), d_weight.data(), x_in.data(),
                            weight_in.weight, target_in.data(), N, 0.25F);
  EXPECT_LT(distance(get(losses), expected), kSumTolerance);
  const Values quarter(300, 0.25);
  const auto by_x = [&](const Values& v) {
    return oracle::vocabulary_losses(v, weight, target, 19);
  };
  const auto by_weight = [&](const Values& v) {
    return oracle::vocabulary_losses(x, v, target, 19);
  };
  EXPECT_LT(gradient_distance(d_x, by_x, x, quarter), tolerance());
  EXPECT_LT(gradient_distance(d_weight, by_weight, weight, quarter, 1.0), tolerance());
}

// More logits than are stored at once, and a vocabulary that is no multiple of any block.
TEST_P(Operations, AVocabularyOfAQuarterMillionIsWorkedThroughInParts) {
  const int N = 70, C = 5, V = 262'147;
  const Values x = values(70 * 5);
  const Values weight = values(262'147 * 5);
  std::vector<uint32_t> target;
  for (int n = 0; n < N; ++n) target.push_back(static_cast<uint32_t>(random_.below(262'147)));
  target[0] = 262'146;
  target[69] = kNoTarget;
  auto losses = room(70);
  auto d_x = activation_room(x.size());
  auto d_weight = ones(weight.size());
  backend_->vocabulary_loss(losses.data(), d_x.data(), d_weight.data(), put_activations(x).data(),
                            matrix(weight, V, C).weight, put(target).data(), N, 2.0F);
  EXPECT_LT(distance(get(losses), oracle::vocabulary_losses(x, weight, target, 5)), kSumTolerance);

  const Values logits = oracle::linear(x, weight, 5);
  Values d_x_expected(x.size());
  Values d_weight_expected(weight.size(), 1.0);
  for (size_t n = 0; n < 69; ++n) {
    double sum = 0;
    for (size_t v = 0; v < 262'147; ++v) sum += std::exp(logits[n * 262'147 + v]);
    for (size_t v = 0; v < 262'147; ++v) {
      const double d_logit =
          2.0 * (std::exp(logits[n * 262'147 + v]) / sum - (v == target[n] ? 1 : 0));
      for (size_t c = 0; c < 5; ++c) {
        d_x_expected[n * 5 + c] += d_logit * weight[v * 5 + c];
        d_weight_expected[v * 5 + c] += d_logit * x[n * 5 + c];
      }
    }
  }
  EXPECT_LT(distance(get(d_x), d_x_expected), tolerance());
  EXPECT_LT(distance(get(d_weight), d_weight_expected), tolerance());
}

// A stranger's update may carry theta anywhere: what it does to the loss must show.
TEST_P(Operations, NotANumberComesThroughEveryOperation) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    SCOPED_TRACE(bad);
    Values x(40, 0.5);
    x[33] = bad;
    auto out = activation_room(40);
    auto one = room(1);
    backend_->rmsnorm_forward(out.data(), one.data(), put_activations(x).data(), ones(40).data(), 1,
                              40, 0.1F);
    EXPECT_FALSE(std::isfinite(get(out)[33]));
    const auto target = put(std::vector<uint32_t>{0});
    backend_->vocabulary_loss(one.data(), nullptr, nullptr, activation_ones(1).data(),
                              matrix(x, 40, 1).weight, target.data(), 1, 0.0F);
    EXPECT_FALSE(std::isfinite(get(one)[0]));
    const AttentionShape shape{.B = 1, .T = 10, .H = 1, .K = 1, .D = 2};
    Values qkv(60, 0.5);
    qkv[2] = bad;  // The first key.
    auto heads = activation_room(20);
    auto lse = room(10);
    const auto start = put(std::vector<uint32_t>(10, 0));
    backend_->attention_forward(heads.data(), lse.data(), put_activations(qkv).data(), start.data(),
                                shape);
    EXPECT_TRUE(std::isnan(get(heads)[18]));
  }
}

TEST_P(Operations, NotANumberComesBackThroughEveryOperation) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    SCOPED_TRACE(bad);
    Values x(40, 0.5);
    x[33] = bad;
    const auto spoilt = put_activations(x);
    const auto fine = put_activations(Values(40, 0.5));
    auto out = activation_room(40);
    const Matrix square = matrix(Values(100, 0.25), 10, 10);
    const auto bad_at = [&](size_t i) { return !std::isfinite(get(out)[i]); };
    backend_->linear_forward(out.data(), fine.data(), spoilt.data(), square.weight, 4);
    EXPECT_TRUE(bad_at(30) && bad_at(39) && !bad_at(29));  // Its row, and no other.
    backend_->linear_forward(out.data(), spoilt.data(), fine.data(), square.weight, 4);
    EXPECT_TRUE(bad_at(33) && !bad_at(32));

    auto sums = ones(100);
    backend_->linear_backward(out.data(), sums.data(), spoilt.data(), fine.data(), square.weight,
                              4);
    EXPECT_TRUE(bad_at(30) && bad_at(39) && !bad_at(29));
    EXPECT_FALSE(backend_->all_finite(sums.data(), 100));

    auto d_gate_up = activation_room(80);
    backend_->swiglu_backward(d_gate_up.data(), spoilt.data(),
                              put_activations(Values(80, 0.5)).data(), 4, 10);
    EXPECT_FALSE(backend_->all_finite(d_gate_up.data(), 80));

    auto d_x = activation_room(40);
    auto losses = room(4);
    const auto target = put(std::vector<uint32_t>{0, 1, 2, 3});
    backend_->vocabulary_loss(losses.data(), d_x.data(), sums.data(), spoilt.data(), square.weight,
                              target.data(), 4, 1.0F);
    EXPECT_FALSE(std::isfinite(get(losses)[3]));
    EXPECT_FALSE(std::isfinite(get(d_x)[30]));
    EXPECT_TRUE(std::isfinite(get(losses)[2]) && std::isfinite(get(d_x)[29]));
  }
}

TEST_P(Operations, SumsOfSquaresAndFiniteness) {
  const Values x = values(200'003);
  double expected = 0;
  for (const double value : x) expected += value * value;
  EXPECT_NEAR(backend_->sum_of_squares(put(x).data(), x.size()), expected, 1e-12 * expected);
  EXPECT_EQ(backend_->sum_of_squares(nullptr, 0), 0.0);
  EXPECT_TRUE(backend_->all_finite(put(x).data(), x.size()));
  EXPECT_TRUE(backend_->all_finite(put_activations(x).data(), x.size()));
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Values spoilt = x;
    spoilt[200'002] = bad;
    EXPECT_FALSE(backend_->all_finite(put(spoilt).data(), x.size()));
    EXPECT_FALSE(backend_->all_finite(put_activations(spoilt).data(), x.size()));
  }
}

TEST_P(Operations, CombineIsAWeightedSumInPlaceToo) {
  const Values x = values(70'001);
  const Values y = values(x.size());
  Values expected(x.size());
  for (size_t i = 0; i < x.size(); ++i) expected[i] = 0.5 * x[i] - 3 * y[i];
  auto out = room(x.size());
  const auto y_in = put(y);
  backend_->combine(out.data(), 0.5F, put(x).data(), -3.0F, y_in.data(), x.size());
  EXPECT_LT(distance(get(out), expected), kSumTolerance);
  backend_->combine(out.data(), 1.0F, out.data(), 3.0F, y_in.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) expected[i] += 3 * y[i];
  EXPECT_LT(distance(get(out), expected), kSumTolerance);
}

TEST_P(Operations, ProductsOfParametersMatchPlainLoops) {
  const int M = 131, N = 259, K = 37;
  const Values a = values(131 * 37);
  const Values b = values(37 * 259);
  Values b_transposed(b.size());
  Values expected(131 * 259);
  for (size_t k = 0; k < 37; ++k) {
    for (size_t n = 0; n < 259; ++n) {
      b_transposed[n * 37 + k] = b[k * 259 + n];
      for (size_t m = 0; m < 131; ++m) expected[m * 259 + n] += a[m * 37 + k] * b[k * 259 + n];
    }
  }
  auto out = room(expected.size());
  backend_->product(out.data(), put(a).data(), put(b).data(), false, M, N, K, 1.0F, 0.0F);
  EXPECT_LT(distance(get(out), expected), kSumTolerance);
  backend_->product(out.data(), put(a).data(), put(b_transposed).data(), true, M, N, K, 2.0F,
                    -1.0F);
  EXPECT_LT(distance(get(out), expected), kSumTolerance);
}

MUSTER_EVERY_PRECISION(Operations);

TEST(MakeBackend, KnowsCpuAndCudaAndNothingElse) {
  const auto name = [](const char* device, uint32_t threads) {
    const auto backend = make_backend(device, threads);
    return backend ? (*backend)->name() : backend.error().message;
  };
  EXPECT_EQ(name("cpu", 3), "cpu:3");
  EXPECT_EQ(name("cpu:2", 3), "cpu:2");
  for (const char* device : {"", "cpu:", "cpu:0", "cpu:x", "cpu:-1", "cpu:1025", "gpu", "cuda:x"}) {
    const auto backend = make_backend(device, 1);
    ASSERT_FALSE(backend) << device;
    EXPECT_EQ(backend.error().code, common::Code::kInvalidArgument) << device;
  }
}

TEST(MakeBackend, WorksInThePrecisionAskedForOrInTheFasterOne) {
  const auto precision = [](std::optional<Precision> asked) {
    return make_backend("cpu", 1, asked).value()->precision();
  };
  EXPECT_EQ(precision(Precision::kFp32), Precision::kFp32);
  EXPECT_EQ(precision(Precision::kBf16), Precision::kBf16);
  EXPECT_EQ(precision(std::nullopt) == Precision::kBf16, cpu::processor().prefers_bf16);
}

}  // namespace
}  // namespace train
