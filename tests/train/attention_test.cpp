// Goal: attention on the CPU is right in fp32 and in bf16 with every kernel that runs here: any
// shape, any documents, any number of threads.
// Method: against plain loops in fp64 on the same (rounded) inputs; the loops' own gradient against
// differences. Then what must not happen: other bits with other threads, a look into the future or
// into another document, a crash on NaN.
#include "train/cpu/attention.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <limits>
#include <numeric>
#include <string>

#include "tests/train/attention_oracle.h"
#include "tests/train/emulated_amx.h"
#include "train/bf16.h"
#include "train/cpu/pool.h"
#include "train/cpu/tiles.h"

namespace train::cpu {
namespace {

using oracle::attention_gradient;
using oracle::distance;
using oracle::documents;
using oracle::one_document;
using oracle::random_values;
using oracle::size_of;
using oracle::Starts;
using oracle::Values;

const TileKernel* kernel_of(const std::string& machine) {
  static const std::vector<TileKernel> all = every_kernel();
  for (const TileKernel& kernel : all) {
    if ("bf16_" + std::string(kernel.name) == machine && kernel.runs_here()) return &kernel;
  }
  return nullptr;
}

template <typename Number>
std::vector<Number> narrow(const Values& values) {
  std::vector<Number> out;
  for (const double value : values) {
    if constexpr (std::is_same_v<Number, Bf16>) {
      out.push_back(to_bf16(static_cast<float>(value)));
    } else {
      out.push_back(static_cast<float>(value));
    }
  }
  return out;
}

Values widen(const std::vector<float>& values) { return {values.begin(), values.end()}; }
Values widen(const std::vector<Bf16>& values) {
  Values out;
  for (const Bf16 value : values) out.push_back(static_cast<double>(to_float(value)));
  return out;
}

struct Passed {
  Values out;
  std::vector<float> lse;
  Values d_qkv;
};

template <typename Number>
Passed pass(Attention& attention, const Values& qkv, const Values& d_out, const Starts& start,
            const AttentionShape& shape) {
  const auto in = narrow<Number>(qkv);
  const auto given = narrow<Number>(d_out);
  // What was there before must not matter.
  const auto filling = narrow<Number>({std::numeric_limits<double>::quiet_NaN()})[0];
  std::vector<Number> out(d_out.size(), filling);
  std::vector<Number> d_qkv(qkv.size(), filling);
  std::vector<float> lse(size_of(shape.positions() * shape.H));
  attention.forward(out.data(), lse.data(), in.data(), start.data(), shape);
  attention.backward(d_qkv.data(), given.data(), out.data(), lse.data(), in.data(), start.data(),
                     shape);
  return {widen(out), lse, widen(d_qkv)};
}

class AttentionTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!fp32() && kernel_of(GetParam()) == nullptr) {
      GTEST_SKIP() << GetParam() << ": this processor cannot";
    }
  }

  static bool fp32() { return GetParam() == "fp32"; }
  // Relative errors, Euclidean. bf16: a rounding (at most 2^-9) of every weight, of every gradient
  // of a score, and of every result; many of them average out.
  static double tolerance() { return fp32() ? 2e-6 : 4e-3; }
  static double gradient_tolerance() { return fp32() ? 5e-6 : 8e-3; }

  // As the machine will see them.
  Values inputs(int size, double scale = 1.0) {
    const Values values = random_values(random_, size_of(size), scale);
    return fp32() ? values : widen(narrow<Bf16>(values));
  }

  static Passed run(int threads, const Values& qkv, const Values& d_out, const Starts& start,
                    const AttentionShape& shape) {
    Pool pool(threads);
    if (fp32()) {
      Attention attention(pool);
      return pass<float>(attention, qkv, d_out, start, shape);
    }
    Attention attention(pool, *kernel_of(GetParam()));
    return pass<Bf16>(attention, qkv, d_out, start, shape);
  }

  void expect_right(const AttentionShape& shape, const Starts& start) {
    SCOPED_TRACE("B " + std::to_string(shape.B) + " T " + std::to_string(shape.T) + " H " +
                 std::to_string(shape.H) + " K " + std::to_string(shape.K) + " D " +
                 std::to_string(shape.D));
    const Values qkv = inputs(shape.positions() * shape.row());
    const Values d_out = inputs(shape.positions() * shape.H * shape.D);
    const Passed passed = run(2, qkv, d_out, start, shape);
    EXPECT_LT(distance(passed.out, oracle::attention(qkv, start, shape)), tolerance());
    EXPECT_LT(distance(passed.d_qkv, attention_gradient(qkv, d_out, start, shape)),
              gradient_tolerance());
  }

  common::Philox random_{7};
};

