// Goal: the bodies of the card's kernels are right for every shape that takes another way through
//   them, and do not depend on the order in which threads take their turns.
// Method: the emulated card (tests/train/cuda_emulation.h) against plain loops in fp64, against the
//   CPU's backend bit by bit where both promise the same bits, and against itself with threads and
//   blocks in reverse, and thread by thread with barriers (tests/train/cuda_fibers.h). Not run
//   here, since only a card has them: the instructions of train/cuda/device.h, and cuBLASLt.
#include <gtest/gtest.h>

#include <tuple>

#include "tests/train/attention_oracle.h"
#include "tests/train/cuda_emulated.h"
#include "tests/train/operations.h"
#include "train/cpu/backend.h"

namespace train {
namespace {

using oracle::distance;
using oracle::size_of;
using oracle::Starts;

using Numbers = std::vector<float>;

class CudaKernels : public testing::Test {
 protected:
  static Numbers get(const Buffer<float>& buffer) {
    Numbers values(buffer.size());
    buffer.download(values);
    return values;
  }
  static Numbers get(const ActivationBuffer& buffer) {
    Numbers values(buffer.size());
    buffer.download(values);
    return values;
  }
  static Buffer<float> put(Backend& on, const Values& values) {
    Buffer<float> buffer(on);
    buffer.upload(oracle::narrow(values));
    return buffer;
  }
  static Buffer<uint32_t> put(Backend& on, const std::vector<uint32_t>& values) {
    Buffer<uint32_t> buffer(on);
    buffer.upload(values);
    return buffer;
  }
  static ActivationBuffer put_activations(Backend& on, const Values& values) {
    ActivationBuffer buffer(on);
    buffer.upload(oracle::narrow(values));
    return buffer;
  }
  // That bf16 holds.
  Values values(int size, double scale = 1.0) {
    Values all = oracle::random_values(random_, size_of(size), scale);
    for (double& value : all) value = to_float(to_bf16(static_cast<float>(value)));
    return all;
  }

  struct Passed {
    Numbers out, lse, d_qkv;
    bool operator==(const Passed&) const = default;
  };
  static Passed attend(Backend& on, const Values& qkv, const Values& d_out, const Starts& start,
                       const AttentionShape& shape) {
    const auto qkv_in = put_activations(on, qkv);
    const auto start_in = put(on, start);
    auto out = put_activations(on, Values(d_out.size(), std::nan("")));
    auto d_qkv = put_activations(on, Values(qkv.size(), std::nan("")));
    auto lse = put(on, Values(size_of(shape.positions() * shape.H), std::nan("")));
    on.attention_forward(out.data(), lse.data(), qkv_in.data(), start_in.data(), shape);
    on.attention_backward(d_qkv.data(), put_activations(on, d_out).data(), out.data(), lse.data(),
                          qkv_in.data(), start_in.data(), shape);
    return {get(out), get(lse), get(d_qkv)};
  }

  void expect_attention(Precision precision, const AttentionShape& shape, const Starts& start) {
    SCOPED_TRACE("B " + std::to_string(shape.B) + " T " + std::to_string(shape.T) + " H " +
                 std::to_string(shape.H) + " K " + std::to_string(shape.K) + " D " +
                 std::to_string(shape.D));
    const auto on = cuda::make_emulated_backend(precision);
    const Values qkv = values(shape.positions() * shape.row());
    const Values d_out = values(shape.positions() * shape.H * shape.D);
    const Passed passed = attend(*on, qkv, d_out, start, shape);
    const bool is_bf16 = precision == Precision::kBf16;
    EXPECT_LT(distance(passed.out, oracle::attention(qkv, start, shape)), is_bf16 ? 0x1p-8 : 1e-5);
    EXPECT_LT(distance(passed.d_qkv, oracle::attention_gradient(qkv, d_out, start, shape)),
              is_bf16 ? 0x1p-7 : 1e-5);
  }

