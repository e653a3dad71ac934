// A LLaMA: embeddings, `layers` times (RMSNorm, attention with RoPE and grouped queries, RMSNorm,
// SwiGLU), RMSNorm, vocabulary. Parameters are one flat array, laid out by `parameter_layout`; the
// model owns none, only its scratch memory, which is reserved by the first call that needs it.
//
// Sources: Touvron et al. 2023, arXiv:2302.13971; Su et al. 2021, arXiv:2104.09864 (RoPE, pairs (i,
// i + half), as Hugging Face's LLaMA has it); Ainslie et al. 2023, arXiv:2305.13245; Shazeer 2020,
// arXiv:2002.05202; recomputation: Chen et al. 2016, arXiv:1604.06174.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "compress/layout.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/pieces.h"

namespace train {

// Hugging Face's order and names ("model.embed_tokens.weight",
// "model.layers.0.self_attn.q_proj.weight", ...); matrices are (out, in), as they are stored there.
// Norm weights are vectors.
compress::Layout parameter_layout(const common::ModelParams& model,
                                  const common::CodecParams& codec);

// theta (N): Philox by init_seed, normal with init_std, residual outputs divided by sqrt(2 layers);
// norms are 1. The same bits on every machine.
std::vector<float> initial_parameters(const common::ModelParams& model,
                                      const compress::Layout& layout);

struct ModelOptions {
  // Keep each layer's input only, and compute the rest again in the backward pass: the same bits
  // in a fraction of the memory (activation_bytes). Measured on one core: a quarter more time for
  // the layers, 8 % for a small model with 32,000 tokens, with 39 MB for 128.
  bool recompute = false;
  // Positions in a micro-batch at most, but a sequence at least; 0: Backend::positions_at_once.
  int positions_at_once = 0;
  // Told what is worked on next: "embeddings", "layers.3", "vocabulary".
  std::function<void(std::string_view)> on_part;
};

// The machine's memory that the activations of a micro-batch of N positions take, their gradients
// and tokens included: what a Model reserves for learning. A layer keeps, in values of the
// machine's precision per position, 4 C + row + 3 F besides its input (C); with `recompute` all
// layers share that.
uint64_t activation_bytes(const common::ModelParams& params, int N, Precision precision,
                          const ModelOptions& options);

class Model {
 public:
  // `backend` outlives the model.
  Model(const common::ModelParams& params, Backend& backend, ModelOptions options = {});
  ~Model();

  uint64_t parameter_count() const;

  // Mean over the batch's targets of -log p(target), in nats; adds its gradient to `gradient`.
  //   theta, gradient (N)  in the machine's memory
  // Sequences are worked through in micro-batches of even sizes that suit the machine; the gradient
  // does not depend on which, up to the order of its sums. Not finite if the parameters are not:
  // the caller decides whose fault that is, and may ask
  // explain_not_finite.  Pre: the batch has a target.
  double loss_and_gradient(const float* theta, const Batch& batch, float* gradient);

  // The same for parameters and gradients that are held by piece, and for a part of a batch that
  // has `targets` targets in all: the parts' losses and gradients add up to the batch's. Errors are
  // the holders'; the gradient is of no use then.
  common::Result<double> loss_and_gradient(ParameterSource& theta, GradientSink& gradient,
                                           const Batch& batch, uint64_t targets);

  // The mean loss of each of the B sequences, forward only. theta (N) in our memory.
  // Pre: every sequence has a target.
  std::vector<double> losses(std::span<const float> theta, const Batch& batch);

  // Why the loss or the gradient at theta is not finite: repeats the batch, looking at everything
  // that is read and written, and names the first operation that made or was given NaN or infinity,
  // and the tensors of theta that are not finite themselves. A sentence without a stop:
  //   "layers.3: attention_forward (the 17th operation) made NaN or infinity"
  //   "layers.1: linear_forward (the 9th operation) was given NaN or infinity;
  //    model.layers.1.self_attn.o_proj.weight is not finite"
  //   theta, gradient (N)  in the machine's memory; the gradient is overwritten
  // Takes no more memory than a step does. Pre: the batch has a target.
  std::string explain_not_finite(const float* theta, const Batch& batch, float* gradient);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What `device` (common/devices.h) names: for "cpu" `threads`, or all cores; a GPU is kUnavailable
// in a build without CUDA. Without a `precision` the machine is asked which is faster.
common::Result<std::unique_ptr<Backend>> make_backend(
    std::string_view device, uint32_t threads,
    std::optional<Precision> precision = Precision::kFp32);
// All of several, `threads` for each.
common::Result<std::vector<std::unique_ptr<Backend>>> make_backends(
    std::string_view devices, uint32_t threads, std::optional<Precision> precision);

}  // namespace train
