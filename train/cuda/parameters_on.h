// What is done to parameters on a machine (train/backend.h).
#pragma once

#include "train/cuda/gate_kernels.h"
#include "train/cuda/parameter_kernels.h"
#include "train/cuda/product.h"
#include "train/cuda/room.h"

namespace train::cuda {

template <class Machine, typename Value>
class ParametersOn {
 public:
  explicit ParametersOn(Machine& machine) : machine_(machine), sums_(machine), factors_(machine) {}

  double sum_of_squares(const float* values, uint64_t size) {
    if (size == 0) return 0;
    const int64_t runs = runs_of(size);
    double* const sums = sums_.template of<double>(static_cast<size_t>(runs) + 1);
    machine_.template launch<SquareSums>(runs, {.sums = sums + 1,
                                                .values = values,
                                                .size = static_cast<int64_t>(size),
                                                .together = aligned(values)});
    machine_.template launch<SumOfSums>(1, {.out = sums, .sums = sums + 1, .count = runs});
    double all = 0;
    machine_.download(&all, sums, sizeof(all));
    return all;
  }

  template <typename T>
  bool all_finite(const T* values, uint64_t size) {
    auto* const found = sums_.template of<uint32_t>(1);
    machine_.clear(found, sizeof(uint32_t));
    machine_.template launch<FindNotFinite<T>>(runs_of(size), {.found = found,
                                                               .values = values,
                                                               .size = static_cast<int64_t>(size),
                                                               .together = aligned(values)});
    uint32_t any = 0;
    machine_.download(&any, found, sizeof(any));
    return any == 0;
  }

  void combine(float* out, float a, const float* x, float b, const float* y, uint64_t size) {
    machine_.template launch<Combine>(runs_of(size), {.out = out,
                                                      .a = a,
                                                      .x = x,
                                                      .b = b,
                                                      .y = y,
                                                      .size = static_cast<int64_t>(size),
                                                      .together = aligned(out, x, y)});
  }

  void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
             const AdamwStep& step) {
    machine_.template launch<Adamw>(runs_of(size), {.theta = theta,
                                                    .m = m,
                                                    .v = v,
                                                    .gradient = gradient,
                                                    .size = static_cast<int64_t>(size),
                                                    .step = step,
                                                    .together = aligned(theta, m, v, gradient)});
  }

  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep) {
    Product product{.out = out,
                    .a = a,
                    .b = b,
                    .b_transposed = b_transposed,
                    .M = M,
                    .N = N,
                    .K = K,
                    .scale = scale,
                    .addend = out,
                    .keep = keep};
    if constexpr (std::is_same_v<Value, Bf16>) {
      const size_t a_size = static_cast<size_t>(M) * static_cast<size_t>(K);
      const size_t b_size = static_cast<size_t>(K) * static_cast<size_t>(N);
      const size_t a_room = (a_size + 127) / 128 * 128;
      auto* const rounded = factors_.template of<Bf16>(a_room + b_size);
      convert(rounded, a, a_size);
      convert(rounded + a_room, b, b_size);
      product.a = rounded;
      product.b = rounded + a_room;
      product.type = Precision::kBf16;
    }
    machine_.multiply(product);
  }

  template <typename To, typename From>
  void convert(To* to, const From* from, size_t size) {
    using Kernel = Convert<To, From>;
    machine_.template launch<Kernel>(
        (static_cast<int64_t>(size) + Kernel::kRun - 1) / Kernel::kRun,
        {.out = to, .x = from, .size = static_cast<int64_t>(size), .together = aligned(to, from)});
  }

 private:
  Machine& machine_;
  Room<Machine> sums_;
  Room<Machine> factors_;
};

}  // namespace train::cuda
