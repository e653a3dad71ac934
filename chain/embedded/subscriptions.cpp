#include "chain/embedded/subscriptions.h"

#include <algorithm>

namespace chain::embedded {
namespace {

constexpr Feed kNewHeads{Feed::kHeads, "chain_newHead"};
constexpr Feed kFinalizedHeads{Feed::kHeads, "chain_finalizedHead"};
constexpr Feed kAllHeads{Feed::kHeads, "chain_allHead"};
constexpr Feed kVersions{Feed::kRuntimeVersion, "state_runtimeVersion"};
constexpr Feed kStorage{Feed::kStorage, "state_storage"};
constexpr Feed kExtrinsics{Feed::kExtrinsic, "author_extrinsicUpdate"};

struct FeedMethods {
  std::string_view begin;
  std::string_view end;
  const Feed& feed;
};
constexpr FeedMethods kMethods[] = {
    {"chain_subscribeNewHeads", "chain_unsubscribeNewHeads", kNewHeads},
    {"chain_subscribeNewHead", "chain_unsubscribeNewHead", kNewHeads},
    {"chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads", kFinalizedHeads},
    {"chain_subscribeFinalisedHeads", "chain_unsubscribeFinalisedHeads", kFinalizedHeads},
    {"chain_subscribeAllHeads", "chain_unsubscribeAllHeads", kAllHeads},
    {"state_subscribeRuntimeVersion", "state_unsubscribeRuntimeVersion", kVersions},
    {"state_subscribeStorage", "state_unsubscribeStorage", kStorage},
    {"author_submitAndWatchExtrinsic", "author_unwatchExtrinsic", kExtrinsics},
};

std::string storage_result(const Hash& block, const Json& changes) {
  return Json{{"block", hex0x(block.bytes)}, {"changes", changes}}.dump();
}

bool holds(const SealedBlock& block, const Hash& extrinsic) {
  const auto& hashes = block.extrinsic_hashes;
  return std::find(hashes.begin(), hashes.end(), extrinsic) != hashes.end();
}

}  // namespace

const Feed* feed_begun_by(std::string_view method) {
  for (const FeedMethods& one : kMethods) {
    if (one.begin == method) return &one.feed;
  }
  return nullptr;
}

bool ends_feed(std::string_view method) {
  return std::any_of(std::begin(kMethods), std::end(kMethods),
                     [&](const FeedMethods& one) { return one.end == method; });
}

std::vector<std::string_view> feed_methods() {
  std::vector<std::string_view> names;
  for (const FeedMethods& one : kMethods) {
    names.push_back(one.begin);
    names.push_back(one.end);
  }
  return names;
}

void Subscriptions::begin(std::string id, const Feed& feed, const State& state) {
  const One& one = all_[id] = {feed, {}, {}};
  note(id, one,
       (feed.kind == Feed::kHeads ? header_json(state.head().header) : runtime_version_json())
           .dump());
}

void Subscriptions::watch_storage(std::string id, const Feed& feed, std::vector<Bytes> keys,
                                  const State& state) {
  Json changes = Json::array();
  for (const Bytes& key : keys) {
    const Bytes* value = state.storage().find(key);
    changes.push_back({hex0x(key), value == nullptr ? Json() : Json(hex0x(*value))});
  }
  const One& one = all_[id] = {feed, {keys.begin(), keys.end()}, {}};
  note(id, one, storage_result(state.head().hash, changes));
}

void Subscriptions::watch_extrinsic(std::string id, const Feed& feed, const Hash& hash) {
  const One& one = all_[id] = {feed, {}, hash};
  note(id, one, "\"ready\"");
}

void Subscriptions::note(const std::string& id, const One& one, const std::string& result) {
  std::string text = R"({"jsonrpc":"2.0","method":")";
  text.append(one.feed.notification).append(R"(","params":{"subscription":")").append(id);
  text.append(R"(","result":)").append(result).append("}}");
  texts_.push_back(std::move(text));
}

bool Subscriptions::look_for_extrinsic(const std::string& id, const One& one,
                                       const SealedBlock& block) {
  if (!holds(block, *one.extrinsic)) return false;
  const std::string hash = hex0x(block.hash.bytes);
  note(id, one, R"({"inBlock":")" + hash + "\"}");
  finalizing_.emplace_back(id, hash);
  return true;
}

void Subscriptions::look_at_block(const SealedBlock& block) {
  const std::string header = header_json(block.header).dump();
  for (auto at = all_.begin(); at != all_.end();) {
    const auto& [id, one] = *at;
    bool done = false;
    if (one.feed.kind == Feed::kHeads) note(id, one, header);
    if (one.feed.kind == Feed::kExtrinsic) done = look_for_extrinsic(id, one, block);
    if (one.feed.kind == Feed::kStorage) {
      Json changes = Json::array();
      for (const Change& change : block.changes) {
        if (!one.keys.contains(change.key)) continue;
        changes.push_back({hex0x(change.key), change.after ? Json(hex0x(*change.after)) : Json()});
      }
      if (!changes.empty()) note(id, one, storage_result(block.hash, changes));
    }
    at = done ? all_.erase(at) : std::next(at);
  }
}

void Subscriptions::look(const State& state, const Pool& pool) {
  for (const auto& [id, hash] : finalizing_) {
    note(id, {kExtrinsics, {}, {}}, R"({"finalized":")" + hash + "\"}");
  }
  finalizing_.clear();
  // Blocks that State has forgotten can no longer be told of.
  told_ = std::max(told_, state.oldest_number() == 0 ? 0 : state.oldest_number() - 1);
  while (told_ < state.head().header.number) look_at_block(*state.recent(++told_));
  for (auto at = all_.begin(); at != all_.end();) {
    const auto& [id, one] = *at;
    const bool gone = one.extrinsic && !pool.contains(*one.extrinsic);
    if (gone) note(id, one, pool.dropped(*one.extrinsic) ? "\"invalid\"" : "\"dropped\"");
    at = gone ? all_.erase(at) : std::next(at);
  }
}

}  // namespace chain::embedded
