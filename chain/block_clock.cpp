#include "chain/block_clock.h"

#include <algorithm>

namespace chain {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;

constexpr milliseconds kRetryFirst{100};
constexpr milliseconds kRetryLast{2'000};
constexpr milliseconds kPollMin{20};
constexpr milliseconds kPollMax{1'500};
constexpr milliseconds kPollUnknown{200};
// The pause between looks when the block is due: a fraction of the block time.
constexpr int kLooksPerBlock = 5;
// How far back the first estimate of the block time looks.
constexpr uint64_t kEstimateBlocks = 16;
// Bittensor's, for a chain too young to have been measured.
constexpr milliseconds kBlockTimeUnknown{12'000};

bool passes_by_itself(Code code) { return code == Code::kUnavailable || code == Code::kTimeout; }

}  // namespace

// Asks until it is answered or patience ends, then learns what the block time is.
Result<Block> BlockClock::head() {
  const Instant asked_at = clock_.now();
  milliseconds pause = kRetryFirst;
  auto head = ledger_.head();
  while (!head && passes_by_itself(head.error().code) && clock_.now() - asked_at < patience_) {
    if (!clock_.sleep(pause))
      return Error{Code::kCancelled, "told to stop while waiting for the chain"};
    pause = std::min(2 * pause, kRetryLast);
    head = ledger_.head();
  }
  if (!head) return head;
  if (first_seen_at_ == Instant{}) {
    first_seen_ = *head;
    first_seen_at_ = clock_.now();
    // A block of before tells the block time at once. Block 0 has no time; a pruned one is not
    // asked again.
    const uint64_t back = std::min(kEstimateBlocks, std::max<uint64_t>(head->number.index, 1) - 1);
    const auto earlier = back > 0 ? ledger_.block({head->number.index - back}) : head;
    if (earlier) first_seen_ = *earlier;
  }
  if (head->number > first_seen_.number && head->time > first_seen_.time) {
    const auto blocks = static_cast<int64_t>(head->number.index - first_seen_.number.index);
    block_time_ = milliseconds((head->time - first_seen_.time).count() / blocks);
  }
  return head;
}

Result<Block> BlockClock::wait_for(BlockNumber number) {
  for (;;) {
    TRY(const Block head, head());
    if (head.number >= number) return head;
    // All blocks between but the next take their time; the next may come at any moment. Three
    // quarters of it, for the estimate may be too long. Without an estimate, look often.
    const auto between = static_cast<int64_t>(number.index - head.number.index) - 1;
    const milliseconds certain = block_time_ * between * 3 / 4;
    const milliseconds look = block_time_.count() > 0 ? block_time_ / kLooksPerBlock : kPollUnknown;
    if (!clock_.sleep(std::max(certain, std::clamp(look, kPollMin, kPollMax)))) {
      return Error{Code::kCancelled,
                   "told to stop while waiting for block " + std::to_string(number.index)};
    }
  }
}

Result<Instant> BlockClock::expected(BlockNumber number) {
  TRY(const Block head, head());
  const Instant now = clock_.now();
  if (head.number >= number) return std::min(now, head.time);
  const milliseconds block_time = block_time_.count() > 0 ? block_time_ : kBlockTimeUnknown;
  // How long the head has been there, if the chain's clock and ours agree; else within one block.
  const milliseconds age = std::clamp(now - head.time, milliseconds(0), block_time);
  const auto blocks = static_cast<int64_t>(number.index - head.number.index);
  return now + (block_time * blocks - age);
}

}  // namespace chain
