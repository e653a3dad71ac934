#include "chain/substrate/chain_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "chain/substrate/storage_key.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kPageSize = 1000;  // What a node gives at most.

Error misshapen(std::string_view what) {
  return {Code::kCorrupt, "the node's answer is not " + std::string(what)};
}

Result<Bytes> bytes_of(const Json& json) {
  const auto* text = json.get_ptr<const Json::string_t*>();
  if (text == nullptr) return misshapen("a hex string");
  auto bytes = common::from_hex(*text);
  if (!bytes) return misshapen("a hex string");
  return *std::move(bytes);
}

Result<Hash> hash_of(const Json& json) {
  const auto* text = json.get_ptr<const Json::string_t*>();
  const auto hash = text != nullptr ? Hash::from_hex(*text) : std::nullopt;
  if (!hash) return misshapen("a hash");
  return *hash;
}

// A number written 12 or "0xc".
Result<uint64_t> number_of_json(const Json& json) {
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  const auto* text = json.get_ptr<const Json::string_t*>();
  if (text == nullptr || !text->starts_with("0x")) return misshapen("a number");
  uint64_t value = 0;
  const char* last = text->data() + text->size();
  const auto [end, trouble] = std::from_chars(text->data() + 2, last, value, 16);
  if (trouble != std::errc() || end != last) return misshapen("a number");
  return value;
}

Result<uint64_t> member_number(const Json& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  if (!json.is_object() || found == json.end())
    return misshapen(std::string("an object with ") + name);
  return number_of_json(*found);
}

Result<uint32_t> narrow(Result<uint64_t> number) {
  if (number && *number > UINT32_MAX) return misshapen("a u32");
  TRY(const uint64_t value, std::move(number));
  return static_cast<uint32_t>(value);
}

Result<Instant> time_of(const Json& json) {
  if (json.is_null()) return Instant{0};  // The genesis block.
  TRY(const Bytes bytes, bytes_of(json));
  Decoder in(bytes);
  const auto now_ms = in.number<int64_t>();
  if (!in.at_end()) return misshapen("Timestamp.Now");
  return Instant{now_ms};
}

// Nodes say in many words that a block's state is not kept any more.
bool is_pruned(const Error& error) {
  for (const char* sign : {"discarded", "pruned", "UnknownBlock", "nknown block"}) {
    if (error.message.find(sign) != std::string::npos) return true;
  }
  return false;
}

Result<BlockNumber> header_number(const Json& header) {
  if (header.is_null()) return Error{Code::kNotFound, "the node does not know the block"};
  TRY(const uint64_t number, member_number(header, "number"));
  return BlockNumber{number};
}

}  // namespace

std::string hex0x(ByteView bytes) { return "0x" + common::to_hex(bytes); }

Result<Hash> ChainReader::head_hash() {
  TRY(const Json result, rpc_.read("chain_getBlockHash"));
  return hash_of(result);
}

Result<Hash> ChainReader::finalized_head() {
  TRY(const Json result, rpc_.read("chain_getFinalizedHead"));
  return hash_of(result);
}

Result<Block> ChainReader::head() {
  TRY(const Hash hash, head_hash());
  const RpcRequest requests[] = {
      {"chain_getHeader", Json::array({hex0x(hash.bytes)})},
      {"state_getStorage", Json::array({hex0x(storage::kNow.key()), hex0x(hash.bytes)})},
  };
  TRY(const std::vector<Json> results, rpc_.read_all(requests));
  TRY(const BlockNumber number, header_number(results[0]));
  TRY(const Instant time, time_of(results[1]));
  return Block{number, hash, time};
}

Result<Block> ChainReader::block(BlockNumber number) {
  TRY(const Hash hash, block_hash(number));
  auto now =
      rpc_.read("state_getStorage", Json::array({hex0x(storage::kNow.key()), hex0x(hash.bytes)}));
  if (!now && is_pruned(now.error())) {
    return Error{Code::kNotFound, "the node does not keep block " + std::to_string(number.index)};
  }
  TRY(const Json json, std::move(now));
  TRY(const Instant time, time_of(json));
  return Block{number, hash, time};
}

Result<Hash> ChainReader::block_hash(BlockNumber number) {
  TRY(const Json result, rpc_.read("chain_getBlockHash", Json::array({number.index})));
  if (result.is_null()) {
    return Error{Code::kNotFound, "there is no block " + std::to_string(number.index) + " here"};
  }
  return hash_of(result);
}

