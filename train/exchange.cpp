#include "train/exchange.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "common/check.h"
#include "common/log.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Hash;
using common::Instant;
using common::Result;
using common::Verdict;
using common::Window;

// Runs body(0 .. count-1) on up to `threads` threads and joins them.
void fan_out(size_t count, uint32_t threads, const std::function<void(size_t)>& body) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) body(i);
  };
  std::vector<std::jthread> workers;
  for (size_t i = 1; i < std::min<size_t>(threads, count); ++i) workers.emplace_back(work);
  work();
}

// The rows whose bucket answered.
template <typename Row>
std::vector<Row> answered_rows(std::vector<Row> rows, const std::vector<uint8_t>& answered) {
  std::vector<Row> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (answered[i]) kept.push_back(std::move(rows[i]));
  }
  return kept;
}

// Of the longest receipt under these hparams.
uint64_t receipt_size_max(const common::InnerParams& inner) {
  const uint64_t step = sizeof(uint32_t) + sizeof(float) + 8 * uint64_t{inner.sequences_per_step};
  return 2 * sizeof(uint32_t) + inner.steps * step;
}

// What a failed read means: a store that says "not there" or "too long" has answered, and the
// verdict is the peer's; any other trouble is ours.
template <typename T>
Verdict verdict_of_read(const Result<T>& read, Verdict missing, bool& answered) {
  if (read) return Verdict::kAccepted;
  if (read.error().code == Code::kNotFound) return missing;
  if (read.error().code == Code::kExhausted) return Verdict::kOversized;
  answered = false;
  return missing;
}

// Whether it is what the manifest names.
bool is_named(const Gathered& one, const ManifestEntry& entry) {
  return one.uid == entry.uid && one.contribution != nullptr &&
         one.contribution->digest() == entry.plain_digest;
}

}  // namespace

Exchange::Exchange(const common::Hparams& hparams, const compress::Layout& layout,
                   const compress::Codec& codec, common::ObjectStore& own,
                   std::filesystem::path spool, uint32_t io_threads)
    : hparams_(hparams),
      hparams_hash_(hparams.hash()),
      format_(codec.format(layout)),
      threads_(codec.threads()),
      own_(own),
      spool_(std::move(spool)),
      io_threads_(std::max(1U, io_threads)),
      plain_size_max_(compress::contribution_size_max(*format_)),
      receipt_size_max_(receipt_size_max(hparams.inner)) {}

Origin Exchange::origin_of(Window window, common::Uid uid, const common::AccountId& hotkey) const {
  return {hparams_.netuid, window, uid, hotkey};
}

Result<void> Exchange::publish(const Sealed& sealed, const common::ByteSource& contribution) {
  // To put it again would make it younger, and after the deadline late.
  const auto there = own_.get(claim_key(sealed.window), kMessageSizeMax);
  if (there && *there == sealed.claim) return {};
  TRY_VOID(own_.put_from(contribution_key(sealed.window), contribution));
  return own_.put(claim_key(sealed.window), sealed.claim);
}

Result<void> Exchange::reveal(const Sealed& sealed) {
  TRY_VOID(own_.put(receipt_key(sealed.window), sealed.receipt));
  return own_.put(seal_key_key(sealed.window), sealed.key);
}

Result<void> Exchange::publish_root(const RootNote& note, const common::Keypair& hotkey) {
  return own_.put(root_key(note.origin.window), sign(note, hotkey));
}

Result<void> Exchange::publish_manifest(const Manifest& manifest, std::span<const Gathered> opened,
                                        const common::Keypair& lead) {
  for (const ManifestEntry& entry : manifest.counting()) {
    const auto source = std::find_if(opened.begin(), opened.end(), [&entry](const Gathered& one) {
      return is_named(one, entry);
    });
    CHECK(source != opened.end());
    TRY_VOID(own_.put_from(mirror_key(manifest.window, entry.uid), source->contribution->plain()));
  }
  return own_.put(manifest_key(manifest.window), sign(manifest, lead));
}

