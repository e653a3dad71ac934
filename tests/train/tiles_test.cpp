// Goal: packing puts every value where the layout says, rounded to the nearest bf16, with zeros
// around; every kernel multiplies packed operands, whatever the shape, the portions and the
// strides. Method: plain loops over the layout's own definition and over products in fp64, small
// integers that must come out exact, and edges one by one. A kernel that this processor lacks is
// skipped.
#include "train/cpu/tiles.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <limits>

#include "common/philox.h"
#include "tests/train/emulated_amx.h"
#include "train/cpu/tiles_kernels.h"

namespace train::cpu {
namespace {

// Aligned as packed operands must be, and filled with what must be overwritten.
class Packed {
 public:
  explicit Packed(size_t size) : size_(size), storage_(size + 32, Bf16{0x7FFF}) {}
  Bf16* data() {
    auto address = reinterpret_cast<uintptr_t>(storage_.data());
    return storage_.data() + ((64 - address % 64) % 64) / sizeof(Bf16);
  }
  size_t size() const { return size_; }

 private:
  size_t size_;
  std::vector<Bf16> storage_;
};

// The layout, as tiles.h tells it.
size_t left_index(int m, int k, int K) {
  return static_cast<size_t>((m / 16 * tiles_deep(K) + k / 32) * kTileSize + m % 16 * 32 + k % 32);
}
size_t right_index(int k, int n, int K) {
  return static_cast<size_t>((n / 16 * tiles_deep(K) + k / 32) * kTileSize + k % 32 / 2 * 32 +
                             n % 16 * 2 + k % 2);
}

float awkward(common::Philox& random) {
  const uint64_t kind = random.below(40);
  if (kind == 0) return std::numeric_limits<float>::quiet_NaN();
  if (kind == 1) return -std::numeric_limits<float>::infinity();
  if (kind == 2) return std::bit_cast<float>(0x7F7FFFFFU);  // Rounds to infinity.
  if (kind == 3) return std::bit_cast<float>(0x7F800001U);  // A NaN that truncation would lose.
  if (kind == 4) return std::bit_cast<float>(static_cast<uint32_t>(random.below(1 << 23)));
  return static_cast<float>(random.normal());
}

template <typename Value>
Value value_of(float wide) {
  if constexpr (std::is_same_v<Value, float>) {
    return wide;
  } else {
    return to_bf16(wide);
  }
}
Bf16 expected(float value) { return to_bf16(value); }
Bf16 expected(Bf16 value) { return value; }

// Packs a seeded (outer, K) operand both plain and transposed, and compares every value.
template <typename Value>
void check_packing(int outer, int K, bool left, bool transposed) {
  SCOPED_TRACE(testing::Message() << outer << " x " << K << (left ? " left" : " right")
                                  << (transposed ? " transposed" : ""));
  // Along the addresses runs k, or the other.
  const bool along_k = left != transposed;
  const int rows = along_k ? outer : K;
  const int columns = along_k ? K : outer;
  const ptrdiff_t stride = columns + 5;
  common::Philox random{static_cast<uint64_t>(outer * 1000 + K)};
  std::vector<Value> matrix(static_cast<size_t>(rows * stride));
  for (Value& value : matrix) value = value_of<Value>(awkward(random));

  Packed packed(packed_size(outer, K));
  const Source<Value> source{matrix.data(), stride, transposed};
  left ? pack_left(packed.data(), source, outer, K) : pack_right(packed.data(), source, K, outer);
  for (int i = 0; i < panels(outer) * 16; ++i) {
    for (int k = 0; k < tiles_deep(K) * 32; ++k) {
      const bool inside = i < outer && k < K;
      const ptrdiff_t at = along_k ? i * stride + k : k * stride + i;
      const Bf16 want = inside ? expected(matrix[static_cast<size_t>(at)]) : Bf16{};
      const Bf16 got = packed.data()[left ? left_index(i, k, K) : right_index(k, i, K)];
      ASSERT_EQ(got.bits, want.bits) << "outer " << i << " k " << k;
    }
  }
}

void check_packing_of_all_kinds(int outer, int K) {
  for (const bool left : {true, false}) {
    for (const bool transposed : {true, false}) {
      check_packing<float>(outer, K, left, transposed);
      check_packing<Bf16>(outer, K, left, transposed);
    }
  }
}

// Runs `check` as if the processor had this instruction set and no other, each that it has in turn.
template <typename Check>
void on_every_instruction_set(const Check& check) {
  const auto pretend = [](int64_t targets) {  // 0: what there is.
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  };
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    pretend(target);
    check();
  }
  pretend(0);
}

TEST(Tiles, PackingPutsEveryValueInItsPlaceAndZerosAround) {
  on_every_instruction_set([] {
    for (const auto& [outer, K] :
         {std::pair{1, 1}, {16, 32}, {17, 33}, {15, 64}, {48, 31}, {40, 96}}) {
      check_packing_of_all_kinds(outer, K);
    }
  });
}

TEST(Tiles, PackedSizesCountWholeTiles) {
  EXPECT_EQ(packed_size(1, 1), 512U);
  EXPECT_EQ(packed_size(16, 32), 512U);
  EXPECT_EQ(packed_size(17, 33), 2048U);
  EXPECT_EQ(packed_size(32000, 768), 24576000U);
}

class TileKernelTest : public testing::TestWithParam<TileKernel> {
 protected:
  void SetUp() override {
    kernel_ = GetParam();
    if (!kernel_.runs_here()) GTEST_SKIP() << "this processor has no " << kernel_.name;
    kernel_.begin_thread();
  }

