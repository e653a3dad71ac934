#include "common/node_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "common/files.h"
#include "common/strict_json.h"

namespace common {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kFileSizeMax = 1 << 20;
constexpr uint32_t kThreadsMax = 4096;
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

bool valid_device(std::string_view device) {
  static constexpr std::string_view kCuda = "cuda:";
  if (device == "cpu") return true;
  if (!device.starts_with(kCuda)) return false;
  const std::string_view digits = device.substr(kCuda.size());
  uint16_t ordinal = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  return error == std::errc() && end == digits.data() + digits.size();
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

}  // namespace

Result<NodeConfig> NodeConfig::parse(std::string_view text, const fs::path& folder) {
  TRY(const nlohmann::json object, parse_json_object(text));
  NodeConfig config;
  config.chain_endpoint = "local";
  config.device = "cpu";
  config.log_level = "info";
  StrictObject in(object, "");
  read_path(in, "hparams", folder, config.hparams);
  read_path(in, "data", folder, config.data);
  read_path(in, "train_set", folder, config.train_set);
  read_optional_path(in, "heldout_set", folder, config.heldout_set);
  in.read_optional("chain_endpoint", config.chain_endpoint);
  in.read("bucket", config.bucket);
  if (config.bucket.empty()) in.fail("bucket", "should not be empty");
  config.public_bucket = config.bucket;
  in.read_optional("public_bucket", config.public_bucket);
  in.read_optional("device", config.device);
  if (!valid_device(config.device)) {
    in.fail("device", "should be \"cpu\" or \"cuda:0\" (or another GPU's number)");
  }
  in.read_optional("threads", config.threads);
  if (config.threads > kThreadsMax) {
    in.fail("threads", fmt::format("should be at most {}", kThreadsMax));
  }
  in.read_optional("log_level", config.log_level);
  if (std::find(kLogLevels.begin(), kLogLevels.end(), config.log_level) == kLogLevels.end()) {
    in.fail("log_level", fmt::format("should be one of {}", fmt::join(kLogLevels, ", ")));
  }
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
