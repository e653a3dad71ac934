// A backend that looks for NaN and infinity: it does what another one does, and after every
// operation asks whether all that was written is finite. A step whose loss or gradient is not is
// run again through this, to name the operation that began it.
//
// Slow (every array is read again), and of no memory of its own. Of the arrays it only looks at
// those an operation has read or written: of a table of embeddings, the rows of the tokens.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/backend.h"

namespace train {

class CheckedBackend final : public Backend {
 public:
  // `inner` outlives this.
  explicit CheckedBackend(Backend& inner) : inner_(inner) {}

  // Where the operations that follow belong, "layers.3"; "" is nowhere.
  void set_label(std::string_view label) { label_ = label; }

  // The first operation whose output was not finite while all that it read was, or that was given
  // something from outside that was not; nullopt: there was none. As a sentence without a stop:
  //   "layers.3: attention_forward (the 17th operation) made NaN or infinity"
  //   "layers.3: linear_forward (the 14th operation) was given NaN or infinity"
  const std::optional<std::string>& first_trouble() const { return trouble_; }

  std::string name() const override;
  Precision precision() const override;
  int positions_at_once() const override;
  uint64_t memory_bytes() const override { return inner_.memory_bytes(); }
  bool unified_memory() const override;
  void* allocate(size_t size_bytes) override;
  void release(void* memory) override;
  void upload(void* to, const void* from, size_t size_bytes) override;
  void download(void* to, const void* from, size_t size_bytes) override;
  void clear(void* memory, size_t size_bytes) override;
  void upload_activations(Activation* to, std::span<const float> from) override;
  void download_activations(std::span<float> to, const Activation* from) override;
  size_t packed_size(int O, int C) const override;
  void pack(const Weight& weight) override;

  void embedding_forward(Activation* out, const uint32_t* token, const float* table, int N,
                         int C) override;
  void embedding_backward(float* d_table, const Activation* d_out, const uint32_t* token, int N,
                          int C) override;
  void rmsnorm_forward(Activation* out, float* rstd, const Activation* x, const float* weight,
                       int N, int C, float epsilon) override;
  void rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                        const Activation* x, const float* weight, const float* rstd, int N,
                        int C) override;
  void linear_forward(Activation* out, const Activation* residual, const Activation* x,
                      const Weight& weight, int N) override;
  void linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                       const Activation* x, const Weight& weight, int N) override;
  void rope(Activation* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
            bool inverse) override;
  void attention_forward(Activation* out, float* lse, const Activation* qkv,
                         const uint32_t* document_start, const AttentionShape& shape) override;
  void attention_backward(Activation* d_qkv, const Activation* d_out, const Activation* out,
                          const float* lse, const Activation* qkv, const uint32_t* document_start,
                          const AttentionShape& shape) override;
  void swiglu_forward(Activation* out, const Activation* gate_up, int N, int F) override;
  void swiglu_backward(Activation* d_gate_up, const Activation* d_out, const Activation* gate_up,
                       int N, int F) override;
  void vocabulary_loss(float* losses, Activation* d_x, float* d_weight, const Activation* x,
                       const Weight& weight, const uint32_t* target, int N, float scale) override;

  double sum_of_squares(const float* values, uint64_t size) override;
  bool all_finite(const float* values, uint64_t size) override;
  bool all_finite(const Activation* values, uint64_t size) override;
  void combine(float* out, float a, const float* x, float b, const float* y,
               uint64_t size) override;
  void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
             const AdamwStep& step) override;
  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep) override;

 private:
  // An array that an operation reads or writes; a null one is finite.
  struct Array {
    const float* parameters;
    const Activation* activations;
    uint64_t size;
  };
  static Array array(const float* values, int rows, int columns);
  static Array array(const Activation* values, int rows, int columns);

  bool finite(const Array& array);
  bool finite(std::initializer_list<Array> arrays);
  bool finite_rows(const float* table, const uint32_t* token, int N, int C);
  // Carries `run` out between two looks: read() and written() say whether all that it reads, and
  // all that it wrote, is finite.
  template <typename Read, typename Run, typename Written>
  void check(const char* operation, const Read& read, const Run& run, const Written& written);

  Backend& inner_;
  std::string label_;
  uint64_t operations_ = 0;
  std::optional<std::string> trouble_;
};

}  // namespace train
