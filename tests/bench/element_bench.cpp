// What the element-wise passes cost on one thread, beside a copy of the same memory: GB/s of what
// must be read and written, in arrays far larger than the caches; fp32 and bf16. (A row of logits
// is worked on while it is in the cache: there the items per second tell.)
#include <benchmark/benchmark.h>

#include <cstring>

#include "common/philox.h"
#include "train/buffer.h"
#include "train/cpu/backend.h"
#include "train/cpu/row_kernels.h"

namespace {

using train::ActivationBuffer;
using train::Backend;
using train::Buffer;
using train::Precision;

constexpr int kN = 1024, kC = 2048;
constexpr size_t kSize = size_t{kN} * kC;
constexpr int kVocabulary = 32'000;

std::vector<float> random_values(size_t size) {
  common::Philox random(1);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

struct Machine {
  explicit Machine(Precision precision) : backend(train::make_cpu_backend(1, precision)) {}

  ActivationBuffer activations(size_t size) {
    ActivationBuffer buffer(*backend);
    const std::vector<float> some = random_values(1 << 16);
    std::vector<float> all(size);
    for (size_t i = 0; i < size; ++i) all[i] = some[i % some.size()];
    buffer.upload(all);
    return buffer;
  }
  Buffer<float> numbers(size_t size, float value = 0.5F) {
    Buffer<float> buffer(*backend);
    std::vector<float> all(size, value);
    buffer.upload(all);
    return buffer;
  }

  std::unique_ptr<Backend> backend;
};

// `arrays` of activations pass through memory at each turn.
void report(benchmark::State& state, const Machine& machine, double arrays) {
  const double bytes = arrays * static_cast<double>(kSize * machine.backend->activation_size());
  state.counters["GB/s"] = benchmark::Counter(bytes * static_cast<double>(state.iterations()) / 1e9,
                                              benchmark::Counter::kIsRate);
}

void BM_Memcpy(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const ActivationBuffer from = machine.activations(kSize);
  ActivationBuffer to = machine.activations(kSize);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kSize * machine.backend->activation_size());
    benchmark::ClobberMemory();
  }
  report(state, machine, 2);
}

void BM_RmsnormForward(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const ActivationBuffer x = machine.activations(kSize);
  const Buffer<float> weight = machine.numbers(kC);
  ActivationBuffer out = machine.activations(kSize);
  Buffer<float> rstd = machine.numbers(kN);
  for (auto _ : state) {
    machine.backend->rmsnorm_forward(out.data(), rstd.data(), x.data(), weight.data(), kN, kC,
                                     1e-5F);
  }
  report(state, machine, 2);
}

void BM_RmsnormBackward(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const ActivationBuffer x = machine.activations(kSize);
  const ActivationBuffer d_out = machine.activations(kSize);
  const Buffer<float> weight = machine.numbers(kC);
  const Buffer<float> rstd = machine.numbers(kN);
  ActivationBuffer d_x = machine.activations(kSize);
  Buffer<float> d_weight = machine.numbers(kC);
  for (auto _ : state) {
    machine.backend->rmsnorm_backward(d_x.data(), d_weight.data(), d_out.data(), x.data(),
                                      weight.data(), rstd.data(), kN, kC);
  }
  report(state, machine, 4);
}

void BM_SwigluForward(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const ActivationBuffer gate_up = machine.activations(kSize);
  ActivationBuffer out = machine.activations(kSize / 2);
  for (auto _ : state) {
    machine.backend->swiglu_forward(out.data(), gate_up.data(), kN, kC / 2);
  }
  report(state, machine, 1.5);
}

void BM_SwigluBackward(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const ActivationBuffer gate_up = machine.activations(kSize);
  const ActivationBuffer d_out = machine.activations(kSize / 2);
  ActivationBuffer d_gate_up = machine.activations(kSize);
  for (auto _ : state) {
    machine.backend->swiglu_backward(d_gate_up.data(), d_out.data(), gate_up.data(), kN, kC / 2);
  }
  report(state, machine, 2.5);
}

void BM_Rope(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const train::AttentionShape shape{.B = 4, .T = 256, .H = 16, .K = 8, .D = 64};
  ActivationBuffer qkv = machine.activations(kSize);
  const Buffer<float> cosine = machine.numbers(256 * 32, 0.6F);
  const Buffer<float> sine = machine.numbers(256 * 32, 0.8F);
  for (auto _ : state) {
    machine.backend->rope(qkv.data(), cosine.data(), sine.data(), shape, false);
  }
  report(state, machine, 2 * 0.75);
}

