// A LLaMA: embeddings, `layers` times (RMSNorm, attention with RoPE and grouped queries, RMSNorm,
// SwiGLU), RMSNorm, vocabulary. Parameters are one flat array, laid out by `parameter_layout`; the
// model owns none, only its scratch memory.
//
// Sources: Touvron et al. 2023, arXiv:2302.13971; Su et al. 2021, arXiv:2104.09864 (RoPE, pairs (i,
// i + half), as Hugging Face's LLaMA has it); Ainslie et al. 2023, arXiv:2305.13245; Shazeer 2020,
// arXiv:2002.05202.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "compress/layout.h"
#include "train/batch.h"

namespace train {

// Operations on one machine: see train/backend.h.
class Backend;

// Hugging Face's order and names ("model.embed_tokens.weight",
// "model.layers.0.self_attn.q_proj.weight", ...); matrices are (out, in), as they are stored there.
// Norm weights are vectors.
compress::Layout parameter_layout(const common::ModelParams& model,
                                  const common::CodecParams& codec);

// theta (N): Philox by init_seed, normal with init_std, residual outputs divided by sqrt(2 layers);
// norms are 1. The same bits on every machine.
std::vector<float> initial_parameters(const common::ModelParams& model,
                                      const compress::Layout& layout);

class Model {
 public:
  // `backend` outlives the model.
  Model(const common::ModelParams& params, Backend& backend);
  ~Model();

  uint64_t parameter_count() const;

  // Mean over the batch's targets of -log p(target), in nats; adds its gradient to `gradient`.
  //   theta, gradient (N)
  // Sequences are worked through in micro-batches of a size that suits the machine; the gradient
  // does not depend on which. Not finite if the parameters are not: the caller decides whose fault
  // that is.
  double loss_and_gradient(std::span<const float> theta, const Batch& batch,
                           std::span<float> gradient);

  // The mean loss of each of the B sequences, forward only.
  std::vector<double> losses(std::span<const float> theta, const Batch& batch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What `device` names: "cpu" or "cpu:<threads>" (default all cores), "cuda:<ordinal>" (kUnavailable
// in a build without CUDA).
common::Result<std::unique_ptr<Backend>> make_backend(std::string_view device, uint32_t threads);

}  // namespace train
