#include "train/sync.h"

#include <algorithm>
#include <map>
#include <optional>

#include "common/log.h"
#include "train/genesis.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;
using common::Window;

// Trouble on the way to what the chain names is never a reason to doubt our own state.
Error later(Error error) {
  error.code = Code::kUnavailable;
  return error;
}

Result<void> apply_manifest(Replica& replica, const Manifest& manifest, const Network& network) {
  auto counted = network.exchange.gather(manifest, network.peers, {});
  if (!counted) return later(counted.error());
  return replica.apply(manifest.window, manifest.hash(), *counted);
}

Result<Hash> voted(Window window, const Network& network) {
  return voted_root(network.hparams.netuid, window, network.voters, network.peers);
}

// The chain remembers: exactly what is anchored counts.
Result<void> replay_anchor(Replica& replica, Window window, const PastAnchor& anchor,
                           const Network& network) {
  const Peer* lead = network.peers.find(anchor.lead);
  if (lead == nullptr) {
    return Error{Code::kUnavailable,
                 "the lead of window " + std::to_string(window.index) + " is no longer registered"};
  }
  auto manifest = network.exchange.manifest(window, *lead, anchor.manifest);
  if (!manifest) return later(manifest.error());
  if (manifest->base_root == replica.root()) return apply_manifest(replica, *manifest, network);
  // Either we are wrong or the lead was; the signed roots decide.
  const Result<Hash> after = voted(window, network);
  if (after && *after == replica.root()) {
    replica.skip(window);
    return {};
  }
  return Error{Code::kCorrupt, "the manifest of window " + std::to_string(window.index) +
                                   " builds on " + manifest->base_root.brief() + ", not on our " +
                                   replica.root().brief()};
}

// What lies in a voter's bucket: nothing if it has none, or something longer than it may be. An
// Error if it did not answer.
Result<std::optional<Bytes>> ask(const Peer* voter, const std::string& key, size_t size_max) {
  if (voter == nullptr) return std::optional<Bytes>();
  if (voter->bucket == nullptr) {
    if (voter->unopened) return Error{Code::kUnavailable, "its bucket cannot be opened"};
    return std::optional<Bytes>();
  }
  auto bytes = voter->bucket->get(key, size_max);
  if (bytes) return std::optional<Bytes>(std::move(*bytes));
  const Code code = bytes.error().code;
  if (code == Code::kNotFound || code == Code::kExhausted) return std::optional<Bytes>();
  return later(bytes.error());
}

// The manifests of a window that could follow our state, in the voters' order.
struct Candidates {
  std::vector<Manifest> manifests;
  std::optional<Error> silent;  // Somebody did not answer: there may be more.
};

Candidates candidates(const Replica& replica, Window window, const Network& network) {
  Candidates found;
  for (const Voter& voter : network.voters) {
    const auto bytes = ask(network.peers.find(voter.uid), manifest_key(window), kManifestSizeMax);
    if (!bytes) found.silent = bytes.error();
    auto manifest = bytes && *bytes ? open_manifest(**bytes) : std::nullopt;
    if (manifest && manifest->window == window && manifest->netuid == network.hparams.netuid &&
        manifest->hparams_hash == network.exchange.hparams_hash() &&
        manifest->base_root == replica.root() && manifest->lead == voter.uid) {
      found.manifests.push_back(std::move(*manifest));
    }
  }
  return found;
}

// Up to where, from `from` on, the network stood where we stand: those windows moved nobody.
Result<Window> quiet_until(const Replica& replica, Window from, Window until,
                           const Network& network) {
  std::optional<Error> silent;
  for (Window window = from; window < until; window = window.next()) {
    const Candidates found = candidates(replica, window, network);
    if (found.silent) silent = found.silent;
    const Result<Hash> root = voted(window, network);
    if (root && *root == replica.root()) return window.next();
    // It builds on our state. While somebody is silent the stake must have moved there, too.
    const bool sure = !silent || root || window == from;
    if (!found.manifests.empty() && sure) return window;
    if (root && !silent) {
      return Error{Code::kCorrupt, "nothing leads from our state " + replica.root().brief() +
                                       " to the validators' " + root->brief()};
    }
    if (root) return *silent;
    if (root.error().code != Code::kNotFound) silent = later(root.error());
  }
  if (silent) return *silent;
  return until;
}

// Applies the manifest that leads to `after`. One that cannot be applied does not keep us from the
// next: anybody may publish one.
Result<void> replay_to(Replica& replica, Window window, const Hash& after, const Network& network) {
  const Candidates found = candidates(replica, window, network);
  std::optional<Error> trouble = found.silent;
  for (const Manifest& manifest : found.manifests) {
    const auto foretold = replica.root_after(window, manifest.hash());
    if (foretold && *foretold != after) continue;
    Replica next = replica;
    const auto applied = apply_manifest(next, manifest, network);
    if (!applied) trouble = applied.error();
    if (!applied || next.root() != after) continue;
    replica = std::move(next);
    return {};
  }
  if (trouble) return *trouble;
  return Error{Code::kCorrupt, "no manifest of window " + std::to_string(window.index) +
                                   " leads from our state " + replica.root().brief() +
                                   " to the validators' " + after.brief()};
}

// The chain has forgotten: the signed roots say where the window led.
Result<void> replay_by_votes(Replica& replica, Window window, Window until,
                             const Network& network) {
  const Result<Hash> after = voted(window, network);
  if (after && *after != replica.root()) return replay_to(replica, window, *after, network);
  Window quiet = window.next();
  if (!after) {
    TRY(quiet, quiet_until(replica, window, until, network));
    if (quiet == window) {
      return Error{Code::kUnavailable, "no validator has signed the state after window " +
                                           std::to_string(window.index) + " yet"};
    }
  }
  while (replica.next_window() < quiet) replica.skip(replica.next_window());
  return {};
}