TEST(AttentionOracle, ItsGradientIsTheDifference) {
  common::Philox random(1);
  const AttentionShape shape{.B = 2, .T = 5, .H = 2, .K = 1, .D = 2};
  const Starts start = {0, 0, 0, 3, 3, 0, 1, 1, 1, 1};
  const Values qkv = random_values(random, size_of(shape.positions() * shape.row()));
  const Values d_out = random_values(random, size_of(shape.positions() * shape.H * shape.D));
  const auto f = [&](const Values& x) {
    const Values out = oracle::attention(x, start, shape);
    return std::inner_product(out.begin(), out.end(), d_out.begin(), 0.0);
  };
  const Values expected = attention_gradient(qkv, d_out, start, shape);
  for (size_t i = 0; i < qkv.size(); ++i) {
    EXPECT_NEAR(oracle::slope(f, qkv, i), expected[i], 1e-8) << i;
  }
}

TEST_P(AttentionTest, MatchesPlainLoopsForEveryShapeAndDocuments) {
  int turn = 0;
  for (const int T : {1, 7, 64, 65, 300}) {
    for (const int D : {2, 8, 48, 64, 128}) {
      const int K = 1 + turn % 2;
      const int group = turn % 3 == 0 ? 1 : 3;
      const int B = T == 300 ? 1 : 1 + turn % 3;
      const AttentionShape shape{.B = B, .T = T, .H = K * group, .K = K, .D = D};
      expect_right(shape, documents(random_, shape, turn % 4 == 0 ? T : 70));
      ++turn;
    }
  }
}

// 130 = two tiles of keys and a bit; 700 = several parts of a sequence, added in rounds.
TEST_P(AttentionTest, MatchesPlainLoopsWithOneDocument) {
  for (const AttentionShape shape :
       {AttentionShape{2, 130, 2, 2, 8}, AttentionShape{1, 33, 3, 1, 6},
        AttentionShape{1, 700, 2, 1, 16}}) {
    expect_right(shape, one_document(shape));
  }
}

TEST_P(AttentionTest, MatchesPlainLoopsWithDocumentsAcrossParts) {
  const AttentionShape shape{.B = 1, .T = 700, .H = 3, .K = 1, .D = 16};
  expect_right(shape, documents(random_, shape, 350));
  Starts start;  // The last part sees nothing of the others.
  for (uint32_t t = 0; t < 700; ++t) start.push_back(t < 600 ? 0 : 600);
  expect_right(shape, start);
}

TEST_P(AttentionTest, ItsGradientIsTheDifferenceOfPlainLoops) {
  const AttentionShape shape{.B = 1, .T = 9, .H = 3, .K = 1, .D = 4};
  const Starts start = {0, 0, 0, 0, 4, 4, 4, 4, 4};
  const Values qkv = inputs(shape.positions() * shape.row());
  const Values d_out = inputs(shape.positions() * shape.H * shape.D);
  const auto f = [&](const Values& x) {
    const Values out = oracle::attention(x, start, shape);
    return std::inner_product(out.begin(), out.end(), d_out.begin(), 0.0);
  };
  Values slopes;
  for (size_t i = 0; i < qkv.size(); ++i) slopes.push_back(oracle::slope(f, qkv, i));
  EXPECT_LT(distance(run(1, qkv, d_out, start, shape).d_qkv, slopes), gradient_tolerance());
}

TEST_P(AttentionTest, LseIsTheLogOfTheSumOfExponentials) {
  const AttentionShape shape{.B = 1, .T = 200, .H = 1, .K = 1, .D = 8};
  const Values qkv = inputs(shape.positions() * shape.row(), 2.0);
  const Values d_out = inputs(shape.positions() * shape.D);
  const Passed passed = run(1, qkv, d_out, one_document(shape), shape);
  for (const int t : {0, 63, 64, 199}) {
    double sum = 0;
    for (int s = 0; s <= t; ++s) {
      double score = 0;
      for (int i = 0; i < 8; ++i) score += qkv[size_of(t * 24 + i)] * qkv[size_of(s * 24 + 8 + i)];
      sum += std::exp(score / std::sqrt(8.0));
    }
    // bf16's exponential is good to 7.5e-5.
    EXPECT_NEAR(passed.lse[size_of(t)], std::log(sum), fp32() ? 2e-6 : 1e-4) << t;
  }
}

