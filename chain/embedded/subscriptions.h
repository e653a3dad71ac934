// What one connection wants to hear of: new heads, storage as it changes, what becomes of an
// extrinsic.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chain/embedded/rpc.h"
#include "chain/embedded/rpc_request.h"

namespace chain::embedded {

// A kind of subscription: the methods that begin and end it, and the name of its notifications.
struct Feed {
  enum Kind { kHeads, kRuntimeVersion, kStorage, kExtrinsic };
  Kind kind = kHeads;
  std::string_view notification;
};
// Null if the method begins, or ends, nothing.
const Feed* feed_begun_by(std::string_view method);
bool ends_feed(std::string_view method);
std::vector<std::string_view> feed_methods();

// One process makes every block, so that every head is final, and extrinsics are in a block and
// finalized at once.
class Subscriptions {
 public:
  explicit Subscriptions(uint32_t head) : told_(head) {}

  bool full() const { return all_.size() >= kSubscriptionsMax; }
  // The subscription's first notification stands in the next `take`, behind the reply.
  void begin(std::string id, const Feed& feed, const State& state);
  void watch_storage(std::string id, const Feed& feed, std::vector<Bytes> keys, const State& state);
  void watch_extrinsic(std::string id, const Feed& feed, const Hash& hash);
  bool end(const std::string& id) { return all_.erase(id) > 0; }

  // Notes what the blocks since the last call mean for each.
  void look(const State& state, const Pool& pool);
  // An extrinsic is finalized in the look after the one that saw it in a block: some clients miss
  // the first of two words that come at once.
  bool has_more() const { return !finalizing_.empty(); }
  // The notifications so far.
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  struct One {
    Feed feed;
    std::set<Bytes, KeyOrder> keys;
    std::optional<Hash> extrinsic;
  };
  void note(const std::string& id, const One& one, const std::string& result);
  void look_at_block(const SealedBlock& block);
  bool look_for_extrinsic(const std::string& id, const One& one, const SealedBlock& block);

  std::map<std::string, One> all_;
  std::vector<std::string> texts_;
  std::vector<std::pair<std::string, std::string>> finalizing_;  // Subscription and block.
  uint64_t told_;  // The last block that was looked at.
};

}  // namespace chain::embedded
