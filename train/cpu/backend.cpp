#include "train/cpu/backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "common/check.h"
#include "train/cpu/attention.h"
#include "train/cpu/blocks.h"
#include "train/cpu/linear_bf16.h"
#include "train/cpu/linear_fp32.h"
#include "train/cpu/parameter_work.h"
#include "train/cpu/pool.h"
#include "train/cpu/processor.h"
#include "train/cpu/row_kernels.h"
#include "train/cpu/vocabulary_loss.h"

namespace train {
namespace {

using cpu::blocks;
using cpu::each_row;
using cpu::row_of;

constexpr size_t kAlignment = 64;
constexpr int kTableColumns = 32;  // Of the embeddings' gradient: one task's.
// Twice as many took as long, at 15 and 100 M parameters in bf16, and more memory.
constexpr int kPositions = 1024;

// Activations are stored as Value, float or Bf16; every operation takes them from there to fp32 and
// back.
template <typename Value>
class CpuBackend final : public Backend {
  static constexpr bool kIsBf16 = std::is_same_v<Value, Bf16>;
  using Linear = std::conditional_t<kIsBf16, cpu::LinearBf16, cpu::LinearFp32>;

 public:
  explicit CpuBackend(int threads) requires(!kIsBf16)
      : pool_(threads), linear_(pool_), attention_(pool_) {}
  CpuBackend(int threads, const cpu::TileKernel& tiles) requires kIsBf16
      : pool_(threads),
        linear_(pool_, tiles),
        attention_(pool_, tiles) {}

  std::string name() const override { return "cpu:" + std::to_string(pool_.threads()); }
  Precision precision() const override { return kIsBf16 ? Precision::kBf16 : Precision::kFp32; }
  int positions_at_once() const override { return kPositions; }
  bool unified_memory() const override { return true; }

  void* allocate(size_t size_bytes) override {
    const size_t whole = (std::max(size_bytes, size_t{1}) + kAlignment - 1) / kAlignment;
    void* memory = std::aligned_alloc(kAlignment, whole * kAlignment);
    CHECK_MSG(memory != nullptr, "out of memory");
    return memory;
  }
  void release(void* memory) override { std::free(memory); }
  void upload(void* to, const void* from, size_t size_bytes) override {
    if (size_bytes > 0) std::memcpy(to, from, size_bytes);
  }
  void download(void* to, const void* from, size_t size_bytes) override {
    upload(to, from, size_bytes);
  }
  void clear(void* memory, size_t size_bytes) override {
    if (size_bytes > 0) std::memset(memory, 0, size_bytes);
  }
  void upload_activations(Activation* to, std::span<const float> from) override {
    cpu::each_run(pool_, from.size(), cpu::kRunSize, [&](uint64_t first, int count) {
      kernels_.narrow(values_of(to) + first, from.data() + first, count);
    });
  }
  void download_activations(std::span<float> to, const Activation* from) override {
    cpu::each_run(pool_, to.size(), cpu::kRunSize, [&](uint64_t first, int count) {
      kernels_.widen(to.data() + first, values_of(from) + first, count);
    });
  }

  size_t packed_size(int O, int C) const override { return linear_.packed_size(O, C); }
  void pack(const Weight& weight) override { linear_.pack(weight); }

  void embedding_forward(Activation* out, const uint32_t* token, const float* table, int N,
                         int C) override {
    each_row(pool_, N, [&](int n) {
      kernels_.narrow(row_of(values_of(out), n, C), row_of(table, static_cast<int>(token[n]), C),
                      C);
    });
  }

  // By columns, so that tokens that come twice are added in order, whoever does it.
  void embedding_backward(float* d_table, const Activation* d_out, const uint32_t* token, int N,
                          int C) override {
    pool_.each(blocks(C, kTableColumns), [&](int index, int) {
      const int first = index * kTableColumns;
      const int size = std::min(kTableColumns, C - first);
      for (int n = 0; n < N; ++n) {
        kernels_.add(row_of(d_table, static_cast<int>(token[n]), C) + first,
                     row_of(values_of(d_out), n, C) + first, size);
      }
    });
  }

  void rmsnorm_forward(Activation* out, float* rstd, const Activation* x, const float* weight,
                       int N, int C, float epsilon) override {
    each_row(pool_, N, [&](int n) {
      rstd[n] = kernels_.rmsnorm(row_of(values_of(out), n, C), row_of(values_of(x), n, C), weight,
                                 C, epsilon);
    });
  }

