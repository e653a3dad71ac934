#include "chain/substrate/failover.h"

#include <algorithm>

#include "chain/substrate/jitter.h"
#include "chain/substrate/similar.h"
#include "common/check.h"
#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::Hash;

bool is_lost(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout ||
         error.code == Code::kExhausted;
}

}  // namespace

Failover::Failover(std::vector<std::string> urls, std::optional<Hash> genesis, common::Clock& clock,
                   const RpcOptions& options, Connect connect)
    : options_(options), clock_(clock), connect_(std::move(connect)), genesis_(genesis) {
  CHECK(!urls.empty());
  for (std::string& url : urls) endpoints_.push_back({std::move(url)});
}

Result<std::vector<RpcReply>> Failover::exchange(std::span<const RpcRequest> requests) {
  uint64_t generation = 0;
  Error error{};
  {
    TRY(const Shared shared, connected());
    generation = generation_;
    auto replies = current_->exchange(requests);
    if (replies || !is_lost(replies.error())) return replies;
    error = replies.error();
  }
  lost(generation, error);
  return error;
}

bool Failover::subscribes() const {
  const Shared shared(mutex_);
  if (current_) return current_->subscribes();
  return endpoints_[place_].url.starts_with("ws");
}

Result<Subscribed> Failover::subscribe(const RpcRequest& request, std::string_view end) {
  Standing made{request, std::string(end)};
  Error error{};
  {
    TRY(const Shared shared, connected());
    made.generation = generation_;
    auto subscribed = current_->subscribe(request, end);
    if (subscribed && std::holds_alternative<RpcRefusal>(*subscribed)) return subscribed;
    if (subscribed) made.inner = std::get<SubscriptionId>(*subscribed);
    if (!subscribed) error = subscribed.error();
  }
  if (made.inner == 0) {
    if (is_lost(error)) lost(made.generation, error);
    return error;
  }
  const std::scoped_lock lock(subscriptions_mutex_);
  subscriptions_[next_subscription_] = std::move(made);
  return Subscribed(next_subscription_++);
}

Result<Failover::Standing> Failover::standing(SubscriptionId subscription) {
  const std::scoped_lock lock(subscriptions_mutex_);
  const auto found = subscriptions_.find(subscription);
  if (found == subscriptions_.end()) {
    return Error{Code::kRefused, "there is no such subscription"};
  }
  return found->second;
}

Result<Json> Failover::next(SubscriptionId subscription, common::milliseconds patience) {
  TRY(Standing it, standing(subscription));
  Error error{};
  {
    TRY(const Shared shared, connected());
    if (it.generation != generation_) {
      TRY_VOID(stand_again(subscription, it));
    }
    auto notification = current_->next(it.inner, patience);
    // Nothing new is no trouble of the connection, and too much is none of the node's others.
    if (notification || notification.error().code != Code::kUnavailable) return notification;
    error = notification.error();
  }
  lost(it.generation, error);
  return error;
}

// On the connection of now.
Result<void> Failover::stand_again(SubscriptionId subscription, Standing& it) {
  TRY(const Subscribed subscribed, current_->subscribe(it.request, it.end));
  if (const auto* refusal = std::get_if<RpcRefusal>(&subscribed)) {
    return Error{Code::kRefused, it.request.method + ": " + refusal->text()};
  }
  it.inner = std::get<SubscriptionId>(subscribed);
  it.generation = generation_;
  const std::scoped_lock lock(subscriptions_mutex_);
  if (const auto found = subscriptions_.find(subscription); found != subscriptions_.end()) {
    found->second = it;
  }
  return {};
}

void Failover::unsubscribe(SubscriptionId subscription) {
  const auto it = standing(subscription);
  if (!it) return;
  {
    const std::scoped_lock lock(subscriptions_mutex_);
    subscriptions_.erase(subscription);
  }
  const Shared shared(mutex_);
  if (current_ && it->generation == generation_) current_->unsubscribe(it->inner);
}

Result<Hash> Failover::genesis() {
  TRY(const Shared shared, connected());
  return *genesis_;
}

std::string Failover::url() const {
  const Shared shared(mutex_);
  return endpoints_[place_].url;
}

