// One JSON-RPC request to the ledger, while it is answered: its parameters, read within bounds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "chain/embedded/pool.h"
#include "chain/embedded/rpc.h"
#include "chain/embedded/state.h"

namespace chain::embedded {

using Json = nlohmann::json;

struct RpcError {
  int code = 0;
  std::string message;
  Json data;  // null: none
};

inline constexpr int kParseError = -32'700;
inline constexpr int kInvalidRequest = -32'600;
inline constexpr int kMethodNotFound = -32'601;
inline constexpr int kInvalidParams = -32'602;
inline constexpr int kServerError = -32'000;

std::string hex0x(ByteView bytes);

// Reads fail once and stay failed, and yield zeros: a handler reads all and asks `failed()` once.
class RpcRequest {
 public:
  RpcRequest(const State& state, const Pool& pool, const Archive* archive, const Json& params)
      : state_(state), pool_(pool), archive_(archive), params_(params) {}

  const State& state() const { return state_; }
  const Pool& pool() const { return pool_; }

  // Parameter `index`; null if there are fewer.
  const Json& at(size_t index) const;
  Bytes bytes(size_t index);
  std::optional<Bytes> optional_bytes(size_t index);
  uint64_t number(size_t index, uint64_t most);
  // The block whose hash it is, or the head; fails for one whose state is not at hand.
  uint64_t block_with_state(size_t index);
  // The block whose hash it is, or the head; nothing for an unknown one.
  std::optional<SealedBlock> block(size_t index);
  std::optional<Hash> hash_of(uint64_t number) const;

  void fail(int code, std::string message, Json data = nullptr);
  bool failed() const { return error_.has_value(); }
  const RpcError& error() const { return *error_; }

 private:
  std::optional<Hash> hash(size_t index);

  const State& state_;
  const Pool& pool_;
  const Archive* archive_;
  const Json& params_;
  std::optional<RpcError> error_;
};

Json header_json(const Header& header);
Json runtime_version_json();

// A number written 12 or "0xc"; nothing for anything else.
std::optional<uint64_t> number_of_json(const Json& json);

// Answers a method that only looks; null if there is no such method.
using RpcHandler = Json (*)(RpcRequest&);
RpcHandler find_handler(std::string_view method);
// All names, those that are handled elsewhere included.
Json method_names();

}  // namespace chain::embedded
