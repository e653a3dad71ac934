#include "train/llama/layer.h"

namespace train::llama {

void LayerPass::forward(const LayerWeights& weights, const LayerActivations& at) const {
  const int N = attention.positions();
  backend.rmsnorm_forward(at.normed1, at.rstd1, at.attention_in, weights.attention_norm, N, shape.C,
                          shape.epsilon);
  backend.linear_forward(at.qkv, nullptr, at.normed1, weights.qkv, N);
  backend.rope(at.qkv, cosine, sine, attention, false);
  backend.attention_forward(at.heads, at.lse, at.qkv, document_start, attention);
  backend.linear_forward(at.mlp_in, at.attention_in, at.heads, weights.output, N);
  backend.rmsnorm_forward(at.normed2, at.rstd2, at.mlp_in, weights.mlp_norm, N, shape.C,
                          shape.epsilon);
  backend.linear_forward(at.gate_up, nullptr, at.normed2, weights.gate_up, N);
  backend.swiglu_forward(at.hidden, at.gate_up, N, shape.F);
}

void LayerPass::output(const LayerWeights& weights, const LayerActivations& at,
                       Activation* out) const {
  backend.linear_forward(out, at.mlp_in, at.hidden, weights.down, attention.positions());
}

void LayerPass::backward(const LayerWeights& weights, const LayerGradient& gradient,
                         const LayerActivations& at, const BackwardScratch& scratch) const {
  backward_mlp(weights, gradient, at, scratch);
  backward_attention(weights, gradient, at, scratch);
}

void LayerPass::backward_mlp(const LayerWeights& weights, const LayerGradient& gradient,
                             const LayerActivations& at, const BackwardScratch& scratch) const {
  const int N = attention.positions();
  backend.linear_backward(scratch.inner, gradient.down, scratch.stream, at.hidden, weights.down, N);
  backend.swiglu_backward(scratch.wide, scratch.inner, at.gate_up, N, shape.F);
  backend.linear_backward(scratch.normed, gradient.gate_up, scratch.wide, at.normed2,
                          weights.gate_up, N);
  backend.rmsnorm_backward(scratch.stream, gradient.mlp_norm, scratch.normed, at.mlp_in,
                           weights.mlp_norm, at.rstd2, N, shape.C);
}

void LayerPass::backward_attention(const LayerWeights& weights, const LayerGradient& gradient,
                                   const LayerActivations& at,
                                   const BackwardScratch& scratch) const {
  const int N = attention.positions();
  backend.linear_backward(scratch.inner, gradient.output, scratch.stream, at.heads, weights.output,
                          N);
  backend.attention_backward(scratch.wide, scratch.inner, at.heads, at.lse, at.qkv, document_start,
                             attention);
  backend.rope(scratch.wide, cosine, sine, attention, true);
  backend.linear_backward(scratch.normed, gradient.qkv, scratch.wide, at.normed1, weights.qkv, N);
  backend.rmsnorm_backward(scratch.stream, gradient.attention_norm, scratch.normed, at.attention_in,
                           weights.attention_norm, at.rstd1, N, shape.C);
}

}  // namespace train::llama
