// Who trains on what in a window: known to nobody before the window opens, to everybody after.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/hash.h"
#include "common/hparams.h"
#include "common/window.h"

namespace train {

// steps * sequences_per_step different samples, in training order. Seeded by BLAKE2b-256 of
// (hparams_hash, hash of the first block of the window, uid, window); drawn without replacement. A
// data set smaller than that is drawn from again, whole round by whole round.  Pre: sample_count >
// 0.
std::vector<uint64_t> assignment(const common::Hash& hparams_hash, const common::Hash& block_hash,
                                 common::Uid uid, common::Window window, uint64_t sample_count,
                                 const common::InnerParams& inner);

// What a miner says it did, step by step; the Merkle root over the leaves stands in the
// contribution's header.
struct ReceiptStep {
  uint32_t step = 0;
  std::vector<uint64_t> samples;
  float loss = 0;  // Before the step.
  bool operator==(const ReceiptStep&) const = default;
};

struct Receipt {
  std::vector<ReceiptStep> steps;

  common::Hash root() const;
  // Canonical; the claim's companion in the bucket (w/<window>/receipt).
  common::Bytes serialise() const;
  // Strict; nothing for bytes that are not exactly one receipt of at most `steps_max` steps,
  // numbered from 0, of `samples_per_step` samples and a loss that is finite and not negative.
  static std::optional<Receipt> parse(common::ByteView bytes, uint32_t steps_max,
                                      uint32_t samples_per_step);
  // Every step took the samples that were assigned to it, in order.
  bool follows(const std::vector<uint64_t>& assigned, uint32_t samples_per_step) const;
  bool operator==(const Receipt&) const = default;
};

}  // namespace train
