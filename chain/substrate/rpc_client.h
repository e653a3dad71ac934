// Questions to a node: reads that are repeated, and what must be asked only once.
#pragma once

#include <atomic>

#include "chain/substrate/transport.h"

namespace chain::substrate {

// For several threads at once. `clock` outlives it.
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
  // The same, refusals and all.
  Result<std::vector<RpcReply>> ask_all(std::span<const RpcRequest> requests);
  // Once only: for what must not happen twice.
  Result<RpcReply> ask(std::string_view method, Json params);

  Transport& transport() { return *transport_; }

 private:
  std::unique_ptr<Transport> transport_;
  common::Clock& clock_;
  RpcOptions options_;
  std::atomic<uint64_t> jitter_{0};
};

}  // namespace chain::substrate
