#include "chain/embedded/rpc.h"

#include <algorithm>

#include "chain/embedded/rpc_request.h"
#include "chain/embedded/subscriptions.h"

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

// Nothing for what is not 0x and an even number of hex digits.
std::optional<Bytes> bytes_of(const Json& json) {
  const auto* text = json.get_ptr<const Json::string_t*>();
  if (text == nullptr || !text->starts_with("0x")) return std::nullopt;
  return common::from_hex(*text);
}

constexpr std::string_view kDevMethods[] = {"dev_newBlock", "dev_setStorage", "engine_createBlock"};
bool is_dev(std::string_view method) {
  return std::find(std::begin(kDevMethods), std::end(kDevMethods), method) != std::end(kDevMethods);
}

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

}  // namespace

std::string LedgerRpc::answer(std::string_view body, Subscriptions* subscriptions) {
  if (body.size() > kRequestSizeMax) return refused(kInvalidRequest, "the request is too large");
  const Json request = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (request.is_discarded()) return refused(kParseError, "Parse error");
  if (!request.is_array()) {
    const auto reply = answer_one(request, subscriptions);
    return reply ? text_of(*reply) : std::string();
  }
  if (request.empty()) return refused(kInvalidRequest, "Invalid request");
  if (request.size() > kBatchMax) return refused(kInvalidRequest, "the batch is too large");
  std::string replies;
  for (const Json& one : request) {
    const auto reply = answer_one(one, subscriptions);
    if (!reply) continue;
    replies += replies.empty() ? '[' : ',';
    replies += text_of(*reply);
    if (replies.size() > kReplySizeMax) return refused(kServerError, "the answer is too large");
  }
  return replies.empty() ? replies : replies + "]";
}

std::optional<nlohmann::json> LedgerRpc::answer_one(const Json& request,
                                                    Subscriptions* subscriptions) {
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
  // Some clients write null for none.
  const bool none = params_at == request.end() || params_at->is_null();
  const Json params = none ? Json::array() : *params_at;
  Json reply = params.is_array()
                   ? call(id, method_at->get<std::string>(), params, subscriptions)
                   : error_json(id, {kInvalidParams, "params must be an array", nullptr});
  if (notification) return std::nullopt;
  return reply;
}

nlohmann::json LedgerRpc::call(const Json& id, const std::string& method, const Json& params,
                               Subscriptions* subscriptions) {
  if (method == "author_submitExtrinsic") return submit(id, params, nullptr);
  if (is_dev(method) && seal_) {
    return method == "dev_setStorage" ? set_storage(id, params) : new_block(id, params);
  }
  const Feed* feed = feed_begun_by(method);
  if ((feed != nullptr || ends_feed(method)) && subscriptions == nullptr) {
    return error_json(id, {kServerError, "subscriptions need a WebSocket connection", nullptr});
  }
  if (ends_feed(method)) {
    const auto* name = params.empty() ? nullptr : params[0].get_ptr<const Json::string_t*>();
    return result_json(id, name != nullptr && subscriptions->end(*name));
  }
  if (feed != nullptr) return subscribe(id, *feed, params, *subscriptions);
  const RpcHandler handler = find_handler(method);
  if (handler == nullptr) return error_json(id, {kMethodNotFound, "Method not found", nullptr});
  return chain_.read([&](const State& state, const Pool& pool) {
    RpcRequest one(state, pool, archive_, params);
    Json result = handler(one);
    return one.failed() ? error_json(id, one.error()) : result_json(id, std::move(result));
  });
}

nlohmann::json LedgerRpc::subscribe(const Json& id, const Feed& feed, const Json& params,
                                    Subscriptions& subscriptions) {
  if (subscriptions.full()) {
    return error_json(id, {kServerError, "too many subscriptions on this connection", nullptr});
  }
  if (feed.kind == Feed::kExtrinsic) return submit(id, params, &subscriptions);
  std::vector<Bytes> keys;
  if (feed.kind == Feed::kStorage) {
    const Json list = params.empty() ? Json() : params[0];
    if (!list.is_array() || list.empty() || list.size() > kQueryKeysMax) {
      return error_json(id, {kInvalidParams, "parameter 0 must be a list of keys", nullptr});
    }
    for (const Json& one : list) {
      auto key = bytes_of(one);
      if (!key) return error_json(id, {kInvalidParams, "a key is not 0x-hex", nullptr});
      keys.push_back(*std::move(key));
    }
  }
  const std::string name = subscription_name();
  chain_.read([&](const State& state, const Pool& pool) {
    subscriptions.look(state, pool);
    if (feed.kind == Feed::kStorage) {
      subscriptions.watch_storage(name, feed, std::move(keys), state);
    } else {
      subscriptions.begin(name, feed, state);
    }
  });
  return result_json(id, name);
}

