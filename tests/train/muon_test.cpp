// Goal: Muon makes a matrix's update orthogonal and moves as its papers say; embeddings, vocabulary
// and vectors are AdamW's.
// Method: the iteration against plain loops in fp64 and against the singular values of its result
// (Jacobi's method); five steps against the numbers in golden/muon.json, made by
// golden/make_muon.py beside it; parts against the whole.
#include "train/muon.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/backends.h"
#include "tests/train/small_model.h"
#include "tests/train/step.h"

namespace train {
namespace {

using nlohmann::json;

// fp64, row-major.
struct Plain {
  size_t rows, cols;
  std::vector<double> values;

  Plain(size_t height, size_t width) : rows(height), cols(width), values(height * width) {}
  double& at(size_t r, size_t c) { return values[r * cols + c]; }
  double at(size_t r, size_t c) const { return values[r * cols + c]; }
};

Plain times(const Plain& a, const Plain& b) {
  Plain out(a.rows, b.cols);
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < b.cols; ++j) {
      for (size_t k = 0; k < a.cols; ++k) out.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return out;
}

Plain transposed(const Plain& a) {
  Plain out(a.cols, a.rows);
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < a.cols; ++j) out.at(j, i) = a.at(i, j);
  }
  return out;
}

// The papers' five lines, always on the side that is given.
Plain iterated(Plain x, int iterations) {
  double norm = 0;
  for (const double value : x.values) norm += value * value;
  for (double& value : x.values) value /= std::sqrt(norm) + 1e-7;
  for (int i = 0; i < iterations; ++i) {
    const Plain a = times(x, transposed(x));
    const Plain aa = times(a, a);
    Plain b(a.rows, a.cols);
    for (size_t j = 0; j < b.values.size(); ++j) {
      b.values[j] = -4.7750 * a.values[j] + 2.0315 * aa.values[j];
    }
    const Plain bx = times(b, x);
    for (size_t j = 0; j < x.values.size(); ++j) x.values[j] = 3.4445 * x.values[j] + bx.values[j];
  }
  return x;
}

// Jacobi: columns are turned against each other until all are at right angles; then their lengths
// are the singular values.
std::vector<double> singular_values(Plain x) {
  if (x.cols > x.rows) x = transposed(x);
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (size_t p = 0; p + 1 < x.cols; ++p) {
      for (size_t q = p + 1; q < x.cols; ++q) {
        double pp = 0, qq = 0, pq = 0;
        for (size_t r = 0; r < x.rows; ++r) {
          pp += x.at(r, p) * x.at(r, p);
          qq += x.at(r, q) * x.at(r, q);
          pq += x.at(r, p) * x.at(r, q);
        }
        const double angle = 0.5 * std::atan2(2 * pq, pp - qq);
        for (size_t r = 0; r < x.rows; ++r) {
          const double left = x.at(r, p);
          const double right = x.at(r, q);
          x.at(r, p) = std::cos(angle) * left + std::sin(angle) * right;
          x.at(r, q) = std::cos(angle) * right - std::sin(angle) * left;
        }
      }
    }
  }
  std::vector<double> lengths;
  for (size_t c = 0; c < x.cols; ++c) {
    double sum = 0;
    for (size_t r = 0; r < x.rows; ++r) sum += x.at(r, c) * x.at(r, c);
    lengths.push_back(std::sqrt(sum));
  }
  return lengths;
}

Plain random_matrix(uint64_t seed, size_t rows, size_t cols) {
  common::Philox random(seed);
  Plain out(rows, cols);
  for (double& value : out.values) value = static_cast<float>(random.normal());
  return out;
}

class NewtonSchulzTest : public BackendTest {
 protected:
  Plain orthogonalised(const Plain& x, uint32_t iterations) {
    std::vector<float> values(x.values.begin(), x.values.end());
    Buffer<float> there(*backend_);
    there.upload(values);
    NewtonSchulz(*backend_, iterations)
        .orthogonalise(there.data(), static_cast<int>(x.rows), static_cast<int>(x.cols));
    there.download(values);
    Plain out(x.rows, x.cols);
    out.values.assign(values.begin(), values.end());
    return out;
  }
  double tolerance() const { return backend_->precision() == Precision::kBf16 ? 0.1 : 1e-4; }
};

