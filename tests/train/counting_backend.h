// A backend that counts the memory that is asked of it: it does what another one does.
#pragma once

#include <map>
#include <string>

#include "train/backend.h"

namespace train {

class CountingBackend : public Backend {
 public:
  // `inner` outlives this.
  explicit CountingBackend(Backend& inner) : inner_(inner) {}

  int allocations() const { return allocations_; }
  // Held at this moment.
  size_t size_bytes() const {
    size_t sum = 0;
    for (const auto& [memory, size] : held_) sum += size;
    return sum;
  }

  void* allocate(size_t size_bytes) override {
    ++allocations_;
    void* memory = inner_.allocate(size_bytes);
    held_[memory] = size_bytes;
    return memory;
  }
  void release(void* memory) override {
    held_.erase(memory);
    inner_.release(memory);
  }
  std::string name() const override { return inner_.name(); }
  Precision precision() const override { return inner_.precision(); }
  int positions_at_once() const override { return inner_.positions_at_once(); }
  bool unified_memory() const override { return inner_.unified_memory(); }
  void upload(void* to, const void* from, size_t size_bytes) override {
    inner_.upload(to, from, size_bytes);
  }
  void download(void* to, const void* from, size_t size_bytes) override {
    inner_.download(to, from, size_bytes);
  }
  void clear(void* memory, size_t size_bytes) override { inner_.clear(memory, size_bytes); }
  void upload_activations(Activation* to, std::span<const float> from) override {
    inner_.upload_activations(to, from);
  }
  void download_activations(std::span<float> to, const Activation* from) override {
    inner_.download_activations(to, from);
  }
  size_t packed_size(int O, int C) const override { return inner_.packed_size(O, C); }
  void pack(const Weight& weight) override { inner_.pack(weight); }
  void embedding_forward(Activation* out, const uint32_t* token, const float* table, int N,
                         int C) override {
    inner_.embedding_forward(out, token, table, N, C);
  }
  void embedding_backward(float* d_table, const Activation* d_out, const uint32_t* token, int N,
                          int C) override {
    inner_.embedding_backward(d_table, d_out, token, N, C);
  }
  void rmsnorm_forward(Activation* out, float* rstd, const Activation* x, const float* weight,
                       int N, int C, float epsilon) override {
    inner_.rmsnorm_forward(out, rstd, x, weight, N, C, epsilon);
  }
  void rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                        const Activation* x, const float* weight, const float* rstd, int N,
                        int C) override {
    inner_.rmsnorm_backward(d_x, d_weight, d_out, x, weight, rstd, N, C);
  }
  void linear_forward(Activation* out, const Activation* residual, const Activation* x,
                      const Weight& weight, int N) override {
    inner_.linear_forward(out, residual, x, weight, N);
  }
  void linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                       const Activation* x, const Weight& weight, int N) override {
    inner_.linear_backward(d_x, d_weight, d_out, x, weight, N);
  }
  void rope(Activation* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
            bool inverse) override {
    inner_.rope(qkv, cosine, sine, shape, inverse);
  }
  void attention_forward(Activation* out, float* lse, const Activation* qkv,
                         const uint32_t* document_start, const AttentionShape& shape) override {
    inner_.attention_forward(out, lse, qkv, document_start, shape);
  }
  void attention_backward(Activation* d_qkv, const Activation* d_out, const Activation* out,
                          const float* lse, const Activation* qkv, const uint32_t* document_start,
                          const AttentionShape& shape) override {
    inner_.attention_backward(d_qkv, d_out, out, lse, qkv, document_start, shape);
  }
  void swiglu_forward(Activation* out, const Activation* gate_up, int N, int F) override {
    inner_.swiglu_forward(out, gate_up, N, F);
  }
  void swiglu_backward(Activation* d_gate_up, const Activation* d_out, const Activation* gate_up,
                       int N, int F) override {
    inner_.swiglu_backward(d_gate_up, d_out, gate_up, N, F);
  }
  void vocabulary_loss(float* losses, Activation* d_x, float* d_weight, const Activation* x,
                       const Weight& weight, const uint32_t* target, int N, float scale) override {
    inner_.vocabulary_loss(losses, d_x, d_weight, x, weight, target, N, scale);
  }
  double sum_of_squares(const float* values, uint64_t size) override {
    return inner_.sum_of_squares(values, size);
  }
  bool all_finite(const float* values, uint64_t size) override {
    return inner_.all_finite(values, size);
  }
  bool all_finite(const Activation* values, uint64_t size) override {
    return inner_.all_finite(values, size);
  }
  void combine(float* out, float a, const float* x, float b, const float* y,
               uint64_t size) override {
    inner_.combine(out, a, x, b, y, size);
  }
  void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
             const AdamwStep& step) override {
    inner_.adamw(theta, m, v, gradient, size, step);
  }
  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep) override {
    inner_.product(out, a, b, b_transposed, M, N, K, scale, keep);
  }

 private:
  Backend& inner_;
  int allocations_ = 0;
  std::map<void*, size_t> held_;
};

}  // namespace train
