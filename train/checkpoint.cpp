#include "train/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "common/strict_json.h"
#include "train/model.h"
#include "train/safetensors.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Error;
using common::Hash;
using common::ObjectStore;
using common::Result;
using common::Window;

constexpr uint64_t kManifestTextMax = 64 << 10;
constexpr size_t kListMax = 100'000;
constexpr const char* kManifestName = "manifest.json";
constexpr const char* kFileName = "model.safetensors";
// So many damaged ones are looked at: a stranger's bucket may be full of them.
constexpr size_t kTriesMax = 8;

// manifest.json of a checkpoint; `text` is what is signed.
struct CheckpointManifest {
  uint64_t version = 1;
  uint64_t next_window = 0;
  Hash hparams_hash;
  Hash state_root;
  Hash theta_root;
  Hash file_hash;
  uint64_t file_size = 0;

  nlohmann::json fields() const {
    return {{"version", version},
            {"next_window", next_window},
            {"hparams_hash", hparams_hash.hex()},
            {"state_root", state_root.hex()},
            {"theta_root", theta_root.hex()},
            {"file_hash", file_hash.hex()},
            {"file_size", file_size}};
  }
  Hash digest() const {
    return common::Hasher()
        .update(common::view_of("muster checkpoint v1"))
        .update(common::view_of(fields().dump()))
        .finish();
  }
};

struct SignedManifest {
  CheckpointManifest manifest;
  common::AccountId signer;
  common::Signature signature{};
};

std::string folder_of(Window next) { return "checkpoint/" + std::to_string(next.index) + "/"; }

Error damaged(Window next, const std::string& what) {
  return {Code::kCorrupt, "checkpoint " + std::to_string(next.index) + ": " + what};
}

void read_hash(common::StrictObject& object, const char* key, Hash& out) {
  std::string text;
  object.read(key, text);
  const auto hash = Hash::from_hex(text);
  if (hash) out = *hash;
  if (!hash) object.fail(key, "is not a hash of 64 hex digits");
}

Result<SignedManifest> parse_manifest(std::string_view text) {
  TRY(const nlohmann::json json, common::parse_json_object(text));
  common::StrictObject object(json, "manifest.json");
  SignedManifest out;
  std::string signer;
  std::string signature;
  object.read("version", out.manifest.version);
  object.read("next_window", out.manifest.next_window);
  read_hash(object, "hparams_hash", out.manifest.hparams_hash);
  read_hash(object, "state_root", out.manifest.state_root);
  read_hash(object, "theta_root", out.manifest.theta_root);
  read_hash(object, "file_hash", out.manifest.file_hash);
  object.read("file_size", out.manifest.file_size);
  object.read("signer", signer);
  object.read("signature", signature);
  TRY_VOID(object.finish());
  const auto account = common::AccountId::from_ss58(signer);
  const auto bytes = common::from_hex(signature);
  if (!account || !bytes || bytes->size() != out.signature.size() || out.manifest.version != 1) {
    return Error{Code::kCorrupt, "manifest.json is of another version or not signed"};
  }
  out.signer = *account;
  std::copy(bytes->begin(), bytes->end(), out.signature.begin());
  if (!common::verify(out.signer, out.manifest.digest().bytes, out.signature)) {
    return Error{Code::kCorrupt, "manifest.json has a bad signature"};
  }
  return out;
}