TEST_P(NewtonSchulzTest, FollowsThePlainLoopsWhateverTheShape) {
  for (const auto& [rows, cols] :
       {std::pair<size_t, size_t>{16, 16}, {5, 24}, {24, 5}, {1, 7}, {7, 1}, {64, 33}, {33, 64}}) {
    const Plain x = random_matrix(rows * 100 + cols, rows, cols);
    for (const int iterations : {1, 4, 5}) {
      const Plain expected =
          rows > cols ? transposed(iterated(transposed(x), iterations)) : iterated(x, iterations);
      const Plain found = orthogonalised(x, static_cast<uint32_t>(iterations));
      for (size_t i = 0; i < found.values.size(); ++i) {
        ASSERT_NEAR(found.values[i], expected.values[i], tolerance())
            << rows << " x " << cols << ", " << iterations << " iterations, value " << i;
      }
    }
  }
}

TEST_P(NewtonSchulzTest, SingularValuesComeNearOne) {
  for (const auto& [rows, cols] : {std::pair<size_t, size_t>{12, 40}, {40, 12}, {20, 24}}) {
    const Plain found = orthogonalised(random_matrix(rows, rows, cols), 5);
    for (const double value : singular_values(found)) {
      EXPECT_GT(value, 0.6) << rows << " x " << cols;
      EXPECT_LT(value, 1.3) << rows << " x " << cols;
    }
  }
}

TEST_P(NewtonSchulzTest, TheScaleOfAMatrixDoesNotMatterAndZerosStayZeros) {
  Plain x = random_matrix(1, 9, 6);
  const Plain found = orthogonalised(x, 5);
  for (double& value : x.values) value *= 1024;
  const Plain scaled = orthogonalised(x, 5);
  for (size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_NEAR(found.values[i], scaled.values[i], tolerance());
  }
  const Plain zeros(4, 3);
  EXPECT_EQ(orthogonalised(zeros, 5).values, zeros.values);
}

MUSTER_EVERY_PRECISION(NewtonSchulzTest);

// The script's hash of 32 bits.
uint32_t mixed(uint32_t i) {
  i = (i ^ (i >> 16)) * 0x7FEB352DU;
  i = (i ^ (i >> 15)) * 0x846CA68BU;
  return i ^ (i >> 16);
}

std::vector<float> drawn(uint32_t first, size_t size) {
  std::vector<float> values;
  for (uint32_t i = 0; i < size; ++i) {
    values.push_back(static_cast<float>(mixed(first + i) / 4294967296.0 - 0.5));
  }
  return values;
}

class MuonTest : public BackendTest {
 protected:
  MuonTest() {
    std::ifstream file(std::string(MUSTER_SOURCE_DIR) + "/tests/train/golden/muon.json");
    golden_ = json::parse(file);
    const json& inner = golden_["inner"];
    inner_ = small_inner();
    inner_.optimiser = "muon";
    inner_.beta1 = inner["beta1"];
    inner_.beta2 = inner["beta2"];
    inner_.epsilon = inner["epsilon"];
    inner_.weight_decay = inner["weight_decay"];
    inner_.gradient_clip = inner["gradient_clip"];
    inner_.muon_momentum = inner["muon_momentum"];
    inner_.muon_iterations = inner["muon_iterations"];
    inner_.muon_adamw_ratio = inner["muon_adamw_ratio"];
  }
  compress::Layout layout() const {
    std::vector<compress::Tensor> tensors;
    for (const json& one : golden_["tensors"]) {
      tensors.push_back({.name = one["name"], .rows = one["rows"], .cols = one["cols"]});
    }
    return {std::move(tensors), 4096, 64};
  }
  json golden_;
  common::InnerParams inner_;
};

TEST_P(MuonTest, FiveStepsAreThoseOfTheSingularValues) {
  const auto muon = make_optimiser(layout(), inner_, *backend_);
  EXPECT_EQ(muon->kind(), "muon");
  const uint64_t size = layout().parameter_count();
  std::vector<float> theta = drawn(0, size);
  for (uint32_t step = 0; step < 5; ++step) {
    const auto gradient = drawn(1'000'003 * (step + 1), size);
    const double norm = take_step(*muon, theta, gradient, golden_["inner"]["learning_rate"]);
    EXPECT_NEAR(norm, golden_["norms"][step], 1e-5);
  }
  const double tolerance = backend_->precision() == Precision::kBf16 ? 1e-2 : 1e-5;
  size_t at = 0;
  for (const json& one : golden_["tensors"]) {
    for (const double expected : one["after"]) {
      ASSERT_NEAR(theta[at++], expected, tolerance) << one["name"];
    }
  }
}

