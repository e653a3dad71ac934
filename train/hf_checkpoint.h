// A model as Hugging Face keeps it: a folder with config.json, the weights in one model.safetensors
// or in shards listed in model.safetensors.index.json, and the tokenizer's files beside them.
//
// The form in which models come to Muster and leave it. Its weights in memory are theta: fp32, in
// the layout of train/model.h.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "compress/layout.h"
#include "train/hf_config.h"
#include "train/safetensors.h"
#include "train/tokenizer.h"

namespace train {

// Told how many of all parameters are done.
using ModelProgress = std::function<void(uint64_t done, uint64_t total)>;

// A folder opened for reading. Reads of it never take more than theta and what the kernel can spare
// for the mapped files.
class HfFolder {
 public:
  // kNotFound (no folder, no config.json, no weights), kInvalidArgument (not our LLaMA: the field
  // of config.json or the tensor is named; a tensor that is missing, unknown or of another shape),
  // kCorrupt (a file that breaks the format). Nothing of the weights is read yet.
  static common::Result<HfFolder> open(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  const HfConfig& config() const { return config_; }
  const compress::Layout& layout() const { return layout_; }
  // As the file has tensor i of the layout.
  const StoredTensor& stored(size_t tensor) const;

  // theta (N). kCorrupt, naming the tensor, for NaN or an infinity, and for an lm_head that is not
  // the embeddings' copy in a model that ties them. kExhausted if there is no memory for it.
  common::Result<std::vector<float>> read_theta(const ModelProgress& progress = {}) const;
  // The same check and order, with one tensor in memory at a time: `visit(tensor, its values)`.
  common::Result<void> each_tensor(
      const std::function<void(size_t, std::span<const float>)>& visit) const;

 private:
  struct Place {
    size_t file = 0;
    size_t tensor = 0;
  };

  HfFolder(std::filesystem::path path, HfConfig config);
  common::Result<void> open_files();
  common::Result<void> place_tensors();
  common::Result<void> read(Place place, std::span<float> values) const;
  common::Result<void> check_tied_copy(std::span<const float> embeddings) const;

  std::filesystem::path path_;
  HfConfig config_;
  compress::Layout layout_;
  std::vector<SafetensorsFile> files_;
  std::vector<Place> places_;       // Of each tensor of the layout,
  std::optional<Place> tied_copy_;  //   and of an lm_head that must equal the embeddings.
};

struct NamedBytes {
  std::string name;  // Of a file in the folder.
  common::Bytes bytes;
};

struct HfWriteOptions {
  Dtype dtype = Dtype::kF32;
  uint64_t shard_bytes = 5'000'000'000;  // A larger model is cut into files of at most so much.
  std::vector<NamedBytes> files;         // The tokenizer's.
  ModelProgress progress = {};
};

// Writes `theta` of `config.model` (its dtype is that of the options). config.json is written last:
// a folder without it is no model. kAlreadyExists if the folder is there and not empty;
// kInvalidArgument for a value that is too large for fp16.
common::Result<void> write_hf_folder(const std::filesystem::path& folder, HfConfig config,
                                     std::span<const float> theta, const HfWriteOptions& options);

// The tokenizer of a model: of its folder (tokenizer.model, else tokenizer.json), or of the file
// that is one. kNotFound if there is none, kInvalidArgument if it has more tokens than the model.
common::Result<std::unique_ptr<Tokenizer>> open_model_tokenizer(const std::filesystem::path& path,
                                                                const HfConfig& config);

// With a tokenizer_config.json made for a SentencePiece model that comes without: it says whether
// texts begin with a token.
std::vector<NamedBytes> with_tokenizer_config(std::vector<NamedBytes> files,
                                              const HfConfig& config);

// Its files, to be written beside a model: those of a folder, or the one file under the name that
// others look for, with a tokenizer_config.json. kNotFound if there is none.
common::Result<std::vector<NamedBytes>> tokenizer_files(const std::filesystem::path& path,
                                                        const HfConfig& config);

}  // namespace train
