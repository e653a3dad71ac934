// How questions get to a node and answers back: JSON-RPC 2.0 over HTTP, over a WebSocket, or within
// the process.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/result.h"

namespace chain::substrate {

using common::Result;
using Json = nlohmann::json;

struct RpcRequest {
  std::string method;
  Json params = Json::array();
};

// What the server said instead of a result.
struct RpcRefusal {
  int64_t code = 0;
  std::string message;
  Json data;  // null if there is none
  // "1010 Invalid Transaction (Custom error: 1)", cut to a length that fits a log.
  std::string text() const;
};
using RpcReply = std::variant<Json, RpcRefusal>;

struct RpcOptions {
  common::milliseconds connect_timeout{5'000};
  common::milliseconds timeout{15'000};     // For one whole exchange.
  size_t response_size_max = 64u << 20;     // Of one message.
  int attempts = 4;                         // Of a read, when nobody answers.
  common::milliseconds backoff{100};        // Before the second attempt; doubles, with jitter,
  common::milliseconds backoff_max{5'000};  //   up to this.
  size_t notifications_max = 1'024;         // That may wait in one subscription.
  size_t strays_max = 256;                  // Messages nobody waits for, before the node is left.
};

using SubscriptionId = uint64_t;  // Ours, not the node's.
using Subscribed = std::variant<SubscriptionId, RpcRefusal>;

// For several threads at once. Errors: kUnavailable and kTimeout may pass, here or at another node;
// kExhausted for an answer over its bound; what a node says that is not JSON-RPC is kUnavailable.
class Transport {
 public:
  virtual ~Transport() = default;

  // All in one round trip; replies in the order of the requests.
  virtual Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) = 0;

  // The error kRefused over a transport that brings only what was asked for (HTTP).
  // `end` is the method that ends it ("chain_unsubscribeNewHeads").
  virtual Result<Subscribed> subscribe(const RpcRequest& request, std::string_view end);
  // The next notification's `result`. kTimeout: none within `patience`; kUnavailable: the
  // connection is gone, and what came meanwhile was missed; kExhausted: more came than were taken.
  // After kExhausted, or a subscription that is not known, there is none any more.
  virtual Result<Json> next(SubscriptionId subscription, common::milliseconds patience);
  virtual void unsubscribe(SubscriptionId subscription);
  virtual bool subscribes() const { return false; }
};

// One body there, one body back: a single request as an object, several as a batch.
class BodyTransport : public Transport {
 public:
  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) final;
  // One at a time.
  virtual Result<std::string> post(const std::string& body) = 0;

 private:
  std::mutex mutex_;
  uint64_t next_id_ = 1;
};

// Over libcurl, keeping its connection. kInvalidArgument unless `url` is http:// or https://.
Result<std::unique_ptr<BodyTransport>> http_transport(std::string_view url,
                                                      const RpcOptions& options);
// One WebSocket connection, made now: ws://host:port/path, or wss:// over TLS, whose certificate
// must be the host's and signed by an authority of this system (or of $SSL_CERT_FILE). It has one
// thread of its own. Once it has failed it stays failed. kInvalidArgument for another URL.
Result<std::unique_ptr<Transport>> ws_transport(std::string_view url, const RpcOptions& options);
// Whichever the URL asks for.
Result<std::unique_ptr<Transport>> open_transport(std::string_view url, const RpcOptions& options);

}  // namespace chain::substrate
