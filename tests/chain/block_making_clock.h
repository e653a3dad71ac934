// A clock under which nobody waits: sleeping makes the blocks of a private chain. The simulator's
// in small.
#pragma once

#include "chain/embedded/private_chain.h"
#include "common/clock.h"

namespace chain {

class BlockMakingClock final : public common::Clock {
 public:
  BlockMakingClock(embedded::PrivateChain& chain, common::Instant now) : chain_(chain), now_(now) {}
  common::Instant now() override { return now_; }
  bool sleep(common::milliseconds span) override {
    now_ = now_ + span;
    chain_.advance_to(now_);
    return true;
  }
  bool stop_requested() override { return false; }

 private:
  embedded::PrivateChain& chain_;
  common::Instant now_;
};

}  // namespace chain