  std::vector<Numbers> write_everything(Backend& on, int N);

  common::Philox random_{7};
};

// Heads of every padded width, with and without 16 bytes at once, and wider than tensor cores take;
// sequences of less than a tile of 64, of one, and of several.
TEST_F(CudaKernels, AttentionMatchesPlainLoopsForEveryWidth) {
  int turn = 0;
  for (const int D : {2, 8, 30, 32, 48, 64, 66, 96, 128, 130, 144}) {
    const int T = std::array{1, 64, 65, 150}[size_of(turn % 4)];
    const int K = 1 + turn % 2;
    const AttentionShape shape{
        .B = 1 + turn % 3 / 2, .T = T, .H = K * (1 + turn % 3), .K = K, .D = D};
    expect_attention(Precision::kBf16, shape, oracle::documents(random_, shape, 70));
    ++turn;
  }
}

TEST_F(CudaKernels, AttentionMatchesPlainLoopsWithOneDocument) {
  for (const AttentionShape shape :
       {AttentionShape{2, 200, 2, 1, 128}, AttentionShape{1, 321, 3, 3, 64},
        AttentionShape{1, 130, 4, 2, 32}}) {
    expect_attention(Precision::kBf16, shape, oracle::one_document(shape));
  }
}

TEST_F(CudaKernels, PlainAttentionMatchesPlainLoops) {
  for (const AttentionShape shape :
       {AttentionShape{2, 150, 4, 2, 6}, AttentionShape{1, 300, 2, 1, 40},
        AttentionShape{1, 1, 1, 1, 2}}) {
    expect_attention(Precision::kFp32, shape, oracle::documents(random_, shape, 140));
  }
}

TEST_F(CudaKernels, TheLastDocumentSeesNothingOfTheOthers) {
  const AttentionShape shape{.B = 1, .T = 400, .H = 2, .K = 1, .D = 16};
  Starts start;
  for (uint32_t t = 0; t < 400; ++t) start.push_back(t < 300 ? 0 : 300);
  expect_attention(Precision::kBf16, shape, start);
  const auto on = cuda::make_emulated_backend(Precision::kBf16);
  Values qkv = values(shape.positions() * shape.row());
  const Values d_out = values(shape.positions() * shape.H * shape.D);
  const Passed before = attend(*on, qkv, d_out, start, shape);
  for (size_t i = 0; i < size_of(300 * shape.row()); ++i) qkv[i] *= -64;
  const Passed after = attend(*on, qkv, d_out, start, shape);
  EXPECT_NE(before.out, after.out);
  const auto last = [&](const Numbers& all, int width) {
    return Numbers(all.begin() + 300 * width, all.end());
  };
  EXPECT_EQ(last(before.out, 32), last(after.out, 32));
  EXPECT_EQ(last(before.d_qkv, shape.row()), last(after.d_qkv, shape.row()));
}

TEST_F(CudaKernels, RisingAndHugeScoresAreRescaled) {
  const AttentionShape shape{.B = 1, .T = 300, .H = 1, .K = 1, .D = 4};
  Values qkv = values(shape.positions() * shape.row());
  for (int t = 0; t < 300; ++t) {
    qkv[size_of(t * 12)] = 4;
    qkv[size_of(t * 12 + 4)] = t / 4;
  }
  const auto on = cuda::make_emulated_backend(Precision::kBf16);
  const Starts start = oracle::one_document(shape);
  const Passed passed = attend(*on, qkv, values(300 * 4), start, shape);
  EXPECT_LT(distance(passed.out, oracle::attention(qkv, start, shape)), 0x1p-8 + 2e-5);
  for (size_t i = 0; i < qkv.size(); i += 4) qkv[i] *= 4096;
  const Passed huge = attend(*on, qkv, values(300 * 4), start, shape);
  for (const float value : huge.out) EXPECT_TRUE(std::isfinite(value));
  for (const float value : huge.d_qkv) EXPECT_TRUE(std::isfinite(value));
}

// Every operation, what it writes taken together.
std::vector<Numbers> CudaKernels::write_everything(Backend& on, int N) {
  random_ = common::Philox(3);
  const int C = 40, V = 90;
  std::vector<uint32_t> token;
  for (int n = 0; n < N; ++n) token.push_back(static_cast<uint32_t>(random_.below(V)));
  const auto tokens = put(on, token);
  const auto table = put(on, values(V * C));
  auto x = put_activations(on, Values(size_of(N * C)));
  on.embedding_forward(x.data(), tokens.data(), table.data(), N, C);
  auto d_table = put(on, values(V * C));
  on.embedding_backward(d_table.data(), x.data(), tokens.data(), N, C);
  const auto weight = put(on, values(C));
  auto normed = put_activations(on, Values(size_of(N * C)));
  auto rstd = put(on, Values(size_of(N)));
  on.rmsnorm_forward(normed.data(), rstd.data(), x.data(), weight.data(), N, C, 1e-5F);
  auto d_x = put_activations(on, values(N * C));
  auto d_weight = put(on, values(C));
  on.rmsnorm_backward(d_x.data(), d_weight.data(), normed.data(), x.data(), weight.data(),
                      rstd.data(), N, C);
  auto gated = put_activations(on, Values(size_of(N * C / 2)));
  on.swiglu_forward(gated.data(), x.data(), N, C / 2);
  auto d_gate_up = put_activations(on, Values(size_of(N * C)));
  on.swiglu_backward(d_gate_up.data(), gated.data(), x.data(), N, C / 2);
  auto losses = put(on, Values(size_of(N)));
  Buffer<std::byte> packed(on);
  packed.reserve(on.packed_size(V, C));
  const Weight vocabulary{table.data(), packed.data(), V, C};
  on.pack(vocabulary);
  on.vocabulary_loss(losses.data(), normed.data(), d_table.data(), x.data(), vocabulary,
                     tokens.data(), N, 0.5F);
  const auto angles = put(on, Values(size_of(N * 5), 0.5));
  on.rope(x.data(), angles.data(), angles.data(), {.B = 1, .T = N, .H = 2, .K = 1, .D = 10}, false);
  const double squares = on.sum_of_squares(table.data(), table.size());
  EXPECT_TRUE(on.all_finite(table.data(), table.size()));
  std::vector<Numbers> written = {get(d_table),  get(rstd),      get(d_x),
                                  get(d_weight), get(d_gate_up), get(losses),
                                  get(normed),   get(x),         {static_cast<float>(squares)}};
  // Three tiles of keys at least: the third is written over the first.
  for (const AttentionShape shape :
       {AttentionShape{1, 200, 1, 1, 10}, AttentionShape{1, 70, 1, 1, 72}}) {
    Starts start = oracle::one_document(shape);
    std::fill(start.end() - 3, start.end(), static_cast<uint32_t>(shape.T - 3));
    const Passed passed = attend(on, values(shape.positions() * shape.row()),
                                 values(shape.positions() * shape.H * shape.D), start, shape);
    written.insert(written.end(), {passed.out, passed.lse, passed.d_qkv});
  }
  return written;
}

TEST_F(CudaKernels, TheTurnsOfThreadsAndBlocksDoNotMatter) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const auto once = write_everything(*cuda::make_emulated_backend(precision), 70);
    EXPECT_EQ(once, write_everything(*cuda::make_emulated_backend(precision, true), 70));
    for (const Numbers& numbers : once) {
      for (const float value : numbers) ASSERT_TRUE(std::isfinite(value));
    }
  }
}

