// Goal: no text of a node crashes those who read its answers. Method: the input as a body, as a
// message of a WebSocket with something waited for, and its result as everything a result can be.
#include <cstddef>
#include <cstdint>

#include "chain/substrate/advice.h"
#include "chain/substrate/chain_reader.h"
#include "chain/substrate/rpc_message.h"
#include "chain/substrate/ws_inbox.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace chain::substrate;  // NOLINT: the room that is tried.

void use(const RpcReply& reply) {
  if (const auto* refusal = std::get_if<RpcRefusal>(&reply)) {
    (void)read_pool_refusal(*refusal, "call");
    return;
  }
  const Json& json = std::get<Json>(reply);
  (void)parse_header(json);
  (void)parse_runtime_version(json);
  (void)subscription_name(json);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const size_t count : {size_t{1}, size_t{2}}) {
    const auto replies = parse_replies(text, 1, count);
    if (!replies) continue;
    CHECK(replies->size() == count);
    for (const RpcReply& reply : *replies) use(reply);
  }
  RpcOptions options;
  options.timeout = common::milliseconds(0);
  options.notifications_max = 2;
  WsInbox inbox(options);
  const uint64_t first = inbox.expect(1, true);
  const uint64_t second = inbox.expect(1, false);
  const bool taken = inbox.deliver(text).has_value();
  CHECK(taken == parse_message(text).has_value());
  const auto made = inbox.collect_subscription(first);
  if (made && std::holds_alternative<SubscriptionId>(*made)) {
    (void)inbox.deliver(text);
    (void)inbox.next(std::get<SubscriptionId>(*made), common::milliseconds(0));
  }
  (void)inbox.collect(second, 1);
  return 0;
}
