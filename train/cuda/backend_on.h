// train::Backend on a machine (train/cuda/room.h): which kernels, in which order, on what memory.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "train/backend.h"
#include "train/cuda/attention_on.h"
#include "train/cuda/gate_kernels.h"
#include "train/cuda/loss_on.h"
#include "train/cuda/memory.h"
#include "train/cuda/on_machine.h"
#include "train/cuda/parameters_on.h"
#include "train/cuda/row_kernels.h"
#include "train/cuda/table_on.h"

namespace train::cuda {

// Value: float or Bf16.
template <class Machine, typename Value>
class BackendOn final : public Backend, public OnMachine<Machine> {
  static constexpr bool kIsBf16 = std::is_same_v<Value, Bf16>;
  static constexpr Precision kPrecision = kIsBf16 ? Precision::kBf16 : Precision::kFp32;

 public:
  explicit BackendOn(Machine machine) : machine_(std::move(machine)) {}

  Machine& machine() override { return machine_; }
  std::string name() const override { return machine_.name(); }
  Precision precision() const override { return kPrecision; }
  int positions_at_once() const override { return machine_.positions_at_once(); }
  bool unified_memory() const override { return false; }
  uint64_t memory_bytes() const override { return machine_.memory_bytes(); }

  void* allocate(size_t size_bytes) override { return machine_.allocate(size_bytes); }
  void release(void* memory) override { machine_.release(memory); }
  void upload(void* to, const void* from, size_t size_bytes) override {
    if (size_bytes > 0) machine_.upload(to, from, size_bytes);
  }
  void download(void* to, const void* from, size_t size_bytes) override {
    if (size_bytes > 0) machine_.download(to, from, size_bytes);
  }
  void clear(void* memory, size_t size_bytes) override {
    if (size_bytes > 0) machine_.clear(memory, size_bytes);
  }
  void* allocate_host(size_t size_bytes) override { return machine_.allocate_host(size_bytes); }
  void release_host(void* memory) override { machine_.release_host(memory); }
  void upload_activations(Activation* to, std::span<const float> from) override {
    if constexpr (kIsBf16) {
      float* const wide = wide_.template of<float>(from.size());
      upload(wide, from.data(), from.size_bytes());
      parameters_.convert(values_of(to), static_cast<const float*>(wide), from.size());
    } else {
      upload(to, from.data(), from.size_bytes());
    }
  }
  void download_activations(std::span<float> to, const Activation* from) override {
    if constexpr (kIsBf16) {
      float* const wide = wide_.template of<float>(to.size());
      parameters_.convert(wide, values_of(from), to.size());
      download(to.data(), wide, to.size_bytes());
    } else {
      download(to.data(), from, to.size_bytes());
    }
  }

  size_t packed_size(int O, int C) const override { return packed_bytes(kPrecision, O, C); }
  void pack(const Weight& weight) override {
    if constexpr (kIsBf16) {
      parameters_.convert(static_cast<Bf16*>(weight.packed), weight.values,
                          static_cast<size_t>(weight.O) * static_cast<size_t>(weight.C));
    }
  }

  void embedding_forward(Activation* out, const uint32_t* token, const float* table, int N,
                         int C) override {
    table_.forward(values_of(out), token, table, N, C);
  }
  void embedding_backward(float* d_table, const Activation* d_out, const uint32_t* token, int N,
                          int C) override {
    table_.backward(d_table, values_of(d_out), token, N, C);
  }

  void rmsnorm_forward(Activation* out, float* rstd, const Activation* x, const float* weight,
                       int N, int C, float epsilon) override {
    const bool together = C % kWidth<Value> == 0 && aligned(out, x, weight);
    machine_.template launch<RmsnormForward<Value>>(N, {.out = values_of(out),
                                                        .rstd = rstd,
                                                        .x = values_of(x),
                                                        .weight = weight,
                                                        .C = C,
                                                        .epsilon = epsilon,
                                                        .together = together});
  }
  void rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                        const Activation* x, const float* weight, const float* rstd, int N,
                        int C) override {
    using Kernel = RmsnormBackward<Value>;
    CHECK_MSG(C <= Kernel::kColumnsMax, "a model wider than 24,000");
    const int blocks = blocks_of(N, Kernel::kRows);
    float* const partial =
        wide_.template of<float>(static_cast<size_t>(blocks) * static_cast<size_t>(C));
    machine_.template launch<Kernel>(
        blocks, {.d_x = values_of(d_x),
                 .partial = partial,
                 .d_out = values_of(d_out),
                 .x = values_of(x),
                 .weight = weight,
                 .rstd = rstd,
                 .N = N,
                 .C = C,
                 .together = C % kWidth<Value> == 0 && aligned(d_x, d_out, x, weight)});
    machine_.template launch<AddRows>(
        blocks_of(C, AddRows::kColumns),
        {.out = d_weight, .partial = partial, .rows = blocks, .C = C});
  }

