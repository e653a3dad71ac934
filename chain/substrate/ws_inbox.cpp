#include "chain/substrate/ws_inbox.h"

#include <algorithm>

#include "chain/substrate/rpc_message.h"

namespace chain::substrate {

using common::Code;
using common::Error;

namespace {
constexpr size_t kEndedMax = 64;
}  // namespace

uint64_t WsInbox::expect(size_t count, bool subscription) {
  const std::scoped_lock lock(mutex_);
  const uint64_t first_id = next_id_;
  next_id_ += count;
  for (uint64_t id = first_id; id < next_id_; ++id) waiting_[id] = {subscription};
  return first_id;
}

Result<std::vector<RpcReply>> WsInbox::collect(uint64_t first_id, size_t count) {
  std::unique_lock lock(mutex_);
  const auto all_here = [&] {
    for (uint64_t id = first_id; id < first_id + count; ++id) {
      if (!waiting_.at(id).reply) return false;
    }
    return true;
  };
  const bool done =
      changed_.wait_for(lock, options_.timeout, [&] { return failure_ || all_here(); });
  std::vector<RpcReply> replies;
  const bool complete = all_here();
  for (uint64_t id = first_id; id < first_id + count; ++id) {
    if (complete) replies.push_back(*std::move(waiting_.at(id).reply));
    if (!waiting_.at(id).reply) disregarded_.insert(id);
    waiting_.erase(id);
  }
  if (complete) return replies;
  if (failure_) return *failure_;
  CHECK(!done);
  return Error{Code::kTimeout, "the node did not answer within " +
                                   std::to_string(options_.timeout.count()) + " ms"};
}

Result<Subscribed> WsInbox::collect_subscription(uint64_t id) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, options_.timeout,
                    [&] { return failure_ || waiting_.at(id).reply.has_value(); });
  const Waiting answer = std::move(waiting_.at(id));
  waiting_.erase(id);
  if (answer.made != 0) return Subscribed(answer.made);
  if (!answer.reply) {
    return failure_ ? *failure_ : Error{Code::kTimeout, "the node did not answer in time"};
  }
  if (const auto* refusal = std::get_if<RpcRefusal>(&*answer.reply)) return Subscribed(*refusal);
  return Error{Code::kUnavailable, "the node's name of a subscription is none"};
}

Result<Json> WsInbox::next(SubscriptionId subscription, common::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] {
    const auto found = queues_.find(subscription);
    return failure_ || found == queues_.end() || !found->second.notifications.empty() ||
           found->second.overflowed;
  };
  changed_.wait_for(lock, patience, ready);
  const auto found = queues_.find(subscription);
  if (found == queues_.end()) return Error{Code::kRefused, "there is no such subscription"};
  Queue& queue = found->second;
  if (queue.overflowed) {
    queues_.erase(found);
    return Error{Code::kExhausted, "the node sent more than " +
                                       std::to_string(options_.notifications_max) +
                                       " notifications at once"};
  }
  if (!queue.notifications.empty()) {
    Json out = std::move(queue.notifications.front());
    queue.notifications.pop_front();
    return out;
  }
  if (failure_) return *failure_;
  return Error{Code::kTimeout, "nothing came in time"};
}

std::optional<std::string> WsInbox::forget(SubscriptionId subscription) {
  const std::scoped_lock lock(mutex_);
  const auto found = queues_.find(subscription);
  if (found == queues_.end()) return std::nullopt;
  std::string name = std::move(found->second.name);
  queues_.erase(found);
  ended_.push_back(name);
  if (ended_.size() > kEndedMax) ended_.pop_front();
  return name;
}

uint64_t WsInbox::disregard() {
  const std::scoped_lock lock(mutex_);
  disregarded_.insert(next_id_);
  return next_id_++;
}

Result<void> WsInbox::deliver(std::string_view text) {
  auto message = parse_message(text);
  if (!message) {
    return Error{Code::kUnavailable, "the node sent what is not JSON-RPC: is this a node's port?"};
  }
  const std::scoped_lock lock(mutex_);
  if (auto* answer = std::get_if<RpcAnswer>(&*message)) {
    return deliver_answer(answer->id, std::move(answer->reply));
  }
  if (auto* notification = std::get_if<RpcNotification>(&*message)) {
    return deliver_notification(notification->subscription, std::move(notification->result));
  }
  return stray("complaint " + std::get<RpcComplaint>(*message).refusal.text());
}

Result<void> WsInbox::deliver_answer(uint64_t id, RpcReply reply) {
  if (disregarded_.erase(id) > 0) return {};
  const auto found = waiting_.find(id);
  if (found == waiting_.end() || found->second.reply) {
    return stray("answer " + std::to_string(id) + " that nobody waits for");
  }
  Waiting& waiting = found->second;
  if (const auto* json = std::get_if<Json>(&reply); json != nullptr && waiting.subscription) {
    // Here and now: its first notification may be the very next message.
    if (const auto name = subscription_name(*json)) {
      waiting.made = next_subscription_++;
      queues_[waiting.made] = {*name};
    }
  }
  waiting.reply = std::move(reply);
  changed_.notify_all();
  return {};
}

Result<void> WsInbox::deliver_notification(const std::string& name, Json result) {
  const auto found = std::find_if(queues_.begin(), queues_.end(),
                                  [&](const auto& it) { return it.second.name == name; });
  if (found == queues_.end()) {
    if (std::find(ended_.begin(), ended_.end(), name) != ended_.end()) return {};
    return stray("notification that nobody waits for");
  }
  Queue& queue = found->second;
  if (queue.notifications.size() >= options_.notifications_max) {
    queue.notifications.clear();
    queue.overflowed = true;
  }
  if (!queue.overflowed) queue.notifications.push_back(std::move(result));
  changed_.notify_all();
  return {};
}

Result<void> WsInbox::stray(std::string_view what) {
  if (++strays_ <= options_.strays_max) return {};
  return Error{
      Code::kUnavailable,
      "the node keeps sending what was not asked for: the last was a " + std::string(what)};
}

void WsInbox::fail(Error error) {
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  changed_.notify_all();
}

std::optional<Error> WsInbox::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

}  // namespace chain::substrate