// The windows that have this file, newest first.
Result<std::vector<Window>> checkpoints(ObjectStore& bucket, std::string_view file) {
  TRY(const auto objects, bucket.list("checkpoint/", kListMax));
  std::vector<Window> windows;
  for (const common::ObjectInfo& object : objects) {
    const std::string_view key = object.key;
    constexpr std::string_view kPrefix = "checkpoint/";
    const size_t slash = key.find('/', kPrefix.size());
    if (slash == std::string_view::npos || key.substr(slash + 1) != file) continue;
    const std::string digits(key.substr(kPrefix.size(), slash - kPrefix.size()));
    if (digits.empty() || digits.size() > 18 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    windows.push_back({std::stoull(digits)});
  }
  std::sort(windows.rbegin(), windows.rend());
  return windows;
}

Result<Replica> load_one(ObjectStore& bucket, const common::Hparams& hparams, Window next,
                         const std::optional<common::AccountId>& signer) {
  TRY(const Bytes text, bucket.get(folder_of(next) + kManifestName, kManifestTextMax));
  const auto parsed = parse_manifest(common::text_of(text));
  if (!parsed) return damaged(next, parsed.error().message);
  const SignedManifest& found = *parsed;
  const CheckpointManifest& manifest = found.manifest;
  if (manifest.next_window != next.index) return damaged(next, "is another window's");
  if (manifest.hparams_hash != hparams.hash()) return damaged(next, "was made under other hparams");
  if (signer && found.signer != *signer) return damaged(next, "is signed by another key");
  const compress::Layout layout = parameter_layout(hparams.model, hparams.codec);
  const uint64_t size_max = layout.parameter_count() * sizeof(float) + (uint64_t{16} << 20);
  if (manifest.file_size > size_max) return damaged(next, "is longer than this model");
  TRY(const Bytes file, bucket.get(folder_of(next) + kFileName, manifest.file_size));
  if (common::blake2b_256(file) != manifest.file_hash) return damaged(next, "the file was changed");
  auto theta = from_safetensors(file, layout);
  if (!theta) return damaged(next, theta.error().message);
  Replica replica(hparams, std::move(*theta), next, manifest.state_root);
  if (replica.theta_root() != manifest.theta_root) return damaged(next, "theta is another");
  return replica;
}

}  // namespace

Result<void> save_checkpoint(ObjectStore& bucket, const Replica& replica,
                             const common::Hparams& hparams, const common::Keypair& signer) {
  const Bytes file = to_safetensors(replica.theta(), replica.layout());
  const CheckpointManifest manifest{.next_window = replica.next_window().index,
                                    .hparams_hash = hparams.hash(),
                                    .state_root = replica.root(),
                                    .theta_root = replica.theta_root(),
                                    .file_hash = common::blake2b_256(file),
                                    .file_size = file.size()};
  nlohmann::json json = manifest.fields();
  json["signer"] = signer.account().ss58();
  json["signature"] = common::to_hex(signer.sign(manifest.digest().bytes));
  const std::string folder = folder_of(replica.next_window());
  TRY_VOID(bucket.put(folder + kFileName, file));
  return bucket.put(folder + kManifestName, common::view_of(json.dump(2)));
}

Result<Replica> load_checkpoint(ObjectStore& bucket, const common::Hparams& hparams, Window until,
                                const std::optional<common::AccountId>& signer) {
  TRY(const std::vector<Window> windows, checkpoints(bucket, kManifestName));
  size_t tries = 0;
  for (const Window next : windows) {
    if (next > until) continue;
    if (++tries > kTriesMax) break;
    auto replica = load_one(bucket, hparams, next, signer);
    if (replica) return replica;
    const Code code = replica.error().code;
    if (code == Code::kUnavailable || code == Code::kTimeout) return replica;
    common::log_warning("{}; trying an older one", replica.error().message);
  }
  return Error{Code::kNotFound, "there is no checkpoint that can be used"};
}

Result<void> prune_checkpoints(ObjectStore& bucket, uint64_t keep) {
  TRY(const std::vector<Window> whole, checkpoints(bucket, kManifestName));
  for (size_t i = keep; i < whole.size(); ++i) {
    TRY_VOID(bucket.remove(folder_of(whole[i]) + kManifestName));
  }
  // And the files of those, also where a pruning before was cut short. Nothing newer than the
  // newest whole one: that may be on its way.
  TRY(const std::vector<Window> files, checkpoints(bucket, kFileName));
  const auto kept = std::min<size_t>(keep, whole.size());
  for (const Window window : files) {
    const bool keeps = std::find(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept),
                                 window) != whole.begin() + static_cast<std::ptrdiff_t>(kept);
    if (keeps || whole.empty() || window > whole.front()) continue;
    TRY_VOID(bucket.remove(folder_of(window) + kFileName));
  }
  return {};
}

}  // namespace train
