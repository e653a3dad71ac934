#include "validator/validator.h"

#include <algorithm>
#include <deque>

#include "common/log.h"
#include "validator/heldout.h"
#include "validator/index_set.h"
#include "validator/lead.h"
#include "validator/overlap.h"
#include "validator/report.h"
#include "validator/selection.h"

namespace validator {
namespace {

using chain::Anchored;
using chain::Block;
using chain::Roster;
using common::BlockNumber;
using common::Code;
using common::Error;
using train::Gathered;
using train::Manifest;

const Gathered* find(std::span<const Gathered> opened, const train::ManifestEntry& entry) {
  for (const Gathered& one : opened) {
    if (one.uid == entry.uid && one.contribution != nullptr &&
        one.contribution->digest() == entry.plain_digest) {
      return &one;
    }
  }
  return nullptr;
}

}  // namespace

Validator::Validator(ValidatorParts parts)
    : parts_(std::move(parts)),
      blocks_(parts_.ledger, parts_.clock),
      hparams_hash_(parts_.hparams.hash()),
      layout_(train::parameter_layout(parts_.hparams.model, parts_.hparams.codec)),
      peers_(parts_.open_store),
      exchange_(parts_.hparams, layout_, parts_.codec, parts_.bucket, parts_.folder / "spool",
                parts_.io_threads),
      evaluator_(parts_.hparams, parts_.model, parts_.training_sets, parts_.heldout_set,
                 exchange_.format(), parts_.codec.threads()) {
  status_.heldout_history = heldout_history(parts_.scores);
  if (!status_.heldout_history.empty()) {
    status_.heldout_loss = status_.heldout_history.back().second;
  }
}

Result<void> Validator::announce(std::string_view public_address) {
  return chain::announce_bucket(parts_.ledger, parts_.hotkey,
                                {common::Role::kValidator, std::string(public_address)});
}

Result<void> Validator::step(Window window) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  status_.window = window;
  enter("waiting");
  TRY_VOID(blocks_.wait_for(window.first_block(schedule.blocks_per_window)));
  TRY(const Roster roster, chain::read_roster(parts_.ledger, window, schedule));
  peers_.update(roster.peers);
  exchange_.forget_all_but(window);
  enter("catching up");
  TRY_VOID(
      train::synchronise({replica_, parts_.local, parts_.initial_model}, window, network(roster)));
  TRY(Opened opened, sight_and_open(window, roster));
  if (auto led = lead(window, roster, opened); !led) {
    if (led.error().code == Code::kCancelled) return led;
    common::log_warning("window {}: could not lead: {}", window.index, led.error().message);
  }
  enter("awaiting manifest");
  TRY(const std::optional<Anchored> anchored,
      chain::wait_for_anchor(parts_.ledger, blocks_, roster, window, schedule));
  if (!anchored) {
    common::log_warning("window {}: no manifest was anchored; nobody moves", window.index);
    replica_->skip(window);
    return finish(window);
  }
  status_.lead = uid_ == anchored->lead;
  const train::Peer* lead = peers_.find(anchored->lead);
  CHECK(lead != nullptr);
  TRY(const Manifest manifest, retry(end_of(window), [&] {
        return exchange_.manifest(window, *lead, anchored->anchor.manifest);
      }));
  if (manifest.base_root != replica_->root()) {
    TRY_VOID(train::settle_disagreement(replica_, manifest, network(roster)));
    return finish(window);
  }
  TRY(const WindowEvidence evidence, judge(manifest, opened));
  TRY_VOID(record(evidence));
  TRY_VOID(apply(manifest, opened));
  remember(window, std::move(opened));
  return finish(window);
}

train::Network Validator::network(const Roster& roster) {
  return {parts_.hparams, exchange_, roster.voters, peers_,
          chain::anchor_lookup<train::PastAnchor>(parts_.ledger, parts_.hparams.schedule)};
}

// Line 2: claims at the deadline, and after the reveal what they promised.
Result<Validator::Opened> Validator::sight_and_open(Window window, const Roster& roster) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  const chain::Neuron* self = roster.metagraph.find(parts_.hotkey.account());
  uid_ = status_.uid = self == nullptr ? std::nullopt : std::optional(self->uid);
  enter("awaiting claims");
  const BlockNumber seal_block = window.block_at(schedule.seal_block, schedule.blocks_per_window);
  TRY_VOID(blocks_.wait_for(seal_block));
  TRY(const Block deadline, parts_.ledger.block(seal_block));
  std::vector<train::Peer> miners;
  for (const train::Peer& peer : peers_.all()) {
    if (peer.address.role == common::Role::kMiner) miners.push_back(peer);
  }
  std::vector<train::Sighting> sightings = exchange_.sight(window, miners, deadline.time);
  enter("fetching");
  exchange_.fetch(window, sightings, peers_);
  enter("awaiting keys");
  TRY_VOID(blocks_.wait_for(window.block_at(schedule.reveal_block, schedule.blocks_per_window)));
  enter("opening");
  return exchange_.open(window, std::move(sightings), peers_, replica_->root());
}

