// What the ledger answers to each method that only looks.
#include <charconv>
#include <map>

#include "chain/embedded/items.h"
#include "chain/embedded/rpc_request.h"

namespace chain::embedded {
namespace {

// "0x1f": the shortest, as headers have it.
std::string hex_number(uint32_t number) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  return "0x" + std::string(digits, end);
}

Json header_json(const Header& header) {
  Json logs = Json::array();
  for (const Bytes& item : header.digest) logs.push_back(hex0x(item));
  return {{"parentHash", hex0x(header.parent.bytes)},
          {"number", hex_number(header.number)},
          {"stateRoot", hex0x(header.state_root.bytes)},
          {"extrinsicsRoot", hex0x(header.extrinsics_root.bytes)},
          {"digest", {{"logs", logs}}}};
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

Json runtime_version(RpcRequest& request) {
  request.block_with_state(0);
  return {{"specName", kSpecName},
          {"implName", kSpecName},
          {"authoringVersion", 1},
          {"specVersion", kSpecVersion},
          {"implVersion", 1},
          {"apis", Json::array()},
          {"transactionVersion", kTransactionVersion},
          {"stateVersion", 1}};
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

Json pending_extrinsics(RpcRequest& request) {
  Json extrinsics = Json::array();
  for (const Bytes& bytes : request.pool().pending()) extrinsics.push_back(hex0x(bytes));
  return extrinsics;
}

Json query_info(RpcRequest& request) {
  const Bytes bytes = request.bytes(0);
  if (request.failed()) return nullptr;
  const auto extrinsic = substrate::decode_extrinsic(bytes);
  const auto call = extrinsic ? substrate::decode_call(extrinsic->call)
                              : Result<substrate::Call>(extrinsic.error());
  if (!call) {
    request.fail(kInvalidParams, call.error().message);
    return nullptr;
  }
  const substrate::DispatchInfo info = dispatch_info(*call);
  return {{"weight", {{"refTime", info.ref_time}, {"proofSize", info.proof_size}}},
          {"class", info.dispatch_class == 2 ? "mandatory" : "normal"},
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
      {"state_getKeysPaged", get_keys_paged},
      {"state_getKeysPagedAt", get_keys_paged},
      {"state_getRuntimeVersion", runtime_version},
      {"state_getStorage", get_storage},
      {"state_getStorageAt", get_storage},
      {"state_queryStorageAt", query_storage_at},
      {"system_accountNextIndex", account_next_index},
      {"system_chain", system_chain},
      {"system_chainType", system_chain_type},
      {"system_health", system_health},
      {"system_name", system_name},
      {"system_properties", system_properties},
      {"system_version", system_version},
  };
  return table;
}

}  // namespace

RpcHandler find_handler(std::string_view method) {
  const auto found = handlers().find(method);
  return found == handlers().end() ? nullptr : found->second;
}

Json method_names() {
  Json names = Json::array({"author_submitExtrinsic"});
  for (const auto& [name, handler] : handlers()) names.push_back(name);
  return names;
}

}  // namespace chain::embedded
