// What the ledger answers to each method that only looks.
#include <charconv>
#include <map>

#include "chain/embedded/items.h"
#include "chain/embedded/rpc_request.h"
#include "chain/embedded/runtime.h"
#include "chain/embedded/subscriptions.h"

namespace chain::embedded {
namespace {

// "0x1f": the shortest, as headers have it.
std::string hex_number(uint32_t number) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  return "0x" + std::string(digits, end);
}

Json value_json(const std::optional<Bytes>& value) {
  if (!value) return nullptr;
  return hex0x(*value);
}

Json system_chain(RpcRequest& request) { return request.state().chain(); }
Json system_name(RpcRequest&) { return "Muster ledger"; }
Json system_version(RpcRequest&) { return "0.1.0"; }
Json system_chain_type(RpcRequest&) { return "Development"; }
Json system_properties(RpcRequest&) {
  return {{"ss58Format", 42}, {"tokenDecimals", 9}, {"tokenSymbol", "TAO"}};
}
Json system_health(RpcRequest&) {
  return {{"peers", 0}, {"isSyncing", false}, {"shouldHavePeers", false}};
}
// It is alone.
Json system_no_addresses(RpcRequest&) { return Json::array(); }
Json system_local_peer_id(RpcRequest&) { return ""; }
Json system_node_roles(RpcRequest&) { return Json::array({"Authority"}); }
Json system_sync_state(RpcRequest& request) {
  const uint32_t head = request.state().head().header.number;
  return {{"startingBlock", 0}, {"currentBlock", head}, {"highestBlock", head}};
}
Json rpc_methods(RpcRequest&) { return {{"methods", method_names()}}; }

Json account_next_index(RpcRequest& request) {
  const auto* text = request.at(0).get_ptr<const Json::string_t*>();
  const auto account = text != nullptr ? AccountId::from_ss58(*text) : std::nullopt;
  if (!account) {
    request.fail(kInvalidParams, "parameter 0 is not an SS58 address");
    return nullptr;
  }
  return request.pool().next_nonce(request.state(), *account);
}

Json chain_get_header(RpcRequest& request) {
  const auto block = request.block(0);
  if (!block) return nullptr;
  return header_json(block->header);
}

Json chain_get_block(RpcRequest& request) {
  const auto block = request.block(0);
  if (!block) return nullptr;
  Json extrinsics = Json::array();
  for (const Bytes& bytes : block->extrinsics) extrinsics.push_back(hex0x(bytes));
  return {{"block", {{"header", header_json(block->header)}, {"extrinsics", extrinsics}}},
          {"justifications", nullptr}};
}

Json hash_json(RpcRequest& request, const Json& number) {
  const auto index = number_of_json(number);
  if (!index) {
    request.fail(kInvalidParams, "a block number is a number or 0x-hex");
    return nullptr;
  }
  const auto hash = request.hash_of(*index);
  if (!hash) return nullptr;
  return hex0x(hash->bytes);
}

Json chain_get_block_hash(RpcRequest& request) {
  const Json& numbers = request.at(0);
  if (numbers.is_null()) return hex0x(request.state().head().hash.bytes);
  if (!numbers.is_array()) return hash_json(request, numbers);
  if (numbers.size() > kKeysPageMax) {
    request.fail(kInvalidParams, "at most 1000 numbers at once");
    return nullptr;
  }
  Json hashes = Json::array();
  for (const Json& number : numbers) hashes.push_back(hash_json(request, number));
  return hashes;
}

// One process makes every block: its head is final.
Json chain_get_head(RpcRequest& request) { return hex0x(request.state().head().hash.bytes); }

Json get_runtime_version(RpcRequest& request) {
  request.block_with_state(0);
  return runtime_version_json();
}

Json get_storage(RpcRequest& request) {
  const Bytes key = request.bytes(0);
  const uint64_t at = request.block_with_state(1);
  if (request.failed()) return nullptr;
  return value_json(request.state().value_at(key, at));
}

Json query_storage_at(RpcRequest& request) {
  const Json& keys = request.at(0);
  const uint64_t at = request.block_with_state(1);
  if (!keys.is_array() || keys.size() > kQueryKeysMax) {
    request.fail(kInvalidParams, "parameter 0 is not a list of at most 32768 keys");
  }
  if (request.failed()) return nullptr;
  Json changes = Json::array();
  for (const Json& one : keys) {
    const auto* text = one.get_ptr<const Json::string_t*>();
    const auto key = text != nullptr ? common::from_hex(*text) : std::nullopt;
    if (!key) {
      request.fail(kInvalidParams, "a key is not 0x-hex");
      return nullptr;
    }
    changes.push_back({hex0x(*key), value_json(request.state().value_at(*key, at))});
  }
  const Hash& hash = request.state().recent(at)->hash;
  return Json::array({{{"block", hex0x(hash.bytes)}, {"changes", changes}}});
}

Json get_keys_paged(RpcRequest& request) {
  const Bytes prefix = request.optional_bytes(0).value_or(Bytes{});
  const uint64_t count = request.number(1, kKeysPageMax);
  const auto start = request.optional_bytes(2);
  const uint64_t at = request.block_with_state(3);
  if (request.failed()) return nullptr;
  Json keys = Json::array();
  for (const Bytes& key : request.state().keys_at(prefix, start, count, at)) {
    keys.push_back(hex0x(key));
  }
  return keys;
}

Json get_storage_size(RpcRequest& request) {
  const Bytes key = request.bytes(0);
  const uint64_t at = request.block_with_state(1);
  if (request.failed()) return nullptr;
  const auto value = request.state().value_at(key, at);
  return value ? Json(value->size()) : Json();
}

Json get_storage_hash(RpcRequest& request) {
  const Bytes key = request.bytes(0);
  const uint64_t at = request.block_with_state(1);
  if (request.failed()) return nullptr;
  const auto value = request.state().value_at(key, at);
  return value ? Json(hex0x(common::blake2b_256(*value).bytes)) : Json();
}

// Unpaged: as many as one query may name.
Json get_keys(RpcRequest& request) {
  const Bytes prefix = request.bytes(0);
  const uint64_t at = request.block_with_state(1);
  if (request.failed()) return nullptr;
  Json keys = Json::array();
  for (const Bytes& key : request.state().keys_at(prefix, std::nullopt, kQueryKeysMax, at)) {
    keys.push_back(hex0x(key));
  }
  return keys;
}

Json get_pairs(RpcRequest& request) {
  const Bytes prefix = request.bytes(0);
  const uint64_t at = request.block_with_state(1);
  if (request.failed()) return nullptr;
  Json pairs = Json::array();
  for (const Bytes& key : request.state().keys_at(prefix, std::nullopt, kQueryKeysMax, at)) {
    pairs.push_back({hex0x(key), value_json(request.state().value_at(key, at))});
  }
  return pairs;
}

Json get_metadata(RpcRequest& request) {
  request.block_with_state(0);
  if (request.failed()) return nullptr;
  static const std::string hex = hex0x(*metadata_bytes(14));
  return hex;
}

// What a runtime API answers; nothing, and the request has failed, if it does not.
std::optional<Bytes> runtime_call(RpcRequest& request, std::string_view name, ByteView args,
                                  uint64_t at) {
  const ApiRow* row = find_api(name);
  if (row == nullptr) {
    // Clients look for this very sentence.
    request.fail(4003, "Client error: Execution failed: Other: Exported method " +
                           std::string(name) + " is not found");
    return std::nullopt;
  }
  const State& state = request.state();
  const bool at_head = at == state.head().header.number;
  const Storage past = at_head ? Storage() : state.storage_at(at);
  auto answer = row->answer({state, at_head ? state.storage() : past, at}, args);
  if (!answer) {
    request.fail(4003,
                 "Client error: Execution failed: Bad input data provided to " + std::string(name));
  }
  return answer;
}

Json state_call(RpcRequest& request) {
  const auto* name = request.at(0).get_ptr<const Json::string_t*>();
  const Bytes args = request.bytes(1);
  const uint64_t at = request.block_with_state(2);
  if (name == nullptr) request.fail(kInvalidParams, "parameter 0 is not a method's name");
  if (request.failed()) return nullptr;
  return value_json(runtime_call(request, *name, args, at));
}

Json pending_extrinsics(RpcRequest& request) {
  Json extrinsics = Json::array();
  for (const Bytes& bytes : request.pool().pending()) extrinsics.push_back(hex0x(bytes));
  return extrinsics;
}

Json query_info(RpcRequest& request) {
  const Bytes bytes = request.bytes(0);
  if (request.failed()) return nullptr;
  const auto extrinsic = substrate::decode_extrinsic(bytes);
  if (!extrinsic) {
    request.fail(kInvalidParams, extrinsic.error().message);
    return nullptr;
  }
  const auto call = find_call(extrinsic->call);
  if (!call) {
    request.fail(kInvalidParams, "the call is not one of this runtime, or malformed");
    return nullptr;
  }
  const DispatchEventInfo info = dispatch_info(*call);
  const bool mandatory = info.dispatch_class == DispatchClass::kMandatory;
  return {{"weight",
           {{"refTime", info.weight.ref_time.value}, {"proofSize", info.weight.proof_size.value}}},
          {"class", mandatory ? "mandatory" : "normal"},
          {"partialFee", std::to_string(fee_rao(info, bytes.size()))}};
}

const std::map<std::string_view, RpcHandler>& handlers() {
  static const std::map<std::string_view, RpcHandler> table = {
      {"author_pendingExtrinsics", pending_extrinsics},
      {"chain_getBlock", chain_get_block},
      {"chain_getBlockHash", chain_get_block_hash},
      {"chain_getFinalizedHead", chain_get_head},
      {"chain_getHead", chain_get_head},
      {"chain_getHeader", chain_get_header},
      {"payment_queryInfo", query_info},
      {"rpc_methods", rpc_methods},
      {"state_call", state_call},
      {"state_callAt", state_call},
      {"state_getKeys", get_keys},
      {"state_getKeysPaged", get_keys_paged},
      {"state_getKeysPagedAt", get_keys_paged},
      {"chain_getRuntimeVersion", get_runtime_version},
      {"state_getRuntimeVersion", get_runtime_version},
      {"state_getMetadata", get_metadata},
      {"state_getPairs", get_pairs},
      {"state_getStorage", get_storage},
      {"state_getStorageAt", get_storage},
      {"state_getStorageHash", get_storage_hash},
      {"state_getStorageHashAt", get_storage_hash},
      {"state_getStorageSize", get_storage_size},
      {"state_getStorageSizeAt", get_storage_size},
      {"state_queryStorageAt", query_storage_at},
      {"account_nextIndex", account_next_index},
      {"system_accountNextIndex", account_next_index},
      {"system_chain", system_chain},
      {"system_chainType", system_chain_type},
      {"system_health", system_health},
      {"system_localListenAddresses", system_no_addresses},
      {"system_localPeerId", system_local_peer_id},
      {"system_name", system_name},
      {"system_nodeRoles", system_node_roles},
      {"system_peers", system_no_addresses},
      {"system_syncState", system_sync_state},
      {"system_properties", system_properties},
      {"system_version", system_version},
  };
  return table;
}

}  // namespace

