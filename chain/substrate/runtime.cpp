#include "chain/substrate/runtime.h"

#include <algorithm>

#include "chain/substrate/scale.h"
#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kVersionsMax = 64;
constexpr size_t kRuntimesMax = 64;  // Of one chain's history that one program looks at.

// The first that a node has: 15 describes runtime calls, and is what most clients read.
constexpr uint32_t kWanted[] = {15, 16, 14};

Error misshapen(std::string_view what) {
  return {Code::kCorrupt, "the node's answer is not " + std::string(what)};
}

Result<Bytes> bytes_of(const Json& json, std::string_view what) {
  const auto* text = json.get_ptr<const Json::string_t*>();
  auto bytes = text == nullptr ? std::nullopt : common::from_hex(*text);
  if (!bytes) return misshapen(what);
  return *std::move(bytes);
}

Result<uint32_t> number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned() || found->get<uint64_t>() > UINT32_MAX) {
    return misshapen("a runtime version");
  }
  return found->get<uint32_t>();
}

// Metadata_metadata_versions; empty if the runtime does not know the question.
std::vector<uint32_t> versions_of(const RpcReply& reply) {
  const auto* json = std::get_if<Json>(&reply);
  if (json == nullptr) return {};
  const auto bytes = bytes_of(*json, "");
  if (!bytes) return {};
  Decoder in(*bytes);
  auto versions = in.numbers<uint32_t>(kVersionsMax);
  if (!in.at_end()) return {};
  return versions;
}

}  // namespace

Result<RuntimeVersion> parse_runtime_version(const Json& json) {
  if (!json.is_object()) return misshapen("a runtime version");
  RuntimeVersion version;
  TRY(version.spec_version, number_of(json, "specVersion"));
  TRY(version.transaction_version, number_of(json, "transactionVersion"));
  const auto name = json.find("specName");
  if (name == json.end() || !name->is_string()) return misshapen("a runtime version");
  version.spec_name = name->get<std::string>();
  return version;
}

Result<const Runtime*> Runtimes::get(const RuntimeVersion& version, const common::Hash& at) {
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(version.spec_version);
  if (found != known_.end() && found->second->version == version) return found->second.get();
  if (found != known_.end()) {
    return Error{Code::kConflict, "the node has two runtimes of version " +
                                      std::to_string(version.spec_version) +
                                      ": was the chain started anew?"};
  }
  if (known_.size() >= kRuntimesMax) {
    return Error{Code::kExhausted, "the node shows one runtime after another"};
  }
  const std::string at_text = "0x" + at.hex();
  auto metadata = fetch(at_text);
  if (!metadata) {
    return common::within("reading what " + version.spec_name + " " +
                              std::to_string(version.spec_version) + " says of itself",
                          metadata.error());
  }
  if (!known_.empty()) {
    common::log_info("chain: runtime {} {}", version.spec_name, version.spec_version);
  }
  auto made = std::make_unique<const Runtime>(Runtime{version, *std::move(metadata)});
  const Runtime* out = made.get();
  known_[version.spec_version] = std::move(made);
  return out;
}

Result<Metadata> Runtimes::fetch(const std::string& at) {
  const RpcRequest ask_versions{"state_call",
                                Json::array({"Metadata_metadata_versions", "0x", at})};
  TRY(const std::vector<RpcReply> replies, rpc_.ask_all({&ask_versions, 1}));
  const std::vector<uint32_t> versions = versions_of(replies.front());
  for (const uint32_t wanted : kWanted) {
    if (std::find(versions.begin(), versions.end(), wanted) == versions.end()) continue;
    const std::string argument = "0x" + common::to_hex(Encoder().number(wanted).done());
    TRY(const Json json,
        rpc_.read("state_call", Json::array({"Metadata_metadata_at_version", argument, at})));
    TRY(const Bytes bytes, bytes_of(json, "metadata"));
    Decoder in(bytes);  // Option<Vec<u8>>
    const bool there = in.number<bool>();
    const ByteView inner = in.bytes(kMetadataSizeMax);
    if (!there || !in.at_end()) return misshapen("metadata");
    return decode_metadata(inner);
  }
  TRY(const Json json, rpc_.read("state_getMetadata", Json::array({at})));
  TRY(const Bytes bytes, bytes_of(json, "metadata"));
  return decode_metadata(bytes);
}

}  // namespace chain::substrate
