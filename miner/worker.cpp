#include "miner/worker.h"

#include <algorithm>

#include "common/log.h"
#include "compress/contribution.h"
#include "train/seal_writer.h"

namespace miner {
namespace {

using chain::Anchored;
using chain::Block;
using chain::Roster;
using common::BlockNumber;
using common::Code;
using common::Error;
using common::Instant;
using common::milliseconds;
using common::Uid;
using train::Manifest;

}  // namespace

Worker::Worker(WorkerParts parts)
    : parts_(std::move(parts)),
      blocks_(parts_.ledger, parts_.clock),
      hparams_hash_(parts_.hparams.hash()),
      layout_(train::parameter_layout(parts_.hparams.model, parts_.hparams.codec)),
      peers_(parts_.open_store),
      exchange_(parts_.hparams, layout_, parts_.codec, parts_.bucket, parts_.folder / "spool",
                parts_.io_threads),
      feedback_(layout_.parameter_count(), parts_.hparams.codec.feedback_decay),
      journal_(parts_.folder) {}

Result<void> Worker::announce(std::string_view public_address) {
  return chain::announce_bucket(parts_.ledger, parts_.hotkey,
                                {common::Role::kMiner, std::string(public_address)});
}

Result<void> Worker::step(Window window) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  status_.window = window;
  enter("waiting");
  TRY_VOID(blocks_.wait_for(window.first_block(schedule.blocks_per_window)));
  TRY(const Roster roster, chain::read_roster(parts_.ledger, window, schedule));
  peers_.update(roster.peers);
  exchange_.forget_all_but(window);
  TRY_VOID(restore());
  enter("catching up");
  TRY_VOID(
      train::synchronise({replica_, parts_.local, parts_.initial_model}, window, network(roster)));
  if (auto contributed = contribute(window, roster); !contributed) {
    if (contributed.error().code == Code::kCancelled) return contributed;
    common::log_warning("window {}: not contributing: {}", window.index,
                        contributed.error().message);
  }
  TRY_VOID(follow(window, roster));
  return finish(window);
}

// Optimiser and feedback as they were after the last window that was sealed, or as new: what a
// window that failed has left in them would poison the next.
Result<void> Worker::restore() {
  if (restored_) return {};
  feedback_.reset();
  parts_.learner.optimiser().reset();
  TRY_VOID(journal_.restore(feedback_, parts_.learner.optimiser()));
  restored_ = true;
  return {};
}

// Lines 2 to 7 of a window: train, compress, seal before the deadline, reveal after it.
Result<void> Worker::contribute(Window window, const Roster& roster) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  const chain::Neuron* self = roster.metagraph.find(parts_.hotkey.account());
  if (self == nullptr) {
    uid_.reset();
    return Error{Code::kNotFound, "hotkey " + parts_.hotkey.account().ss58() +
                                      " was not registered when the window began; 'muster "
                                      "register' does that"};
  }
  uid_ = status_.uid = self->uid;
  auto sealed = journal_.sealed(window, parts_.io_threads);
  if (!sealed && sealed.error().code != Code::kNotFound) return sealed.error();
  if (!sealed) sealed = train_and_seal(window, self->uid, roster.metagraph.at);
  if (!sealed) return sealed.error();
  const BlockNumber seal = window.block_at(schedule.seal_block, schedule.blocks_per_window);
  const BlockNumber reveal = window.block_at(schedule.reveal_block, schedule.blocks_per_window);
  const Instant before = parts_.clock.now();
  TRY(const common::FileSource contribution, journal_.contribution(window));
  TRY_VOID(retry(seal, [&] { return exchange_.publish(*sealed, contribution); }));
  publish_time_ = std::max(milliseconds(200), parts_.clock.now() - before);
  status_.sealed_bytes = sealed->sealed_size;
  status_.bytes_sent +=
      sealed->sealed_size + sealed->claim.size() + sealed->receipt.size() + sealed->key.size();
  enter("sealed");
  TRY_VOID(blocks_.wait_for(seal));
  TRY_VOID(retry(reveal, [&] { return exchange_.reveal(*sealed); }));
  enter("revealed");
  return {};
}