TEST_P(AttentionTest, BitsDoNotDependOnTheNumberOfThreads) {
  for (const AttentionShape shape :
       {AttentionShape{3, 65, 6, 2, 48}, AttentionShape{1, 900, 3, 1, 16}}) {
    const Values qkv = inputs(shape.positions() * shape.row());
    const Values d_out = inputs(shape.positions() * shape.H * shape.D);
    const Starts start = documents(random_, shape, shape.T);
    const Passed one = run(1, qkv, d_out, start, shape);
    for (const int threads : {1, 2, 3}) {
      const Passed other = run(threads, qkv, d_out, start, shape);
      EXPECT_EQ(other.out, one.out);
      EXPECT_EQ(other.lse, one.lse);
      EXPECT_EQ(other.d_qkv, one.d_qkv);
    }
  }
}

TEST_P(AttentionTest, AShapeDoesNotDisturbTheNext) {
  const AttentionShape large{.B = 2, .T = 300, .H = 2, .K = 1, .D = 64};
  const AttentionShape small{.B = 1, .T = 40, .H = 2, .K = 1, .D = 8};
  const Values qkv = inputs(small.positions() * small.row());
  const Values d_out = inputs(small.positions() * small.H * small.D);
  const Passed fresh = run(2, qkv, d_out, one_document(small), small);
  const auto twice = [&](Attention attention, auto number) {
    using Number = decltype(number);
    Values bad(size_of(large.positions() * large.row()), std::nan(""));
    pass<Number>(attention, bad, Values(size_of(large.positions() * 128)), one_document(large),
                 large);
    return pass<Number>(attention, qkv, d_out, one_document(small), small);
  };
  Pool pool(2);
  const Passed after = fp32() ? twice(Attention(pool), float())
                              : twice(Attention(pool, *kernel_of(GetParam())), Bf16());
  EXPECT_EQ(after.out, fresh.out);
  EXPECT_EQ(after.d_qkv, fresh.d_qkv);
}

// Positions [from, until) of an array whose rows are `width` wide.
Values slice(const Values& values, int from, int until, int width) {
  return {values.begin() + from * width, values.begin() + until * width};
}

TEST_P(AttentionTest, OtherDocumentsDoNotLeak) {
  const AttentionShape shape{.B = 1, .T = 150, .H = 2, .K = 1, .D = 16};
  Starts start;
  for (uint32_t t = 0; t < 150; ++t) start.push_back(t < 50 ? 0 : t < 100 ? 50 : 100);
  Values qkv = inputs(shape.positions() * shape.row());
  Values d_out = inputs(shape.positions() * shape.H * shape.D);
  const Passed before = run(2, qkv, d_out, start, shape);
  const auto change = [](Values& values, int width) {
    for (int t = 0; t < 150; ++t) {
      if (t >= 50 && t < 100) continue;
      for (int i = 0; i < width; ++i) values[size_of(t * width + i)] *= -64.0;
    }
  };
  change(qkv, shape.row());
  change(d_out, shape.H * shape.D);
  const Passed after = run(2, qkv, d_out, start, shape);
  EXPECT_NE(before.out, after.out);
  EXPECT_EQ(slice(before.out, 50, 100, 32), slice(after.out, 50, 100, 32));
  EXPECT_EQ(slice(before.d_qkv, 50, 100, shape.row()), slice(after.d_qkv, 50, 100, shape.row()));
}

TEST_P(AttentionTest, TheFutureDoesNotLeak) {
  const AttentionShape shape{.B = 1, .T = 200, .H = 1, .K = 1, .D = 8};
  Values qkv = inputs(shape.positions() * shape.row());
  const Values d_out = inputs(shape.positions() * shape.D);
  const Passed before = run(1, qkv, d_out, one_document(shape), shape);
  for (size_t i = size_of(131 * shape.row()); i < qkv.size(); ++i) qkv[i] *= 64.0;
  const Passed after = run(1, qkv, d_out, one_document(shape), shape);
  EXPECT_EQ(slice(before.out, 0, 131, 8), slice(after.out, 0, 131, 8));
  EXPECT_NE(before.out, after.out);
}

