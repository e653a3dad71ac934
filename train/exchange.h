// The exchange of one window: publish, reveal, sight, open, gather.
//
// A peer's fault is a verdict. A bucket that does not answer is our trouble: there is no row for
// that peer, or an Error where the caller cannot go on. I/O fans out here, over `io_threads`, and
// joins before a call returns; so several threads may ask one bucket at once, and a store must
// stand that.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/object_store.h"
#include "common/verdict.h"
#include "compress/codec.h"
#include "compress/contribution.h"
#include "train/counted.h"
#include "train/manifest.h"
#include "train/messages.h"
#include "train/peers.h"
#include "train/sealed.h"
#include "train/spool.h"
#include "train/stored_contribution.h"

namespace train {

// A claim as it stood at the seal deadline.
struct Sighting {
  common::Uid uid;
  common::AccountId hotkey;
  common::Verdict verdict = common::Verdict::kAccepted;
  Claim claim;  // If accepted so far.
  // What was claimed, once it is fetched.
  std::unique_ptr<const common::ByteSource> sealed = nullptr;
};

// A contribution opened and examined, or what is wrong with it.
struct Gathered {
  common::Uid uid;
  common::AccountId hotkey;
  common::Verdict verdict = common::Verdict::kAccepted;
  // If accepted:
  Receipt receipt = {};
  std::unique_ptr<const StoredContribution> contribution = nullptr;
  uint64_t sealed_size = 0;  // What the miner uploaded, in bytes.
};

class Exchange {
 public:
  // All outlive the exchange. `own` is this node's bucket; large objects of others are kept below
  // `spool`.
  Exchange(const common::Hparams& hparams, const compress::Layout& layout,
           const compress::Codec& codec, common::ObjectStore& own, std::filesystem::path spool,
           uint32_t io_threads);
  const common::Hash& hparams_hash() const { return hparams_hash_; }
  const compress::BodyFormat& format() const { return *format_; }

  // The sealed contribution, then the claim: what a claim names is there. Safe to repeat, also
  // after the deadline: what is there already keeps its time.
  common::Result<void> publish(const Sealed& sealed, const common::ByteSource& contribution);
  // The receipt, then the key. Not before the deadline.
  common::Result<void> reveal(const Sealed& sealed);
  common::Result<void> publish_root(const RootNote& note, const common::Keypair& hotkey);
  common::Result<void> publish_manifest(const Manifest& manifest, std::span<const Gathered> opened,
                                        const common::Keypair& lead);

  // At the deadline: one row for each peer that named a bucket and whose bucket answered. An object
  // younger than `deadline`, by the store's clock, is late.
  std::vector<Sighting> sight(common::Window window, std::span<const Peer> peers,
                              common::Instant deadline);

  // From the deadline on: fetches what was claimed, as long as it takes, so that after the reveal
  // only keys travel. What is not there as it was claimed is kHashMismatch. A bucket that does not
  // answer is asked again by `open`.
  void fetch(common::Window window, std::span<Sighting> sightings, const Peers& peers);

  // After the reveal: opens and examines what was sighted, and fetches what was not yet.
  // `base_root` is ours. Verdicts of the sightings are carried over. A claim is held to as it was
  // sighted, whatever it says by now.
  std::vector<Gathered> open(common::Window window, std::vector<Sighting> sightings,
                             const Peers& peers, const common::Hash& base_root);

  // The manifest of `window` in `lead`'s bucket; it must hash to `anchored`, be of this network and
  // name that lead.
  // kNotFound if it is not there, kCorrupt if it is another, kConflict if the network's hparams are
  // not ours, kUnavailable if we could not open the bucket.
  common::Result<Manifest> manifest(common::Window window, const Peer& lead,
                                    const common::Hash& anchored);

  // What counts by the manifest, all of it or an error: a subset is never applied. Each from
  // `opened` if it is there, else from its miner's bucket, else from the lead's mirror.
  common::Result<Counted> gather(const Manifest& manifest, const Peers& peers,
                                 std::span<const Gathered> opened);
  // Forgets the files of other windows' objects; what is in use stays in use.
  void forget_all_but(common::Window window) const { spool_.keep_only(window); }

 private:
  using Stored = std::unique_ptr<const StoredContribution>;

  Sighting sight_one(common::Window window, const Peer& peer, common::Instant deadline,
                     bool& answered);
  common::Verdict fetch_claimed(common::Window window, const Peer& peer, Sighting& sighting,
                                bool& answered) const;
  Gathered open_one(common::Window window, Sighting sighting, const Peer* peer,
                    const common::Hash& base_root, bool& answered);
  common::Verdict read_sealed(Gathered& gathered, common::Window window, Sighting& sighting,
                              const Peer& peer, bool& answered);
  common::Result<Stored> gather_one(const Manifest& manifest, const ManifestEntry& entry,
                                    const Peers& peers) const;
  common::Result<Stored> fetch_from_miner(const Manifest& manifest, const ManifestEntry& entry,
                                          const Peer& peer) const;
  common::Result<Stored> fetch_from_mirror(const Manifest& manifest, const ManifestEntry& entry,
                                           const Peer& lead) const;
  compress::Expected expected_of(common::Window window, common::Uid uid,
                                 const common::AccountId& hotkey,
                                 const common::Hash& base_root) const;
  common::Verdict read_receipt(Gathered& gathered, common::Window window, const Peer& peer,
                               bool& answered);
  Origin origin_of(common::Window window, common::Uid uid, const common::AccountId& hotkey) const;

  const common::Hparams& hparams_;
  common::Hash hparams_hash_;
  std::unique_ptr<const compress::BodyFormat> format_;
  uint32_t threads_;  // The codec's.
  common::ObjectStore& own_;
  Spool spool_;
  uint32_t io_threads_;
  uint64_t plain_size_max_;
  uint64_t receipt_size_max_;
};

}  // namespace train