Result<train::Sealed> Worker::train_and_seal(Window window, Uid uid, const Block& first) {
  const common::Hparams& hparams = parts_.hparams;
  const BlockNumber seal_block =
      window.block_at(hparams.schedule.seal_block, hparams.schedule.blocks_per_window);
  TRY(const Instant deadline, blocks_.expected(seal_block));
  if (deadline - parts_.clock.now() < publish_time_ * 2) {
    return Error{Code::kTimeout, "too late to train in this window"};
  }
  enter("training");
  restored_ = false;  // Until all of it is in the journal.
  const train::Dataset& dataset = parts_.training_sets.of(window);
  const std::vector<uint64_t> assigned = train::assignment(hparams_hash_, first.hash, uid, window,
                                                           dataset.sample_count(), hparams.inner);
  TRY(const train::PseudoGradient gradient,
      train_from_here(dataset, assigned, window, until_deadline(deadline)));
  status_.steps = static_cast<uint32_t>(gradient.receipt.steps.size());
  status_.first_loss = gradient.first_loss;
  status_.last_loss = gradient.last_loss;

  enter("compressing");
  const compress::ContributionHeader header{.netuid = hparams.netuid,
                                            .uid = uid,
                                            .window = window,
                                            .hotkey = parts_.hotkey.account(),
                                            .hparams_hash = hparams_hash_,
                                            .base_root = replica_->root(),
                                            .receipt_root = gradient.receipt.root(),
                                            .steps = status_.steps,
                                            .token_count = gradient.token_count};
  TRY(const train::Sealed sealed, seal(header, gradient));
  TRY_VOID(journal_.commit(sealed, feedback_, parts_.learner.optimiser()));
  restored_ = true;
  return sealed;
}

Result<train::PseudoGradient> Worker::train_from_here(const train::Dataset& dataset,
                                                      std::span<const uint64_t> assigned,
                                                      Window window,
                                                      const train::KeepGoing& keep_going) {
  std::span<const float> start = replica_->theta();
  std::vector<float> ahead;
  if (parts_.hparams.codec.look_ahead) {
    ahead.assign(start.begin(), start.end());
    feedback_.look_ahead(ahead);
    start = ahead;
  }
  return train::train_window(start, parts_.learner, dataset, assigned, parts_.hparams, window,
                             keep_going);
}

// Compresses, signs and seals in one stream to the journal's file: nothing of the size of a
// contribution is held in memory.
Result<train::Sealed> Worker::seal(const compress::ContributionHeader& header,
                                   const train::PseudoGradient& gradient) {
  const compress::BodyFormat& format = exchange_.format();
  TRY(common::FileWriter file, journal_.contribution_file(header.window));
  train::SealWriter writer(file, parts_.codec.threads());
  TRY_VOID(compress::write_contribution(
      header, parts_.hotkey, writer, [&writer] { return writer.digest(); },
      [&](common::ByteSink& sink) {
        return compress::write_body(
            format, feedback_.encode(format, compress::all_pieces(format), gradient.delta),
            parts_.codec.threads(), sink);
      }));
  TRY(const train::SealSummary summary, writer.finish());
  TRY_VOID(file.commit());
  TRY_VOID(check_sealed(header, summary, writer.key()));
  const train::Origin origin{header.netuid, header.window, header.uid, header.hotkey};
  return train::make_sealed(summary, writer.key(), gradient.receipt, origin, header.base_root,
                            parts_.hotkey);
}