  TileKernel kernel_;
};

// A seeded product: operands as matrices, and packed.
struct Problem {
  Problem(int rows, int across, int deep, uint64_t seed, bool integers)
      : M(rows),
        N(across),
        K(deep),
        a(size(M, K)),
        b(size(K, N)),
        left(packed_size(M, K)),
        right(packed_size(N, K)) {
    common::Philox random{seed};
    const auto fill = [&](std::vector<float>& matrix) {
      for (float& value : matrix) {
        value = integers ? static_cast<float>(static_cast<int>(random.below(17)) - 8)
                         : to_float(to_bf16(static_cast<float>(random.normal())));
      }
    };
    fill(a);
    fill(b);
    pack_left(left.data(), Source<float>{a.data(), K}, M, K);
    pack_right(right.data(), Source<float>{b.data(), N}, K, N);
  }

  static size_t size(int rows, int columns) { return static_cast<size_t>(rows * columns); }
  ptrdiff_t width() const { return panels(N) * 16 + 3; }  // Of `out`: rows are not aligned.
  std::vector<float> out() const {
    return std::vector<float>(static_cast<size_t>(panels(M) * 16 * width()), 0.5F);
  }
  TileProduct product(float* out, int first_tile, int depth, bool adds) {
    const size_t stride = static_cast<size_t>(tiles_deep(K)) * kTileSize;
    const size_t skip = static_cast<size_t>(first_tile) * kTileSize;
    return {.out = out,
            .stride = width(),
            .left = {left.data() + skip, stride},
            .right = {right.data() + skip, stride},
            .row_panels = panels(M),
            .column_panels = panels(N),
            .depth = depth,
            .adds = adds};
  }
  double exact(int m, int n) const {
    double sum = 0;
    for (int k = 0; k < K; ++k) {
      sum += static_cast<double>(a[static_cast<size_t>(m * K + k)]) *
             static_cast<double>(b[static_cast<size_t>(k * N + n)]);
    }
    return sum;
  }
  double magnitude(int m, int n) const {
    double sum = 0;
    for (int k = 0; k < K; ++k) {
      sum += std::abs(static_cast<double>(a[static_cast<size_t>(m * K + k)]) *
                      static_cast<double>(b[static_cast<size_t>(k * N + n)]));
    }
    return sum;
  }

