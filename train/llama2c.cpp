#include "train/llama2c.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>

#include "common/check.h"
#include "train/model.h"
#include "train/rope.h"

namespace train {
namespace {

using common::ByteView;
using common::Code;
using common::Error;
using common::ModelParams;
using common::Result;

constexpr uint32_t kLaterMagic = 0x616B3432;  // "ak42": version 1 and above.
constexpr double kAngleTolerance = 1e-3;      // fp32 angles of positions up to some thousands.

Error wrong(const std::string& what) { return {Code::kInvalidArgument, "llama2.c model: " + what}; }

// Sizes within hparams.json's limits, by the same rules as another model's.
Result<HfConfig> read_config(common::ByteReader& in) {
  std::array<int32_t, 7> header{};
  for (int32_t& number : header) number = in.number<int32_t>();
  if (!in.ok()) return wrong("cut short");
  if (static_cast<uint32_t>(header[0]) == kLaterMagic) {
    return wrong(
        "an export of version 1 or later; export with --version 0, or with --version -1 "
        "for a Hugging Face folder");
  }
  HfConfig made{};
  made.model = {.vocabulary = static_cast<uint32_t>(std::abs(int64_t{header[5]})),
                .dim = static_cast<uint32_t>(header[0]),
                .layers = static_cast<uint32_t>(header[2]),
                .heads = static_cast<uint32_t>(header[3]),
                .kv_heads = static_cast<uint32_t>(header[4]),
                .hidden = static_cast<uint32_t>(header[1]),
                .sequence_length = static_cast<uint32_t>(header[6]),
                .rope_theta = 10'000,
                .rope_factor = 1,
                .rope_low_frequency = 1,
                .rope_high_frequency = 4,
                .rope_original_length = 8192,
                .norm_epsilon = 1e-5,
                .tied_embeddings = header[5] > 0,
                .initial_theta = {},
                .init_seed = 0,
                .init_std = 0.02};
  if (made.model.heads == 0) return wrong("no heads; is this a llama2.c model?");
  made.begin_token = 1;
  made.end_tokens = {2};
  auto checked = HfConfig::parse(made.config_text());
  if (!checked) {
    return wrong("is this one? Its header makes " + checked.error().message);
  }
  return checked;
}

// fp32 tensors of the file, one kind of all layers after the other.
class Tensors {
 public:
  Tensors(const ModelParams& model, ByteView body) : model_(model), C_(model.dim), rest_(body) {}

  // In the file's order; `find` gives the place in theta.
  template <typename Find>
  void read_all(Find find) {
    const auto layer = [&](const char* what) {
      return [=](uint32_t l) { return find(fmt::format("model.layers.{}.{}.weight", l, what)); };
    };
    copy(find("model.embed_tokens.weight"));
    each(layer("input_layernorm"), &Tensors::copy);
    each(layer("self_attn.q_proj"), &Tensors::copy_halves);
    each(layer("self_attn.k_proj"), &Tensors::copy_halves);
    each(layer("self_attn.v_proj"), &Tensors::copy);
    each(layer("self_attn.o_proj"), &Tensors::copy);
    each(layer("post_attention_layernorm"), &Tensors::copy);
    each(layer("mlp.gate_proj"), &Tensors::copy);
    each(layer("mlp.down_proj"), &Tensors::copy);
    each(layer("mlp.up_proj"), &Tensors::copy);
    copy(find("model.norm.weight"));
  }
  void copy(std::span<float> values) {
    std::memcpy(values.data(), rest_.data(), values.size_bytes());
    rest_ = rest_.subspan(values.size_bytes());
  }
  // Row 2i of a head becomes its row i, row 2i + 1 its row i + half.
  void copy_halves(std::span<float> values) {
    const size_t width = model_.dim / model_.heads;
    const size_t half = width / 2;
    for (size_t row = 0; row < values.size() / C_; ++row) {
      const size_t pair = row % width / 2;
      const size_t to = row / width * width + pair + (row % 2) * half;
      copy(values.subspan(to * C_, C_));
    }
  }
  ByteView rest() const { return rest_; }

 private:
  template <typename At>
  void each(At at, void (Tensors::*take)(std::span<float>)) {
    for (uint32_t l = 0; l < model_.layers; ++l) (this->*take)(at(l));
  }

  const ModelParams& model_;
  size_t C_;
  ByteView rest_;
};

// What follows the tensors: cosines, then sines, (positions, half) each.
Result<void> check_angles(const ModelParams& model, ByteView bytes) {
  const RopeTable table = rope_table(model, model.sequence_length);
  for (const auto* wanted : {&table.cosine, &table.sine}) {
    for (const float value : *wanted) {
      float stored;
      std::memcpy(&stored, bytes.data(), sizeof stored);
      bytes = bytes.subspan(sizeof stored);
      if (!(std::abs(stored - value) < kAngleTolerance)) {
        return wrong("its rotary angles are not those of theta 10,000");
      }
    }
  }
  return {};
}

}  // namespace

Result<Llama2cModel> from_llama2c(ByteView file) {
  common::ByteReader in(file);
  TRY(HfConfig config, read_config(in));
  const ModelParams& model = config.model;
  const compress::Layout layout = parameter_layout(
      model, {.name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0});
  const uint64_t angles = uint64_t{model.sequence_length} * (model.dim / model.heads);
  const uint64_t wanted = (layout.parameter_count() + angles) * sizeof(float);
  if (in.remaining() != wanted) {
    return wrong(
        fmt::format("{} bytes after the header, but its sizes make {}", in.remaining(), wanted));
  }
  Llama2cModel out{config, std::vector<float>(layout.parameter_count())};
  const auto find = [&](std::string_view name) {
    for (const compress::Tensor& tensor : layout.tensors()) {
      if (tensor.name == name) return std::span(out.theta).subspan(tensor.offset, tensor.size());
    }
    CHECK_MSG(false, std::string(name));
    return std::span<float>();
  };
  Tensors tensors(model, in.raw(in.remaining()));
  tensors.read_all(find);
  TRY_VOID(check_angles(model, tensors.rest()));
  if (!model.tied_embeddings) {
    // The head comes after the angles.
    Tensors head(model, tensors.rest().subspan(angles * sizeof(float)));
    head.copy(find("lm_head.weight"));
  }
  for (const compress::Tensor& tensor : layout.tensors()) {
    for (const float value : std::span(out.theta).subspan(tensor.offset, tensor.size())) {
      if (!std::isfinite(value)) return wrong(tensor.name + " holds NaN or infinity");
    }
  }
  return out;
}

}  // namespace train