  void linear_forward(Activation* out, const Activation* residual, const Activation* x,
                      const Weight& weight, int N) override {
    machine_.multiply({.out = out,
                       .out_type = kPrecision,
                       .a = x,
                       .b = factor(weight),
                       .b_transposed = true,
                       .type = kPrecision,
                       .M = N,
                       .N = weight.O,
                       .K = weight.C,
                       .addend = residual,
                       .keep = residual == nullptr ? 0.0F : 1.0F});
  }
  void linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                       const Activation* x, const Weight& weight, int N) override {
    machine_.multiply({.out = d_x,
                       .out_type = kPrecision,
                       .a = d_out,
                       .b = factor(weight),
                       .type = kPrecision,
                       .M = N,
                       .N = weight.C,
                       .K = weight.O});
    machine_.multiply({.out = d_weight,
                       .a = d_out,
                       .a_transposed = true,
                       .b = x,
                       .type = kPrecision,
                       .M = weight.O,
                       .N = weight.C,
                       .K = N,
                       .addend = d_weight,
                       .keep = 1});
  }

  void rope(Activation* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
            bool inverse) override {
    const int half = shape.D / 2;
    machine_.template launch<Rope<Value>>(
        shape.positions(), {.qkv = values_of(qkv),
                            .cosine = cosine,
                            .sine = sine,
                            .T = shape.T,
                            .heads = shape.H + shape.K,
                            .row = shape.row(),
                            .half = half,
                            .direction = inverse ? -1.0F : 1.0F,
                            .together = half % kWidth<Value> == 0 && aligned(qkv, cosine, sine)});
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
    using Kernel = SwigluForward<Value>;
    const int blocks = blocks_of(F, Kernel::kColumns);
    const bool together = F % kWidth<Value> == 0 && aligned(out, gate_up);
    machine_.template launch<Kernel>(int64_t{N} * blocks, {.out = values_of(out),
                                                           .gate_up = values_of(gate_up),
                                                           .F = F,
                                                           .blocks = blocks,
                                                           .together = together});
  }
  void swiglu_backward(Activation* d_gate_up, const Activation* d_out, const Activation* gate_up,
                       int N, int F) override {
    using Kernel = SwigluBackward<Value>;
    const int blocks = blocks_of(F, Kernel::kColumns);
    const bool together = F % kWidth<Value> == 0 && aligned(d_gate_up, d_out, gate_up);
    machine_.template launch<Kernel>(int64_t{N} * blocks, {.d_gate_up = values_of(d_gate_up),
                                                           .d_out = values_of(d_out),
                                                           .gate_up = values_of(gate_up),
                                                           .F = F,
                                                           .blocks = blocks,
                                                           .together = together});
  }

  void vocabulary_loss(float* losses, Activation* d_x, float* d_weight, const Activation* x,
                       const Weight& weight, const uint32_t* target, int N, float scale) override {
    loss_.run(losses, values_of(d_x), d_weight, values_of(x), factor(weight), weight.O, weight.C,
              target, N, scale);
  }

  double sum_of_squares(const float* values, uint64_t size) override {
    return parameters_.sum_of_squares(values, size);
  }
  bool all_finite(const float* values, uint64_t size) override {
    return parameters_.all_finite(values, size);
  }
  bool all_finite(const Activation* values, uint64_t size) override {
    return parameters_.all_finite(values_of(values), size);
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
    parameters_.product(out, a, b, b_transposed, M, N, K, scale, keep);
  }

 private:
  static Value* values_of(Activation* data) { return reinterpret_cast<Value*>(data); }
  static const Value* values_of(const Activation* data) {
    return reinterpret_cast<const Value*>(data);
  }
  // What products read of a weight.
  static const void* factor(const Weight& weight) {
    return kIsBf16 ? weight.packed : static_cast<const void*>(weight.values);
  }

  Machine machine_;
  Room<Machine> wide_{machine_};
  TableOn<Machine, Value> table_{machine_};
  LossOn<Machine, Value> loss_{machine_};
  AttentionOn<Machine, Value> attention_{machine_};
  ParametersOn<Machine, Value> parameters_{machine_};
};

}  // namespace train::cuda
