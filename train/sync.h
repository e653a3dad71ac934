// Catching up: a checkpoint, then the manifests since, one command a window, until the state root
// is the network's.
//
// Nothing is skipped silently (W3): a window whose outcome cannot be learned is an Error, and the
// caller tries again. What counted in a past window is said by the chain, or by the validators'
// signed state roots, by stake.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/peer.h"
#include "train/checkpoint.h"
#include "train/exchange.h"
#include "train/peers.h"
#include "train/replica.h"

namespace train {

using common::Voter;  // Most stake first, wherever a span of them is asked for.

// The state root after `window` that the most stake has signed; equal stake: the lower root.
// kNotFound if nobody has signed one, kUnavailable if the stake of those whose buckets do not
// answer could turn it.
common::Result<common::Hash> voted_root(uint16_t netuid, common::Window window,
                                        std::span<const Voter> voters, const Peers& peers);

// The newest checkpoint not after `until`: of this node's own disk (`local`), else of the voters'
// buckets in order, where the voters have not signed another root, else the genesis of the network
// before window 0 (train/genesis.h, which says what `initial_model` is).
common::Result<Replica> newest_checkpoint(const common::Hparams& hparams, common::Window until,
                                          common::ObjectStore* local, std::span<const Voter> voters,
                                          const Peers& peers,
                                          const std::filesystem::path& initial_model = {});

// What the chain says about a window that is over: who anchored which manifest. Nothing: a null
// window. kNotFound: the chain's node no longer remembers that time.
struct PastAnchor {
  common::Uid lead;
  common::Hash manifest;
};
using AnchorOf = std::function<common::Result<std::optional<PastAnchor>>(common::Window)>;

// The network as `catch_up` asks it. All outlive the call.
struct Network {
  const common::Hparams& hparams;
  Exchange& exchange;
  std::span<const Voter> voters;
  const Peers& peers;
  AnchorOf anchor_of;
};

// Applies window by window until replica.next_window() == until: by the chain's anchors, and
// further back than the chain's node remembers by the validators' signed roots.  kUnavailable: try
// again later (what was applied stays). kCorrupt: the replica is not the network's; start again
// from a checkpoint.
common::Result<void> catch_up(Replica& replica, common::Window until, const Network& network);

// Whether the stake that signed the state before replica.next_window() signed another than ours.
// False while nobody has signed one.
common::Result<bool> is_off_network(const Replica& replica, const Network& network);

// The anchored manifest builds on another state than ours. If the signed roots are on our side it
// counts for nobody, and the window is null; otherwise `replica` is dropped, to be started again
// from a checkpoint, and kConflict says so.  Pre: replica has a value.
common::Result<void> settle_disagreement(std::optional<Replica>& replica, const Manifest& manifest,
                                         const Network& network);

// Where a node stands and where it keeps it.
struct Standpoint {
  std::optional<Replica>& replica;
  common::ObjectStore& local;                // This node's own checkpoints.
  std::filesystem::path initial_model = {};  // What the network began with, if it was given.
};

// Brings the node to the state before `until`, whatever it has: nothing, an older state, or a state
// that is not the network's (then it rolls back to a checkpoint and replays, W2). One that is far
// behind and cannot go on takes the network's checkpoint where that is further. kUnavailable: try
// again later; what was applied stays.
common::Result<void> synchronise(Standpoint node, common::Window until, const Network& network);

}  // namespace train
