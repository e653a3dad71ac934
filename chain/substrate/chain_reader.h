// A node's blocks and storage, typed: what every read and write of the client is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chain/ledger.h"
#include "chain/substrate/rpc_client.h"
#include "chain/substrate/scale.h"

namespace chain::substrate {

struct RuntimeVersion {
  std::string spec_name;
  uint32_t spec_version = 0;
  uint32_t transaction_version = 0;
};

// `rpc` outlives it. Errors are RpcClient's; kCorrupt for a result of the wrong shape.
class ChainReader {
 public:
  explicit ChainReader(RpcClient& rpc) : rpc_(rpc) {}

  Result<Hash> head_hash();
  // The last block that no fork will replace.
  Result<Hash> finalized_head();
  // The best block, with its time. Two round trips.
  Result<Block> head();
  // kNotFound for a number beyond the head, or one whose state is gone.
  Result<Block> block(BlockNumber number);
  Result<Hash> block_hash(BlockNumber number);
  Result<BlockNumber> number_of(const Hash& block);
  Result<RuntimeVersion> runtime_version();
  Result<uint32_t> next_nonce(const AccountId& account);
  // The extrinsics of a block, as bytes.
  Result<std::vector<Bytes>> extrinsics(const Hash& block);

  // The values of `keys` after `block`, in their order; nothing for what is not there. One round
  // trip.
  Result<std::vector<std::optional<Bytes>>> values(std::span<const Bytes> keys, const Hash& block);
  Result<std::optional<Bytes>> value(const Bytes& key, const Hash& block);
  // All keys that start with `prefix`, ascending; kExhausted for more than `count_max`.
  Result<std::vector<Bytes>> keys(const Bytes& prefix, const Hash& block, size_t count_max);

  RpcClient& rpc() { return rpc_; }

 private:
  RpcClient& rpc_;
};

// "0x0a1b", as JSON-RPC carries bytes.
std::string hex0x(ByteView bytes);

}  // namespace chain::substrate