// Publishes and anchors the manifest when our turn comes and nobody before us has.
Result<void> Validator::lead(Window window, const Roster& roster, const Opened& opened) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  const std::optional<size_t> rank = roster.rank(parts_.hotkey.account());
  if (!rank || !uid_) return {};
  const BlockNumber turn = chain::entitled_from(*rank, window, schedule);
  const BlockNumber end = end_of(window);
  if (turn >= end) return {};
  TRY(const Block head, blocks_.wait_for(turn));
  TRY(const std::optional<Anchored> already,
      chain::find_anchor(parts_.ledger, roster, window, schedule));
  if (already || head.number >= end) return {};
  enter("leading");
  const Manifest base{.netuid = parts_.hparams.netuid,
                      .window = window,
                      .hparams_hash = hparams_hash_,
                      .base_root = replica_->root(),
                      .lead = *uid_,
                      .lead_hotkey = parts_.hotkey.account(),
                      .entries = {}};
  const Manifest manifest = make_manifest(base, opened, parts_.scores.board(), parts_.hparams);
  TRY_VOID(retry(end, [&] { return exchange_.publish_manifest(manifest, opened, parts_.hotkey); }));
  return retry(end, [&] {
    return chain::anchor_manifest(parts_.ledger, parts_.hotkey, {window, manifest.hash()});
  });
}

// Lines 3 to 6: evidence, by the manifest's verdicts and our own measurements.
Result<WindowEvidence> Validator::judge(const Manifest& manifest, const Opened& opened) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  WindowEvidence evidence{.window = manifest.window,
                          .manifest = manifest.hash(),
                          .base_root = manifest.base_root,
                          .seed_block = {},
                          .peers = {}};
  const BlockNumber seed =
      manifest.window.block_at(schedule.seal_block + 1, schedule.blocks_per_window);
  TRY(const Block seed_block, parts_.ledger.block(seed));
  evidence.seed_block = seed_block.hash;
  for (const train::ManifestEntry& entry : manifest.entries) {
    evidence.peers.push_back(evidence_of(entry, find(opened, entry)));
  }
  enter("comparing");
  compare_indices(evidence, opened);
  enter("judging");
  TRY_VOID(evaluate(evidence, manifest, opened));
  return evidence;
}

Evidence Validator::evidence_of(const train::ManifestEntry& entry, const Gathered* found) const {
  Evidence row{.uid = entry.uid, .hotkey = entry.hotkey, .verdict = entry.verdict};
  row.contribution = entry.plain_digest;
  if (found != nullptr) row.sealed_size = found->sealed_size;
  return row;
}

void Validator::compare_indices(WindowEvidence& evidence, const Opened& opened) {
  const compress::BodyFormat& format = exchange_.format();
  const std::vector<size_t> pieces = compared_pieces(format, evidence.seed_block);
  std::deque<IndexSet> sets;  // Where prints point to.
  const auto print = [&](Uid uid, Window window, const train::StoredContribution& contribution,
                         std::vector<Fingerprint>& prints) {
    auto set = index_set(contribution.body(), format, pieces);
    if (!set) {  // Our disk: no evidence of anything.
      common::log_warning("window {}: uid {} is not compared: {}", evidence.window.index, uid.index,
                          set.error().message);
      return;
    }
    sets.push_back(std::move(*set));
    prints.push_back({uid, window, &sets.back()});
  };
  std::vector<Fingerprint> now;
  std::vector<Fingerprint> before;
  for (const Gathered& one : opened) {
    if (one.contribution != nullptr) print(one.uid, evidence.window, *one.contribution, now);
  }
  for (const Past& past : past_) print(past.uid, past.window, *past.contribution, before);
  for (const Resemblance& found : resemblances(now, before)) {
    for (Evidence& row : evidence.peers) {
      if (row.uid != found.uid) continue;
      row.overlap = found.overlap;
      row.overlap_z = found.z;
      row.overlap_with = found.with;
    }
  }
}

void Validator::remember(Window window, Opened opened) {
  past_.clear();
  for (Gathered& one : opened) {
    if (one.contribution == nullptr) continue;
    past_.push_back({one.uid, window, std::move(one.contribution)});
  }
}