void BM_EmbeddingForward(benchmark::State& state, Precision precision) {
  Machine machine(precision);
  const Buffer<float> table = machine.numbers(kSize);
  Buffer<uint32_t> token(*machine.backend);
  common::Philox random(2);
  std::vector<uint32_t> tokens(kN);
  for (uint32_t& each : tokens) each = static_cast<uint32_t>(random.below(kN));
  token.upload(tokens);
  ActivationBuffer out = machine.activations(kSize);
  for (auto _ : state) {
    machine.backend->embedding_forward(out.data(), token.data(), table.data(), kN, kC);
  }
  report(state, machine, 1 + 4.0 / static_cast<double>(machine.backend->activation_size()));
}

// The loss and the gradient of a row of logits in blocks of 256, as vocabulary_loss has it.
template <typename Value>
void BM_CrossEntropyRow(benchmark::State& state) {
  const auto kernels = train::cpu::row_kernels<Value>();
  const std::vector<float> logits = random_values(kVocabulary);
  std::vector<Value> row(kVocabulary);
  float sum = 0;
  for (auto _ : state) {
    for (int first = 0; first < kVocabulary; first += 256) {
      const auto part = kernels.log_sum(logits.data() + first, 256);
      kernels.below_top(row.data() + first, logits.data() + first, part.top, 256);
      sum += part.sum;
    }
    for (int first = 0; first < kVocabulary; first += 256) {
      kernels.softmax(row.data() + first, 1.0F, 0.5F, 256);
    }
    benchmark::DoNotOptimize(sum);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kVocabulary);
}

// On parameters, which are fp32 in both precisions.
template <typename Work>
void on_parameters(benchmark::State& state, double arrays, const Work& work) {
  Machine machine(Precision::kFp32);
  Buffer<float> a = machine.numbers(kSize), b = machine.numbers(kSize);
  Buffer<float> c = machine.numbers(kSize), d = machine.numbers(kSize);
  for (auto _ : state) work(*machine.backend, a.data(), b.data(), c.data(), d.data());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSize));
  report(state, machine, arrays);
}

void BM_Adamw(benchmark::State& state) {
  const train::AdamwStep step{1.0F, 0.9F, 0.95F, 0.1F, 0.05F, 1e-8F, 1e-3F, 1.0F, 0.999F};
  on_parameters(state, 7, [&](Backend& backend, float* theta, float* m, float* v, float* g) {
    backend.adamw(theta, m, v, g, kSize, step);
  });
}
void BM_Combine(benchmark::State& state) {
  on_parameters(state, 3, [](Backend& backend, float* out, float* x, float* y, float*) {
    backend.combine(out, 0.5F, x, 0.5F, y, kSize);
  });
}
void BM_SumOfSquares(benchmark::State& state) {
  on_parameters(state, 1, [](Backend& backend, float* x, float*, float*, float*) {
    benchmark::DoNotOptimize(backend.sum_of_squares(x, kSize));
  });
}
void BM_AllFinite(benchmark::State& state) {
  on_parameters(state, 1, [](Backend& backend, float* x, float*, float*, float*) {
    benchmark::DoNotOptimize(backend.all_finite(x, kSize));
  });
}

#define MUSTER_BOTH(Name)                                                                        \
  BENCHMARK_CAPTURE(Name, fp32, Precision::kFp32)->Unit(benchmark::kMillisecond)->MinTime(0.15); \
  BENCHMARK_CAPTURE(Name, bf16, Precision::kBf16)->Unit(benchmark::kMillisecond)->MinTime(0.15)

MUSTER_BOTH(BM_Memcpy);
MUSTER_BOTH(BM_RmsnormForward);
MUSTER_BOTH(BM_RmsnormBackward);
MUSTER_BOTH(BM_SwigluForward);
MUSTER_BOTH(BM_SwigluBackward);
MUSTER_BOTH(BM_Rope);
MUSTER_BOTH(BM_EmbeddingForward);
BENCHMARK_TEMPLATE(BM_CrossEntropyRow, float)->MinTime(0.15);
BENCHMARK_TEMPLATE(BM_CrossEntropyRow, train::Bf16)->MinTime(0.15);
BENCHMARK(BM_Adamw)->Unit(benchmark::kMillisecond)->MinTime(0.15);
BENCHMARK(BM_Combine)->Unit(benchmark::kMillisecond)->MinTime(0.15);
BENCHMARK(BM_SumOfSquares)->Unit(benchmark::kMillisecond)->MinTime(0.15);
BENCHMARK(BM_AllFinite)->Unit(benchmark::kMillisecond)->MinTime(0.15);

}  // namespace
