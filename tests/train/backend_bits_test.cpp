// Goal: the same calls give the same bits: again, and on 1, 2 and 3 threads.
// Method: every operation at sizes that make several blocks of each kind, everything it writes
// taken
//   together; compared bit by bit (as numbers, of which none is NaN).
#include <gtest/gtest.h>

#include "tests/train/operations.h"

namespace train {
namespace {

constexpr int kN = 600, kC = 300, kV = 700;

class Bits : public Operations {
 protected:
  using Written = std::vector<std::vector<float>>;

  // Runs `operation` on machines of 1, 2 and 3 threads, and twice on the last.
  template <typename Operation>
  void expect_one_answer(const Operation& operation) {
    Written first;
    for (const int threads : {1, 2, 3, 0}) {
      if (threads > 0) backend_ = make(threads);
      random_ = common::Philox(11);
      const Written now = operation();
      if (first.empty()) first = now;
      for (const float value : now.front()) ASSERT_TRUE(std::isfinite(value));
      EXPECT_TRUE(now == first) << threads;
    }
  }
};

TEST_P(Bits, OfEmbeddingsAndNorms) {
  expect_one_answer([this] {
    std::vector<uint32_t> token;
    for (int n = 0; n < kN; ++n) token.push_back(static_cast<uint32_t>(random_.below(50)));
    const auto tokens = put(token);
    auto x = activation_room(kN * kC);
    auto d_table = ones(50 * kC);
    backend_->embedding_forward(x.data(), tokens.data(), put(values(50 * kC)).data(), kN, kC);
    backend_->embedding_backward(d_table.data(), x.data(), tokens.data(), kN, kC);

    const auto weight = put(values(kC));
    auto out = activation_room(kN * kC);
    auto rstd = room(kN);
    backend_->rmsnorm_forward(out.data(), rstd.data(), x.data(), weight.data(), kN, kC, 1e-5F);
    auto d_x = activation_ones(kN * kC);
    auto d_weight = ones(kC);
    backend_->rmsnorm_backward(d_x.data(), d_weight.data(), out.data(), x.data(), weight.data(),
                               rstd.data(), kN, kC);
    return Written{get(x), get(d_table), get(out), get(rstd), get(d_x), get(d_weight)};
  });
}

TEST_P(Bits, OfLinearLayers) {
  expect_one_answer([this] {
    const auto x = put_activations(values(kN * kC));
    const auto d_out = put_activations(values(kN * kV));
    const Matrix weight = matrix(values(kV * kC), kV, kC);
    auto out = activation_room(kN * kV);
    backend_->linear_forward(out.data(), d_out.data(), x.data(), weight.weight, kN);
    auto d_x = activation_room(kN * kC);
    auto d_weight = ones(kV * kC);
    backend_->linear_backward(d_x.data(), d_weight.data(), d_out.data(), x.data(), weight.weight,
                              kN);
    return Written{get(out), get(d_x), get(d_weight)};
  });
}

TEST_P(Bits, OfAttentionAndRope) {
  expect_one_answer([this] {
    const AttentionShape shape{.B = 2, .T = 150, .H = 4, .K = 2, .D = 16};
    const size_t N = 300;
    auto qkv = put_activations(values(N * 128));
    const auto angles = put(Values(150 * 8, 0.5));
    backend_->rope(qkv.data(), angles.data(), angles.data(), shape, false);
    const auto start = put(std::vector<uint32_t>(N, 0));
    auto out = activation_room(N * 64);
    auto lse = room(N * 4);
    backend_->attention_forward(out.data(), lse.data(), qkv.data(), start.data(), shape);
    auto d_qkv = activation_room(N * 128);
    backend_->attention_backward(d_qkv.data(), put_activations(values(N * 64)).data(), out.data(),
                                 lse.data(), qkv.data(), start.data(), shape);
    return Written{get(qkv), get(out), get(lse), get(d_qkv)};
  });
}

TEST_P(Bits, OfSwigluAndTheVocabulary) {
  expect_one_answer([this] {
    const auto gate_up = put_activations(values(kN * 2 * kC));
    auto x = activation_room(kN * kC);
    backend_->swiglu_forward(x.data(), gate_up.data(), kN, kC);
    auto d_gate_up = activation_room(kN * 2 * kC);
    backend_->swiglu_backward(d_gate_up.data(), x.data(), gate_up.data(), kN, kC);
    std::vector<uint32_t> target;
    for (int n = 0; n < kN; ++n) target.push_back(static_cast<uint32_t>(random_.below(kV)));
    const auto targets = put(target);
    const Matrix weight = matrix(values(kV * kC, 0.1), kV, kC);
    auto alone = room(kN), losses = room(kN), d_weight = ones(kV * kC);
    auto d_x = activation_room(kN * kC);
    backend_->vocabulary_loss(alone.data(), nullptr, nullptr, x.data(), weight.weight,
                              targets.data(), kN, 0.0F);
    backend_->vocabulary_loss(losses.data(), d_x.data(), d_weight.data(), x.data(), weight.weight,
                              targets.data(), kN, 0.01F);
    EXPECT_EQ(get(alone), get(losses));  // With a gradient or without.
    return Written{get(x), get(d_gate_up), get(losses), get(d_x), get(d_weight)};
  });
}

TEST_P(Bits, OfWhatIsDoneToParameters) {
  expect_one_answer([this] {
    const int M = 300, N = 600, K = 500;
    const auto a = put(values(300 * 500));
    const auto b = put(values(500 * 600));
    auto out = ones(300 * 600);
    backend_->product(out.data(), a.data(), b.data(), false, M, N, K, 0.5F, 2.0F);
    const uint64_t size = 150'000;
    auto theta = put(values(size)), m = put(values(size)), v = ones(size), sum = room(size);
    const AdamwStep step{0.5F, 0.9F, 0.95F, 0.1F, 0.05F, 1e-8F, 1e-3F, 1.1F, 0.999F};
    backend_->adamw(theta.data(), m.data(), v.data(), a.data(), size, step);
    backend_->combine(sum.data(), 0.3F, theta.data(), -2.0F, m.data(), size);
    const double squares = backend_->sum_of_squares(sum.data(), size);
    return Written{get(out), get(theta), get(m), get(v), get(sum), {static_cast<float>(squares)}};
  });
}

MUSTER_EVERY_PRECISION(Bits);

}  // namespace
}  // namespace train
