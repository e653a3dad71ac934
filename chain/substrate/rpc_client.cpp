#include "chain/substrate/rpc_client.h"

#include <algorithm>
#include <utility>

#include "chain/substrate/jitter.h"
#include "chain/substrate/rpc_message.h"

namespace chain::substrate {

using common::Code;
using common::Error;

Result<Subscribed> Transport::subscribe(const RpcRequest& request, std::string_view) {
  return Error{Code::kRefused,
               request.method + " needs a WebSocket: give a ws:// or wss:// address"};
}
Result<Json> Transport::next(SubscriptionId, common::milliseconds) {
  return Error{Code::kRefused, "there is no such subscription"};
}
void Transport::unsubscribe(SubscriptionId) {}

Result<std::vector<RpcReply>> BodyTransport::exchange(std::span<const RpcRequest> requests) {
  const std::scoped_lock lock(mutex_);
  const uint64_t first_id = next_id_;
  next_id_ += requests.size();
  std::string body;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (i > 0) body += ',';
    body += request_text(requests[i], first_id + i);
  }
  if (requests.size() != 1) body.insert(0, 1, '[').append("]");
  TRY(const std::string text, post(body));
  return parse_replies(text, first_id, requests.size());
}

Result<std::unique_ptr<Transport>> open_transport(std::string_view url, const RpcOptions& options) {
  if (url.starts_with("ws://") || url.starts_with("wss://")) return ws_transport(url, options);
  TRY(std::unique_ptr<Transport> transport, http_transport(url, options));
  return transport;
}

Result<std::vector<RpcReply>> RpcClient::ask_all(std::span<const RpcRequest> requests) {
  if (requests.empty()) return std::vector<RpcReply>{};
  common::milliseconds pause = options_.backoff;
  for (int attempt = 1;; ++attempt) {
    auto replies = transport_->exchange(requests);
    if (replies || attempt >= options_.attempts) return replies;
    const Code code = replies.error().code;
    if (code != Code::kUnavailable && code != Code::kTimeout) return replies;
    const uint64_t seed = jitter_.fetch_add(1) ^ static_cast<uint64_t>(clock_.now().unix_ms);
    if (!clock_.sleep(jittered(pause, seed))) {
      return Error{Code::kCancelled, "told to stop while asking the chain"};
    }
    pause = std::min(2 * pause, options_.backoff_max);
  }
}

Result<Json> RpcClient::read(std::string_view method, Json params) {
  const RpcRequest request{std::string(method), std::move(params)};
  TRY(std::vector<Json> results, read_all({&request, 1}));
  return std::move(results.front());
}

Result<std::vector<Json>> RpcClient::read_all(std::span<const RpcRequest> requests) {
  TRY(std::vector<RpcReply> replies, ask_all(requests));
  std::vector<Json> results;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (const auto* refusal = std::get_if<RpcRefusal>(&replies[i])) {
      return Error{Code::kRefused, requests[i].method + ": " + refusal->text()};
    }
    results.push_back(std::get<Json>(std::move(replies[i])));
  }
  return results;
}

Result<RpcReply> RpcClient::ask(std::string_view method, Json params) {
  const RpcRequest request{std::string(method), std::move(params)};
  TRY(std::vector<RpcReply> replies, transport_->exchange({&request, 1}));
  return std::move(replies.front());
}

}  // namespace chain::substrate