  void rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                        const Activation* x, const float* weight, const float* rstd, int N,
                        int C) override {
    const int count = blocks(N, cpu::kElementRows);
    const size_t size = static_cast<size_t>(count) * static_cast<size_t>(C);
    if (partial_.size() < size) partial_.resize(size);
    pool_.each(count, [&](int block, int) {
      float* sum = row_of(partial_.data(), block, C);
      std::fill_n(sum, C, 0.0F);
      const int end = std::min(N, (block + 1) * cpu::kElementRows);
      for (int n = block * cpu::kElementRows; n < end; ++n) {
        kernels_.rmsnorm_backward(row_of(values_of(d_x), n, C), sum, row_of(values_of(d_out), n, C),
                                  row_of(values_of(x), n, C), weight, rstd[n], C);
      }
    });
    for (int block = 0; block < count; ++block) {
      sums_.add(d_weight, row_of(partial_.data(), block, C), C);
    }
  }

  void linear_forward(Activation* out, const Activation* residual, const Activation* x,
                      const Weight& weight, int N) override {
    linear_.forward(values_of(out), values_of(residual), values_of(x), weight, N);
  }

  void linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                       const Activation* x, const Weight& weight, int N) override {
    linear_.backward(values_of(d_x), d_weight, values_of(d_out), values_of(x), weight, N);
  }

  void rope(Activation* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
            bool inverse) override {
    const int half = shape.D / 2;
    each_row(pool_, shape.positions(), [&](int n) {
      const int t = n % shape.T;
      kernels_.rope(row_of(values_of(qkv), n, shape.row()), row_of(cosine, t, half),
                    row_of(sine, t, half), shape.H + shape.K, shape.D, inverse ? -1.0F : 1.0F);
    });
  }

  void attention_forward(Activation* out, float* lse, const Activation* qkv,
                         const uint32_t* document_start, const AttentionShape& shape) override {
    attention_.forward(values_of(out), lse, values_of(qkv), document_start, shape);
  }

  void attention_backward(Activation* d_qkv, const Activation* d_out, const Activation* out,
                          const float* lse, const Activation* qkv, const uint32_t* document_start,
                          const AttentionShape& shape) override {
    attention_.backward(values_of(d_qkv), values_of(d_out), values_of(out), lse, values_of(qkv),
                        document_start, shape);
  }

  void swiglu_forward(Activation* out, const Activation* gate_up, int N, int F) override {
    each_row(pool_, N, [&](int n) {
      const Value* gate = row_of(values_of(gate_up), n, 2 * F);
      kernels_.swiglu(row_of(values_of(out), n, F), gate, gate + F, F);
    });
  }

  void swiglu_backward(Activation* d_gate_up, const Activation* d_out, const Activation* gate_up,
                       int N, int F) override {
    each_row(pool_, N, [&](int n) {
      const Value* gate = row_of(values_of(gate_up), n, 2 * F);
      Value* d_gate = row_of(values_of(d_gate_up), n, 2 * F);
      kernels_.swiglu_backward(d_gate, d_gate + F, row_of(values_of(d_out), n, F), gate, gate + F,
                               F);
    });
  }

  void vocabulary_loss(float* losses, Activation* d_x, float* d_weight, const Activation* x,
                       const Weight& weight, const uint32_t* target, int N, float scale) override {
    loss_.run(losses, values_of(d_x), d_weight, values_of(x), weight, target, N, scale);
  }

  double sum_of_squares(const float* values, uint64_t size) override {
    return parameters_.sum_of_squares(values, size);
  }
  bool all_finite(const float* values, uint64_t size) override {
    return cpu::all_finite(pool_, values, size);
  }
  bool all_finite(const Activation* values, uint64_t size) override {
    return cpu::all_finite(pool_, values_of(values), size);
  }
  void combine(float* out, float a, const float* x, float b, const float* y,
               uint64_t size) override {
    parameters_.combine(out, a, x, b, y, size);
  }
  void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
             const AdamwStep& step) override {
    parameters_.adamw(theta, m, v, gradient, size, step);
  }
  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep) override {
    linear_.product(out, a, b, b_transposed, M, N, K, scale, keep);
  }

 private:
  static Value* values_of(Activation* data) { return reinterpret_cast<Value*>(data); }
  static const Value* values_of(const Activation* data) {
    return reinterpret_cast<const Value*>(data);
  }

  cpu::Pool pool_;
  const cpu::RowKernels<Value> kernels_ = cpu::row_kernels<Value>();
  const cpu::RowKernels<float> sums_ = cpu::row_kernels<float>();
  Linear linear_;
  cpu::Attention attention_;
  cpu::VocabularyLoss<Value, Linear> loss_{pool_, linear_};
  cpu::ParameterWork parameters_{pool_};
  std::vector<float> partial_;  // Sums of blocks of rows.
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads, Precision precision) {
  if (precision == Precision::kBf16) {
    return std::make_unique<CpuBackend<Bf16>>(threads, *cpu::processor().kernel);
  }
  return std::make_unique<CpuBackend<float>>(threads);
}

}  // namespace train