// Whether the voters do not say otherwise: one validator's checkpoint is its own word only.
bool stands(const Replica& replica, const common::Hparams& hparams, std::span<const Voter> voters,
            const Peers& peers) {
  if (replica.next_window().index == 0) return true;
  const auto root = voted_root(hparams.netuid, {replica.next_window().index - 1}, voters, peers);
  return !root || *root == replica.root();
}

// Moves the replica over one past window.
Result<void> replay(Replica& replica, Window window, Window until, const Network& network) {
  const Result<std::optional<PastAnchor>> anchor = network.anchor_of(window);
  if (!anchor && anchor.error().code == Code::kNotFound) {
    return replay_by_votes(replica, window, until, network);
  }
  if (!anchor) return later(anchor.error());
  if (anchor->has_value()) return replay_anchor(replica, window, **anchor, network);
  replica.skip(window);
  return {};
}

}  // namespace

Result<Hash> voted_root(uint16_t netuid, Window window, std::span<const Voter> voters,
                        const Peers& peers) {
  std::map<Hash, uint64_t> stake_of;
  uint64_t silent_stake = 0;
  std::optional<Error> silent;
  for (const Voter& voter : voters) {
    const auto bytes = ask(peers.find(voter.uid), root_key(window), kMessageSizeMax);
    if (!bytes) {
      silent = bytes.error();
      silent_stake += voter.stake;
    }
    if (!bytes || !*bytes) continue;
    const auto note = open_root(**bytes, Origin{netuid, window, voter.uid, voter.hotkey});
    if (note.message) stake_of[note.message->root] += voter.stake;
  }
  std::optional<Hash> best;
  uint64_t most = 0;
  uint64_t second = 0;
  for (const auto& [root, stake] : stake_of) {
    const bool better = !best || stake > most;
    second = std::max(second, better ? most : stake);
    if (better) most = stake, best = root;
  }
  if (silent && (!best || most <= second + silent_stake)) return *silent;
  if (!best) return Error{Code::kNotFound, "no validator has signed a state root"};
  return *best;
}

Result<Replica> newest_checkpoint(const common::Hparams& hparams, Window until,
                                  common::ObjectStore* local, std::span<const Voter> voters,
                                  const Peers& peers, const std::filesystem::path& initial_model) {
  if (local != nullptr) {
    auto replica = load_checkpoint(*local, hparams, until, std::nullopt);
    if (replica || replica.error().code != Code::kNotFound) return replica;
  }
  for (const Voter& voter : voters) {
    const Peer* peer = peers.find(voter.uid);
    if (peer == nullptr || peer->bucket == nullptr) continue;
    auto replica = load_checkpoint(*peer->bucket, hparams, until, peer->address.hotkey);
    if (replica && stands(*replica, hparams, voters, peers)) return replica;
    common::log_debug("uid {}: {}", voter.uid.index,
                      replica ? "its checkpoint is not the network's" : replica.error().message);
  }
  return genesis(hparams, initial_model);
}

Result<void> catch_up(Replica& replica, Window until, const Network& network) {
  while (replica.next_window() < until) {
    TRY_VOID(replay(replica, replica.next_window(), until, network));
  }
  TRY(const bool off, is_off_network(replica, network));
  if (!off) return {};
  return Error{Code::kCorrupt, "our state " + replica.root().brief() +
                                   " is not the one that the validators signed"};
}

Result<bool> is_off_network(const Replica& replica, const Network& network) {
  if (replica.next_window().index == 0) return false;
  const Window last{replica.next_window().index - 1};
  const Result<Hash> root = voted(last, network);
  if (!root && root.error().code != Code::kNotFound) return later(root.error());
  return root && *root != replica.root();
}

Result<void> settle_disagreement(std::optional<Replica>& replica, const Manifest& manifest,
                                 const Network& network) {
  TRY(const bool off, is_off_network(*replica, network));
  if (!off) {
    common::log_warning("window {}: the manifest builds on a state that is not the network's",
                        manifest.window.index);
    replica->skip(manifest.window);
    return {};
  }
  const std::string ours = replica->root().brief();
  replica.reset();
  return Error{Code::kConflict, "our state " + ours + " is not the network's " +
                                    manifest.base_root.brief() + "; starting again"};
}

Result<void> synchronise(Standpoint node, Window until, const Network& network) {
  const bool usable = node.replica.has_value() && node.replica->intact();
  if (!usable || node.replica->next_window() > until) {
    TRY(Replica start, newest_checkpoint(network.hparams, until, &node.local, network.voters,
                                         network.peers, node.initial_model));
    node.replica.emplace(std::move(start));
  }
  if (node.replica->next_window() == until) return {};
  auto caught_up = catch_up(*node.replica, until, network);
  if (caught_up) return caught_up;
  const bool off = caught_up.error().code == Code::kCorrupt;
  const uint64_t behind = until.index - node.replica->next_window().index;
  // Far behind, the way may be gone for good: then a checkpoint that is further is as good.
  if (!off && behind <= network.hparams.checkpoint.windows) return caught_up;
  TRY(Replica start, newest_checkpoint(network.hparams, until, nullptr, network.voters,
                                       network.peers, node.initial_model));
  if (!off && start.next_window() <= node.replica->next_window()) return caught_up;
  common::log_warning("{}: starting again from a checkpoint of the network",
                      caught_up.error().message);
  node.replica.emplace(std::move(start));
  caught_up = catch_up(*node.replica, until, network);
  if (!caught_up && caught_up.error().code == Code::kCorrupt) node.replica.reset();
  return caught_up;
}

}  // namespace train