std::vector<Sighting> Exchange::sight(Window window, std::span<const Peer> peers,
                                      Instant deadline) {
  std::vector<Sighting> sightings(peers.size());
  std::vector<uint8_t> answered(peers.size(), 0);
  fan_out(peers.size(), io_threads_, [&](size_t i) {
    if (peers[i].address.bucket.empty()) return;  // It never said that it takes part.
    bool answer = true;
    sightings[i] = sight_one(window, peers[i], deadline, answer);
    answered[i] = answer ? 1 : 0;
  });
  return answered_rows(std::move(sightings), answered);
}

Sighting Exchange::sight_one(Window window, const Peer& peer, Instant deadline, bool& answered) {
  Sighting sighting{.uid = peer.address.uid, .hotkey = peer.address.hotkey};
  sighting.verdict = Verdict::kMissing;
  if (peer.unopened) answered = false;
  if (peer.bucket == nullptr) return sighting;
  // The claim first, the times after it: whoever puts another claim in its place between our reads
  // makes it young, and is late.
  const auto bytes = peer.bucket->get(claim_key(window), kMessageSizeMax);
  sighting.verdict = verdict_of_read(bytes, Verdict::kMissing, answered);
  if (!answered || sighting.verdict == Verdict::kMissing) return sighting;
  for (const std::string& key : {claim_key(window), contribution_key(window)}) {
    const auto info = peer.bucket->head(key);
    const Verdict there = verdict_of_read(info, Verdict::kMissing, answered);
    if (!info || info->modified > deadline) {
      sighting.verdict = info ? Verdict::kLate : there;
      return sighting;
    }
  }
  if (!bytes) return sighting;
  auto opened = open_claim(*bytes, origin_of(window, sighting.uid, sighting.hotkey));
  sighting.verdict = opened.verdict;
  if (opened.message) sighting.claim = *opened.message;
  if (opened.message && sighting.claim.sealed_size > sealed_size(plain_size_max_)) {
    sighting.verdict = Verdict::kOversized;
  }
  return sighting;
}

void Exchange::fetch(Window window, std::span<Sighting> sightings, const Peers& peers) {
  fan_out(sightings.size(), io_threads_, [&](size_t i) {
    Sighting& sighting = sightings[i];
    const Peer* peer = peers.find(sighting.uid);
    if (sighting.verdict != Verdict::kAccepted || peer == nullptr || peer->bucket == nullptr)
      return;
    bool answered = true;
    const Verdict verdict = fetch_claimed(window, *peer, sighting, answered);
    if (answered) sighting.verdict = verdict;
  });
}

// What was claimed, every byte of it, or it is another contribution.
Verdict Exchange::fetch_claimed(Window window, const Peer& peer, Sighting& sighting,
                                bool& answered) const {
  auto fetched = spool_.claimed(*peer.bucket, contribution_key(window), sighting.claim,
                                {window, sighting.uid, "claimed"});
  if (!fetched) {
    answered = false;
    return Verdict::kMissing;
  }
  if (!*fetched) return fetched->error();
  sighting.sealed = std::move(**fetched);
  return Verdict::kAccepted;
}

std::vector<Gathered> Exchange::open(Window window, std::vector<Sighting> sightings,
                                     const Peers& peers, const Hash& base_root) {
  std::vector<Gathered> gathered(sightings.size());
  std::vector<uint8_t> answered(sightings.size(), 0);
  fan_out(sightings.size(), io_threads_, [&](size_t i) {
    const Peer* peer = peers.find(sightings[i].uid);
    bool answer = true;
    gathered[i] = open_one(window, std::move(sightings[i]), peer, base_root, answer);
    answered[i] = answer ? 1 : 0;
  });
  return answered_rows(std::move(gathered), answered);
}

Gathered Exchange::open_one(Window window, Sighting sighting, const Peer* peer,
                            const Hash& base_root, bool& answered) {
  Gathered gathered{.uid = sighting.uid, .hotkey = sighting.hotkey, .verdict = sighting.verdict};
  if (sighting.verdict != Verdict::kAccepted) return gathered;
  if (sighting.claim.base_root != base_root) {
    gathered.verdict = Verdict::kWrongBase;
    return gathered;
  }
  if (peer == nullptr || peer->bucket == nullptr) {
    answered = false;
    return gathered;
  }
  gathered.verdict = read_sealed(gathered, window, sighting, *peer, answered);
  if (gathered.verdict == Verdict::kAccepted) {
    gathered.verdict = read_receipt(gathered, window, *peer, answered);
  }
  if (gathered.verdict == Verdict::kAccepted) return gathered;
  return {.uid = gathered.uid,
          .hotkey = gathered.hotkey,
          .verdict = gathered.verdict,
          .sealed_size = gathered.sealed_size};
}

