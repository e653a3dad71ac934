// The arithmetic of a LLaMA, forward and backward, and of its optimisers, on one machine: a CPU or
// a GPU.
//
// Pointers are into the machine's own memory (allocate, upload, download); calls are carried out in
// order. N = B * T positions, C = dim, O = out, V = vocabulary; matrices are row-major, weights are
// (out, in) as Hugging Face stores them. Parameters, their gradients, losses and statistics are
// fp32; activations have the machine's precision, and sums over them are taken in fp32. `d_x` is
// the gradient of the loss by x; where the comment says "+=" it is added to what is there. On one
// machine, build and precision the same calls give the same bits, on any number of threads.
// Not-a-number in means not-a-number out, never a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace train {

// Queries, keys and values of B sequences, side by side in one row a position:
//   row (B * T)  =  H heads of queries | K heads of keys | K heads of values, each D wide
// Query head h reads key and value head h / (H / K).
struct AttentionShape {
  int B, T;
  int H, K;  // K divides H
  int D;     // even

  int row() const { return (H + 2 * K) * D; }
  int positions() const { return B * T; }
};

// What activations are stored in, and what products are made of: fp32, or bf16 (summed in fp32).
enum class Precision { kFp32, kBf16 };

// Values in the machine's precision, as an address only: never defined. See ActivationBuffer.
struct Activation;

// A matrix of weights, and what the machine made of it to multiply by: nothing, tiles, a bf16 copy.
struct Weight {
  const float* values;  // (O, C)
  void* packed;         // packed_size(O, C) bytes, filled by pack; null where that is 0.
  int O;
  int C;
};

// One step of AdamW, its constants folded. See Backend::adamw.
struct AdamwStep {
  float gradient_scale;  // From clipping.
  float beta1;
  float beta2;
  float one_less_beta1;
  float one_less_beta2;
  float epsilon;
  float rate;          // learning rate / (1 - beta1^t)
  float v_correction;  // 1 / sqrt(1 - beta2^t)
  float keep;          // 1 - learning rate * weight decay
};

class Backend {
 public:
  virtual ~Backend() = default;

  // "cpu:2", "cuda:0"
  virtual std::string name() const = 0;
  virtual Precision precision() const = 0;
  // How many positions keep the machine busy without asking for more memory than it has to spare.
  virtual int positions_at_once() const = 0;
  // Whether its memory is ours too, so that host arrays can be handed to it as they are.
  virtual bool unified_memory() const = 0;
  // Of its own, as it was made; 0 where it is ours.
  virtual uint64_t memory_bytes() const { return 0; }

  // Memory of the machine, aligned to 64 bytes, not cleared. Having none left is a bug of who sized
  // the model (CHECK). Prefer Buffer (train/buffer.h), which releases.
  virtual void* allocate(size_t size_bytes) = 0;
  virtual void release(void* memory) = 0;
  // Between our memory and the machine's; on return the bytes have arrived.
  virtual void upload(void* to, const void* from, size_t size_bytes) = 0;
  virtual void download(void* to, const void* from, size_t size_bytes) = 0;
  virtual void clear(void* memory, size_t size_bytes) = 0;
  // Memory of ours, aligned to 64 bytes, that uploads are fast from and downloads to: pinned, so
  // for what stays. Having none left is the end (CHECK).
  virtual void* allocate_host(size_t size_bytes);
  virtual void release_host(void* memory);
  // The same, with the values rounded to the machine's precision or widened from it.
  virtual void upload_activations(Activation* to, std::span<const float> from) = 0;
  virtual void download_activations(std::span<float> to, const Activation* from) = 0;
  size_t activation_size() const { return precision() == Precision::kBf16 ? 2 : 4; }  // Bytes.

  // Once for every change of `values`, before the weight is multiplied by.
  virtual size_t packed_size(int O, int C) const = 0;
  virtual void pack(const Weight& weight) = 0;

  // out[n,:] = table[token[n],:]            d_table[token[n],:] += d_out[n,:]
  //   token (N), below V     table, d_table (V, C)     out, d_out (N, C)
  virtual void embedding_forward(Activation* out, const uint32_t* token, const float* table, int N,
                                 int C) = 0;
  virtual void embedding_backward(float* d_table, const Activation* d_out, const uint32_t* token,
                                  int N, int C) = 0;

