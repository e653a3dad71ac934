// A node's blocks and storage, typed: what every read and write of the client is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chain/ledger.h"
#include "chain/substrate/happening.h"
#include "chain/substrate/runtime.h"
#include "chain/substrate/stored.h"

namespace chain::substrate {

struct Header {
  Hash hash;
  Hash parent;
  BlockNumber number;
};

// A block, and the rules its state is laid out by.
struct View {
  Block block;
  const Runtime* runtime = nullptr;
  const Metadata& metadata() const { return runtime->metadata; }
};

// For several threads at once. `rpc` outlives it. Errors are RpcClient's; kCorrupt for a result of
// the wrong shape, or one that another answer contradicts (a header that does not hash to its
// name).
class ChainReader {
 public:
  explicit ChainReader(RpcClient& rpc) : rpc_(rpc), runtimes_(rpc) {}

  // The best block, with its time and runtime. Two round trips; a new runtime is read in two more.
  Result<View> head();
  // kNotFound for a number beyond the head, or one whose state is gone.
  Result<View> block(BlockNumber number);
  Result<Hash> block_hash(BlockNumber number);
  // Of block 0; asked once.
  Result<Hash> genesis();
  Result<Header> header(const Hash& block);
  // The extrinsics of a block, as bytes.
  Result<std::vector<Bytes>> extrinsics(const Hash& block);
  Result<std::vector<Happening>> happenings(const View& at);
  // The view of a block whose header is known.
  Result<View> view(const Header& header);

  // What several questions that go together say, in one round trip: the best header, the finalized
  // head, and the runtime's version at the best.
  struct Heads {
    Header best;
    Hash finalized;
    RuntimeVersion version;
  };
  Result<Heads> heads();
  Result<uint32_t> next_nonce(const AccountId& account);

  // The values of `keys` after `block`, in their order; nothing for what is not there. One round
  // trip.
  Result<std::vector<std::optional<Bytes>>> values(std::span<const Bytes> keys, const Hash& block);
  Result<std::optional<Bytes>> value(const Bytes& key, const Hash& block);
  // All keys that start with `prefix`, ascending; kExhausted for more than `count_max`.
  Result<std::vector<Bytes>> keys(const Bytes& prefix, const Hash& block, size_t count_max);
  // A runtime's function ("SubnetInfoRuntimeApi_get_metagraph"), its arguments in SCALE.
  Result<Bytes> call(std::string_view function, ByteView arguments, const Hash& block);

  RpcClient& rpc() { return rpc_; }
  Runtimes& runtimes() { return runtimes_; }

 private:
  RpcClient& rpc_;
  Runtimes runtimes_;
  std::mutex mutex_;
  std::optional<Hash> genesis_;
};

// "0x0a1b", as JSON-RPC carries bytes.
std::string hex0x(ByteView bytes);
// What JSON-RPC calls a header; kCorrupt for another shape. The hash is computed from the rest.
Result<Header> parse_header(const Json& json);

}  // namespace chain::substrate
