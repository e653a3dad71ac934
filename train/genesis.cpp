#include "train/genesis.h"

#include <fmt/format.h>

#include "common/log.h"
#include "train/hf_checkpoint.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Hash;
using common::ModelParams;
using common::Result;

// The folder, if its tensors are those of the hparams. Numbers that no tensor shows (rope_theta,
// norm_epsilon) are the hparams' to choose.
Result<HfFolder> open_initial(const ModelParams& model, const fs::path& path) {
  TRY(HfFolder folder, HfFolder::open(path));
  const ModelParams& has = folder.config().model;
  struct Field {
    const char* name;
    uint64_t wanted, has;
  };
  for (const Field& field :
       {Field{"vocabulary", model.vocabulary, has.vocabulary}, Field{"dim", model.dim, has.dim},
        Field{"layers", model.layers, has.layers}, Field{"heads", model.heads, has.heads},
        Field{"kv_heads", model.kv_heads, has.kv_heads}, Field{"hidden", model.hidden, has.hidden},
        Field{"tied_embeddings", model.tied_embeddings, has.tied_embeddings}}) {
    if (field.wanted == field.has) continue;
    return Error{Code::kInvalidArgument,
                 fmt::format("{} is not the model that the network begins with: its {} is {}, "
                             "hparams.json says {}",
                             path.string(), field.name, field.has, field.wanted)};
  }
  if (has.rope_theta != model.rope_theta || has.norm_epsilon != model.norm_epsilon ||
      has.rope_factor != model.rope_factor) {
    common::log_warning(
        "{}: its rope_theta, rope_factor or norm_epsilon is not that of "
        "hparams.json, which counts",
        path.string());
  }
  return folder;
}

}  // namespace

Result<void> check_initial_model(const common::Hparams& hparams, const fs::path& initial_model) {
  const Hash& root = hparams.model.initial_theta;
  if (root == Hash{}) {
    if (initial_model.empty()) return {};
    return Error{Code::kInvalidArgument,
                 "initial_model is given, but this network's first parameters are drawn by "
                 "init_seed (model.initial_theta is zero); remove it from node.json"};
  }
  if (initial_model.empty()) {
    common::log_info(
        "this network began with a given model ({}); without initial_model in "
        "node.json this node starts from a validator's checkpoint",
        root.brief());
    return {};
  }
  const auto folder = open_initial(hparams.model, initial_model);
  if (!folder) return common::within("initial_model", folder.error());
  return {};
}

Result<Replica> genesis(const common::Hparams& hparams, const fs::path& initial_model) {
  const Hash& root = hparams.model.initial_theta;
  if (root == Hash{}) return Replica::genesis(hparams, common::Window{0});
  if (initial_model.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("this network begins with a given model (Merkle root {}) and no "
                             "checkpoint of it was found; get the model's Hugging Face folder and "
                             "name it as initial_model in node.json, or with --initial-model",
                             root.hex())};
  }
  const auto folder = open_initial(hparams.model, initial_model);
  if (!folder) return common::within("initial_model", folder.error());
  TRY(std::vector<float> theta, folder->read_theta());
  const Hash found = theta_root(theta);
  if (found != root) {
    return Error{Code::kInvalidArgument,
                 fmt::format("initial_model {} is not the model that the network begins with: its "
                             "Merkle root is {}, hparams.json says {}; 'muster model inspect' "
                             "shows a folder's root",
                             initial_model.string(), found.hex(), root.hex())};
  }
  return Replica::genesis(hparams, common::Window{0}, std::move(theta));
}

}  // namespace train
