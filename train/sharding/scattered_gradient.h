// A gradient of which each rank keeps its shares: a piece is added up over the ranks as soon as it
// is complete, and its memory is the next one's.
#pragma once

#include <optional>
#include <vector>

#include "train/backend.h"
#include "train/buffer.h"
#include "train/communicator.h"
#include "train/pieces.h"
#include "train/sharding.h"
#include "train/sharding/places.h"

namespace train::sharding {

class ScatteredGradient final : public GradientSink {
 public:
  // shard (shares.size(rank)) in the machine's memory: added to. All outlive it.
  ScatteredGradient(const Shares& shares, float* shard, Backend& backend,
                    Communicator& communicator);
  ~ScatteredGradient() override;
  ScatteredGradient(const ScatteredGradient&) = delete;
  ScatteredGradient& operator=(const ScatteredGradient&) = delete;

  common::Result<float*> open(size_t piece) override;
  common::Result<void> close(size_t piece) override;

  // Everything that was closed has been added to the shards.
  common::Result<void> finish();

 private:
  struct Place {
    Buffer<float> values;
    size_t piece = kNoPiece;  // That is open, or being added up.
    std::optional<Communicator::Pending> leaving;
  };
  // Takes this rank's share of the sum that was begun here.
  common::Result<void> settle(Place& place);
  float* share(Place& place) const;  // In the piece itself.

  const Shares& shares_;
  float* shard_;
  Backend& backend_;
  Communicator& communicator_;
  std::vector<Place> places_;
};

}  // namespace train::sharding