// Whoever does not wait where he must reads what is not there yet, or what is there no more.
TEST_F(CudaKernels, EveryThreadWaitsWhereItMust) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const auto once = write_everything(*cuda::make_emulated_backend(precision), 9);
    for (const bool backwards : {false, true}) {
      for (const bool copies_late : {false, true}) {
        if (copies_late && precision == Precision::kFp32) continue;  // It makes none.
        const auto on = cuda::make_fiber_backend(precision, backwards, copies_late);
        EXPECT_EQ(once, write_everything(*on, 9)) << backwards << " " << copies_late;
      }
    }
  }
}

// Tokens of three digits of the sort, one that comes often, more than a block of them.
TEST_F(CudaKernels, TheGradientOfTheTableHasTheCpusBits) {
  const int V = 70'001, C = 3, N = 700;
  std::vector<uint32_t> token;
  for (int n = 0; n < N; ++n) {
    token.push_back(n % 3 == 0 ? 69'999 : static_cast<uint32_t>(random_.below(V)));
  }
  token[699] = V - 1;
  const Values d_out = values(N * C, 0.3);
  const Values before = values(V * C);
  std::vector<Numbers> written;
  for (const bool on_card : {false, true}) {
    const auto on = on_card ? cuda::make_emulated_backend(Precision::kFp32)
                            : make_cpu_backend(1, Precision::kFp32);
    auto d_table = put(*on, before);
    on->embedding_backward(d_table.data(), put_activations(*on, d_out).data(),
                           put(*on, token).data(), N, C);
    written.push_back(get(d_table));
  }
  EXPECT_EQ(written[0], written[1]);
}

TEST_F(CudaKernels, AdamwAndCombineHaveTheCpusBits) {
  const int size = 20'003;
  std::vector<std::tuple<Numbers, Numbers, Numbers, Numbers>> written;
  for (const bool on_card : {false, true}) {
    random_ = common::Philox(5);
    const auto on = on_card ? cuda::make_emulated_backend(Precision::kBf16)
                            : make_cpu_backend(1, Precision::kFp32);
    const auto random = [&] { return put(*on, oracle::random_values(random_, size_of(size))); };
    auto theta = random(), m = random(), gradient = random(), sum = random();
    auto v = put(*on, Values(size_of(size), 0.25));
    const AdamwStep step{0.5F, 0.9F, 0.95F, 0.1F, 0.05F, 1e-8F, 1e-3F, 1.1F, 0.999F};
    // One that begins with 16 bytes, and one that does not.
    on->adamw(theta.data(), m.data(), v.data(), gradient.data(), 9'000, step);
    on->adamw(theta.data() + 9'001, m.data() + 9'001, v.data() + 9'001, gradient.data() + 9'001,
              size_of(size - 9'001), step);
    on->combine(sum.data(), 0.3F, theta.data(), -2.0F, m.data(), size_of(size));
    written.emplace_back(get(theta), get(m), get(v), get(sum));
  }
  EXPECT_EQ(written[0], written[1]);
}

// Rows that begin with 16 bytes and rows that do not are the same numbers.
TEST_F(CudaKernels, ValuesMoveTogetherOrAloneToTheSameEnd) {
  const int N = 5, C = 2056;
  const auto on = cuda::make_emulated_backend(Precision::kBf16);
  const Values x = values(N * C);
  const Values weight = values(C);
  std::vector<Numbers> written;
  for (const int from : {0, 1}) {  // The weight's place in its array.
    Values behind(size_of(from));
    behind.insert(behind.end(), weight.begin(), weight.end());
    const auto weights = put(*on, behind);
    auto out = put_activations(*on, Values(x.size()));
    auto rstd = put(*on, Values(size_of(N)));
    on->rmsnorm_forward(out.data(), rstd.data(), put_activations(*on, x).data(),
                        weights.data() + from, N, C, 1e-5F);
    written.push_back(get(out));
  }
  EXPECT_EQ(written[0], written[1]);
  EXPECT_LT(distance(written[0], oracle::rmsnorm(x, weight, 1e-5)), 0x1p-8);
}

}  // namespace
}  // namespace train