  int M, N, K;
  std::vector<float> a, b;
  Packed left, right;
};

TEST_P(TileKernelTest, IsExactForSmallIntegers) {
  // Every count of panels up to seven across, and all tails of the row blocks.
  for (int N = 16; N <= 112; N += 16) {
    for (const int M : {16, 32, 48, 144}) {
      Problem problem(M, N, 96, static_cast<uint64_t>(M * N), true);
      std::vector<float> out = problem.out();
      kernel_.multiply(problem.product(out.data(), 0, 3, false));
      for (int m = 0; m < M; ++m) {
        for (int n = 0; n < N; ++n) {
          ASSERT_EQ(out[static_cast<size_t>(m * problem.width() + n)], problem.exact(m, n))
              << M << " x " << N << " at " << m << ", " << n;
        }
      }
    }
  }
}

// Products of bf16 are exact in fp32, so only the K sums round: K / 2^24 of the magnitudes bounds
// any order of summing.
TEST_P(TileKernelTest, IsWithinTheRoundingOfItsSums) {
  for (const auto& [M, N, K] :
       {std::tuple{1, 1, 1}, {17, 33, 65}, {40, 100, 300}, {130, 50, 1024}}) {
    Problem problem(M, N, K, static_cast<uint64_t>(K), false);
    std::vector<float> out = problem.out();
    kernel_.multiply(problem.product(out.data(), 0, tiles_deep(K), false));
    for (int m = 0; m < M; ++m) {
      for (int n = 0; n < N; ++n) {
        const double bound = (K + 1) * std::ldexp(problem.magnitude(m, n), -24);
        ASSERT_NEAR(out[static_cast<size_t>(m * problem.width() + n)], problem.exact(m, n), bound)
            << M << " x " << N << " x " << K << " at " << m << ", " << n;
      }
    }
  }
}

TEST_P(TileKernelTest, PaddingComesOutZeroAndNothingElseIsWritten) {
  Problem problem(17, 33, 40, 1, false);
  std::vector<float> out = problem.out();
  kernel_.multiply(problem.product(out.data(), 0, 2, false));
  for (int m = 0; m < 32; ++m) {
    for (int n = 0; n < problem.width(); ++n) {
      const float got = out[static_cast<size_t>(m * problem.width() + n)];
      if (n >= 48) {
        ASSERT_EQ(got, 0.5F) << "beyond the panels";
      } else if (m >= 17 || n >= 33) {
        ASSERT_EQ(got, 0.0F) << m << ", " << n;
      }
    }
  }
}

TEST_P(TileKernelTest, AddsToWhatStandsThere) {
  Problem problem(33, 65, 64, 2, true);
  std::vector<float> out = problem.out();
  kernel_.multiply(problem.product(out.data(), 0, 2, true));
  for (int m = 0; m < 33; ++m) {
    for (int n = 0; n < 65; ++n) {
      ASSERT_EQ(out[static_cast<size_t>(m * problem.width() + n)], problem.exact(m, n) + 0.5);
    }
  }
}

TEST_P(TileKernelTest, OverwritesEvenNan) {
  Problem problem(16, 64, 32, 3, true);
  std::vector<float> out = problem.out();
  for (float& value : out) value = std::numeric_limits<float>::quiet_NaN();
  kernel_.multiply(problem.product(out.data(), 0, 1, false));
  EXPECT_EQ(out[0], problem.exact(0, 0));
}

TEST_P(TileKernelTest, PortionsOfDepthAddUp) {
  Problem problem(48, 80, 11 * 32, 4, true);
  std::vector<float> whole = problem.out();
  kernel_.multiply(problem.product(whole.data(), 0, 11, false));
  std::vector<float> parts = problem.out();
  kernel_.multiply(problem.product(parts.data(), 0, 5, false));
  kernel_.multiply(problem.product(parts.data(), 5, 1, true));
  kernel_.multiply(problem.product(parts.data(), 6, 5, true));
  EXPECT_EQ(whole, parts);
}

// Threads share a product out by blocks: a part must not depend on what is asked for beside it.
TEST_P(TileKernelTest, GivesTheSameBitsForAPartAsForTheWhole) {
  Problem problem(160, 7 * 16, 9 * 32, 5, false);
  std::vector<float> whole = problem.out();
  kernel_.multiply(problem.product(whole.data(), 0, 9, false));
  for (int row = 0; row < 10; row += 3) {
    for (int column = 0; column < 7; column += 2) {
      std::vector<float> parts = problem.out();
      TileProduct part = problem.product(parts.data(), 0, 9, false);
      part.left.data += static_cast<size_t>(row) * part.left.panel_stride;
      part.right.data += static_cast<size_t>(column) * part.right.panel_stride;
      part.row_panels = 1;
      part.column_panels = 1;
      kernel_.multiply(part);
      for (int m = 0; m < 16; ++m) {
        for (int n = 0; n < 16; ++n) {
          const auto at = static_cast<size_t>((row * 16 + m) * problem.width() + column * 16 + n);
          ASSERT_EQ(parts[static_cast<size_t>(m * problem.width() + n)], whole[at]);
        }
      }
    }
  }
}

TEST_P(TileKernelTest, InfinityAndNanComeThrough) {
  Problem problem(16, 16, 32, 6, true);
  problem.left.data()[left_index(3, 7, 32)] = Bf16{0x7F80};
  problem.right.data()[right_index(7, 5, 32)] = Bf16{0x3F80};
  problem.right.data()[right_index(7, 6, 32)] = Bf16{};
  std::vector<float> out = problem.out();
  kernel_.multiply(problem.product(out.data(), 0, 1, false));
  EXPECT_EQ(out[static_cast<size_t>(3 * problem.width() + 5)],
            std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(out[static_cast<size_t>(3 * problem.width() + 6)]));
}

INSTANTIATE_TEST_SUITE_P(All, TileKernelTest, testing::ValuesIn(every_kernel()),
                         [](const auto& row) { return std::string(row.param.name); });

// The portable kernel adds the products up in the order of k, each exact before its addition, so a
// plain loop has its very bits; on every machine, whether it fuses or not.
TEST(PortableKernel, HasTheBitsOfAPlainLoopOnEveryInstructionSet) {
  const TileKernel kernel = portable_kernel();
  Problem problem(150, 70, 333, 7, false);
  std::vector<float> want(Problem::size(150, 70));
  for (int m = 0; m < 150; ++m) {
    for (int n = 0; n < 70; ++n) {
      float sum = 0;
      for (int k = 0; k < 333; ++k) {
        sum += problem.a[static_cast<size_t>(m * 333 + k)] *
               problem.b[static_cast<size_t>(k * 70 + n)];
      }
      want[static_cast<size_t>(m * 70 + n)] = sum;
    }
  }
  on_every_instruction_set([&] {
    std::vector<float> out = problem.out();
    kernel.multiply(problem.product(out.data(), 0, tiles_deep(333), false));
    for (int m = 0; m < 150; ++m) {
      for (int n = 0; n < 70; ++n) {
        ASSERT_EQ(out[static_cast<size_t>(m * problem.width() + n)],
                  want[static_cast<size_t>(m * 70 + n)])
            << m << ", " << n;
      }
    }
  });
}

}  // namespace
}  // namespace train::cpu
