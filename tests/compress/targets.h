// The instruction sets that Highway compiles for, one after the other.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace compress::testing {

// Runs `body` once for each instruction set that this machine has, and says in a failure which it
// was.
template <typename Body>
void on_every_target(const Body& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace compress::testing
