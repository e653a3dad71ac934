// The window's step from contributions as they lie on the disk: theta = theta - outer_lr * G, a
// piece at a time. There is neither an update nor a G in memory; the bits are those of `aggregate`
// and `outer_step` on decoded updates (compress/aggregate.h).
//
// Memory of a thread: 4 V (17 MB at tiles of 4,096), and S for each contributor (86 KB at 64 of
// 4,096; 20 of them: 1.7 MB); what else its codec needs for a sum: sparseloco a few tiles, the
// others their decoder's, 8 bytes a value that was sent of a piece, and by senders 2 V.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "common/window.h"
#include "compress/body_stream.h"

namespace compress {

// One whose body was judged before.
struct StoredContributor {
  common::Uid uid;
  double weight = 1.0;               // From the manifest, finite (CHECK).
  const StoredBody* body = nullptr;  // Both outlive the call.
  const BodySums* sums = nullptr;
};

// One thread's: takes the step of pieces.
class PieceStep {
 public:
  virtual ~PieceStep() = default;
  // direction (count of the piece): G, or its signs where params.rule is "sign". Once for each
  // piece, in any order; errors end it all.
  virtual common::Result<void> take(size_t piece, std::span<const float> direction) = 0;
};
using NewPieceStep = std::function<std::unique_ptr<PieceStep>()>;

// The direction of every piece of `range`, on `threads` threads, each with a step of its own.
// Nothing for no contributors; uids are distinct (CHECK), at most 65,535.
//
// A body that no longer is what was judged is kCorrupt, and its uid is named; so are errors of
// sources and steps handed up. Some pieces were taken then, others not: whoever keeps theta must
// restore it (a checkpoint, and the windows since), or first make a step that is put aside.
common::Result<void> each_direction(std::span<const StoredContributor> contributors,
                                    const BodyFormat& format, const common::OuterParams& params,
                                    PieceRange range, uint32_t threads,
                                    const NewPieceStep& new_step);

// theta = theta - learning_rate * direction, in place.
//   theta  the values of `range`, from its first on: of all, or of a rank's pieces
// After an error theta is half of the old and half of the new: restore it.
common::Result<void> outer_step(std::span<float> theta,
                                std::span<const StoredContributor> contributors,
                                const BodyFormat& format, const common::OuterParams& params,
                                float learning_rate, PieceRange range, uint32_t threads);

// clip_factors (compress/aggregate.h) from what was judged: [contributor][tensor].
std::vector<std::vector<float>> clip_factors(std::span<const StoredContributor> contributors,
                                             const common::OuterParams& params);

}  // namespace compress
