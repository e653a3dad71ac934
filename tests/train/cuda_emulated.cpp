#include "tests/train/cuda_emulated.h"

#include "tests/train/cuda_emulation.h"
#include "train/cuda/backend.h"
#include "train/cuda/backend_on.h"

namespace train::cuda {
namespace {

template <typename Value>
float at(const void* matrix, int64_t i) {
  return wide(static_cast<const Value*>(matrix)[i]);
}

// A row of the product. In fp64: a card adds in parts, and loses less than one long sum of fp32.
template <typename Value>
void add_row(std::vector<double>& sums, const Product& of, int m) {
  std::fill(sums.begin(), sums.end(), 0.0);
  for (int k = 0; k < of.K; ++k) {
    const double a =
        at<Value>(of.a, of.a_transposed ? int64_t{k} * of.M + m : int64_t{m} * of.K + k);
    if (of.b_transposed) {
      for (int n = 0; n < of.N; ++n) sums[size_t(n)] += a * at<Value>(of.b, int64_t{n} * of.K + k);
    } else {
      for (int n = 0; n < of.N; ++n) sums[size_t(n)] += a * at<Value>(of.b, int64_t{k} * of.N + n);
    }
  }
}

template <typename Out>
void finish_row(const std::vector<double>& sums, const Product& of, int m) {
  Out* const out = static_cast<Out*>(of.out) + int64_t{m} * of.N;
  for (int n = 0; n < of.N; ++n) {
    float value = of.scale * static_cast<float>(sums[size_t(n)]);
    if (of.keep != 0) value += of.keep * at<Out>(of.addend, int64_t{m} * of.N + n);
    out[n] = narrow<Out>(value);
  }
}

}  // namespace

void EmulatedMachine::multiply(const Product& product) {
  CHECK(product.K > 0);
  const auto expect = [&](const void* matrix, Precision type, int rows, int columns) {
    const size_t value_size = type == Precision::kBf16 ? sizeof(Bf16) : sizeof(float);
    expect_ours(matrix, static_cast<size_t>(rows) * static_cast<size_t>(columns) * value_size);
  };
  expect(product.a, product.type, product.M, product.K);
  expect(product.b, product.type, product.K, product.N);
  expect(product.out, product.out_type, product.M, product.N);
  if (product.keep != 0) expect(product.addend, product.out_type, product.M, product.N);
  std::vector<double> sums(static_cast<size_t>(product.N));
  for (int m = 0; m < product.M; ++m) {
    product.type == Precision::kBf16 ? add_row<Bf16>(sums, product, m)
                                     : add_row<float>(sums, product, m);
    product.out_type == Precision::kBf16 ? finish_row<Bf16>(sums, product, m)
                                         : finish_row<float>(sums, product, m);
  }
}

std::unique_ptr<Backend> make_emulated_backend(Precision precision, bool backwards) {
  EmulatedMachine machine(backwards ? Turns::kBackwards : Turns::kForwards);
  if (precision == Precision::kBf16) {
    return std::make_unique<BackendOn<EmulatedMachine, Bf16>>(std::move(machine));
  }
  return std::make_unique<BackendOn<EmulatedMachine, float>>(std::move(machine));
}

}  // namespace train::cuda

namespace train {

// In the place of the card's, wherever this file is linked: so every suite of backends has rows of
// the emulated card.
common::Result<std::unique_ptr<Backend>> make_cuda_backend(int, Precision precision) {
  return cuda::make_emulated_backend(precision);
}

}  // namespace train
