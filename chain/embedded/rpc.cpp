#include "chain/embedded/rpc.h"

#include "chain/embedded/rpc_request.h"

namespace chain::embedded {
namespace {

Json error_json(const Json& id, const RpcError& error) {
  Json out = {{"code", error.code}, {"message", error.message}};
  if (!error.data.is_null()) out["data"] = error.data;
  return {{"jsonrpc", "2.0"}, {"error", out}, {"id", id}};
}

Json result_json(const Json& id, Json result) {
  return {{"jsonrpc", "2.0"}, {"result", std::move(result)}, {"id", id}};
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string refused(int code, std::string_view message) {
  return text_of(error_json(nullptr, {code, std::string(message), nullptr}));
}

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

}  // namespace

std::string LedgerRpc::answer(std::string_view body) {
  if (body.size() > kRequestSizeMax) return refused(kInvalidRequest, "the request is too large");
  const Json request = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (request.is_discarded()) return refused(kParseError, "Parse error");
  if (!request.is_array()) {
    const auto reply = answer_one(request);
    return reply ? text_of(*reply) : std::string();
  }
  if (request.empty()) return refused(kInvalidRequest, "Invalid request");
  if (request.size() > kBatchMax) return refused(kInvalidRequest, "the batch is too large");
  std::string replies;
  for (const Json& one : request) {
    const auto reply = answer_one(one);
    if (!reply) continue;
    replies += replies.empty() ? '[' : ',';
    replies += text_of(*reply);
    if (replies.size() > kReplySizeMax) return refused(kServerError, "the answer is too large");
  }
  return replies.empty() ? replies : replies + "]";
}

std::optional<nlohmann::json> LedgerRpc::answer_one(const Json& request) {
  const RpcError invalid{kInvalidRequest, "Invalid request", nullptr};
  if (!request.is_object()) return error_json(nullptr, invalid);
  const auto id_at = request.find("id");
  const bool notification = id_at == request.end();
  const Json id = notification || !is_id(*id_at) ? Json() : *id_at;
  const auto version = request.find("jsonrpc");
  const auto method_at = request.find("method");
  if ((!notification && !is_id(*id_at)) || version == request.end() || *version != "2.0" ||
      method_at == request.end() || !method_at->is_string()) {
    return error_json(id, invalid);
  }
  const auto params_at = request.find("params");
  const Json params = params_at == request.end() ? Json::array() : *params_at;
  const auto method = method_at->get<std::string>();
  const RpcHandler handler = find_handler(method);
  Json reply;
  if (handler == nullptr && method != "author_submitExtrinsic") {
    reply = error_json(id, {kMethodNotFound, "Method not found", nullptr});
  } else if (!params.is_array()) {
    reply = error_json(id, {kInvalidParams, "params must be an array", nullptr});
  } else if (handler == nullptr) {
    reply = submit(id, params);
  } else {
    reply = chain_.read([&](const State& state, const Pool& pool) {
      RpcRequest one(state, pool, archive_, params);
      Json result = handler(one);
      return one.failed() ? error_json(id, one.error()) : result_json(id, std::move(result));
    });
  }
  if (notification) return std::nullopt;
  return reply;
}

nlohmann::json LedgerRpc::submit(const Json& id, const Json& params) {
  const auto* text = params.size() == 1 ? params[0].get_ptr<const Json::string_t*>() : nullptr;
  const auto bytes =
      text != nullptr && text->starts_with("0x") ? common::from_hex(*text) : std::nullopt;
  if (!bytes) return error_json(id, {kInvalidParams, "one parameter: 0x and hex", nullptr});
  const auto hash = chain_.submit(*bytes);
  if (hash) return result_json(id, hex0x(hash->bytes));
  const PoolRefusal& refusal = hash.error();
  return error_json(id, {refusal.code, refusal.message, refusal.data});
}

}  // namespace chain::embedded
