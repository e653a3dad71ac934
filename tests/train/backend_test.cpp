// Goal: every operation of every backend computes what its comment in train/backend.h says, forward
// and
//   backward, at sizes that are no multiple of any block or vector.
// Method: forward against plain loops in fp64; backward against central differences of those loops.
// The
//   relative error (Euclidean) must be below 1e-5: fp32 against fp64. What is "+=" starts from
//   ones.
#include "train/backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/train/backends.h"
#include "tests/train/oracle.h"
#include "train/buffer.h"
#include "train/model.h"

namespace train {
namespace {

using oracle::distance;
using oracle::random_values;
using oracle::Values;

constexpr double kTolerance = 1e-5;

class Operations : public BackendTest {
 protected:
  Buffer<float> put(const Values& values) {
    Buffer<float> buffer(*backend_);
    buffer.upload(oracle::narrow(values));
    return buffer;
  }
  Buffer<uint32_t> put(const std::vector<uint32_t>& values) {
    Buffer<uint32_t> buffer(*backend_);
    buffer.upload(values);
    return buffer;
  }
  Buffer<float> room(size_t size) { return put(Values(size, std::nan(""))); }
  Buffer<float> ones(size_t size) { return put(Values(size, 1.0)); }
  static std::vector<float> get(const Buffer<float>& buffer) {
    std::vector<float> values(buffer.size());
    buffer.download(values);
    return values;
  }

  // How far `got` is from `from` + the gradient of <cotangent, f(x)>. Of a long x, 64 places are
  // tried.
  double gradient_distance(const Buffer<float>& got, const std::function<Values(const Values&)>& f,
                           const Values& x, const Values& cotangent, double from = 0) {
    const auto value = [&](const Values& at) {
      const Values out = f(at);
      double dot = 0;
      for (size_t i = 0; i < out.size(); ++i) dot += cotangent[i] * out[i];
      return dot;
    };
    const std::vector<float> all = get(got);
    Values tried;
    Values expected;
    for (uint64_t k = 0; k < std::min<uint64_t>(x.size(), 64); ++k) {
      const size_t i = x.size() <= 64 ? k : random_.below(x.size());
      tried.push_back(all[i] - from);
      expected.push_back(oracle::slope(value, x, i));
    }
    return distance(tried, expected);
  }

