// Waits for blocks: the only sleep of a window.
#pragma once

#include "chain/ledger.h"
#include "common/clock.h"
#include "common/window.h"

namespace chain {

// Turns "until block n" into sleeps on `clock`, asking the ledger for its head; keeps an estimate
// of the block time from what it saw. Both outlive it.
class BlockClock {
 public:
  BlockClock(Ledger& ledger, common::Clock& clock) : ledger_(ledger), clock_(clock) {}

  // The head, once its number is at least `number`. Sleeps in between; a ledger that does not
  // answer is asked again for `patience` and then reported; kCancelled if the program is told to
  // stop.
  Result<Block> wait_for(BlockNumber number);
  // When block `number` is expected, by this machine's clock; now or earlier if it already is
  // there.
  Result<Instant> expected(BlockNumber number);

  void set_patience(common::milliseconds patience) { patience_ = patience; }

 private:
  Result<Block> head();

  Ledger& ledger_;
  common::Clock& clock_;
  common::milliseconds patience_{60'000};
  common::milliseconds block_time_{0};  // 0: not known yet.
  Block first_seen_{};
  Instant first_seen_at_{};
};

}  // namespace chain
