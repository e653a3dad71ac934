// The half of train/hf_checkpoint.h that writes.
#include <fmt/format.h>

#include "common/check.h"
#include "common/files.h"
#include "train/hf_checkpoint.h"
#include "train/model.h"
#include "train/model_files/shard_index.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

// Tensors [first, last) of the layout.
struct Shard {
  size_t first = 0;
  size_t last = 0;
};

std::vector<Shard> cut(const compress::Layout& layout, Dtype dtype, uint64_t shard_bytes) {
  std::vector<Shard> shards;
  uint64_t size = 0;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const uint64_t more = layout.tensors()[t].size() * size_bytes(dtype);
    if (shards.empty() || size + more > shard_bytes) {
      shards.push_back({t, t});
      size = 0;
    }
    size += more;
    shards.back().last = t + 1;
  }
  return shards;
}

std::string file_name(size_t shard, size_t count) {
  if (count == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, count);
}

Result<void> check_empty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (fs::is_directory(folder, error) && fs::is_empty(folder, error)) return {};
  return Error{Code::kAlreadyExists,
               folder.string() + " is there and not empty; name another folder, or remove it"};
}

Result<void> write_shard(const fs::path& file, const compress::Layout& layout, Shard shard,
                         std::span<const float> theta, const HfWriteOptions& options) {
  const auto tensors = layout.tensors().subspan(shard.first, shard.last - shard.first);
  std::vector<StoredTensor> stored;
  for (const auto& tensor : tensors) stored.push_back(stored_as(tensor, options.dtype));
  TRY(auto writer, SafetensorsWriter::create(file, std::move(stored)));
  for (const compress::Tensor& tensor : tensors) {
    TRY_VOID(writer.append(theta.subspan(tensor.offset, tensor.size())));
    if (options.progress) options.progress(tensor.offset + tensor.size(), theta.size());
  }
  return writer.commit();
}

}  // namespace

Result<void> write_hf_folder(const fs::path& folder, HfConfig config, std::span<const float> theta,
                             const HfWriteOptions& options) {
  const compress::Layout layout = parameter_layout(
      config.model, {.name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0});
  CHECK(theta.size() == layout.parameter_count() && options.shard_bytes > 0);
  TRY_VOID(check_empty(folder));
  TRY_VOID(common::make_folder(folder));
  const std::vector<Shard> shards = cut(layout, options.dtype, options.shard_bytes);
  ShardIndex index;
  index.total_bytes = theta.size() * size_bytes(options.dtype);
  for (size_t s = 0; s < shards.size(); ++s) {
    const std::string name = file_name(s, shards.size());
    TRY_VOID(write_shard(folder / name, layout, shards[s], theta, options));
    for (size_t t = shards[s].first; t < shards[s].last; ++t) {
      index.file_of.emplace(layout.tensors()[t].name, name);
    }
  }
  if (shards.size() > 1) {
    TRY_VOID(
        common::write_file(folder / "model.safetensors.index.json", common::view_of(index.text())));
  }
  for (const NamedBytes& file : options.files) {
    TRY_VOID(common::write_file(folder / file.name, file.bytes));
  }
  config.dtype = options.dtype;
  TRY_VOID(common::write_file(folder / "generation_config.json",
                              common::view_of(config.generation_text())));
  return common::write_file(folder / "config.json", common::view_of(config.config_text()));
}

}  // namespace train
