// Goal: Linear's three products are those of plain loops, for every kernel; the bits are the same
// on any number of threads; nothing outside the outputs is written.
// Method: small integers, which must come out exact, over shapes with every kind of edge; an fp64
// oracle within the rounding of sums and of bf16; and the probe, which must choose what is fastest.
#include "train/cpu/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>

#include "common/philox.h"
#include "tests/train/emulated_amx.h"
#include "train/cpu/processor.h"

namespace train::cpu {
namespace {

struct alignas(64) Line {
  std::byte bytes[64];
};

struct Shape {
  int N, C, O;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << "N " << shape.N << " C " << shape.C << " O " << shape.O;
}

// Every value of a layer, seeded: small integers, or normal numbers.
struct Layer {
  Layer(const Shape& of, bool integers) : shape(of) {
    common::Philox random{static_cast<uint64_t>(of.N) << 40 | static_cast<uint64_t>(of.C) << 20 |
                          static_cast<uint64_t>(of.O)};
    const auto draw = [&] {
      return integers ? static_cast<float>(static_cast<int>(random.below(5)) - 2)
                      : static_cast<float>(random.normal());
    };
    for (auto [matrix, size] :
         {std::pair{&x, of.N * of.C}, {&d_out, of.N * of.O}, {&residual, of.N * of.O}}) {
      matrix->resize(static_cast<size_t>(size));
      for (Bf16& value : *matrix) value = to_bf16(draw());
    }
    weight.resize(static_cast<size_t>(of.O * of.C));
    for (float& value : weight) value = to_float(to_bf16(draw()));
    packed.resize((Linear::packed_weight_size(of.O, of.C) + 63) / 64);
  }

  float x_at(int n, int c) const { return to_float(x[static_cast<size_t>(n * shape.C + c)]); }
  float d_out_at(int n, int o) const {
    return to_float(d_out[static_cast<size_t>(n * shape.O + o)]);
  }
  float weight_at(int o, int c) const { return weight[static_cast<size_t>(o * shape.C + c)]; }
  float residual_at(int n, int o) const {
    return to_float(residual[static_cast<size_t>(n * shape.O + o)]);
  }