Result<void> Validator::evaluate(WindowEvidence& evidence, const Manifest& manifest,
                                 const Opened& opened) {
  std::vector<compress::StoredContributor> all;
  std::vector<const Gathered*> sources;
  std::vector<Uid> accepted;
  for (const train::ManifestEntry& entry : manifest.entries) {
    const Gathered* found = find(opened, entry);
    if (entry.verdict != Verdict::kAccepted || found == nullptr) continue;
    all.push_back({entry.uid, 1.0, &found->contribution->body(), &found->contribution->sums()});
    sources.push_back(found);
    accepted.push_back(entry.uid);
  }
  const auto clip = compress::clip_factors(all, parts_.hparams.outer);
  const std::vector<Uid> chosen =
      select(parts_.scores.board(), accepted, evidence.seed_block, parts_.hparams.evaluation);
  evaluator_.begin(evidence.window, evidence.seed_block);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!std::binary_search(chosen.begin(), chosen.end(), all[i].uid)) continue;
    const Candidate candidate{all[i].uid, all[i].body, clip[i], &sources[i]->receipt};
    for (Evidence& row : evidence.peers) {
      if (row.uid != candidate.uid) continue;
      const auto judged = evaluator_.judge(*replica_, candidate, row.common, row.own);
      if (!judged && !replica_->intact()) return judged;  // The next window starts it again.
      if (!judged) {
        common::log_warning("window {}: uid {} is not judged: {}", evidence.window.index,
                            row.uid.index, judged.error().message);
      }
    }
  }
  status_.heldout_loss = evaluator_.heldout_loss();
  if (!chosen.empty()) {
    status_.heldout_history.emplace_back(evidence.window.index, status_.heldout_loss);
  }
  return {};
}

// Lines 7 and 8: everything else is computed from the evidence, and both are on the disk together.
Result<void> Validator::record(const WindowEvidence& evidence) {
  const std::optional<std::pair<Window, Window>> stored = parts_.scores.range();
  if (stored && evidence.window <= stored->second) return {};  // Scored before a restart.
  TRY(const Record written, parts_.scores.append(evidence));
  status_.peers.clear();
  for (const Standing& standing : written.board.standings) {
    PeerLine line{.uid = standing.uid, .verdict = standing.last_verdict, .standing = standing};
    line.score = score(standing, parts_.hparams);
    for (const Share& share : written.weights) {
      if (share.uid == standing.uid) line.weight = share.share;
    }
    status_.peers.push_back(line);
  }
  return publish_scores(written);
}

Result<void> Validator::publish_scores(const Record& record) {
  const std::string report = score_report(record, parts_.hotkey);
  return retry(end_of(record.evidence.window.next()), [&] {
    return parts_.bucket.put(train::scores_key(record.evidence.window), common::view_of(report));
  });
}

Result<void> Validator::apply(const Manifest& manifest, const Opened& opened) {
  enter("applying");
  TRY(const train::Counted counted, retry(end_of(manifest.window.next()), [&] {
        return exchange_.gather(manifest, peers_, opened);
      }));
  TRY_VOID(replica_->apply(manifest.window, manifest.hash(), counted));
  ++status_.windows_applied;
  return {};
}

// Lines 10 and 11, and the state root for those who catch up later.
Result<void> Validator::finish(Window window) {
  status_.state_root = replica_->root();
  enter("applied");
  if (uid_) {
    const train::RootNote note{{parts_.hparams.netuid, window, *uid_, parts_.hotkey.account()},
                               replica_->root()};
    TRY_VOID(
        retry(end_of(window.next()), [&] { return exchange_.publish_root(note, parts_.hotkey); }));
  }
  const common::CheckpointParams& checkpoint = parts_.hparams.checkpoint;
  if (window.next().index % checkpoint.windows == 0) {
    for (common::ObjectStore* store : {&parts_.local, &parts_.bucket}) {
      TRY_VOID(train::save_checkpoint(*store, *replica_, parts_.hparams, parts_.hotkey));
      TRY_VOID(train::prune_checkpoints(*store, checkpoint.keep));
    }
  }
  if (window.index % parts_.hparams.weights.windows_per_weights == 0) {
    if (auto published = publish_weights(window); !published) {
      if (published.error().code == Code::kCancelled) return published;
      common::log_warning("window {}: weights are not on the chain: {}", window.index,
                          published.error().message);
    }
  }
  return {};
}

// Submitted, included, and read back (W49).
Result<void> Validator::publish_weights(Window window) {
  const auto stored = parts_.scores.range();
  if (!stored || !uid_) return {};
  TRY(const Record last, parts_.scores.read(stored->second));
  const std::vector<chain::Weight> values = to_chain_weights(last.weights);
  if (values.empty()) return {};
  enter("setting weights");
  TRY_VOID(parts_.ledger.set_weights(parts_.hotkey, values, /*version_key=*/0));
  TRY(const std::vector<chain::WeightRow> rows, parts_.ledger.weights());
  const bool there = std::any_of(rows.begin(), rows.end(), [&](const chain::WeightRow& row) {
    return row.validator == *uid_ && row.weights == values;
  });
  if (!there) {
    return Error{Code::kRefused, "set_weights of window " + std::to_string(window.index) +
                                     " succeeded, but the chain holds other weights"};
  }
  enter("applied");
  return {};
}

BlockNumber Validator::end_of(Window window) const {
  return window.next().first_block(parts_.hparams.schedule.blocks_per_window);
}

void Validator::enter(const char* phase) {
  status_.phase = phase;
  if (show_) show_(status_);
}

}  // namespace validator