TEST_P(AttentionTest, AnOnlyKeyGivesItsValue) {
  const AttentionShape shape{.B = 1, .T = 70, .H = 2, .K = 2, .D = 6};
  Starts start;
  for (uint32_t t = 0; t < 70; ++t) start.push_back(t);
  const Values qkv = inputs(shape.positions() * shape.row());
  const Values d_out = inputs(shape.positions() * 12);
  const Passed passed = run(2, qkv, d_out, start, shape);
  for (int t = 0; t < 70; ++t) {
    for (int i = 0; i < 12; ++i) {
      const double value = qkv[size_of(t * 36 + 24 + i)];
      EXPECT_NEAR(passed.out[size_of(t * 12 + i)], value, std::abs(value) * tolerance());
    }
  }
}

// Scores of 1e8 and more: their exponentials are far beyond fp32, and beyond its steps.
TEST_P(AttentionTest, HugeScoresChooseTheLargest) {
  const AttentionShape shape{.B = 1, .T = 40, .H = 1, .K = 1, .D = 2};
  Values qkv = inputs(shape.positions() * shape.row());
  for (int t = 0; t < 40; ++t) {
    qkv[size_of(t * 6)] = 16384;
    qkv[size_of(t * 6 + 2)] = t == 11 ? 16384 : -16384;
    qkv[size_of(t * 6 + 1)] = qkv[size_of(t * 6 + 3)] = 0;
  }
  const Passed passed = run(1, qkv, inputs(80), one_document(shape), shape);
  for (int t = 11; t < 40; ++t) {
    EXPECT_EQ(passed.out[size_of(t * 2)], qkv[size_of(11 * 6 + 4)]) << t;
  }
  for (const double d : passed.d_qkv) EXPECT_TRUE(std::isfinite(d));
}

TEST_P(AttentionTest, RisingScoresAreRescaled) {
  const AttentionShape shape{.B = 1, .T = 400, .H = 1, .K = 1, .D = 4};
  Values qkv = inputs(shape.positions() * shape.row());
  for (int t = 0; t < 400; ++t) {  // Each tile's scores are far above those before it.
    qkv[size_of(t * 12)] = 4;
    qkv[size_of(t * 12 + 4)] = t / 4;
  }
  const Values d_out = inputs(shape.positions() * 4);
  const Passed passed = run(1, qkv, d_out, one_document(shape), shape);
  const Starts start = one_document(shape);
  // Scores of 200 have steps of 1.5e-5 in fp32.
  EXPECT_LT(distance(passed.out, oracle::attention(qkv, start, shape)), tolerance() + 2e-5);
  EXPECT_LT(distance(passed.d_qkv, attention_gradient(qkv, d_out, start, shape)),
            fp32() ? 1e-4 : 0.05);
}

TEST_P(AttentionTest, WhatIsNotANumberStaysWithThoseWhoSeeIt) {
  const AttentionShape shape{.B = 2, .T = 140, .H = 1, .K = 1, .D = 8};
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    Values qkv = inputs(shape.positions() * shape.row());
    const Values d_out = inputs(shape.positions() * 8);
    qkv[size_of(70 * 24 + 8)] = bad;  // A key of the first sequence.
    const Passed passed = run(2, qkv, d_out, one_document(shape), shape);
    for (int t = 0; t < 280; ++t) {
      const bool sees = t >= 70 && t < 140;
      EXPECT_EQ(std::isnan(passed.out[size_of(t * 8)]), sees) << t;
      EXPECT_EQ(std::isnan(passed.lse[size_of(t)]), sees) << t;
    }
    EXPECT_TRUE(std::isnan(passed.d_qkv[size_of(100 * 24)]));
    EXPECT_TRUE(std::isfinite(passed.d_qkv[size_of(200 * 24)]));
  }
}

TEST_P(AttentionTest, ALongSequenceMatchesPlainLoopsWhereLooked) {
  if (GetParam() == "bf16_amx_emulated") GTEST_SKIP() << "the emulation takes ten seconds";
  const AttentionShape shape{.B = 1, .T = 4096, .H = 2, .K = 1, .D = 32};
  const Values qkv = inputs(shape.positions() * shape.row());
  const Values d_out = inputs(shape.positions() * shape.H * shape.D);
  const Passed passed = run(2, qkv, d_out, one_document(shape), shape);
  Values expected(passed.out.size());
  Values seen(passed.out.size());
  for (const int t : {0, 1000, 2047, 2048, 4095}) {
    for (int head = 0; head < 2; ++head) oracle::attend(expected, qkv, shape, 0, t, head, 0);
    std::copy_n(passed.out.begin() + t * 64, 64, seen.begin() + t * 64);
  }
  EXPECT_LT(distance(seen, expected), 2 * tolerance());
  for (const double d : passed.d_qkv) ASSERT_TRUE(std::isfinite(d));
}

