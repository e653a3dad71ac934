#include "chain/substrate/rpc_client.h"

#include <optional>
#include <utility>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kTextMax = 300;

std::string cut(std::string text) {
  if (text.size() > kTextMax) text = text.substr(0, kTextMax) + "...";
  return text;
}

std::string dumped(const Json& json) {
  return json.is_string() ? json.get<std::string>()
                          : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error not_json_rpc() {
  return {Code::kUnavailable, "the answer is not JSON-RPC: is this a node's port?"};
}

// One answer; nothing if it is neither a result nor an error.
std::optional<RpcReply> reply_of(Json& answer) {
  if (const auto error = answer.find("error"); error != answer.end() && error->is_object()) {
    RpcRefusal refusal;
    if (const auto code = error->find("code"); code != error->end() && code->is_number_integer()) {
      refusal.code = code->get<int64_t>();
    }
    if (const auto text = error->find("message"); text != error->end())
      refusal.message = dumped(*text);
    if (const auto data = error->find("data"); data != error->end()) refusal.data = *data;
    return refusal;
  }
  const auto result = answer.find("result");
  if (result == answer.end()) return std::nullopt;
  return std::move(*result);
}

}  // namespace

std::string RpcRefusal::text() const {
  std::string out = std::to_string(code) + " " + message;
  if (!data.is_null()) out += " (" + dumped(data) + ")";
  return cut(out);
}

// Answers of a batch may come in any order: each finds its place by its id.
Result<std::vector<RpcReply>> RpcClient::exchange(std::span<const RpcRequest> requests) {
  const uint64_t first_id = next_id_;
  next_id_ += requests.size();
  Json batch = Json::array();
  for (size_t i = 0; i < requests.size(); ++i) {
    batch.push_back({{"jsonrpc", "2.0"},
                     {"id", first_id + i},
                     {"method", requests[i].method},
                     {"params", requests[i].params}});
  }
  const Json& body = requests.size() == 1 ? batch[0] : batch;
  TRY(const std::string text,
      transport_->post(body.dump(-1, ' ', false, Json::error_handler_t::replace)));
  Json answers = Json::parse(text, nullptr, false);
  if (answers.is_object()) answers = Json::array({std::move(answers)});
  if (!answers.is_array()) return not_json_rpc();
  std::vector<std::optional<RpcReply>> found(requests.size());
  for (Json& answer : answers) {
    if (!answer.is_object()) return not_json_rpc();
    auto reply = reply_of(answer);
    if (!reply) return not_json_rpc();
    const auto id = answer.find("id");
    // An error about the whole batch carries no id of ours.
    if (id == answer.end() || !id->is_number_unsigned()) {
      if (!std::holds_alternative<RpcRefusal>(*reply)) return not_json_rpc();
      found.assign(requests.size(), reply);
      break;
    }
    const uint64_t place = id->get<uint64_t>() - first_id;
    if (place >= found.size() || found[place]) return not_json_rpc();
    found[place] = std::move(reply);
  }
  std::vector<RpcReply> replies;
  for (auto& reply : found) {
    if (!reply) return not_json_rpc();
    replies.push_back(*std::move(reply));
  }
  return replies;
}

Result<std::vector<RpcReply>> RpcClient::exchange_patiently(std::span<const RpcRequest> requests) {
  common::milliseconds pause = options_.backoff;
  for (int attempt = 1;; ++attempt) {
    auto replies = exchange(requests);
    if (replies || attempt >= options_.attempts) return replies;
    const Code code = replies.error().code;
    if (code != Code::kUnavailable && code != Code::kTimeout) return replies;
    if (!clock_.sleep(pause)) return Error{Code::kCancelled, "told to stop while asking the chain"};
    pause *= 2;
  }
}

Result<Json> RpcClient::read(std::string_view method, Json params) {
  const RpcRequest request{std::string(method), std::move(params)};
  TRY(std::vector<Json> results, read_all({&request, 1}));
  return std::move(results.front());
}

Result<std::vector<Json>> RpcClient::read_all(std::span<const RpcRequest> requests) {
  if (requests.empty()) return std::vector<Json>{};
  TRY(std::vector<RpcReply> replies, exchange_patiently(requests));
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
  TRY(std::vector<RpcReply> replies, exchange({&request, 1}));
  return std::move(replies.front());
}

}  // namespace chain::substrate
