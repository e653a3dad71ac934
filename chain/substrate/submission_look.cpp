// Where a submission finds itself: block by block, forks and upgrades included.
#include <algorithm>

#include "chain/substrate/submission.h"
#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

// Of one look: what a node shows beyond is for the next.
constexpr uint64_t kBlocksMax = 4'096;

tl::unexpected<Failure> fail(Failure failure) { return tl::unexpected(std::move(failure)); }
tl::unexpected<Failure> fail(Error error) { return tl::unexpected(Failure{std::move(error), {}}); }

}  // namespace

Submission::Step Submission::look() {
  const auto heads = chain_.heads();
  if (!heads) return fail(heads.error());
  if (auto left = leave_removed_blocks(heads->best.number.index); !left) return fail(left.error());
  uint64_t next = seen_.empty() ? birth_ + 1 : seen_.back().number + 1;
  const uint64_t last = std::min(heads->best.number.index, next + kBlocksMax);
  for (; next <= last && !found_; ++next) {
    Header block{heads->best.hash, heads->best.parent, {next}};
    if (next != heads->best.number.index) {
      const auto hash = chain_.block_hash({next});
      if (!hash) return fail(hash.error());
      block = {*hash, {}, {next}};
    }
    if (Step step = look_into(block); !step) return step;
    seen_.push_back({block.hash, next});
  }
  if (found_) return judge_found(*heads);
  if (last < heads->best.number.index) return std::optional<Outcome>();
  if (heads->best.number.index + 1 >= death_) {
    return fail(failure(Code::kTimeout,
                        ": no block took it within " + std::to_string(options_.era_blocks) +
                            " blocks, and none will: try again",
                        "expired"));
  }
  if (heads->version != version_) {
    if (auto followed = follow_upgrade(*heads); !followed) return fail(followed.error());
    return std::optional<Outcome>();
  }
  if (!pool_verdict_.empty()) return fail({{Code::kRefused, pool_verdict_}, {}});
  return std::optional<Outcome>();
}

// A fork replaces the newest blocks: what was seen in them is not so any more.
Result<void> Submission::leave_removed_blocks(uint64_t best) {
  while (!seen_.empty()) {
    const Seen& newest = seen_.back();
    if (newest.number <= best) {
      auto hash = chain_.block_hash({newest.number});
      if (!hash && hash.error().code != Code::kNotFound) return hash.error();
      if (hash && *hash == newest.hash) return {};
    }
    if (found_ && found_->at.block.number.index == newest.number) {
      common::log_warning("{}: a fork removed block {}, which held it: sent again", call_.name(),
                          newest.number);
      found_.reset();
      lost_from_pool_ = true;
    }
    seen_.pop_back();
  }
  return {};
}

// Sets found_ if the block holds it and it succeeded.
Submission::Step Submission::look_into(const Header& block) {
  const auto extrinsics = chain_.extrinsics(block.hash);
  if (!extrinsics) return fail(extrinsics.error());
  const auto ours = std::find(extrinsics->begin(), extrinsics->end(), bytes_);
  if (ours == extrinsics->end()) return std::optional<Outcome>();
  const auto index = static_cast<uint32_t>(ours - extrinsics->begin());
  const auto view = chain_.view(block);
  if (!view) return fail(view.error());
  const auto all = chain_.happenings(*view);
  const std::string where = " stands in block " + std::to_string(block.number.index);
  if (!all) {
    return fail(failure(Code::kCorrupt, where + ", but its events cannot be read (" +
                                            all.error().message + "): read back what it did"));
  }
  Outcome outcome{extrinsic_hash(bytes_), *view, false, {}};
  bool ended = false;
  for (const Happening& event : *all) {
    if (event.extrinsic != index) continue;
    ended |= event.is("System", "ExtrinsicSuccess") || event.is("System", "ExtrinsicFailed");
    outcome.events.push_back(event);
  }
  if (!ended) {
    return fail(failure(Code::kCorrupt, where + ", but no event says what came of it: read back"));
  }
  if (const Value* error = failure_of(outcome.events)) {
    return fail(failure(Code::kRefused, " failed: " + explain_dispatch(view->metadata(), *error),
                        module_error(view->metadata(), *error)));
  }
  found_ = std::move(outcome);
  return std::optional<Outcome>();
}

Submission::Step Submission::judge_found(const ChainReader::Heads& heads) {
  if (!options_.finalized) return std::move(found_);
  const auto final_header = chain_.header(heads.finalized);
  if (!final_header) return fail(final_header.error());
  const BlockNumber number = found_->at.block.number;
  if (final_header->number < number) return std::optional<Outcome>();
  // The fork that was made final may be another than the one that held it.
  const auto hash = chain_.block_hash(number);
  if (!hash) return fail(hash.error());
  if (*hash != found_->at.block.hash) return std::optional<Outcome>();  // Left at the next look.
  found_->finalized = true;
  return std::move(found_);
}

// What was signed for a runtime that is no more will be taken by no block: it is made again.
tl::expected<void, Failure> Submission::follow_upgrade(const ChainReader::Heads& heads) {
  common::log_warning("{}: the chain was upgraded to runtime {}: signed again", call_.name(),
                      heads.version.spec_version);
  seen_.clear();
  return send();
}

}  // namespace chain::substrate
