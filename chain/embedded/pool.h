// Extrinsics that wait for a block. Kept in memory only: whoever sent one waits for its inclusion.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "chain/embedded/state.h"

namespace chain::embedded {

inline constexpr size_t kPoolCountMax = 8192;
inline constexpr size_t kPoolBytesMax = 16u << 20;
inline constexpr uint32_t kPoolAheadMax = 64;  // Of one account, beyond its next nonce.

// Why it was not taken in, as JSON-RPC says it.
struct PoolRefusal {
  int code =
      0;  // 1001 bad format, 1010 invalid, 1013 already there, 1014 priority too low, 1016 full
  std::string message;
  std::string data;
  Refusal refusal;  // For code 1010.
};

class Pool {
 public:
  // The extrinsic's hash, once it waits. One with the sender's and nonce of another that waits
  // takes its place only with a higher tip.
  tl::expected<Hash, PoolRefusal> submit(const State& state, const Bytes& extrinsic);

  // In the order to be put into the next block: as they came, but nonces of an account in sequence.
  std::vector<Bytes> ready(const State& state) const;
  // After `advance` was given `offered`: forgets what is in the block or can never be in one.
  void settle(const State& state, const std::vector<Bytes>& offered,
              const std::vector<std::optional<Refusal>>& refused);

  // The nonce after all that wait without a gap.
  uint32_t next_nonce(const State& state, const AccountId& account) const;
  std::vector<Bytes> pending() const;
  bool contains(const Hash& hash) const { return by_hash_.contains(hash); }
  // How many were dropped, ever.
  uint64_t drops() const { return drops_; }
  // Why a lately forgotten one was dropped; nothing for one that is not among the last thousand.
  std::optional<Refusal> dropped(const Hash& hash) const;

 private:
  struct Entry {
    Bytes bytes;
    Hash hash;
    Admission admission;
  };
  using Entries = std::list<Entry>;  // As they came.

  std::optional<Entries::iterator> find(const AccountId& account, uint32_t nonce) const;
  void forget(Entries::iterator entry);
  void drop(Entries::iterator entry, const Refusal& why);

  Entries entries_;
  std::unordered_map<Hash, Entries::iterator> by_hash_;
  std::map<AccountId, std::map<uint32_t, Entries::iterator>> by_account_;
  std::deque<std::pair<Hash, Refusal>> dropped_;
  size_t size_bytes_ = 0;
  uint64_t drops_ = 0;
};

}  // namespace chain::embedded