nlohmann::json LedgerRpc::submit(const Json& id, const Json& params, Subscriptions* subscriptions) {
  const auto bytes = params.size() == 1 ? bytes_of(params[0]) : std::nullopt;
  if (!bytes) return error_json(id, {kInvalidParams, "one parameter: 0x and hex", nullptr});
  const auto hash = chain_.submit(*bytes);
  if (!hash) {
    const PoolRefusal& refusal = hash.error();
    return error_json(id, {refusal.code, refusal.message, refusal.data});
  }
  if (subscriptions == nullptr) return result_json(id, hex0x(hash->bytes));
  const std::string name = subscription_name();
  subscriptions->watch_extrinsic(name, *feed_begun_by("author_submitAndWatchExtrinsic"), *hash);
  return result_json(id, name);
}

// dev_newBlock takes nothing, a count, or {"count": n}; engine_createBlock's arguments do not
// matter.
nlohmann::json LedgerRpc::new_block(const Json& id, const Json& params) {
  Json count = uint64_t{1};
  if (!params.empty() && params[0].is_object()) count = params[0].value("count", Json(uint64_t{1}));
  if (!params.empty() && params[0].is_number()) count = params[0];
  const auto blocks = number_of_json(count);
  if (!blocks || *blocks == 0 || *blocks > kNewBlocksMax) {
    return error_json(id, {kInvalidParams, "count must be 1 to 1000", nullptr});
  }
  for (uint64_t i = 0; i < *blocks; ++i) {
    const auto made = seal_();
    if (!made) return error_json(id, {kServerError, made.error().message, nullptr});
  }
  return chain_.read([&](const State& state, const Pool&) {
    return result_json(id, hex0x(state.head().hash.bytes));
  });
}

// [[key, value or null], ...]. A block of its own holds them: what is acknowledged is on the disk,
// and the state after a block stays what it was.
nlohmann::json LedgerRpc::set_storage(const Json& id, const Json& params) {
  const RpcError wrong{kInvalidParams, "parameter 0 must be a list of [key, value or null]",
                       nullptr};
  if (params.empty() || !params[0].is_array()) return error_json(id, wrong);
  std::vector<std::pair<Bytes, std::optional<Bytes>>> entries;
  for (const Json& pair : params[0]) {
    if (!pair.is_array() || pair.size() != 2) return error_json(id, wrong);
    auto key = bytes_of(pair[0]);
    auto value = bytes_of(pair[1]);
    if (!key || (!value && !pair[1].is_null())) return error_json(id, wrong);
    entries.emplace_back(*std::move(key), std::move(value));
  }
  const auto set = chain_.set_storage(entries);
  if (!set) return error_json(id, {kServerError, set.error().message, nullptr});
  if (const auto made = seal_(); !made) {
    return error_json(id, {kServerError, made.error().message, nullptr});
  }
  return chain_.read([&](const State& state, const Pool&) {
    return result_json(id, hex0x(state.head().hash.bytes));
  });
}

std::string LedgerRpc::subscription_name() {
  return "muster-" + std::to_string(next_subscription_++);
}

uint64_t LedgerRpc::news_version() {
  return chain_.read([](const State& state, const Pool& pool) {
    return state.head().header.number + pool.drops();
  });
}

namespace {

class RpcConversation final : public Conversation {
 public:
  RpcConversation(LedgerRpc& rpc, const PrivateChain& chain, uint32_t head)
      : rpc_(rpc), chain_(chain), subscriptions_(head) {}

  void hear(std::string_view text, std::vector<std::string>& out) override {
    std::string reply = rpc_.answer(text, &subscriptions_);
    if (!reply.empty()) out.push_back(std::move(reply));
    append(out);
  }
  void news(std::vector<std::string>& out) override {
    chain_.read([&](const State& state, const Pool& pool) { subscriptions_.look(state, pool); });
    append(out);
  }
  bool has_more() const override { return subscriptions_.has_more(); }

 private:
  void append(std::vector<std::string>& out) {
    for (std::string& text : subscriptions_.take()) out.push_back(std::move(text));
  }

  LedgerRpc& rpc_;
  const PrivateChain& chain_;
  Subscriptions subscriptions_;
};

}  // namespace

std::unique_ptr<Conversation> LedgerRpc::converse() {
  const uint32_t head =
      chain_.read([](const State& state, const Pool&) { return state.head().header.number; });
  return std::make_unique<RpcConversation>(*this, chain_, head);
}

}  // namespace chain::embedded
