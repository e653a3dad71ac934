#include "train/hf_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <new>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "train/model.h"
#include "train/model_files/shard_index.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kConfigSizeMax = 1 << 20;
constexpr const char* kConfig = "config.json";
constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::string_view kHead = "lm_head.weight";

// A file's tensors are the same with every codec.
compress::Layout layout_of(const common::ModelParams& model) {
  return parameter_layout(model,
                          {.name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0});
}

Error wrong(const fs::path& folder, const std::string& what) {
  return {Code::kInvalidArgument, fmt::format("{}: {}", folder.string(), what)};
}

Result<HfConfig> read_config(const fs::path& folder) {
  auto bytes = common::read_file(folder / kConfig, kConfigSizeMax);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    const bool checkpoint = fs::exists(folder / "manifest.json");
    return Error{
        Code::kNotFound,
        fmt::format("{} is no model folder: it has no config.json; {}", folder.string(),
                    checkpoint ? "'muster model export' makes one of a network's checkpoint"
                               : "'muster model import' makes one of other formats")};
  }
  if (!bytes) return bytes.error();
  auto config = HfConfig::parse(common::text_of(*bytes));
  if (!config) return common::within(folder.string(), config.error());
  return config;
}

std::string shape_text(const std::vector<uint64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

// Older files hold what can be computed.
bool is_computed(std::string_view name) { return name.ends_with("rotary_emb.inv_freq"); }

}  // namespace

HfFolder::HfFolder(fs::path path, HfConfig config)
    : path_(std::move(path)), config_(std::move(config)), layout_(layout_of(config_.model)) {}

Result<HfFolder> HfFolder::open(const fs::path& folder) {
  TRY(HfConfig config, read_config(folder));
  HfFolder opened(folder, std::move(config));
  TRY_VOID(opened.open_files());
  TRY_VOID(opened.place_tensors());
  return opened;
}

Result<void> HfFolder::open_files() {
  if (fs::exists(path_ / kSingle)) {
    TRY(auto file, SafetensorsFile::open(path_ / kSingle));
    files_.push_back(std::move(file));
    return {};
  }
  if (!fs::exists(path_ / kIndex)) {
    return Error{Code::kNotFound,
                 fmt::format("{} has neither {} nor {}; weights in another format (.bin, .pth, "
                             ".gguf) must be saved as safetensors first",
                             path_.string(), kSingle, kIndex)};
  }
  TRY(const common::Bytes text, common::read_file(path_ / kIndex, kShardIndexSizeMax));
  const auto index = ShardIndex::parse(common::text_of(text));
  if (!index) return common::within((path_ / kIndex).string(), index.error());
  for (const std::string& name : index->files()) {
    TRY(auto file, SafetensorsFile::open(path_ / name));
    for (const StoredTensor& tensor : file.tensors()) {
      const auto listed = index->file_of.find(tensor.name);
      if (listed == index->file_of.end() || listed->second != name) {
        return wrong(path_,
                     fmt::format("{} holds {}, but {} says otherwise", name, tensor.name, kIndex));
      }
    }
    files_.push_back(std::move(file));
  }
  return {};
}

Result<void> HfFolder::place_tensors() {
  std::map<std::string_view, Place> found;
  for (size_t f = 0; f < files_.size(); ++f) {
    for (size_t t = 0; t < files_[f].tensors().size(); ++t) {
      found.emplace(files_[f].tensors()[t].name, Place{f, t});
    }
  }
  const auto take = [&](const compress::Tensor& tensor, std::string_view name) -> Result<Place> {
    const auto at = found.find(name);
    if (at == found.end()) return wrong(path_, fmt::format("{} is missing", name));
    const Place place = at->second;
    const StoredTensor& stored = files_[place.file].tensors()[place.tensor];
    const std::vector<uint64_t> shape = stored_as(tensor, stored.dtype).shape;
    if (stored.shape != shape) {
      return wrong(path_, fmt::format("{} has the shape {}; config.json makes it {}", name,
                                      shape_text(stored.shape), shape_text(shape)));
    }
    found.erase(at);
    return place;
  };
  for (const compress::Tensor& tensor : layout_.tensors()) {
    TRY(const Place place, take(tensor, tensor.name));
    places_.push_back(place);
  }
  if (config_.model.tied_embeddings && found.contains(kHead)) {
    TRY(tied_copy_, take(layout_.tensors().front(), kHead));
  }
  for (const auto& [name, place] : found) {
    if (is_computed(name)) continue;
    return wrong(path_,
                 fmt::format("{} has no place in the model that config.json describes", name));
  }
  return {};
}

const StoredTensor& HfFolder::stored(size_t tensor) const {
  const Place place = places_[tensor];
  return files_[place.file].tensors()[place.tensor];
}

Result<void> HfFolder::read(Place place, std::span<float> values) const {
  const SafetensorsFile& file = files_[place.file];
  return file.read(file.tensors()[place.tensor], values);
}

Result<void> HfFolder::check_tied_copy(std::span<const float> embeddings) const {
  if (!tied_copy_) return {};
  std::vector<float> head(embeddings.size());
  TRY_VOID(read(*tied_copy_, head));
  if (std::ranges::equal(embeddings, head)) return {};
  return Error{Code::kCorrupt, fmt::format("{}: tie_word_embeddings is true, but {} is not {}",
                                           path_.string(), kHead, layout_.tensors().front().name)};
}

Result<std::vector<float>> HfFolder::read_theta(const ModelProgress& progress) const {
  const uint64_t total = layout_.parameter_count();
  std::vector<float> theta;
  try {
    theta.resize(total);
  } catch (const std::bad_alloc&) {
    return Error{Code::kExhausted,
                 fmt::format("{}: {} parameters take {:.1f} GB of memory", path_.string(), total,
                             static_cast<double>(total) * sizeof(float) / 1e9)};
  }
  for (size_t t = 0; t < places_.size(); ++t) {
    const compress::Tensor& tensor = layout_.tensors()[t];
    const auto values = std::span(theta).subspan(tensor.offset, tensor.size());
    TRY_VOID(read(places_[t], values));
    if (t == 0) TRY_VOID(check_tied_copy(values));
    if (progress) progress(tensor.offset + tensor.size(), total);
  }
  return theta;
}

Result<void> HfFolder::each_tensor(
    const std::function<void(size_t, std::span<const float>)>& visit) const {
  std::vector<float> values;
  for (size_t t = 0; t < places_.size(); ++t) {
    values.resize(layout_.tensors()[t].size());
    TRY_VOID(read(places_[t], values));
    if (t == 0) TRY_VOID(check_tied_copy(values));
    visit(t, values);
  }
  return {};
}

}  // namespace train
