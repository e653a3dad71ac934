// The ledger as a pure state machine: genesis and what was sent to it determine every bit of it.
//
// Time and chance are arguments of `advance`. The ledger process keeps one behind RocksDB and
// JSON-RPC, the simulator keeps one in memory; neither changes what it does.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "chain/embedded/block.h"
#include "chain/embedded/genesis.h"
#include "chain/embedded/runtime.h"
#include "chain/embedded/storage.h"
#include "chain/embedded/validity.h"

namespace chain::embedded {

// For so many blocks, the head's included, state can be read as it was, and bodies are at hand.
inline constexpr size_t kHistoryBlocks = 512;
// Of a block; what does not fit waits for the next.
inline constexpr size_t kBlockExtrinsicsMax = 4096;
inline constexpr size_t kBlockBytesMax = 5u << 20;

inline constexpr uint32_t kBlockHashCount = 2'400;  // So old may an era's birth be.

// Our own numbers: the ledger is not a Bittensor runtime, though it understands the same calls.
inline constexpr char kSpecName[] = "muster-ledger";
inline constexpr uint32_t kSpecVersion = 2;
inline constexpr uint32_t kTransactionVersion = 1;

class State {
 public:
  // Pre: check_genesis(genesis) holds.
  static State from_genesis(const Genesis& genesis);
  // Goes on where another State stopped: its storage and its last blocks, ascending. kCorrupt if
  // they do not fit each other.
  static Result<State> resume(Storage storage, std::deque<SealedBlock> recent);

  // Whether the next block may hold it (after those `ahead` of it, if there are any).
  Validity validate(ByteView extrinsic) const;

  struct Made {
    const SealedBlock& block;                     // Valid until the next call.
    std::vector<std::optional<Refusal>> refused;  // For each extrinsic: why it is not in the block.
  };
  // Makes the next block at `time`, with those of `extrinsics` that are valid when their turn
  // comes. `entropy` (32 unpredictable bytes) goes into the header. A call that fails stands in the
  // block and leaves nothing but its fee, its nonce and an event. Pre: `time` is after the head's.
  Made advance(Instant time, const Hash& entropy, std::span<const Bytes> extrinsics);

  const SealedBlock& head() const { return recent_.back(); }
  const Hash& genesis_hash() const { return genesis_hash_; }
  // Name of the chain, from genesis.
  std::string chain() const;
  // Null for a block that is not among the last kHistoryBlocks.
  const SealedBlock* recent(uint64_t number) const;
  const SealedBlock* recent(const Hash& hash) const;
  uint64_t oldest_number() const { return recent_.front().header.number; }

  // The state after the head.
  const Storage& storage() const { return storage_; }
  // The whole state after block `number`; a copy, unless it is the head's.  Pre: recent(number).
  Storage storage_at(uint64_t number) const;
  // Writes to the state between two blocks, for development networks: nothing, and why, if the
  // ledger could not go on with it. The next block's changes include it.
  Result<void> set_storage(const std::vector<std::pair<Bytes, std::optional<Bytes>>>& entries);
  // The value after block `number`.  Pre: recent(number).
  std::optional<Bytes> value_at(const Bytes& key, uint64_t number) const;
  // Keys under `prefix` after block `number`, as keys_under.  Pre: recent(number).
  std::vector<Bytes> keys_at(ByteView prefix, const std::optional<Bytes>& start, size_t count_max,
                             uint64_t number) const;

 private:
  State() = default;
  void remember(SealedBlock block);
  std::optional<Hash> block_hash(uint64_t number) const;
  void begin_block(const Context& context) const;
  Validity validate_bare(ByteView bytes, const FoundCall& call) const;
  bool signature_holds(const substrate::Extrinsic& extrinsic, ByteView bytes,
                       const Hash& birth_hash) const;
  std::optional<Refusal> apply(Context& context, const Bytes& bytes);
  void apply_call(const Context& context, const substrate::Extrinsic& extrinsic,
                  const FoundCall& call, size_t size_bytes);

  Storage storage_;
  std::deque<SealedBlock> recent_;  // Never empty; ends with the head.
  std::unordered_map<Hash, uint32_t> numbers_;
  // Extrinsics whose signatures were found to hold: what the pool has seen, the block need not
  // check again.
  mutable std::unordered_set<Hash> verified_;
  Hash genesis_hash_;
};

}  // namespace chain::embedded
