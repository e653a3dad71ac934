// Parameters of which each rank keeps its shares, gathered piece by piece as they are needed.
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

class GatheredParameters final : public ParameterSource {
 public:
  // shard (shares.size(rank)) in the machine's memory. All outlive it.
  GatheredParameters(const Shares& shares, const float* shard, Backend& backend,
                     Communicator& communicator);
  ~GatheredParameters() override;
  GatheredParameters(const GatheredParameters&) = delete;
  GatheredParameters& operator=(const GatheredParameters&) = delete;

  size_t places() const override { return kPlaces; }
  common::Result<Piece> get(size_t piece, size_t next) override;

  // The shards will change: nothing that was gathered holds any more.
  common::Result<void> forget();

 private:
  struct Place {
    Buffer<float> values;
    size_t piece = kNoPiece;
    uint64_t fill = 0;
    std::optional<Communicator::Pending> arriving;
  };
  // Begins to gather `piece` unless it is there.
  common::Result<void> fetch(size_t piece);
  common::Result<void> arrive(Place& place);
  Place& place_for(size_t piece) { return places_[place_of(shares_.pieces(), piece)]; }

  const Shares& shares_;
  const float* shard_;
  Communicator& communicator_;
  std::vector<Place> places_;
};

}  // namespace train::sharding