// As everybody else will open it.
Result<void> Worker::check_sealed(const compress::ContributionHeader& header,
                                  const train::SealSummary& summary, const train::SealKey& key) {
  TRY(common::FileSource file, journal_.contribution(header.window));
  const compress::Expected expected{.netuid = header.netuid,
                                    .uid = header.uid,
                                    .window = header.window,
                                    .hotkey = header.hotkey,
                                    .hparams_hash = header.hparams_hash,
                                    .base_root = header.base_root,
                                    .steps_max = header.steps};
  TRY(const auto opened,
      train::StoredContribution::open(
          std::make_unique<common::FileSource>(std::move(file)), key,
          [&summary](const train::SealSummary& found) { return found == summary; },
          exchange_.format(), expected));
  if (!opened && opened.error() == common::Verdict::kEmpty) {
    return Error{Code::kNotFound, "training changed nothing"};
  }
  CHECK_MSG(opened.has_value(), "our own contribution does not open");
  return {};
}

// As many steps as fit before the deadline, so that a slow machine sends what it has instead of
// nothing.
train::KeepGoing Worker::until_deadline(Instant deadline) {
  const Instant start = parts_.clock.now();
  const milliseconds reserve = publish_time_ * 2 + milliseconds(300);
  return [this, start, deadline, reserve](uint32_t step) {
    const Instant now = parts_.clock.now();
    if (step == 0) return true;
    const milliseconds of_a_step = (now - start) / step;
    return !parts_.clock.stop_requested() && now + of_a_step * 3 / 2 + reserve < deadline;
  };
}

// Lines 8 to 10: what counts is what the chain says, for everybody the same.
Result<void> Worker::follow(Window window, const Roster& roster) {
  const common::ScheduleParams& schedule = parts_.hparams.schedule;
  TRY(const std::optional<Anchored> anchored,
      chain::wait_for_anchor(parts_.ledger, blocks_, roster, window, schedule));
  if (!anchored) {
    common::log_warning("window {}: no manifest was anchored; nobody moves", window.index);
    status_.verdict = "null window";
    replica_->skip(window);
    return {};
  }
  enter("applying");
  const train::Peer* lead = peers_.find(anchored->lead);
  CHECK(lead != nullptr);
  const BlockNumber end = window.next().first_block(schedule.blocks_per_window);
  TRY(const Manifest manifest,
      retry(end, [&] { return exchange_.manifest(window, *lead, anchored->anchor.manifest); }));
  if (manifest.base_root != replica_->root()) {
    return train::settle_disagreement(replica_, manifest, network(roster));
  }
  TRY(const train::Counted counted,
      retry(end, [&] { return exchange_.gather(manifest, peers_, {}); }));
  TRY_VOID(replica_->apply(window, manifest.hash(), counted));
  ++status_.windows_applied;
  status_.verdict = "-";
  for (const train::ManifestEntry& entry : manifest.entries) {
    if (entry.uid == uid_) status_.verdict = name(entry.verdict);
  }
  return {};
}

train::Network Worker::network(const Roster& roster) {
  return {parts_.hparams, exchange_, roster.voters, peers_,
          chain::anchor_lookup<train::PastAnchor>(parts_.ledger, parts_.hparams.schedule)};
}

Result<void> Worker::finish(Window window) {
  status_.state_root = replica_->root();
  enter("applied");
  if (uid_) {
    const train::RootNote note{{parts_.hparams.netuid, window, *uid_, parts_.hotkey.account()},
                               replica_->root()};
    const BlockNumber soon = window.next().block_at(1, parts_.hparams.schedule.blocks_per_window);
    TRY_VOID(retry(soon, [&] { return exchange_.publish_root(note, parts_.hotkey); }));
  }
  const common::CheckpointParams& checkpoint = parts_.hparams.checkpoint;
  if (window.next().index % checkpoint.windows == 0) {
    TRY_VOID(train::save_checkpoint(parts_.local, *replica_, parts_.hparams, parts_.hotkey));
    TRY_VOID(train::prune_checkpoints(parts_.local, checkpoint.keep));
  }
  return {};
}

void Worker::enter(const char* phase) {
  status_.phase = phase;
  if (show_) show_(status_);
}

}  // namespace miner
