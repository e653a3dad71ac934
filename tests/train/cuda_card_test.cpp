// Goal: a card computes at real sizes what the CPU does, twice the same bits; and a machine without
//   one says so.
// Method: widths, lengths and vocabularies of models of 1 and 8 billion parameters, in bf16,
// against
//   the CPU's bf16; the operations' own suites (backend_test.cpp and others, rows "cuda_...") have
//   the small and odd sizes. Skipped, with the reason, where there is no card.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/oracle.h"
#include "train/batch.h"
#include "train/bf16.h"
#include "train/buffer.h"
#include "train/cpu/backend.h"
#include "train/cuda/backend.h"
#include "train/model.h"

namespace train {
namespace {

using Numbers = std::vector<float>;

class CudaCard : public testing::Test {
 protected:
  void SetUp() override {
    auto card = make_cuda_backend(0, Precision::kBf16);
    if (!card) GTEST_SKIP() << card.error().message;
    card_ = std::move(card).value();
  }

  // That bf16 holds.
  Numbers values(size_t size, float scale = 1) {
    Numbers all(size);
    for (float& value : all) {
      value = to_float(to_bf16(scale * static_cast<float>(random_.normal())));
    }
    return all;
  }
  static ActivationBuffer put(Backend& on, const Numbers& values) {
    ActivationBuffer buffer(on);
    buffer.upload(values);
    return buffer;
  }
  static Buffer<float> put_floats(Backend& on, const Numbers& values) {
    Buffer<float> buffer(on);
    buffer.upload(values);
    return buffer;
  }
  static Buffer<uint32_t> put_tokens(Backend& on, const std::vector<uint32_t>& values) {
    Buffer<uint32_t> buffer(on);
    buffer.upload(values);
    return buffer;
  }
  template <typename AnyBuffer>
  static Numbers get(const AnyBuffer& buffer) {
    Numbers values(buffer.size());
    buffer.download(values);
    return values;
  }
  static double distance(const Numbers& a, const Numbers& b) {
    return oracle::distance(a, oracle::Values(b.begin(), b.end()));
  }

  // Runs it on the card twice and on the CPU: the same bits, and close.
  template <typename Operation>
  void expect_like_cpu(const Operation& operation, double tolerance) {
    const std::vector<Numbers> once = operation(*card_);
    EXPECT_TRUE(operation(*card_) == once);
    const std::vector<Numbers> expected = operation(*cpu_);
    ASSERT_EQ(once.size(), expected.size());
    for (size_t i = 0; i < once.size(); ++i) {
      EXPECT_LT(distance(once[i], expected[i]), tolerance) << "result " << i;
    }
  }

