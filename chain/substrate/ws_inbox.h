// Who waits for what on one WebSocket: requests by their numbers, subscriptions by their names.
//
// The connection's thread delivers texts; any number of threads wait. No network here, so that
// every lie of a node can be told to it by hand.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "chain/substrate/transport.h"

namespace chain::substrate {

class WsInbox {
 public:
  explicit WsInbox(const RpcOptions& options) : options_(options) {}

  // Numbers for `count` requests, waited for from now on.
  uint64_t expect(size_t count, bool subscription);
  // Until all are answered. After it nobody waits for them. kTimeout if they are not in time.
  Result<std::vector<RpcReply>> collect(uint64_t first_id, size_t count);
  // The one answer of a request that was expected as a subscription; ours.
  Result<Subscribed> collect_subscription(uint64_t id);
  Result<Json> next(SubscriptionId subscription, common::milliseconds patience);
  // The node's name of it, for telling the node; nothing if there is none. What still comes of it
  // is no stray.
  std::optional<std::string> forget(SubscriptionId subscription);
  // A number for a request whose answer nobody needs.
  uint64_t disregard();

  // One message came. An error ends the connection: it is no JSON-RPC, or one stray too many.
  Result<void> deliver(std::string_view text);
  // The connection is gone: everybody who waits is told why. The first reason stands.
  void fail(common::Error error);
  std::optional<common::Error> failure() const;

 private:
  struct Waiting {
    bool subscription = false;
    std::optional<RpcReply> reply = {};
    SubscriptionId made = 0;
  };
  struct Queue {
    std::string name;
    std::deque<Json> notifications = {};
    bool overflowed = false;
  };

  Result<void> deliver_answer(uint64_t id, RpcReply reply);
  Result<void> deliver_notification(const std::string& name, Json result);
  Result<void> stray(std::string_view what);

  const RpcOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<common::Error> failure_;
  std::map<uint64_t, Waiting> waiting_;
  std::set<uint64_t> disregarded_;  // Asked, and waited for no more.
  std::map<SubscriptionId, Queue> queues_;
  std::deque<std::string> ended_;  // The last subscriptions that were.
  uint64_t next_id_ = 1;
  SubscriptionId next_subscription_ = 1;
  size_t strays_ = 0;
};

}  // namespace chain::substrate
