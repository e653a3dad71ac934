#include "common/node_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <string_view>

#include "common/devices.h"
#include "common/files.h"
#include "common/strict_json.h"

namespace common {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kFileSizeMax = 1 << 20;
constexpr uint32_t kThreadsMax = 1024;
constexpr std::array<std::string_view, 3> kPrecisions = {"auto", "fp32", "bf16"};
constexpr std::array<std::string_view, 5> kLogLevels = {"trace", "debug", "info", "warning",
                                                        "error"};

// "~/x" is below the home folder, "x" is below `folder`, "" stays empty.
fs::path resolved(const std::string& text, const fs::path& folder) {
  if (text.empty()) return {};
  if (text == "~" || text.starts_with("~/")) {
    const char* const home = std::getenv("HOME");
    if (home != nullptr) return (fs::path(home) / text.substr(std::min<size_t>(2, text.size())));
  }
  return (folder / text).lexically_normal();
}

void read_path(StrictObject& in, const char* key, const fs::path& folder, fs::path& out) {
  std::string text;
  in.read(key, text);
  if (text.empty()) in.fail(key, "should not be empty");
  out = resolved(text, folder);
}

void read_optional_path(StrictObject& in, const char* key, const fs::path& folder, fs::path& out) {
  std::string text;
  in.read_optional(key, text);
  out = resolved(text, folder);
}

// A bucket's address stays as it is; else a folder.
void read_address(StrictObject& in, const char* key, bool needed, const fs::path& folder,
                  std::string& out) {
  if (needed) {
    in.read(key, out);
    if (out.empty()) in.fail(key, "should not be empty");
  } else {
    in.read_optional(key, out);
  }
  if (out.find("://") == std::string::npos) out = resolved(out, folder).string();
}

// Left as it is if it is not there.
void read_choice(StrictObject& in, const char* key, std::span<const std::string_view> choices,
                 std::string& out) {
  in.read_optional(key, out);
  if (std::ranges::find(choices, out) == choices.end()) {
    in.fail(key, fmt::format("should be one of {}", fmt::join(choices, ", ")));
  }
}

}  // namespace

Result<NodeConfig> NodeConfig::parse(std::string_view text, const fs::path& folder) {
  TRY(const nlohmann::json object, parse_json_object(text));
  NodeConfig config;
  config.chain_endpoint = "local";
  config.device = "cpu";
  config.precision = "auto";
  config.log_level = "info";
  StrictObject in(object, "");
  read_path(in, "hparams", folder, config.hparams);
  read_path(in, "data", folder, config.data);
  read_address(in, "train_set", true, folder, config.train_set);
  read_address(in, "anneal_set", false, folder, config.anneal_set);
  read_address(in, "heldout_set", false, folder, config.heldout_set);
  in.read_optional("data_cache_mb", config.data_cache_mb);
  read_optional_path(in, "initial_model", folder, config.initial_model);
  in.read_optional("chain_endpoint", config.chain_endpoint);
  in.read("bucket", config.bucket);
  if (config.bucket.empty()) in.fail("bucket", "should not be empty");
  config.public_bucket = config.bucket;
  in.read_optional("public_bucket", config.public_bucket);
  in.read_optional("device", config.device);
  if (const auto devices = parse_devices(config.device); !devices) {
    in.fail("device", devices.error().message);
  }
  in.read_optional("threads", config.threads);
  if (config.threads > kThreadsMax) {
    in.fail("threads", fmt::format("should be at most {}", kThreadsMax));
  }
  read_choice(in, "precision", kPrecisions, config.precision);
  in.read_optional("recompute", config.recompute);
  read_choice(in, "log_level", kLogLevels, config.log_level);
  StrictObject wallet = in.optional_child("wallet");
  read_optional_path(wallet, "path", folder, config.wallet.path);
  wallet.read_optional("name", config.wallet.name);
  wallet.read_optional("hotkey", config.wallet.hotkey);
  TRY_VOID(in.finish());
  TRY_VOID(wallet.finish());
  return config;
}

Result<NodeConfig> NodeConfig::load(const fs::path& file) {
  TRY(const Bytes bytes, read_file(file, kFileSizeMax));
  auto config = parse(text_of(bytes), fs::absolute(file).parent_path());
  if (!config) return within(file.string(), config.error());
  return config;
}

}  // namespace common