  common::Philox random_{17};
  std::unique_ptr<Backend> cpu_ = make_cpu_backend(2, Precision::kBf16);
  std::unique_ptr<Backend> card_;
};

TEST_F(CudaCard, LinearLayersAreTheCpus) {
  const int N = 1024, C = 2048, O = 3072;
  const Numbers x = values(size_t{N} * C), weight = values(size_t{O} * C, 0.02F);
  const Numbers d_out = values(size_t{N} * O);
  const auto operation = [&](Backend& on) {
    const auto x_in = put(on, x), d_out_in = put(on, d_out);
    const auto weights = put_floats(on, weight);
    Buffer<std::byte> packed(on);
    packed.reserve(on.packed_size(O, C));
    const Weight matrix{weights.data(), packed.data(), O, C};
    on.pack(matrix);
    auto out = put(on, d_out), d_x = put(on, x);
    auto d_weight = put_floats(on, weight);
    on.linear_forward(out.data(), out.data(), x_in.data(), matrix, N);
    on.linear_backward(d_x.data(), d_weight.data(), d_out_in.data(), x_in.data(), matrix, N);
    return std::vector<Numbers>{get(out), get(d_x), get(d_weight)};
  };
  expect_like_cpu(operation, 0x1p-8);
}

TEST_F(CudaCard, AttentionIsTheCpusAtBothUsualWidths) {
  for (const AttentionShape shape :
       {AttentionShape{2, 2048, 8, 2, 64}, AttentionShape{1, 2048, 8, 2, 128}}) {
    SCOPED_TRACE(shape.D);
    const auto positions = static_cast<size_t>(shape.positions());
    const Numbers qkv = values(positions * static_cast<size_t>(shape.row()));
    const Numbers d_out = values(positions * static_cast<size_t>(shape.H * shape.D));
    std::vector<uint32_t> start;  // Documents of 700 in the first sequence.
    for (size_t n = 0; n < positions; ++n) {
      start.push_back(n < 2048 ? static_cast<uint32_t>(n / 700 * 700) : 0);
    }
    const auto operation = [&](Backend& on) {
      const auto qkv_in = put(on, qkv);
      const auto start_in = put_tokens(on, start);
      auto out = put(on, d_out), d_qkv = put(on, qkv);
      auto lse = put_floats(on, Numbers(positions * static_cast<size_t>(shape.H)));
      on.attention_forward(out.data(), lse.data(), qkv_in.data(), start_in.data(), shape);
      on.attention_backward(d_qkv.data(), put(on, d_out).data(), out.data(), lse.data(),
                            qkv_in.data(), start_in.data(), shape);
      return std::vector<Numbers>{get(out), get(lse), get(d_qkv)};
    };
    expect_like_cpu(operation, 0x1p-7);
  }
}

TEST_F(CudaCard, TheLossOverALargeVocabularyIsTheCpus) {
  const int N = 300, C = 256, V = 128'256;
  const Numbers x = values(size_t{N} * C), weight = values(size_t{V} * C, 0.05F);
  std::vector<uint32_t> target;
  for (int n = 0; n < N; ++n) target.push_back(static_cast<uint32_t>(random_.below(V)));
  target[7] = kNoTarget;
  const auto operation = [&](Backend& on) {
    const auto x_in = put(on, x);
    const auto weights = put_floats(on, weight);
    Buffer<std::byte> packed(on);
    packed.reserve(on.packed_size(V, C));
    const Weight matrix{weights.data(), packed.data(), V, C};
    on.pack(matrix);
    auto losses = put_floats(on, Numbers(N));
    auto d_x = put(on, x);
    auto d_weight = put_floats(on, Numbers(weight.size()));
    on.vocabulary_loss(losses.data(), d_x.data(), d_weight.data(), x_in.data(), matrix,
                       put_tokens(on, target).data(), N, 1.0F / N);
    return std::vector<Numbers>{get(losses), get(d_x), get(d_weight)};
  };
  expect_like_cpu(operation, 0x1p-7);
}

TEST_F(CudaCard, AModelsGradientIsTheCpus) {
  const common::ModelParams params{.vocabulary = 32'000,
                                   .dim = 1024,
                                   .layers = 2,
                                   .heads = 16,
                                   .kv_heads = 4,
                                   .hidden = 2816,
                                   .sequence_length = 512,
                                   .rope_theta = 500'000,
                                   .rope_factor = 1,
                                   .norm_epsilon = 1e-5,
                                   .tied_embeddings = true,
                                   .init_seed = 1,
                                   .init_std = 0.02};
  const auto layout = parameter_layout(params, {.name = "", .tile = 4096, .keep = 64});
  const Numbers theta = initial_parameters(params, layout);
  std::vector<std::vector<uint32_t>> runs(2, std::vector<uint32_t>(513));
  for (auto& run : runs) {
    for (uint32_t& token : run) token = static_cast<uint32_t>(random_.below(32'000));
  }
  const Batch batch = make_batch(runs, 0, true);
  const auto operation = [&](Backend& on) {
    const auto parameters = put_floats(on, theta);
    auto gradient = put_floats(on, Numbers(theta.size()));
    Model model(params, on);
    const double loss = model.loss_and_gradient(parameters.data(), batch, gradient.data());
    return std::vector<Numbers>{get(gradient), {static_cast<float>(loss)}};
  };
  expect_like_cpu(operation, 0.02);
}

TEST(CudaDoor, ACardThatIsNotThereSaysSo) {
  const auto backend = make_backend("cuda:1000", 1);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, common::Code::kUnavailable);
  EXPECT_TRUE(backend.error().message.starts_with("cuda:1000: ")) << backend.error().message;
}

}  // namespace
}  // namespace train