// The key, and with it what was claimed.
Verdict Exchange::read_sealed(Gathered& gathered, Window window, Sighting& sighting,
                              const Peer& peer, bool& answered) {
  const Claim& claim = sighting.claim;
  const auto key_bytes = peer.bucket->get(seal_key_key(window), kMessageSizeMax);
  if (!key_bytes) return verdict_of_read(key_bytes, Verdict::kNotRevealed, answered);
  const auto key = open_key(*key_bytes, origin_of(window, gathered.uid, gathered.hotkey));
  if (!key.message) return key.verdict;

  if (sighting.sealed == nullptr) {
    const Verdict fetched = fetch_claimed(window, peer, sighting, answered);
    if (fetched != Verdict::kAccepted) return fetched;
  }
  gathered.sealed_size = claim.sealed_size;
  const auto is_claimed = [&claim](const SealSummary& found) {
    return found.sealed_root == claim.sealed_root && found.plain_hash == claim.plain_hash;
  };
  auto opened =
      StoredContribution::open(std::move(sighting.sealed), key.message->key, is_claimed, *format_,
                               expected_of(window, gathered.uid, gathered.hotkey, claim.base_root));
  if (!opened) {
    answered = false;
    return Verdict::kMissing;
  }
  if (!*opened) return opened->error();
  gathered.contribution = std::move(**opened);
  return Verdict::kAccepted;
}

compress::Expected Exchange::expected_of(Window window, common::Uid uid,
                                         const common::AccountId& hotkey,
                                         const Hash& base_root) const {
  return {.netuid = hparams_.netuid,
          .uid = uid,
          .window = window,
          .hotkey = hotkey,
          .hparams_hash = hparams_hash_,
          .base_root = base_root,
          .steps_max = hparams_.inner.steps};
}

Verdict Exchange::read_receipt(Gathered& gathered, Window window, const Peer& peer,
                               bool& answered) {
  const auto bytes = peer.bucket->get(receipt_key(window), receipt_size_max_);
  const Verdict read = verdict_of_read(bytes, Verdict::kNotRevealed, answered);
  if (!bytes) return read;
  auto receipt = Receipt::parse(*bytes, hparams_.inner.steps, hparams_.inner.sequences_per_step);
  if (!receipt || receipt->steps.size() != gathered.contribution->header().steps)
    return Verdict::kMalformed;
  if (receipt->root() != gathered.contribution->header().receipt_root)
    return Verdict::kHashMismatch;
  gathered.receipt = std::move(*receipt);
  return Verdict::kAccepted;
}

Result<Manifest> Exchange::manifest(Window window, const Peer& lead, const Hash& anchored) {
  if (lead.bucket == nullptr) {
    return Error{lead.unopened ? Code::kUnavailable : Code::kNotFound,
                 "the lead has named no bucket that can be opened"};
  }
  TRY(const Bytes bytes, lead.bucket->get(manifest_key(window), kManifestSizeMax));
  auto manifest = open_manifest(bytes);
  if (!manifest || manifest->hash() != anchored || manifest->window != window ||
      manifest->lead != lead.address.uid || manifest->lead_hotkey != lead.address.hotkey ||
      manifest->netuid != hparams_.netuid) {
    return Error{Code::kCorrupt, "the manifest of window " + std::to_string(window.index) +
                                     " in uid " + std::to_string(lead.address.uid.index) +
                                     "'s bucket is not the anchored one"};
  }
  if (manifest->hparams_hash != hparams_hash_) {
    return Error{Code::kConflict, "our hparams (hash " + hparams_hash_.brief() +
                                      ") are not the network's (" + manifest->hparams_hash.brief() +
                                      " by the manifest of window " + std::to_string(window.index) +
                                      "): get its hparams.json; until then nothing of ours counts"};
  }
  return std::move(*manifest);
}