TEST_P(AttentionTest, AsksForMemoryOnlyForALargerShape) {
  Pool pool(2);
  Attention attention = fp32() ? Attention(pool) : Attention(pool, *kernel_of(GetParam()));
  const auto kept_after = [&](const AttentionShape& shape) {
    const Values qkv(size_of(shape.positions() * shape.row()));
    const Values d_out(size_of(shape.positions() * shape.H * shape.D));
    const Starts start = one_document(shape);
    fp32() ? pass<float>(attention, qkv, d_out, start, shape)
           : pass<Bf16>(attention, qkv, d_out, start, shape);
    return attention.kept_bytes();
  };
  const AttentionShape small{.B = 2, .T = 100, .H = 2, .K = 1, .D = 16};
  const AttentionShape large{.B = 1, .T = 600, .H = 2, .K = 1, .D = 16};
  const size_t first = kept_after(small);
  EXPECT_EQ(kept_after(small), first);
  const size_t second = kept_after(large);
  EXPECT_GT(second, first);
  EXPECT_EQ(kept_after(small), second);
  EXPECT_EQ(kept_after(large), second);
}

// No scores are kept: eight times the length takes less than eight times as much.
TEST_P(AttentionTest, MemoryIsLinearInTheLength) {
  Pool pool(1);
  const auto kept = [&](int T) {
    Attention attention = fp32() ? Attention(pool) : Attention(pool, *kernel_of(GetParam()));
    const AttentionShape shape{.B = 1, .T = T, .H = 1, .K = 1, .D = 8};
    const Values qkv(size_of(shape.positions() * shape.row()));
    Starts start;  // Short documents: quick.
    for (int t = 0; t < T; ++t) start.push_back(static_cast<uint32_t>(t));
    const Values d_out(size_of(T * 8));
    fp32() ? pass<float>(attention, qkv, d_out, start, shape)
           : pass<Bf16>(attention, qkv, d_out, start, shape);
    return attention.kept_bytes();
  };
  EXPECT_LT(kept(32768), 8 * kept(4096));
}

// As if on processors that know less; the widest vectors first.
TEST_P(AttentionTest, MatchesPlainLoopsInEveryInstructionSet) {
  const auto pretend = [](int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  };
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    pretend(target);
    expect_right({.B = 1, .T = 150, .H = 3, .K = 1, .D = 48}, Starts(150, 0));
    const AttentionShape shape{.B = 2, .T = 70, .H = 2, .K = 2, .D = 6};
    expect_right(shape, documents(random_, shape, 40));
  }
  pretend(0);
}

std::vector<std::string> machines() {
  std::vector<std::string> names = {"fp32"};
  for (const TileKernel& kernel : every_kernel())
    names.push_back("bf16_" + std::string(kernel.name));
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, AttentionTest, testing::ValuesIn(machines()),
                         [](const auto& row) { return row.param; });

TEST(AttentionDeathTest, ADocumentThatBeginsLaterIsABug) {
  Pool pool(1);
  Attention attention(pool);
  const AttentionShape shape{.B = 1, .T = 2, .H = 1, .K = 1, .D = 2};
  std::vector<float> out(4), lse(2);
  const std::vector<float> qkv(12);
  const Starts start = {1, 1};
  EXPECT_DEATH(attention.forward(out.data(), lse.data(), qkv.data(), start.data(), shape), "CHECK");
}

TEST(AttentionDeathTest, Bf16WithoutAKernelIsABug) {
  Pool pool(1);
  Attention attention(pool);
  const AttentionShape shape{.B = 1, .T = 1, .H = 1, .K = 1, .D = 2};
  std::vector<Bf16> out(2);
  float lse = 0;
  const std::vector<Bf16> qkv(6);
  const Starts start = {0};
  EXPECT_DEATH(attention.forward(out.data(), &lse, qkv.data(), start.data(), shape), "CHECK");
}

}  // namespace
}  // namespace train::cpu
