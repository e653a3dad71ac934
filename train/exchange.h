// The exchange of one window: publish, reveal, sight, open, gather.
//
// A peer's fault is a verdict. A bucket that does not answer is our trouble: there is no row for
// that peer, or an Error where the caller cannot go on. I/O fans out here, over `io_threads`, and
// joins before a call returns; so several threads may ask one bucket at once, and a store must
// stand that.
#pragma once

#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/object_store.h"
#include "common/verdict.h"
#include "compress/codec.h"
#include "compress/contribution.h"
#include "train/manifest.h"
#include "train/messages.h"
#include "train/peers.h"
#include "train/sealed.h"

namespace train {

// A claim as it stood at the seal deadline.
struct Sighting {
  common::Uid uid;
  common::AccountId hotkey;
  common::Verdict verdict = common::Verdict::kAccepted;
  Claim claim;  // If accepted so far.
};

// A contribution opened and decoded, or what is wrong with it.
struct Gathered {
  common::Uid uid;
  common::AccountId hotkey;
  common::Verdict verdict = common::Verdict::kAccepted;
  // If accepted:
  compress::ContributionHeader header;
  compress::Update update;
  Receipt receipt;
  common::Bytes plain;        // The serialised contribution: what the lead mirrors.
  common::Hash plain_digest;  // BLAKE2b-256 of it.
  uint64_t sealed_size = 0;   // What the miner uploaded, in bytes.
};

class Exchange {
 public:
  // All outlive the exchange. `own` is this node's bucket.
  Exchange(const common::Hparams& hparams, const compress::Layout& layout,
           const compress::Codec& codec, common::ObjectStore& own, uint32_t io_threads);
  const common::Hash& hparams_hash() const { return hparams_hash_; }

  // The sealed contribution, then the claim: what a claim names is there. Safe to repeat, also
  // after the deadline: what is there already keeps its time.
  common::Result<void> publish(const Sealed& sealed);
  // The receipt, then the key. Not before the deadline.
  common::Result<void> reveal(const Sealed& sealed);
  common::Result<void> publish_root(const RootNote& note, const common::Keypair& hotkey);
  common::Result<void> publish_manifest(const Manifest& manifest, std::span<const Gathered> opened,
                                        const common::Keypair& lead);

  // At the deadline: one row for each peer that named a bucket and whose bucket answered. An object
  // younger than `deadline`, by the store's clock, is late.
  std::vector<Sighting> sight(common::Window window, std::span<const Peer> peers,
                              common::Instant deadline);

  // After the reveal: fetches, unseals, parses and decodes what was sighted. `base_root` is ours.
  // Verdicts of the sightings are carried over. A claim is held to as it was sighted, whatever it
  // says by now.
  std::vector<Gathered> open(common::Window window, std::span<const Sighting> sightings,
                             const Peers& peers, const common::Hash& base_root);

  // The manifest of `window` in `lead`'s bucket; it must hash to `anchored`, be of this network and
  // name that lead.
  // kNotFound if it is not there, kCorrupt if it is another, kConflict if the network's hparams are
  // not ours, kUnavailable if we could not open the bucket.
  common::Result<Manifest> manifest(common::Window window, const Peer& lead,
                                    const common::Hash& anchored);

  // What counts by the manifest, all of it or an error: a subset is never applied. Each from
  // `opened` if it is there, else from its miner's bucket, else from the lead's mirror.
  common::Result<std::vector<Gathered>> gather(const Manifest& manifest, const Peers& peers,
                                               std::span<const Gathered> opened);

 private:
  Sighting sight_one(common::Window window, const Peer& peer, common::Instant deadline,
                     bool& answered);
  Gathered open_one(common::Window window, const Sighting& sighting, const Peer* peer,
                    const common::Hash& base_root, bool& answered);
  common::Verdict read_sealed(Gathered& gathered, common::Window window, const Claim& claim,
                              const Peer& peer, bool& answered);
  common::Result<Gathered> gather_one(const Manifest& manifest, const ManifestEntry& entry,
                                      const Peers& peers);
  common::Result<common::Bytes> fetch_from_miner(const Manifest& manifest,
                                                 const ManifestEntry& entry, const Peer& peer);
  common::Verdict decode_into(Gathered& gathered, common::Bytes plain, common::Window window,
                              const common::Hash& base_root);
  common::Verdict read_receipt(Gathered& gathered, common::Window window, const Peer& peer,
                               bool& answered);
  Origin origin_of(common::Window window, common::Uid uid, const common::AccountId& hotkey) const;

  const common::Hparams& hparams_;
  common::Hash hparams_hash_;
  const compress::Layout& layout_;
  const compress::Codec& codec_;
  common::ObjectStore& own_;
  uint32_t io_threads_;
  uint64_t plain_size_max_;
  uint64_t receipt_size_max_;
};

}  // namespace train
