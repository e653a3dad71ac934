#include "train/data/tokenize_progress.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "common/files.h"
#include "common/strict_json.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr uint32_t kVersion = 1;
constexpr uint64_t kSizeMax = 2 * kDatasetManifestSizeMax;

fs::path file_in(const fs::path& out) { return out / "progress.json"; }

Result<TokenizeProgress> parse(std::string_view text) {
  TRY(const nlohmann::json json, common::parse_json_object(text));
  common::StrictObject object(json, "");
  TokenizeProgress progress;
  uint32_t version = 0;
  std::string inputs;
  std::string manifest;
  object.read("version", version);
  object.read("inputs", inputs);
  object.read("manifest", manifest);
  object.read("file", progress.piece.file);
  object.read("offset", progress.piece.offset);
  object.read("piece_tokens", progress.piece_tokens);
  object.read("replaced", progress.replaced_count);
  const auto hash = common::Hash::from_hex(inputs);
  if (version != kVersion) object.fail("version", "another version of this program wrote it");
  if (!hash) object.fail("inputs", "64 hex digits are expected");
  TRY_VOID(object.finish());
  progress.inputs = *hash;
  TRY(progress.manifest, DatasetManifest::parse(manifest));
  return progress;
}

}  // namespace

Result<std::optional<TokenizeProgress>> load_progress(const fs::path& out) {
  auto bytes = common::read_file(file_in(out), kSizeMax);
  if (!bytes && bytes.error().code == Code::kNotFound) return std::optional<TokenizeProgress>();
  if (!bytes) return bytes.error();
  auto progress = parse(common::text_of(*bytes));
  if (!progress) {
    return Error{Code::kCorrupt,
                 fmt::format("{}: {}; remove {} to begin anew", file_in(out).string(),
                             progress.error().message, out.string())};
  }
  return std::optional(std::move(progress).value());
}

Result<void> save_progress(const fs::path& out, const TokenizeProgress& progress) {
  const nlohmann::json json = {
      {"version", kVersion},
      {"inputs", progress.inputs.hex()},
      {"manifest", progress.manifest.canonical()},
      {"file", progress.piece.file},
      {"offset", progress.piece.offset},
      {"piece_tokens", progress.piece_tokens},
      {"replaced", progress.replaced_count},
  };
  return common::write_file(file_in(out), common::view_of(json.dump()));
}

void remove_progress(const fs::path& out) {
  std::error_code not_there;
  fs::remove(file_in(out), not_there);
}

}  // namespace train