  // out[n,:] = x[n,:] / rms(x[n,:]) * weight,   rms(v) = sqrt(mean(v^2) + epsilon)
  //   x, out (N, C)     weight (C)     rstd (N) = 1 / rms, kept for the backward pass
  // Source: Zhang & Sennrich 2019, arXiv:1910.07467.
  virtual void rmsnorm_forward(Activation* out, float* rstd, const Activation* x,
                               const float* weight, int N, int C, float epsilon) = 0;
  // d_x += ..., d_weight += ...; d_x is the gradient of the residual stream, to which this branch
  // adds.
  virtual void rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                                const Activation* x, const float* weight, const float* rstd, int N,
                                int C) = 0;

  // out = x weight^T (+ residual, unless it is null; may be `out` itself)
  //   x (N, C)     weight (O, C), packed     out, residual (N, O)
  virtual void linear_forward(Activation* out, const Activation* residual, const Activation* x,
                              const Weight& weight, int N) = 0;
  // d_x = d_out weight,   d_weight += d_out^T x
  virtual void linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                               const Activation* x, const Weight& weight, int N) = 0;

  // Turns the queries and keys of `qkv`, in place: pair (i, i + D/2) of a head by the angle of i at
  // position t. `inverse` turns back: the backward pass, on gradients.
  //   qkv (B * T, shape.row())     cosine, sine (T, D/2)
  // Source: Su et al. 2021, arXiv:2104.09864; the pairs as in Hugging Face's LLaMA.
  virtual void rope(Activation* qkv, const float* cosine, const float* sine,
                    const AttentionShape& shape, bool inverse) = 0;

  // out[b,t,h,:] = sum_s p[s] v[b,s,:],  p = softmax over s of q[b,t,h,:] . k[b,s,:] / sqrt(D),
  // where s runs from document_start[b,t] to t.
  //   qkv (B * T, shape.row())     document_start (B, T), not descending in t
  //   out (B * T, H * D)     lse (B * T, H): log of the sum of exponentials, for the backward pass
  // Never holds more than a tile of queries' scores a thread.  Source: Dao et al. 2022,
  // arXiv:2205.14135.
  virtual void attention_forward(Activation* out, float* lse, const Activation* qkv,
                                 const uint32_t* document_start, const AttentionShape& shape) = 0;
  // d_qkv = ... (every value is written)
  virtual void attention_backward(Activation* d_qkv, const Activation* d_out, const Activation* out,
                                  const float* lse, const Activation* qkv,
                                  const uint32_t* document_start, const AttentionShape& shape) = 0;

  // out = silu(gate) * up,  silu(v) = v / (1 + exp(-v)).  gate_up (N, 2F): gate | up     out (N, F)
  // Source: Shazeer 2020, arXiv:2002.05202.
  virtual void swiglu_forward(Activation* out, const Activation* gate_up, int N, int F) = 0;
  // d_gate_up = ...
  virtual void swiglu_backward(Activation* d_gate_up, const Activation* d_out,
                               const Activation* gate_up, int N, int F) = 0;

  // losses[n] = -log softmax(x[n,:] weight^T)[target[n]] in nats; 0 where target[n] is kNoTarget.
  // Unless d_x is null: the gradient of  scale * sum of losses:  d_x = ...,  d_weight += ...
  //   x, d_x (N, C)     weight (V, C), packed     d_weight (V, C)     target, losses (N)
  // Logits are made for a few hundred positions at a time, never for all.
  virtual void vocabulary_loss(float* losses, Activation* d_x, float* d_weight, const Activation* x,
                               const Weight& weight, const uint32_t* target, int N,
                               float scale) = 0;

  // --- Parameters, gradients and moments: `size` values of fp32. ---

  // In fp64, in an order that depends on `size` alone.
  virtual double sum_of_squares(const float* values, uint64_t size) = 0;
  virtual bool all_finite(const float* values, uint64_t size) = 0;
  virtual bool all_finite(const Activation* values, uint64_t size) = 0;
  // out = a * x + b * y;  `out` may be x or y.
  virtual void combine(float* out, float a, const float* x, float b, const float* y,
                       uint64_t size) = 0;
  // m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2  with g = gradient_scale *
  // gradient; theta = keep * theta - rate * m / (v_correction * sqrt(v) + epsilon). Every operation
  // is rounded on its own: the same bits for every width of vector. Source: Loshchilov & Hutter
  // 2019, arXiv:1711.05101.
  virtual void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
                     const AdamwStep& step) = 0;
  // out (M, N) = scale * a (M, K) b + keep * out,  b (K, N), or (N, K) to be read as its transpose.
  // keep = 0 overwrites, even NaN. In fp32, or in the machine's precision: Muon needs no more.
  virtual void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N,
                       int K, float scale, float keep) = 0;
};

}  // namespace train
