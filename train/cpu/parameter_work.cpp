#include "train/cpu/parameter_work.h"

#include <atomic>
#include <numeric>
#include <span>

#include "train/cpu/blocks.h"
#include "train/cpu/parameter_kernels.h"
#include "train/cpu/row_kernels.h"

namespace train::cpu {
namespace {

constexpr uint64_t kSquares = 4096;  // Summed before they are added to a sum of sums.

// Sums in 8 lanes, so that additions need not wait for each other.
double squares(std::span<const float> values) {
  constexpr size_t kLanes = 8;
  double sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (; i < values.size(); ++i) sums[0] += double{values[i]} * values[i];
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double ParameterWork::sum_of_squares(const float* values, uint64_t size) {
  sums_.assign((size + kSquares - 1) / kSquares, 0.0);
  each_run(pool_, size, kRunSize, [&](uint64_t begin, int length) {
    const uint64_t end = begin + static_cast<uint64_t>(length);
    for (uint64_t first = begin; first < end; first += kSquares) {
      sums_[first / kSquares] = squares({values + first, std::min(kSquares, end - first)});
    }
  });
  return std::accumulate(sums_.begin(), sums_.end(), 0.0);
}

template <typename Value>
bool all_finite(Pool& pool, const Value* values, uint64_t size) {
  const RowKernels<Value> kernels = row_kernels<Value>();
  std::atomic<bool> good = true;
  each_run(pool, size, kRunSize, [&](uint64_t first, int count) {
    if (!kernels.finite(values + first, count)) good = false;
  });
  return good;
}
template bool all_finite(Pool&, const float*, uint64_t);
template bool all_finite(Pool&, const Bf16*, uint64_t);

void ParameterWork::combine(float* out, float a, const float* x, float b, const float* y,
                            uint64_t size) {
  each_run(pool_, size, kRunSize, [&](uint64_t first, int count) {
    combine_run(out + first, a, x + first, b, y + first, count);
  });
}

void ParameterWork::adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
                          const AdamwStep& step) {
  each_run(pool_, size, kRunSize, [&](uint64_t first, int count) {
    adamw_run(theta + first, m + first, v + first, gradient + first, count, step);
  });
}

}  // namespace train::cpu
