#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/philox.h"
#include "train/model.h"

namespace train {
namespace {

compress::Tensor tensor(std::string name, uint32_t rows, uint32_t cols) {
  return {.name = std::move(name), .rows = rows, .cols = cols};
}

void add_layer(std::vector<compress::Tensor>& tensors, const common::ModelParams& model,
               uint32_t layer) {
  const std::string at = "model.layers." + std::to_string(layer) + ".";
  const uint32_t C = model.dim;
  const uint32_t kv_width = model.dim / model.heads * model.kv_heads;
  tensors.push_back(tensor(at + "self_attn.q_proj.weight", C, C));
  tensors.push_back(tensor(at + "self_attn.k_proj.weight", kv_width, C));
  tensors.push_back(tensor(at + "self_attn.v_proj.weight", kv_width, C));
  tensors.push_back(tensor(at + "self_attn.o_proj.weight", C, C));
  tensors.push_back(tensor(at + "mlp.gate_proj.weight", model.hidden, C));
  tensors.push_back(tensor(at + "mlp.up_proj.weight", model.hidden, C));
  tensors.push_back(tensor(at + "mlp.down_proj.weight", C, model.hidden));
  tensors.push_back(tensor(at + "input_layernorm.weight", 1, C));
  tensors.push_back(tensor(at + "post_attention_layernorm.weight", 1, C));
}

bool is_residual_output(std::string_view name) {
  return name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight");
}

}  // namespace

compress::Layout parameter_layout(const common::ModelParams& model,
                                  const common::CodecParams& codec) {
  CHECK(model.heads > 0 && model.dim % model.heads == 0);
  std::vector<compress::Tensor> tensors;
  tensors.push_back(tensor("model.embed_tokens.weight", model.vocabulary, model.dim));
  for (uint32_t layer = 0; layer < model.layers; ++layer) add_layer(tensors, model, layer);
  tensors.push_back(tensor("model.norm.weight", 1, model.dim));
  if (!model.tied_embeddings) {
    tensors.push_back(tensor("lm_head.weight", model.vocabulary, model.dim));
  }
  return {std::move(tensors), codec.tile, codec.keep};
}

// Only operations that every machine rounds alike: sums, products, one square root.
std::vector<float> initial_parameters(const common::ModelParams& model,
                                      const compress::Layout& layout) {
  common::Philox random(model.init_seed);
  const double residual_std = model.init_std / std::sqrt(2.0 * model.layers);
  std::vector<float> theta;
  theta.reserve(layout.parameter_count());
  for (const compress::Tensor& of : layout.tensors()) {
    if (of.is_vector()) {
      theta.insert(theta.end(), of.size(), 1.0F);
      continue;
    }
    const double deviation = is_residual_output(of.name) ? residual_std : model.init_std;
    for (uint64_t i = 0; i < of.size(); ++i) {
      theta.push_back(static_cast<float>(deviation * random.normal()));
    }
  }
  return theta;
}

}  // namespace train