Result<Failover::Shared> Failover::connected() {
  for (;;) {
    Shared shared(mutex_);
    if (current_) return shared;
    shared.unlock();
    TRY_VOID(reconnect());
  }
}

// Each node in turn, from the one after the last that failed; one that has just failed rests first.
Result<void> Failover::reconnect() {
  const std::unique_lock lock(mutex_);
  if (current_) return {};  // Somebody was faster.
  const auto rested = [&](const Endpoint& it) { return it.retry_at <= clock_.now(); };
  if (std::none_of(endpoints_.begin(), endpoints_.end(), rested)) {
    const auto soonest =
        std::min_element(endpoints_.begin(), endpoints_.end(),
                         [](const auto& a, const auto& b) { return a.retry_at < b.retry_at; });
    if (!clock_.sleep(soonest->retry_at - clock_.now())) {
      return Error{Code::kCancelled, "told to stop while connecting to the chain"};
    }
  }
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    const size_t place = (place_ + i) % endpoints_.size();
    if (!rested(endpoints_[place])) continue;
    auto tried = try_endpoint(place);
    if (tried) return {};
    if (tried.error().code == Code::kInvalidArgument) return tried;
    note_failure(endpoints_[place], tried.error());
  }
  if (endpoints_.size() == 1) return *endpoints_[0].error;
  const bool all_others = std::all_of(endpoints_.begin(), endpoints_.end(), [](const auto& it) {
    return it.error && it.error->code == Code::kConflict;
  });
  std::string tried;
  for (const Endpoint& it : endpoints_) {
    if (it.error) add_listed(tried, "; ", it.error->message);
  }
  return Error{all_others ? Code::kConflict : Code::kUnavailable, "no node is of use: " + tried};
}

Result<void> Failover::try_endpoint(size_t place) {
  Endpoint& endpoint = endpoints_[place];
  TRY(auto transport, connect_(endpoint.url, options_));
  auto checked = check_chain(*transport);
  if (!checked) {
    const bool named = checked.error().message.find(endpoint.url) != std::string::npos;
    return named ? checked.error() : common::within(endpoint.url, checked.error());
  }
  if (generation_ > 0) common::log_info("chain: connected to {}", endpoint.url);
  current_ = std::move(transport);
  place_ = place;
  ++generation_;
  endpoint.backoff = common::milliseconds(0);
  endpoint.error.reset();
  return {};
}

// A node of another chain would show another subnet, and take nothing that is signed for ours.
Result<void> Failover::check_chain(Transport& transport) {
  const RpcRequest request{"chain_getBlockHash", Json::array({0})};
  TRY(const std::vector<RpcReply> replies, transport.exchange({&request, 1}));
  const auto* json = std::get_if<Json>(&replies.front());
  const auto* text = json == nullptr ? nullptr : json->get_ptr<const Json::string_t*>();
  const auto hash = text == nullptr ? std::nullopt : Hash::from_hex(*text);
  if (!hash) return Error{Code::kUnavailable, "it does not say which chain it is of"};
  if (genesis_ && *hash != *genesis_) {
    return Error{Code::kConflict, "it is of another chain: its genesis is 0x" + hash->hex() +
                                      ", not 0x" + genesis_->hex() +
                                      "; check the address, and the network's name"};
  }
  genesis_ = *hash;
  return {};
}

void Failover::note_failure(Endpoint& endpoint, Error error) {
  // Whoever connects for the first time is told by the error itself.
  const bool is_news = !endpoint.error || endpoint.error->message != error.message;
  if (generation_ > 0 && is_news) common::log_warning("chain: {}", error.message);
  endpoint.backoff = std::clamp(2 * endpoint.backoff, options_.backoff, options_.backoff_max);
  const uint64_t seed = ++failures_ ^ static_cast<uint64_t>(clock_.now().unix_ms);
  endpoint.retry_at = clock_.now() + jittered(endpoint.backoff, seed);
  endpoint.error = std::move(error);
}

void Failover::lost(uint64_t generation, const Error& error) {
  const std::unique_lock lock(mutex_);
  if (generation != generation_ || !current_) return;  // Known already.
  current_.reset();
  note_failure(endpoints_[place_], error);
  place_ = (place_ + 1) % endpoints_.size();
}

}  // namespace chain::substrate
