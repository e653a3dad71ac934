// JSON-RPC 2.0 messages as bytes: ours, and what strangers answer.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "chain/substrate/transport.h"

namespace chain::substrate {

// A node nests a dozen levels; what nests deeper than this is no answer. (Copies and destructors
// of JSON recurse.)
inline constexpr size_t kJsonDepthMax = 96;

// Nothing for what is not JSON, or nests deeper than kJsonDepthMax.
std::optional<Json> parse_bounded(std::string_view text);

// One request, as text. Bytes that are not UTF-8 are replaced.
std::string request_text(const RpcRequest& request, uint64_t id);

// The answers to requests `first_id`, `first_id + 1`, ..., in their order, out of the body that
// answers them. An error about all of them (without an id) becomes each one's. kUnavailable for
// anything else: an id that was not asked for, one twice, one that is missing.
Result<std::vector<RpcReply>> parse_replies(std::string_view body, uint64_t first_id, size_t count);

// One message of a WebSocket.
struct RpcAnswer {
  uint64_t id = 0;
  RpcReply reply;
};
struct RpcNotification {
  std::string subscription;  // The node's name for it.
  Json result;
};
struct RpcComplaint {  // An error without an id: about what was not understood at all.
  RpcRefusal refusal;
};
using RpcMessage = std::variant<RpcAnswer, RpcNotification, RpcComplaint>;
// Nothing for what is none of these.
std::optional<RpcMessage> parse_message(std::string_view text);

// How nodes name subscriptions: text, or a number. Nothing for what is neither.
std::optional<std::string> subscription_name(const Json& json);

}  // namespace chain::substrate