Json header_json(const Header& header) {
  Json logs = Json::array();
  for (const Bytes& item : header.digest) logs.push_back(hex0x(item));
  return {{"parentHash", hex0x(header.parent.bytes)},
          {"number", hex_number(header.number)},
          {"stateRoot", hex0x(header.state_root.bytes)},
          {"extrinsicsRoot", hex0x(header.extrinsics_root.bytes)},
          {"digest", {{"logs", logs}}}};
}

Json runtime_version_json() {
  const RuntimeVersion version = runtime_version();
  Json apis = Json::array();
  for (const auto& [id, number] : version.apis) apis.push_back({hex0x(id), number});
  return {{"specName", version.spec_name.text},
          {"implName", version.impl_name.text},
          {"authoringVersion", version.authoring_version},
          {"specVersion", version.spec_version},
          {"implVersion", version.impl_version},
          {"apis", apis},
          {"transactionVersion", version.transaction_version},
          {"stateVersion", version.system_version},
          {"systemVersion", version.system_version}};
}

RpcHandler find_handler(std::string_view method) {
  const auto found = handlers().find(method);
  return found == handlers().end() ? nullptr : found->second;
}

Json method_names() {
  Json names = Json::array({"author_submitExtrinsic"});
  for (const auto& [name, handler] : handlers()) names.push_back(name);
  for (const std::string_view name : feed_methods()) names.push_back(name);
  return names;
}

}  // namespace chain::embedded