  Shape shape;
  std::vector<Bf16> x, d_out, residual;
  std::vector<float> weight;
  std::vector<Line> packed;
};

// The sum of term(k), and of its magnitude.
struct Sum {
  template <typename Term>
  Sum(int count, const Term& term) {
    for (int k = 0; k < count; ++k) {
      value += term(k);
      magnitude += std::abs(term(k));
    }
  }
  // Of any order of adding `count` products up in fp32.
  double bound(int count) const { return std::ldexp((count + 2) * magnitude, -24); }
  double value = 0;
  double magnitude = 0;
};
// Half a unit in the last place of bf16, and a little for the double rounding.
double bf16_bound(double value) { return std::ldexp(std::abs(value), -8) * 1.01; }

std::vector<TileKernel> kernels_here() {
  std::vector<TileKernel> kernels = every_kernel();
  std::erase_if(kernels, [](const TileKernel& kernel) { return !kernel.runs_here(); });
  return kernels;
}

class LinearTest : public testing::TestWithParam<TileKernel> {
 protected:
  const TileKernel kernel_ = GetParam();
  Pool pool_{2};
  Linear linear_{pool_, kernel_};
};

// One value; tails of tiles, of panels, of blocks; several blocks, portions of k and slabs of rows.
constexpr Shape kShapes[] = {{1, 1, 1},    {16, 32, 48},   {17, 33, 49},   {100, 96, 40},
                             {5, 1100, 7}, {300, 40, 800}, {1100, 65, 33}, {1050, 1100, 3}};

TEST_P(LinearTest, IsExactForSmallIntegers) {
  for (const Shape& shape : kShapes) {
    const auto& [N, C, O] = shape;
    Layer layer(shape, true);
    linear_.pack_weight(layer.packed.data(), layer.weight.data(), O, C);
    std::vector<float> d_weight(layer.weight.size(), 3.0F);
    linear_.backward_weight(d_weight.data(), layer.d_out.data(), layer.x.data(), N, C, O);
    for (int o = 0; o < O; ++o) {
      for (int c = 0; c < C; ++c) {
        double want = 3;
        for (int n = 0; n < N; ++n) want += layer.d_out_at(n, o) * layer.x_at(n, c);
        ASSERT_EQ(d_weight[static_cast<size_t>(o * C + c)], want)
            << shape << " at " << o << ", " << c;
      }
    }
    linear_.forward_blocks(
        [&](const FinishedBlock& block) {
          for (int i = 0; i < block.rows; ++i) {
            for (int j = 0; j < block.columns; ++j) {
              const Sum want(C, [&](int c) {
                return layer.x_at(block.row + i, c) * layer.weight_at(block.column + j, c);
              });
              EXPECT_EQ(block.values[i * block.stride + j], want.value) << shape;
            }
          }
        },
        layer.x.data(), layer.packed.data(), N, C, O);
  }
}

TEST_P(LinearTest, ForwardIsWithinItsRounding) {
  for (const Shape& shape : kShapes) {
    const auto& [N, C, O] = shape;
    Layer layer(shape, false);
    linear_.pack_weight(layer.packed.data(), layer.weight.data(), O, C);
    std::vector<Bf16> plain(layer.d_out.size());
    linear_.forward(plain.data(), nullptr, layer.x.data(), layer.packed.data(), N, C, O);
    std::vector<Bf16> with_residual = layer.residual;  // In place.
    linear_.forward(with_residual.data(), with_residual.data(), layer.x.data(), layer.packed.data(),
                    N, C, O);
    for (int n = 0; n < N; ++n) {
      for (int o = 0; o < O; ++o) {
        const Sum want(C, [&](int c) { return layer.x_at(n, c) * layer.weight_at(o, c); });
        const auto at = static_cast<size_t>(n * O + o);
        ASSERT_NEAR(to_float(plain[at]), want.value, bf16_bound(want.value) + want.bound(C))
            << shape << " at " << n << ", " << o;
        const double sum = want.value + static_cast<double>(layer.residual_at(n, o));
        ASSERT_NEAR(to_float(with_residual[at]), sum,
                    bf16_bound(sum) + want.bound(C) + std::ldexp(std::abs(sum), -24))
            << shape << " at " << n << ", " << o;
      }
    }
  }
}

TEST_P(LinearTest, BackwardIsWithinItsRounding) {
  for (const Shape& shape : kShapes) {
    const auto& [N, C, O] = shape;
    Layer layer(shape, false);
    linear_.pack_weight(layer.packed.data(), layer.weight.data(), O, C);
    std::vector<Bf16> d_x(layer.x.size());
    linear_.backward_input(d_x.data(), layer.d_out.data(), layer.packed.data(), N, C, O);
    for (int n = 0; n < N; ++n) {
      for (int c = 0; c < C; ++c) {
        const Sum want(O, [&](int o) { return layer.d_out_at(n, o) * layer.weight_at(o, c); });
        ASSERT_NEAR(to_float(d_x[static_cast<size_t>(n * C + c)]), want.value,
                    bf16_bound(want.value) + want.bound(O))
            << shape;
      }
    }
    std::vector<float> d_weight(layer.weight.size(), 1.0F);
    linear_.backward_weight(d_weight.data(), layer.d_out.data(), layer.x.data(), N, C, O);
    for (int o = 0; o < O; ++o) {
      for (int c = 0; c < C; ++c) {
        const Sum want(N, [&](int n) { return layer.d_out_at(n, o) * layer.x_at(n, c); });
        ASSERT_NEAR(d_weight[static_cast<size_t>(o * C + c)], want.value + 1,
                    want.bound(N) + std::ldexp(std::abs(want.value) + 1, -24))
            << shape;
      }
    }
  }
}

// The weight is fp32, and is rounded to the nearest when packed.
TEST_P(LinearTest, PackingRoundsTheWeight) {
  const float weight = 1.01171875F;  // Half way between two bf16: to the even one, above.
  std::vector<Line> packed((Linear::packed_weight_size(1, 1) + 63) / 64);
  linear_.pack_weight(packed.data(), &weight, 1, 1);
  const Bf16 one = to_bf16(1.0F);
  Bf16 out;
  linear_.forward(&out, nullptr, &one, packed.data(), 1, 1, 1);
  EXPECT_EQ(to_float(out), 1.015625F);
}

TEST_P(LinearTest, BlocksCoverTheOutputOnce) {
  const Shape shape{301, 40, 805};
  Layer layer(shape, true);
  linear_.pack_weight(layer.packed.data(), layer.weight.data(), shape.O, shape.C);
  std::vector<std::atomic<int>> times(static_cast<size_t>(shape.N * shape.O));
  linear_.forward_blocks(
      [&](const FinishedBlock& block) {
        EXPECT_LE(block.rows, linear_.block_rows());
        EXPECT_LE(block.columns, linear_.block_columns());
        EXPECT_EQ(block.column % linear_.block_columns(), 0);
        EXPECT_LT(block.worker, pool_.threads());
        for (int i = 0; i < block.rows; ++i) {
          for (int j = 0; j < block.columns; ++j) {
            ++times[static_cast<size_t>((block.row + i) * shape.O + block.column + j)];
          }
        }
      },
      layer.x.data(), layer.packed.data(), shape.N, shape.C, shape.O);
  EXPECT_THAT(times, testing::Each(testing::Truly([](const auto& count) { return count == 1; })));
}

// Three odd shapes one after the other, so that scratch memory is used again; and the outputs are
// between values that must stay.
std::vector<uint32_t> bits_with(const TileKernel& kernel, int threads) {
  Pool pool(threads);
  Linear linear(pool, kernel);
  std::vector<uint32_t> bits;
  for (const Shape& shape : {Shape{270, 600, 40}, {77, 45, 33}, {513, 40, 410}}) {
    const auto& [N, C, O] = shape;
    Layer layer(shape, false);
    linear.pack_weight(layer.packed.data(), layer.weight.data(), O, C);
    std::vector<Bf16> out(layer.d_out.size() + 2, Bf16{0x1234});
    std::vector<Bf16> d_x(layer.x.size() + 2, Bf16{0x1234});
    std::vector<float> d_weight(layer.weight.size() + 2, 1.5F);
    linear.forward(out.data() + 1, layer.residual.data(), layer.x.data(), layer.packed.data(), N, C,
                   O);
    linear.backward_input(d_x.data() + 1, layer.d_out.data(), layer.packed.data(), N, C, O);
    linear.backward_weight(d_weight.data() + 1, layer.d_out.data(), layer.x.data(), N, C, O);
    for (const auto* values : {&out, &d_x}) {
      EXPECT_EQ(values->front(), Bf16{0x1234});
      EXPECT_EQ(values->back(), Bf16{0x1234});
      for (const Bf16 value : *values) bits.push_back(value.bits);
    }
    EXPECT_EQ(d_weight.front(), 1.5F);
    EXPECT_EQ(d_weight.back(), 1.5F);
    for (const float value : d_weight) bits.push_back(std::bit_cast<uint32_t>(value));
  }
  return bits;
}

TEST_P(LinearTest, HasTheSameBitsOnAnyNumberOfThreads) {
  const std::vector<uint32_t> alone = bits_with(kernel_, 1);
  EXPECT_EQ(bits_with(kernel_, 2), alone);
  EXPECT_EQ(bits_with(kernel_, 5), alone);
}

// 17 MB of output: written around the caches, rows aligned and not.
TEST(Linear, LargeOutputsAreWhole) {
  Pool pool(2);
  Linear linear(pool, tile_kernels().back());
  for (const int O : {4096, 4093}) {
    const Shape shape{2100, 1, O};
    Layer layer(shape, true);
    linear.pack_weight(layer.packed.data(), layer.weight.data(), O, 1);
    std::vector<Bf16> out(layer.d_out.size());
    linear.forward(out.data(), nullptr, layer.x.data(), layer.packed.data(), shape.N, 1, O);
    for (int n = 0; n < shape.N; ++n) {
      for (int o = 0; o < O; ++o) {
        ASSERT_EQ(to_float(out[static_cast<size_t>(n * O + o)]),
                  layer.x_at(n, 0) * layer.weight_at(o, 0));
      }
    }
  }
}

TEST_P(LinearTest, NotANumberStaysInItsRow) {
  const Shape shape{40, 50, 60};
  Layer layer(shape, true);
  linear_.pack_weight(layer.packed.data(), layer.weight.data(), shape.O, shape.C);
  layer.x[static_cast<size_t>(7 * shape.C + 3)] = to_bf16(std::numeric_limits<float>::quiet_NaN());
  std::vector<Bf16> out(layer.d_out.size());
  linear_.forward(out.data(), nullptr, layer.x.data(), layer.packed.data(), shape.N, shape.C,
                  shape.O);
  for (int n = 0; n < shape.N; ++n) {
    for (int o = 0; o < shape.O; ++o) {
      ASSERT_EQ(std::isnan(to_float(out[static_cast<size_t>(n * shape.O + o)])), n == 7);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Here, LinearTest, testing::ValuesIn(kernels_here()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Processor, ChoosesTheFastestOfWhatItMeasured) {
  const Processor& found = processor();
  size_t count = 1;
  for (const TileKernel& kernel : tile_kernels()) count += kernel.runs_here() ? 1 : 0;
  ASSERT_EQ(found.speeds.size(), count);
  double best = 0;
  for (const ProductSpeed& speed : found.speeds) {
    EXPECT_GT(speed.gflops, 0.01) << speed.name;
    if (speed.name != kOpenblas && speed.gflops > best) best = speed.gflops;
    if (speed.name == found.kernel->name) {
      EXPECT_EQ(speed.gflops, best);
    }
  }
  EXPECT_EQ(found.speeds.back().name, kOpenblas);
  EXPECT_THAT(found.describe(), testing::HasSubstr("GFLOP/s a thread: "));
  EXPECT_EQ(&processor(), &found);
  EXPECT_EQ(choose_kernel("auto").value(), found.kernel);
}

TEST(Processor, KernelsAreFoundByName) {
  for (const TileKernel& kernel : tile_kernels()) {
    if (kernel.runs_here()) {
      EXPECT_EQ(choose_kernel(kernel.name).value()->name, kernel.name);
    } else {
      EXPECT_FALSE(choose_kernel(kernel.name)) << kernel.name;
    }
  }
  const auto none = choose_kernel("avx1024");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, common::Code::kInvalidArgument);
  EXPECT_THAT(none.error().message, testing::HasSubstr("no kernel 'avx1024'"));
  EXPECT_THAT(none.error().message, testing::HasSubstr("portable"));
}

}  // namespace
}  // namespace train::cpu
