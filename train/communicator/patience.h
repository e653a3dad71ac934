// How long somebody has asked in vain.
#pragma once

#include <algorithm>

#include "common/clock.h"

namespace train {

// Asked often. The machine's clock may be set while we wait, so no step of it counts for more than
// a second, or for less than nothing.
class Patience {
 public:
  explicit Patience(common::milliseconds deadline) : left_(deadline) {}

  bool over() {
    const common::Instant now = common::system_clock().now();
    left_ -= std::clamp(now - before_, common::milliseconds{0}, common::milliseconds{1000});
    before_ = now;
    return left_.count() <= 0;
  }

 private:
  common::milliseconds left_;
  common::Instant before_ = common::system_clock().now();
};

}  // namespace train
