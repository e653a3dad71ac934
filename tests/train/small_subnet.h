// A subnet small enough for a test: neurons with buckets in memory, and contributions that are
// right in everything but what a test changes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/hparams.h"
#include "common/keys.h"
#include "compress/contribution.h"
#include "compress/sparseloco.h"
#include "tests/temp_folder.h"
#include "tests/train/memory_store.h"
#include "train/exchange.h"
#include "train/peers.h"
#include "train/replica.h"

namespace train {

using common::Hash;
using common::Uid;
using common::Verdict;
using common::Window;

// Deterministic keys: "//uid<number>".
const common::Keypair& key_of(uint16_t uid);
Hash digest(uint64_t number);

// tests/data/hparams.json with a model of a few hundred parameters.
common::Hparams small_hparams();

// Everything that a miner makes of one window, each part open to change before the next is made of
// it.
struct Work {
  compress::ContributionHeader header;
  common::Bytes body;
  Receipt receipt;
  common::Bytes plain;  // Of header and body; made by `finish`.
  SealKey key{};
  Claim claim;
  common::Bytes sealed_contribution;
  Sealed sealed;  // What is published with it.
};
// Called with a step's name ("header", "plain", "claim", "sealed"), when all before it is made and
// it can be changed.
using Change = std::function<void(std::string_view, Work&)>;

class SmallSubnet {
 public:
  explicit SmallSubnet(uint16_t count);

  const common::Hparams& hparams() const { return hparams_; }
  const compress::Layout& layout() const { return layout_; }
  tests::MemoryStore& bucket(uint16_t uid) { return buckets_[uid]; }
  Peers& peers() { return peers_; }
  // This neuron's exchange; `codec` is sparseloco unless given.
  Exchange exchange(uint16_t uid, uint32_t io_threads = 4, const compress::Codec* codec = nullptr);
  // Of sparseloco.
  const compress::BodyFormat& format() const { return *format_; }
  Origin origin(uint16_t uid, Window window) const;

  Work work(uint16_t uid, Window window, const Hash& base_root, const Change& change = {}) const;
  // In the miner's bucket, without the key.
  common::Result<void> publish(uint16_t uid, const Work& work);
  // Publishes and reveals in the miner's bucket.
  Work contribute(uint16_t uid, Window window, const Hash& base_root, const Change& change = {});
  // The work's contribution, opened; with its own bytes.
  std::unique_ptr<const StoredContribution> stored(const Work& work) const;
  // An unsigned manifest by `lead` that counts all that was accepted, with weight 1.
  Manifest manifest(uint16_t lead, Window window, const Hash& base_root,
                    std::span<const Gathered> opened) const;

 private:
  common::Hparams hparams_;
  compress::Layout layout_;
  compress::SparseLoco codec_;
  std::unique_ptr<const compress::BodyFormat> format_;
  tests::TempFolder spool_;
  std::deque<tests::MemoryStore> buckets_;
  Peers peers_;
};

}  // namespace train
