// What learns in the quality study: one machine, a subnet of miners, or one that steps by signs.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "tests/bench/quality_ground.h"
#include "tests/bench/quality_settings.h"

namespace bench {

// What a window did.
struct QualityWindow {
  double train_loss = 0;    // Of the last step, mean over miners.
  uint64_t tokens = 0;      // Of all miners.
  uint64_t bytes_sent = 0;  // Codec bodies of all miners: no receipts, seals or signatures.
};

class QualityLearner {
 public:
  virtual ~QualityLearner() = default;

  // The next window. An error is a loss or a gradient that is not finite: the run diverged.
  virtual common::Result<QualityWindow> step(uint64_t window) = 0;
  virtual std::span<const float> theta() const = 0;
  // theta as it were if what the miners hold back were sent whole: less the mean of their
  // residuals. Nothing where nothing is held back.
  virtual std::optional<std::vector<float>> flushed() const { return std::nullopt; }
};

// `ground` outlives it.
std::unique_ptr<QualityLearner> make_learner(const QualitySettings& settings,
                                             QualityGround& ground);

}  // namespace bench
