#include "chain/substrate/rpc_message.h"

#include <utility>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kTextMax = 300;
constexpr size_t kNameMax = 128;

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
    if (const auto text = error->find("message"); text != error->end()) {
      refusal.message = cut(dumped(*text));
    }
    if (const auto data = error->find("data"); data != error->end()) refusal.data = *data;
    return refusal;
  }
  const auto result = answer.find("result");
  if (result == answer.end()) return std::nullopt;
  return std::move(*result);
}

std::optional<uint64_t> id_of(const Json& answer) {
  const auto id = answer.find("id");
  if (id == answer.end() || !id->is_number_unsigned()) return std::nullopt;
  return id->get<uint64_t>();
}

}  // namespace

std::string RpcRefusal::text() const {
  std::string out = std::to_string(code) + " " + message;
  if (!data.is_null()) out += " (" + dumped(data) + ")";
  return cut(out);
}

std::optional<Json> parse_bounded(std::string_view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) return std::nullopt;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string request_text(const RpcRequest& request, uint64_t id) {
  const Json json = {
      {"jsonrpc", "2.0"}, {"id", id}, {"method", request.method}, {"params", request.params}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Answers of a batch may come in any order: each finds its place by its id.
Result<std::vector<RpcReply>> parse_replies(std::string_view body, uint64_t first_id,
                                            size_t count) {
  auto parsed = parse_bounded(body);
  if (!parsed) return not_json_rpc();
  Json answers = *std::move(parsed);
  if (answers.is_object()) answers = Json::array({std::move(answers)});
  if (!answers.is_array()) return not_json_rpc();
  std::vector<std::optional<RpcReply>> found(count);
  for (Json& answer : answers) {
    if (!answer.is_object()) return not_json_rpc();
    auto reply = reply_of(answer);
    if (!reply) return not_json_rpc();
    const auto id = id_of(answer);
    // An error about the whole batch carries no id of ours.
    if (!id) {
      if (!std::holds_alternative<RpcRefusal>(*reply)) return not_json_rpc();
      found.assign(count, reply);
      break;
    }
    const uint64_t place = *id - first_id;
    if (place >= count || found[place]) return not_json_rpc();
    found[place] = std::move(reply);
  }
  std::vector<RpcReply> replies;
  for (auto& reply : found) {
    if (!reply) return not_json_rpc();
    replies.push_back(*std::move(reply));
  }
  return replies;
}

std::optional<std::string> subscription_name(const Json& json) {
  if (json.is_number_unsigned()) return std::to_string(json.get<uint64_t>());
  const auto* text = json.get_ptr<const Json::string_t*>();
  if (text == nullptr || text->empty() || text->size() > kNameMax) return std::nullopt;
  return *text;
}

std::optional<RpcMessage> parse_message(std::string_view text) {
  auto parsed = parse_bounded(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  Json& json = *parsed;
  if (const auto params = json.find("params"); json.contains("method") && params != json.end()) {
    if (!params->is_object()) return std::nullopt;
    const auto name = params->find("subscription");
    const auto result = params->find("result");
    if (name == params->end() || result == params->end()) return std::nullopt;
    auto subscription = subscription_name(*name);
    if (!subscription) return std::nullopt;
    return RpcNotification{*std::move(subscription), std::move(*result)};
  }
  auto reply = reply_of(json);
  if (!reply) return std::nullopt;
  if (const auto id = id_of(json)) return RpcAnswer{*id, *std::move(reply)};
  if (auto* refusal = std::get_if<RpcRefusal>(&*reply)) return RpcComplaint{std::move(*refusal)};
  return std::nullopt;
}

}  // namespace chain::substrate