  common::Philox random_{7};
};

TEST_P(Operations, EmbeddingForwardCopiesRowsAndBackwardAddsThemUp) {
  const std::vector<uint32_t> token = {2, 0, 2, 4};
  const int C = 37;
  const Values table = random_values(random_, 5 * 37);
  auto out = room(4 * 37);
  const auto tokens = put(token);
  backend_->embedding_forward(out.data(), tokens.data(), put(table).data(), 4, C);
  const auto f = [&](const Values& t) { return oracle::embedding(token, t, C); };
  EXPECT_EQ(get(out), oracle::narrow(f(table)));

  const Values d_out = random_values(random_, 4 * 37);
  auto d_table = ones(table.size());
  backend_->embedding_backward(d_table.data(), put(d_out).data(), tokens.data(), 4, C);
  EXPECT_LT(gradient_distance(d_table, f, table, d_out, 1.0), kTolerance);
}

TEST_P(Operations, RmsnormMatchesPlainLoops) {
  for (const int C : {1, 7, 128, 301}) {
    const int N = 67;
    const size_t width = static_cast<size_t>(C);
    const Values x = random_values(random_, width * N);
    const Values weight = random_values(random_, width);
    const auto x_in = put(x);
    const auto weight_in = put(weight);
    auto out = room(x.size());
    auto rstd = room(N);
    backend_->rmsnorm_forward(out.data(), rstd.data(), x_in.data(), weight_in.data(), N, C, 1e-5F);
    EXPECT_LT(distance(get(out), oracle::rmsnorm(x, weight, 1e-5)), kTolerance) << "C " << C;

    const Values d_out = random_values(random_, x.size());
    auto d_x = ones(x.size());
    auto d_weight = ones(width);
    backend_->rmsnorm_backward(d_x.data(), d_weight.data(), put(d_out).data(), x_in.data(),
                               weight_in.data(), rstd.data(), N, C);
    const auto by_x = [&](const Values& v) { return oracle::rmsnorm(v, weight, 1e-5); };
    const auto by_weight = [&](const Values& v) { return oracle::rmsnorm(x, v, 1e-5); };
    // Of a row of one value only the epsilon makes the slope by x differ from 0.
    if (C > 1) {
      EXPECT_LT(gradient_distance(d_x, by_x, x, d_out, 1.0), kTolerance) << "C " << C;
    }
    EXPECT_LT(gradient_distance(d_weight, by_weight, weight, d_out, 1.0), kTolerance) << "C " << C;
  }
}

TEST_P(Operations, LinearMatchesPlainLoopsWithAndWithoutResidual) {
  const int N = 131, C = 67, O = 259;
  const Values x = random_values(random_, 131 * 67);
  const Values weight = random_values(random_, 259 * 67);
  const Values residual = random_values(random_, 131 * 259);
  const auto x_in = put(x);
  const auto weight_in = put(weight);
  auto out = room(residual.size());
  backend_->linear_forward(out.data(), nullptr, x_in.data(), weight_in.data(), N, C, O);
  const Values product = oracle::linear(x, weight, 67);
  EXPECT_LT(distance(get(out), product), kTolerance);
  backend_->linear_forward(out.data(), put(residual).data(), x_in.data(), weight_in.data(), N, C,
                           O);
  EXPECT_LT(distance(get(out), oracle::add(product, residual)), kTolerance);
  backend_->linear_forward(out.data(), out.data(), x_in.data(), weight_in.data(), N, C, O);
  EXPECT_LT(distance(get(out), oracle::add(oracle::add(product, residual), product)), kTolerance);

  // The gradient is linear too, so plain loops give it: d_x = d_out W, d_W = d_out^T x.
  const Values d_out = random_values(random_, residual.size());
  auto d_x = room(x.size());
  auto d_weight = ones(weight.size());
  backend_->linear_backward(d_x.data(), d_weight.data(), put(d_out).data(), x_in.data(),
                            weight_in.data(), N, C, O);
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
  EXPECT_LT(distance(get(d_x), d_x_expected), kTolerance);
  EXPECT_LT(distance(get(d_weight), d_weight_expected), kTolerance);
}

TEST_P(Operations, RopeTurnsQueriesAndKeysAndInverseTurnsBack) {
  const AttentionShape shape{.B = 2, .T = 70, .H = 4, .K = 2, .D = 6};
  const Values qkv = random_values(random_, static_cast<size_t>(shape.positions() * shape.row()));
  Values cosine, sine;
  for (int t = 0; t < shape.T; ++t) {
    for (int i = 0; i < shape.D / 2; ++i) {
      cosine.push_back(std::cos(t * std::pow(10000.0, -2.0 * i / shape.D)));
      sine.push_back(std::sin(t * std::pow(10000.0, -2.0 * i / shape.D)));
    }
  }
  auto turned = put(qkv);
  backend_->rope(turned.data(), put(cosine).data(), put(sine).data(), shape, false);
  EXPECT_LT(distance(get(turned), oracle::rope(qkv, shape, 10000.0)), kTolerance);
  backend_->rope(turned.data(), put(cosine).data(), put(sine).data(), shape, true);
  EXPECT_LT(distance(get(turned), qkv), kTolerance);
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
    const Values qkv = random_values(random_, size * static_cast<size_t>(shape.row()));
    const auto qkv_in = put(qkv);
    const auto start_in = put(start);
    auto out = room(size * static_cast<size_t>(shape.H * shape.D));
    auto lse = room(size * static_cast<size_t>(shape.H));
    backend_->attention_forward(out.data(), lse.data(), qkv_in.data(), start_in.data(), shape);
    const auto f = [&](const Values& v) { return oracle::attention(v, start, shape); };
    EXPECT_LT(distance(get(out), f(qkv)), kTolerance);

    const Values d_out = random_values(random_, out.size());
    auto d_qkv = room(qkv.size());
    backend_->attention_backward(d_qkv.data(), put(d_out).data(), out.data(), lse.data(),
                                 qkv_in.data(), start_in.data(), shape);
    EXPECT_LT(gradient_distance(d_qkv, f, qkv, d_out), kTolerance);
  }
}

TEST_P(Operations, AttentionOfLargeScoresIsFinite) {
  const AttentionShape shape{.B = 1, .T = 3, .H = 1, .K = 1, .D = 2};
  const auto qkv = put(Values(3 * 6, 1e4));  // Scores of 1.4e8: exp of them is far beyond fp32.
  const auto start = put(std::vector<uint32_t>{0, 0, 0});
  auto out = room(3 * 2);
  auto lse = room(3);
  backend_->attention_forward(out.data(), lse.data(), qkv.data(), start.data(), shape);
  EXPECT_LT(distance(get(out), Values(6, 1e4)), kTolerance);
}

TEST_P(Operations, SwigluMatchesPlainLoops) {
  const int N = 67, F = 45;
  const Values gate_up = random_values(random_, 67 * 90, 3.0);
  const auto gate_up_in = put(gate_up);
  auto out = room(67 * 45);
  backend_->swiglu_forward(out.data(), gate_up_in.data(), N, F);
  const auto f = [&](const Values& v) { return oracle::swiglu(v, 45); };
  EXPECT_LT(distance(get(out), f(gate_up)), kTolerance);

  const Values d_out = random_values(random_, out.size());
  auto d_gate_up = room(gate_up.size());
  backend_->swiglu_backward(d_gate_up.data(), put(d_out).data(), gate_up_in.data(), N, F);
  EXPECT_LT(gradient_distance(d_gate_up, f, gate_up, d_out), kTolerance);
}

TEST_P(Operations, SwigluOfFarGatesIsZeroOrTheProduct) {
  auto out = room(2);
  backend_->swiglu_forward(out.data(), put(Values{-1e4, 1e4, 2, 2}).data(), 1, 2);
  EXPECT_NEAR(get(out)[0], 0.0F, 1e-30F);
  EXPECT_EQ(get(out)[1], 2e4F);
}

TEST_P(Operations, VocabularyLossMatchesPlainLoopsAndSkipsWhatHasNoTarget) {
  const int N = 300, C = 19, V = 53;  // More positions than logits are made for at once.
  const Values x = random_values(random_, 300 * 19);
  const Values weight = random_values(random_, 53 * 19);
  std::vector<uint32_t> target;
  for (int n = 0; n < N; ++n) target.push_back(static_cast<uint32_t>(random_.below(53)));
  target[3] = target[299] = kNoTarget;
  const auto x_in = put(x);
  const auto weight_in = put(weight);
  const auto target_in = put(target);
  const Values expected = oracle::vocabulary_losses(x, weight, target, 19);

  auto losses = room(300);
  backend_->vocabulary_loss(losses.data(), nullptr, nullptr, x_in.data(), weight_in.data(),
                            target_in.data(), N, C, V, 0.0F);
  EXPECT_LT(distance(get(losses), expected), kTolerance);
  EXPECT_EQ(get(losses)[3], 0.0F);

  auto d_x = room(x.size());
  auto d_weight = ones(weight.size());
  backend_->vocabulary_loss(losses.data(), d_x.data(), d_weight.data(), x_in.data(),
                            weight_in.data(), target_in.data(), N, C, V, 0.25F);
  EXPECT_LT(distance(get(losses), expected), kTolerance);
  const Values quarter(300, 0.25);
  const auto by_x = [&](const Values& v) {
    return oracle::vocabulary_losses(v, weight, target, 19);
  };
  const auto by_weight = [&](const Values& v) {
    return oracle::vocabulary_losses(x, v, target, 19);
  };
  EXPECT_LT(gradient_distance(d_x, by_x, x, quarter), kTolerance);
  EXPECT_LT(gradient_distance(d_weight, by_weight, weight, quarter, 1.0), kTolerance);
}

// A stranger's update may carry theta anywhere: what it does to the loss must show.
TEST_P(Operations, NotANumberComesThroughEveryOperation) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    SCOPED_TRACE(bad);
    Values x(40, 0.5);
    x[33] = bad;
    auto out = room(40);
    auto one = room(1);
    backend_->rmsnorm_forward(out.data(), one.data(), put(x).data(), ones(40).data(), 1, 40, 0.1F);
    EXPECT_FALSE(std::isfinite(get(out)[33]));
    const auto target = put(std::vector<uint32_t>{0});
    backend_->vocabulary_loss(one.data(), nullptr, nullptr, ones(1).data(), put(x).data(),
                              target.data(), 1, 1, 40, 0.0F);
    EXPECT_FALSE(std::isfinite(get(one)[0]));
    const AttentionShape shape{.B = 1, .T = 10, .H = 1, .K = 1, .D = 2};
    Values qkv(60, 0.5);
    qkv[2] = bad;  // The first key.
    auto heads = room(20);
    auto lse = room(10);
    const auto start = put(std::vector<uint32_t>(10, 0));
    backend_->attention_forward(heads.data(), lse.data(), put(qkv).data(), start.data(), shape);
    EXPECT_TRUE(std::isnan(get(heads)[18]));
  }
}

MUSTER_EVERY_BACKEND(Operations);

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

}  // namespace
}  // namespace train
