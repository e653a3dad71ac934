// The arithmetic of a LLaMA, forward and backward, on one machine: a CPU or a GPU.
//
// Pointers are into the machine's own memory (allocate, upload, download); calls are carried out in
// order. N = B * T positions, C = dim, O = out, V = vocabulary; matrices are row-major, weights are
// (out, in) as Hugging Face stores them. `d_x` is the gradient of the loss by x; where the comment
// says
// "+=" it is added to what is there. On one machine and build the same calls give the same bits, on
// any number of threads. Not-a-number in means not-a-number out, never a crash.
#pragma once

#include <cstddef>
#include <cstdint>
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

class Backend {
 public:
  virtual ~Backend() = default;

  // "cpu:2", "cuda:0"
  virtual std::string name() const = 0;
  // How many positions keep the machine busy without asking for more memory than it has to spare.
  virtual int positions_at_once() const = 0;
  // Whether its memory is ours too, so that host arrays can be handed to it as they are.
  virtual bool unified_memory() const = 0;

  // Memory of the machine, aligned to 64 bytes, not cleared. Having none left is a bug of who sized
  // the model (CHECK). Prefer Buffer (train/buffer.h), which releases.
  virtual void* allocate(size_t size_bytes) = 0;
  virtual void release(void* memory) = 0;
  // Between our memory and the machine's; on return the bytes have arrived.
  virtual void upload(void* to, const void* from, size_t size_bytes) = 0;
  virtual void download(void* to, const void* from, size_t size_bytes) = 0;
  virtual void clear(void* memory, size_t size_bytes) = 0;

  // out[n,:] = table[token[n],:]            d_table[token[n],:] += d_out[n,:]
  //   token (N), below V     table, d_table (V, C)     out, d_out (N, C)
  virtual void embedding_forward(float* out, const uint32_t* token, const float* table, int N,
                                 int C) = 0;
  virtual void embedding_backward(float* d_table, const float* d_out, const uint32_t* token, int N,
                                  int C) = 0;

  // out[n,:] = x[n,:] / rms(x[n,:]) * weight,   rms(v) = sqrt(mean(v^2) + epsilon)
  //   x, out (N, C)     weight (C)     rstd (N) = 1 / rms, kept for the backward pass
  // Source: Zhang & Sennrich 2019, arXiv:1910.07467.
  virtual void rmsnorm_forward(float* out, float* rstd, const float* x, const float* weight, int N,
                               int C, float epsilon) = 0;
  // d_x += ..., d_weight += ...; d_x is the gradient of the residual stream, to which this branch
  // adds.
  virtual void rmsnorm_backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                                const float* weight, const float* rstd, int N, int C) = 0;

  // out = x weight^T (+ residual, unless it is null; may be `out` itself)
  //   x (N, C)     weight (O, C)     out, residual (N, O)
  virtual void linear_forward(float* out, const float* residual, const float* x,
                              const float* weight, int N, int C, int O) = 0;
  // d_x = d_out weight,   d_weight += d_out^T x
  virtual void linear_backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                               const float* weight, int N, int C, int O) = 0;

  // Turns the queries and keys of `qkv`, in place: pair (i, i + D/2) of a head by the angle of i at
  // position t. `inverse` turns back: the backward pass, on gradients.
  //   qkv (B * T, shape.row())     cosine, sine (T, D/2)
  // Source: Su et al. 2021, arXiv:2104.09864; the pairs as in Hugging Face's LLaMA.
  virtual void rope(float* qkv, const float* cosine, const float* sine, const AttentionShape& shape,
                    bool inverse) = 0;

  // out[b,t,h,:] = sum_s p[s] v[b,s,:],  p = softmax over s of q[b,t,h,:] . k[b,s,:] / sqrt(D),
  // where s runs from document_start[b,t] to t.
  //   qkv (B * T, shape.row())     document_start (B, T), not descending in t
  //   out (B * T, H * D)     lse (B * T, H): log of the sum of exponentials, for the backward pass
  // Never holds more than a tile of queries' scores a thread.  Source: Dao et al. 2022,
  // arXiv:2205.14135.
  virtual void attention_forward(float* out, float* lse, const float* qkv,
                                 const uint32_t* document_start, const AttentionShape& shape) = 0;
  // d_qkv = ... (every value is written)
  virtual void attention_backward(float* d_qkv, const float* d_out, const float* out,
                                  const float* lse, const float* qkv,
                                  const uint32_t* document_start, const AttentionShape& shape) = 0;

  // out = silu(gate) * up,  silu(v) = v / (1 + exp(-v)).  gate_up (N, 2F): gate | up     out (N, F)
  // Source: Shazeer 2020, arXiv:2002.05202.
  virtual void swiglu_forward(float* out, const float* gate_up, int N, int F) = 0;
  // d_gate_up = ...
  virtual void swiglu_backward(float* d_gate_up, const float* d_out, const float* gate_up, int N,
                               int F) = 0;

  // losses[n] = -log softmax(x[n,:] weight^T)[target[n]] in nats; 0 where target[n] is kNoTarget.
  // Unless d_x is null: the gradient of  scale * sum of losses:  d_x = ...,  d_weight += ...
  //   x, d_x (N, C)     weight, d_weight (V, C)     target, losses (N)
  // Logits are made for a few hundred positions at a time, never for all.
  virtual void vocabulary_loss(float* losses, float* d_x, float* d_weight, const float* x,
                               const float* weight, const uint32_t* target, int N, int C, int V,
                               float scale) = 0;
};

}  // namespace train
