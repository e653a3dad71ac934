// JSON-RPC 2.0 over HTTP POST, the client's side.
#pragma once

#include <cstdint>
#include <memory>
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
  common::milliseconds connect_timeout{3'000};
  common::milliseconds timeout{15'000};  // For one whole exchange.
  size_t response_size_max = 64u << 20;
  int attempts = 4;                   // Of a read, when nobody answers.
  common::milliseconds backoff{100};  // Before the second attempt; doubles.
};

// Carries one body there and one back.
class Transport {
 public:
  virtual ~Transport() = default;
  // kUnavailable and kTimeout may be tried again.
  virtual Result<std::string> post(const std::string& body) = 0;
};
// Over libcurl, keeping its connection. kInvalidArgument unless `url` is http:// or https://.
Result<std::unique_ptr<Transport>> http_transport(std::string_view url, const RpcOptions& options);

// Not for two threads at once. `clock` outlives it.
class RpcClient {
 public:
  RpcClient(std::unique_ptr<Transport> transport, common::Clock& clock, RpcOptions options = {})
      : transport_(std::move(transport)), clock_(clock), options_(options) {}

  // Reads are repeated with growing pauses while the code is kUnavailable or kTimeout. A refusal is
  // kRefused with its text; an answer that is not JSON-RPC is kUnavailable (a proxy that is not the
  // node).
  Result<Json> read(std::string_view method, Json params = Json::array());
  // All in one round trip; results in the order of the requests. The first refusal is the error.
  Result<std::vector<Json>> read_all(std::span<const RpcRequest> requests);
  // Once only: for what must not happen twice.
  Result<RpcReply> ask(std::string_view method, Json params);

 private:
  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests);
  Result<std::vector<RpcReply>> exchange_patiently(std::span<const RpcRequest> requests);

  std::unique_ptr<Transport> transport_;
  common::Clock& clock_;
  RpcOptions options_;
  uint64_t next_id_ = 1;
};

}  // namespace chain::substrate