TEST_P(MuonTest, AGradientOfZeroOnlyDecaysMatrices) {
  Muon muon(layout(), inner_, *backend_);
  std::vector<float> theta(layout().parameter_count(), 2.0F);
  take_step(muon, theta, std::vector<float>(theta.size()), 0.5);
  const compress::Layout of_all = layout();
  for (const compress::Tensor& tensor : of_all.tensors()) {
    const bool of_layers = tensor.name.starts_with("model.layers.");
    const double keep = tensor.is_vector() ? 1 : of_layers ? 1 - 0.5 * 0.1 : 1 - 0.5 * 0.2 * 0.1;
    EXPECT_NEAR(theta[tensor.offset], 2 * keep, 1e-6) << tensor.name;
  }
}

// The update's root mean square is AdamW's, whatever the matrix's shape.
TEST_P(MuonTest, UpdatesAreAsLargeAsAdamWs) {
  inner_.weight_decay = 0;
  const compress::Layout one(
      {{.name = "model.layers.0.mlp.up_proj.weight", .rows = 48, .cols = 16}}, 4096, 64);
  Muon muon(one, inner_, *backend_);
  common::Philox random(5);
  std::vector<float> theta(48 * 16);
  std::vector<float> gradient;
  for (size_t i = 0; i < theta.size(); ++i) gradient.push_back(static_cast<float>(random.normal()));
  take_step(muon, theta, gradient, 1.0);
  double squares = 0;
  for (const float value : theta) squares += double{value} * value;
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(theta.size())), 0.2, 0.05);
}

TEST_P(MuonTest, PartsMoveAsTheWhole) {
  const compress::Layout all = parameter_layout(small_model(false), kCodec);
  const uint64_t size = all.parameter_count();
  Muon one(all, inner_, *backend_);
  std::vector<float> theta = drawn(0, size);
  std::vector<float> joined = theta;
  const auto ranges = split_parameters(all, "muon", 4);
  std::vector<std::unique_ptr<Optimiser>> parts;
  for (const ParameterRange& range : ranges) {
    parts.push_back(make_optimiser(all, inner_, *backend_, range));
  }
  for (uint32_t step = 0; step < 3; ++step) {
    const auto gradient = drawn(1'000'003 * (step + 1), size);
    const double norm = take_step(one, theta, gradient, 0.02);
    for (size_t i = 0; i < parts.size(); ++i) {
      Buffer<float> values(*backend_);
      Buffer<float> slope(*backend_);
      values.upload(std::span(joined).subspan(ranges[i].first, ranges[i].size));
      slope.upload(std::span(gradient).subspan(ranges[i].first, ranges[i].size));
      parts[i]->step(values.data(), slope.data(), 0.02, norm);
      values.download(std::span(joined).subspan(ranges[i].first, ranges[i].size));
    }
  }
  EXPECT_EQ(theta, joined);
}

MUSTER_EVERY_PRECISION(MuonTest);

TEST(MuonRanges, AreCutBetweenTensorsAndSomeAreEmpty) {
  const compress::Layout layout = parameter_layout(small_model(false), kCodec);
  for (const uint32_t parts : {1U, 2U, 5U, 64U}) {
    const auto ranges = split_parameters(layout, "muon", parts);
    ASSERT_EQ(ranges.size(), parts);
    uint64_t next = 0;
    for (const ParameterRange& range : ranges) {
      EXPECT_EQ(range.first, next);
      next = range.end();
      bool at_an_end = next == 0;
      for (const compress::Tensor& tensor : layout.tensors()) {
        at_an_end |= tensor.offset + tensor.size() == next;
      }
      EXPECT_TRUE(at_an_end) << next;
    }
    EXPECT_EQ(next, layout.parameter_count());
  }
}

TEST(MuonRangesDeathTest, ARangeThatCutsAMatrixIsABug) {
  const auto backend = make_cpu_backend(1);
  const compress::Layout layout = parameter_layout(small_model(false), kCodec);
  const compress::Tensor& matrix = layout.tensors()[1];
  EXPECT_DEATH(Muon(layout, small_inner(), *backend, {matrix.offset, matrix.size() - 1}),
               "cuts a matrix");
}

}  // namespace
}  // namespace train
