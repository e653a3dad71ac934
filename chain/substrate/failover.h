// Several nodes of one chain, used as one: the connection is to one of them at a time, is made anew
// when it is lost, and moves on to the next node when that one does not answer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>

#include "chain/substrate/transport.h"
#include "common/clock.h"
#include "common/hash.h"

namespace chain::substrate {

class Failover final : public Transport {
 public:
  using Connect =
      std::function<Result<std::unique_ptr<Transport>>(const std::string& url, const RpcOptions&)>;

  // Nothing is connected yet. `genesis`: the chain that every node must be of; without it, the
  // first node that answers says which. `clock` outlives it.  Pre: `urls` is not empty.
  Failover(std::vector<std::string> urls, std::optional<common::Hash> genesis, common::Clock& clock,
           const RpcOptions& options, Connect connect = open_transport);

  // Of the node in use. What failed here is not asked again: the next call finds the next node, and
  // RpcClient repeats what may be repeated. kConflict if all nodes that answer are of another
  // chain.
  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) override;

  bool subscribes() const override;
  // A subscription survives its connection: `next` subscribes again, wherever the connection then
  // is; what happened in between is missed, and its first notification says where things stand.
  Result<Subscribed> subscribe(const RpcRequest& request, std::string_view end) override;
  Result<Json> next(SubscriptionId subscription, common::milliseconds patience) override;
  void unsubscribe(SubscriptionId subscription) override;

  // The chain's name for itself: the hash of its first block. kUnavailable if nobody answers.
  Result<common::Hash> genesis();
  // Of the node in use, or that was last; for messages.
  std::string url() const;

 private:
  struct Endpoint {
    std::string url;
    common::Instant retry_at{};  // Not before this, and
    common::milliseconds backoff{0};
    std::optional<common::Error> error = {};  //   why.
  };
  struct Standing {  // A subscription, wherever it stands now.
    RpcRequest request;
    std::string end;
    uint64_t generation = 0;
    SubscriptionId inner = 0;
  };
  using Shared = std::shared_lock<std::shared_mutex>;

  // A lock under which `current_` is connected.
  Result<Shared> connected();
  Result<void> reconnect();
  Result<void> try_endpoint(size_t place);
  Result<void> check_chain(Transport& transport);
  void note_failure(Endpoint& endpoint, common::Error error);
  // The connection of `generation` is of no use any more.
  void lost(uint64_t generation, const common::Error& error);
  Result<Standing> standing(SubscriptionId subscription);
  Result<void> stand_again(SubscriptionId subscription, Standing& it);

  const RpcOptions options_;
  common::Clock& clock_;
  const Connect connect_;

  mutable std::shared_mutex mutex_;  // Shared while `current_` is used.
  std::vector<Endpoint> endpoints_;
  std::optional<common::Hash> genesis_;
  size_t place_ = 0;  // Of `current_`, in `endpoints_`.
  std::unique_ptr<Transport> current_;
  uint64_t generation_ = 0;  // Counts connections.
  uint64_t failures_ = 0;

  std::mutex subscriptions_mutex_;
  std::map<SubscriptionId, Standing> subscriptions_;
  SubscriptionId next_subscription_ = 1;
};

}  // namespace chain::substrate