Result<BlockNumber> ChainReader::number_of(const Hash& block) {
  TRY(const Json header, rpc_.read("chain_getHeader", Json::array({hex0x(block.bytes)})));
  return header_number(header);
}

Result<RuntimeVersion> ChainReader::runtime_version() {
  TRY(const Json json, rpc_.read("state_getRuntimeVersion"));
  RuntimeVersion version;
  TRY(version.spec_version, narrow(member_number(json, "specVersion")));
  TRY(version.transaction_version, narrow(member_number(json, "transactionVersion")));
  const auto name = json.find("specName");
  if (name == json.end() || !name->is_string()) return misshapen("a runtime version");
  version.spec_name = name->get<std::string>();
  return version;
}

Result<uint32_t> ChainReader::next_nonce(const AccountId& account) {
  TRY(const Json json, rpc_.read("system_accountNextIndex", Json::array({account.ss58()})));
  return narrow(number_of_json(json));
}

Result<std::vector<Bytes>> ChainReader::extrinsics(const Hash& block) {
  TRY(const Json json, rpc_.read("chain_getBlock", Json::array({hex0x(block.bytes)})));
  static const Json::json_pointer kPath("/block/extrinsics");
  if (!json.contains(kPath) || !json[kPath].is_array()) return misshapen("a block");
  std::vector<Bytes> out;
  for (const Json& extrinsic : json[kPath]) {
    TRY(Bytes bytes, bytes_of(extrinsic));
    out.push_back(std::move(bytes));
  }
  return out;
}

Result<std::vector<std::optional<Bytes>>> ChainReader::values(std::span<const Bytes> keys,
                                                              const Hash& block) {
  std::vector<std::optional<Bytes>> out(keys.size());
  if (keys.empty()) return out;
  Json names = Json::array();
  for (const Bytes& key : keys) names.push_back(hex0x(key));
  TRY(const Json json,
      rpc_.read("state_queryStorageAt", Json::array({std::move(names), hex0x(block.bytes)})));
  // [{block, changes: [[key, value or null], ...]}]; a key may be left out if it has no value.
  std::map<std::string, Bytes, std::less<>> found;  // By the key's bytes.
  if (!json.is_array()) return misshapen("a list of storage changes");
  for (const Json& set : json) {
    if (!set.is_object() || !set.contains("changes")) return misshapen("storage changes");
    for (const Json& change : set["changes"]) {
      if (!change.is_array() || change.size() != 2) return misshapen("a storage change");
      if (change[1].is_null()) continue;
      TRY(const Bytes key, bytes_of(change[0]));
      TRY(found[std::string(common::text_of(key))], bytes_of(change[1]));
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (const auto value = found.find(common::text_of(keys[i])); value != found.end())
      out[i] = value->second;
  }
  return out;
}

Result<std::optional<Bytes>> ChainReader::value(const Bytes& key, const Hash& block) {
  TRY(const Json json,
      rpc_.read("state_getStorage", Json::array({hex0x(key), hex0x(block.bytes)})));
  if (json.is_null()) return std::optional<Bytes>();
  TRY(Bytes bytes, bytes_of(json));
  return std::optional<Bytes>(std::move(bytes));
}

Result<std::vector<Bytes>> ChainReader::keys(const Bytes& prefix, const Hash& block,
                                             size_t count_max) {
  std::vector<Bytes> out;
  Json start = nullptr;
  for (;;) {
    TRY(const Json page, rpc_.read("state_getKeysPaged", Json::array({hex0x(prefix), kPageSize,
                                                                      start, hex0x(block.bytes)})));
    if (!page.is_array()) return misshapen("a list of keys");
    for (const Json& json : page) {
      TRY(Bytes key, bytes_of(json));
      // Ascending, or a node could keep us here for ever.
      if (!out.empty() && common::text_of(key) <= common::text_of(out.back())) {
        return misshapen("an ascending list of keys");
      }
      out.push_back(std::move(key));
    }
    if (out.size() > count_max) {
      return Error{Code::kExhausted,
                   "more than " + std::to_string(count_max) + " keys under one prefix"};
    }
    if (page.size() < kPageSize) return out;
    start = hex0x(out.back());
  }
}

}  // namespace chain::substrate