Result<Counted> Exchange::gather(const Manifest& manifest, const Peers& peers,
                                 std::span<const Gathered> opened) {
  const std::vector<ManifestEntry> counting = manifest.counting();
  std::vector<Result<Stored>> fetched;
  for (size_t i = 0; i < counting.size(); ++i) fetched.emplace_back(Stored());
  std::vector<const StoredContribution*> found(counting.size(), nullptr);
  fan_out(counting.size(), io_threads_, [&](size_t i) {
    for (const Gathered& one : opened) {
      if (is_named(one, counting[i])) found[i] = one.contribution.get();
    }
    if (found[i] == nullptr) fetched[i] = gather_one(manifest, counting[i], peers);
  });
  Counted counted{.contributors = {}, .format = format_.get(), .threads = threads_};
  for (size_t i = 0; i < counting.size(); ++i) {
    TRY(Stored one, std::move(fetched[i]));
    if (found[i] == nullptr) found[i] = one.get();
    if (one != nullptr) counted.fetched.push_back(std::move(one));
    counted.contributors.push_back(
        {counting[i].uid, counting[i].weight, &found[i]->body(), &found[i]->sums()});
  }
  return counted;
}

Result<Exchange::Stored> Exchange::gather_one(const Manifest& manifest, const ManifestEntry& entry,
                                              const Peers& peers) const {
  // A lead may write any size: ours is the limit, before memory is asked for.
  if (entry.plain_size > plain_size_max_) {
    return Error{Code::kCorrupt, "the manifest names a contribution longer than the hparams allow"};
  }
  if (const Peer* miner = peers.find(entry.uid); miner != nullptr && miner->bucket != nullptr) {
    auto fetched = fetch_from_miner(manifest, entry, *miner);
    if (fetched) return fetched;
    common::log_debug("uid {}: {}", entry.uid.index, fetched.error().message);
  }
  const Peer* lead = peers.find(manifest.lead);
  if (lead == nullptr || lead->bucket == nullptr) {
    return Error{Code::kUnavailable, "the lead's bucket cannot be opened"};
  }
  return fetch_from_mirror(manifest, entry, *lead);
}

// The contribution that the manifest names, or an error: then the mirror is asked.
Result<Exchange::Stored> Exchange::fetch_from_miner(const Manifest& manifest,
                                                    const ManifestEntry& entry,
                                                    const Peer& peer) const {
  const Window window = manifest.window;
  TRY(const Bytes key_bytes, peer.bucket->get(seal_key_key(window), kMessageSizeMax));
  const auto key = open_key(key_bytes, origin_of(window, entry.uid, entry.hotkey));
  if (!key.message) return Error{Code::kCorrupt, "what it revealed is no key"};
  const SpoolName name{window, entry.uid, "sealed"};
  TRY(Spool::Fetched sealed,
      spool_.fetch(*peer.bucket, contribution_key(window), sealed_size(entry.plain_size), name));
  const auto is_named = [&entry](const SealSummary& found) {
    return found.plain_digest == entry.plain_digest;
  };
  TRY(auto opened,
      StoredContribution::open(std::move(sealed), key.message->key, is_named, *format_,
                               expected_of(window, entry.uid, entry.hotkey, manifest.base_root)));
  if (opened) return std::move(*opened);
  spool_.drop(name);
  return Error{Code::kCorrupt, "its bucket no longer holds what the manifest names"};
}

Result<Exchange::Stored> Exchange::fetch_from_mirror(const Manifest& manifest,
                                                     const ManifestEntry& entry,
                                                     const Peer& lead) const {
  const SpoolName name{manifest.window, entry.uid, "mirror"};
  TRY(Spool::Fetched plain,
      spool_.fetch(*lead.bucket, mirror_key(manifest.window, entry.uid), entry.plain_size, name));
  TRY(auto opened, StoredContribution::open(
                       std::move(plain), entry.plain_digest, *format_,
                       expected_of(manifest.window, entry.uid, entry.hotkey, manifest.base_root)));
  if (opened) return std::move(*opened);
  spool_.drop(name);
  return Error{Code::kCorrupt, "uid " + std::to_string(entry.uid.index) +
                                   "'s contribution, as it lies in the mirror, is not the one "
                                   "that the manifest names"};
}

}  // namespace train
