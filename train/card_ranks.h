// Ranks of one process that have a card each, and talk from card to card by NCCL.
#pragma once

#include <memory>
#include <span>

#include "common/clock.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/communicator.h"

namespace train {

// As many ranks as backends, in that order. Their collectives take memory of their rank's backend,
// which is a card's (make_backend, "cuda:NUMBER"), each of another card, and outlives them. They go
// on beside what the backend computes, and cost the host's thread a look every 50 microseconds
// while it waits. Each rank is called by one thread at a time, which also calls its backend.
//
// Sums are taken in NCCL's order, not in that of ranks: every rank gets the same bits, and so does
// every run on the same cards and the same NCCL; other cards may give others.
//
// `deadline`: how long a rank waits for one collective, which covers what its cards still have to
// compute before it; and how long the cards may take to find each other. Besides what
// train/communicator.h says of errors, kIo: NCCL or a card failed. Whichever rank finds out first
// ends the collectives of all, so that a rank which never comes back holds nobody up. A card that
// goes on with what was aborted, for another deadline and no less than ten seconds, ends the
// process (CHECK): it would write to memory that was released.
//
// kInvalidArgument: a backend that is no card, or two of one card, which NCCL refuses.
// kUnavailable: built without CUDA or NCCL, no NCCL library on this machine, or one before 2.19; or
// the cards cannot be connected.
common::Result<std::unique_ptr<Ranks>> make_card_ranks(std::span<Backend* const> backends,
                                                       common::milliseconds deadline);

}  // namespace train
