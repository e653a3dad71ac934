#include "chain/substrate/chain_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

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

// Timestamp.Now as this runtime has it; the genesis block has none.
Result<Instant> time_of(const Runtime& runtime, const Json& json) {
  if (json.is_null()) return Instant{0};
  TRY(const Bytes bytes, bytes_of(json));
  TRY(const Stored now, find_stored(runtime.metadata, "Timestamp", "Now"));
  TRY(const auto value, read_stored(runtime.metadata, now, bytes));
  const auto now_ms = value ? value->number<uint64_t>() : std::nullopt;
  if (!now_ms || *now_ms > INT64_MAX) return misshapen("Timestamp.Now");
  return Instant{static_cast<int64_t>(*now_ms)};
}

// Nodes say in many words that a block's state is not kept any more.
bool is_pruned(const Error& error) {
  for (const char* sign : {"discarded", "pruned", "UnknownBlock", "nknown block"}) {
    if (error.message.find(sign) != std::string::npos) return true;
  }
  return false;
}

RpcRequest ask_time(const Hash& block) {
  return {"state_getStorage",
          Json::array({hex0x(storage_prefix("Timestamp", "Now")), hex0x(block.bytes)})};
}
RpcRequest ask_version(const Hash& block) {
  return {"state_getRuntimeVersion", Json::array({hex0x(block.bytes)})};
}

Result<Hash> member_hash(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return misshapen(std::string("a header with ") + name);
  return hash_of(*found);
}

}  // namespace

std::string hex0x(ByteView bytes) { return "0x" + common::to_hex(bytes); }

// BLAKE2b-256 of the header in SCALE is the block's name: a node cannot show another's.
Result<Header> parse_header(const Json& json) {
  if (json.is_null()) return Error{Code::kNotFound, "the node does not know the block"};
  if (!json.is_object()) return misshapen("a header");
  Header out;
  TRY(const uint64_t number, member_number(json, "number"));
  TRY(out.parent, member_hash(json, "parentHash"));
  TRY(const Hash state_root, member_hash(json, "stateRoot"));
  TRY(const Hash extrinsics_root, member_hash(json, "extrinsicsRoot"));
  static const Json::json_pointer kLogs("/digest/logs");
  if (!json.contains(kLogs) || !json[kLogs].is_array()) return misshapen("a header with a digest");
  Encoder bytes;
  bytes.hash(out.parent).compact(number).hash(state_root).hash(extrinsics_root);
  bytes.compact(json[kLogs].size());
  for (const Json& item : json[kLogs]) {
    TRY(const Bytes log, bytes_of(item));
    bytes.raw(log);
  }
  out.number = {number};
  out.hash = common::blake2b_256(bytes.done());
  return out;
}

Result<Hash> ChainReader::block_hash(BlockNumber number) {
  TRY(const Json result, rpc_.read("chain_getBlockHash", Json::array({number.index})));
  if (result.is_null()) {
    return Error{Code::kNotFound, "there is no block " + std::to_string(number.index) + " here"};
  }
  return hash_of(result);
}

Result<Hash> ChainReader::genesis() {
  const std::scoped_lock lock(mutex_);
  if (!genesis_) {
    TRY(genesis_, block_hash({0}));
  }
  return *genesis_;
}

Result<Header> ChainReader::header(const Hash& block) {
  TRY(const Json json, rpc_.read("chain_getHeader", Json::array({hex0x(block.bytes)})));
  TRY(const Header header, parse_header(json));
  if (header.hash != block) return misshapen("the header of the block that was asked for");
  return header;
}

Result<View> ChainReader::view(const Header& header) {
  const RpcRequest requests[] = {ask_time(header.hash), ask_version(header.hash)};
  auto results = rpc_.read_all(requests);
  if (!results && is_pruned(results.error())) {
    return Error{Code::kNotFound,
                 "the node does not keep block " + std::to_string(header.number.index)};
  }
  if (!results) return results.error();
  TRY(const RuntimeVersion version, parse_runtime_version(results->at(1)));
  View view{{header.number, header.hash, {}}, nullptr};
  TRY(view.runtime, runtimes_.get(version, header.hash));
  TRY(view.block.time, time_of(*view.runtime, results->at(0)));
  return view;
}

Result<View> ChainReader::head() {
  TRY(const Json json, rpc_.read("chain_getHeader"));
  TRY(const Header header, parse_header(json));
  return view(header);
}

Result<View> ChainReader::block(BlockNumber number) {
  TRY(const Hash hash, block_hash(number));
  return view({hash, {}, number});
}

Result<ChainReader::Heads> ChainReader::heads() {
  const RpcRequest requests[] = {
      {"chain_getHeader"}, {"chain_getFinalizedHead"}, {"state_getRuntimeVersion"}};
  TRY(const std::vector<Json> results, rpc_.read_all(requests));
  Heads out;
  TRY(out.best, parse_header(results[0]));
  TRY(out.finalized, hash_of(results[1]));
  TRY(out.version, parse_runtime_version(results[2]));
  return out;
}

Result<uint32_t> ChainReader::next_nonce(const AccountId& account) {
  TRY(const Json json, rpc_.read("system_accountNextIndex", Json::array({account.ss58()})));
  return narrow(number_of_json(json));
}

Result<std::vector<Bytes>> ChainReader::extrinsics(const Hash& block) {
  TRY(const Json json, rpc_.read("chain_getBlock", Json::array({hex0x(block.bytes)})));
  if (json.is_null()) return Error{Code::kNotFound, "the node does not know the block"};
  static const Json::json_pointer kPath("/block/extrinsics");
  if (!json.contains(kPath) || !json[kPath].is_array()) return misshapen("a block");
  std::vector<Bytes> out;
  for (const Json& extrinsic : json[kPath]) {
    TRY(Bytes bytes, bytes_of(extrinsic));
    out.push_back(std::move(bytes));
  }
  return out;
}

Result<std::vector<Happening>> ChainReader::happenings(const View& at) {
  TRY(const Stored events, find_stored(at.metadata(), "System", "Events"));
  TRY(const auto bytes, value(stored_key(events, std::span<const Bytes>()), at.block.hash));
  TRY(const auto value, read_stored(at.metadata(), events, bytes));
  if (!value) return std::vector<Happening>{};
  return read_happenings(*value);
}

Result<Bytes> ChainReader::call(std::string_view function, ByteView arguments, const Hash& block) {
  TRY(const Json json,
      rpc_.read("state_call", Json::array({function, hex0x(arguments), hex0x(block.bytes)})));
  return bytes_of(json);
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
    if (set.contains("block") && set["block"] != hex0x(block.bytes)) {
      return misshapen("of the block that was asked for");
    }
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
